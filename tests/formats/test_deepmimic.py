"""Clips of the DeepMimic humanoid: skeleton, hinges, rate, bad files."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from motionfield.core.assets import fetch_asset
from motionfield.core.errors import InputError
from motionfield.formats.deepmimic import FPS, read_deepmimic

REST = [0.0, 0.9, 0.0] + [1.0, 0, 0, 0] * 4 + [0.0] + [1.0, 0, 0, 0] * 2 + [0.0]
REST += [1.0, 0, 0, 0] + [0.0] + [1.0, 0, 0, 0] * 2 + [0.0]
RIGHT_KNEE, LEFT_ELBOW = 19, 42


def write_clip(path: Path, rows: list[list[float]], step_s: float = 1 / 60) -> Path:
    durations = [step_s] * (len(rows) - 1) + [0.0]
    frames = [[d, *row] for d, row in zip(durations, rows, strict=True)]
    path.write_text(json.dumps({"Loop": "none", "Frames": frames}))
    return path


def places(path: Path) -> dict[str, torch.Tensor]:
    """Places of the canonical joints in the first frame, Z up."""
    shard = read_deepmimic([path])
    clip = shard.clip(shard.clips[0])
    return {name: clip.positions_world[0, joint] for name, joint in clip.canonical.items()}


def test_at_rest_it_stands_facing_x(tmp_path: Path) -> None:
    found = places(write_clip(tmp_path / "rest.txt", [REST, REST]))
    assert found["pelvis"].tolist() == pytest.approx([0, 0, 0.9], abs=1e-4)
    # Facing +x with Z up, the left is +y.
    assert found["l_hip"][1] > 0.05 > -0.05 > found["r_hip"][1]
    assert found["l_toe"][0] - found["l_ankle"][0] == pytest.approx(0.13, abs=1e-3)
    assert found["head"][2] > found["neck"][2] > found["pelvis"][2] > found["l_knee"][2]


def test_hinges_bend_knees_back_and_elbows_forward(tmp_path: Path) -> None:
    bent = list(REST)
    bent[RIGHT_KNEE], bent[LEFT_ELBOW] = -math.pi / 2, math.pi / 2
    found = places(write_clip(tmp_path / "bent.txt", [bent, bent]))
    shank = found["r_ankle"] - found["r_knee"]
    forearm = found["l_wrist"] - found["l_elbow"]
    assert shank.tolist() == pytest.approx([-0.40987, 0, 0], abs=1e-3)
    assert forearm.tolist() == pytest.approx([0.258947, 0, 0], abs=1e-3)


def test_every_rate_becomes_one(tmp_path: Path) -> None:
    rows = [[0.1 * index, *REST[1:]] for index in range(31)]
    path = write_clip(tmp_path / "fast.txt", rows, step_s=1 / 60)
    shard = read_deepmimic([path])
    clip = shard.clip(shard.clips[0])
    assert clip.fps == FPS == 30
    way = clip.positions_world[:, 0, 0]
    np.testing.assert_allclose(way, 0.2 * np.arange(16), atol=1e-5)


@pytest.mark.parametrize(
    "content",
    ["not json", '{"Frames": [[0, 1], [0, 1]]}', '{"Loop": "none"}', '{"Frames": "walk"}'],
)
def test_other_files_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "other.txt"
    path.write_text(content)
    with pytest.raises(InputError, match=r"other\.txt: is no DeepMimic clip"):
        read_deepmimic([path])


def test_a_frame_without_duration_is_refused(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "still.txt", [REST, REST, REST], step_s=0.0)
    with pytest.raises(InputError, match="duration"):
        read_deepmimic([path])


@pytest.mark.models("pybullet_clips")
def test_the_clips_of_the_wheel() -> None:
    paths = sorted(fetch_asset("pybullet_clips").glob("*.txt"))
    shard = read_deepmimic(paths)
    assert len(shard.clips) == 15
    walk = shard.clip(shard.find("humanoid3d_walk")).positions_world
    speed = (walk[-1, 0] - walk[0, 0])[:2].norm() / (len(walk) - 1) * FPS
    assert 0.8 < speed < 2.0
    feet = walk[:, [shard.canonical["l_ankle"], shard.canonical["r_ankle"]], 2]
    assert 0 < float(feet.min()) < 0.2
