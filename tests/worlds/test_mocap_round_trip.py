"""A motion of our own skeleton, read back as a clip, is the motion; so is its mirror image."""

from pathlib import Path

import pytest
import torch

from helpers import shared_path
from made_mocap import write_made_shard
from motionfield.benchmarks.retargeting_score import joints_of
from motionfield.body.registry import load_body
from motionfield.core.conventions import JOINT_INDEX
from motionfield.formats.mocap_npz import MocapShard, read_mocap
from motionfield.worlds.mirror import mirror_motion
from motionfield.worlds.mocap import retarget
from motionfield.worlds.mocap_calibration import calibrate_subject

_KNEES = [JOINT_INDEX["left_knee"], JOINT_INDEX["right_knee"]]
_OTHERS = [joint for joint in range(24) if joint not in _KNEES]


@pytest.fixture(scope="module", params=["toy", "anny"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> MocapShard:
    path = Path(tmp_path_factory.mktemp("made")) / f"{request.param}.npz"
    write_made_shard(path, load_body(request.param))
    return read_mocap(path)


def test_the_same_joints_come_back(made: MocapShard) -> None:
    body = load_body(made.path.stem)
    how = calibrate_subject(made, "one", body)
    assert how.betas.abs().max() < 1e-3
    assert (how.bone_scale - 1).abs().max() < 1e-3
    for info in made.clips:
        clip = made.clip(info)
        motion = retarget(clip, body, how)
        joints, expected = joints_of(motion, body), clip.positions_world.clone()
        expected[..., 2] += (joints[:, 0, 2] - expected[:, 0, 2]).median()
        away = (joints - expected).norm(dim=-1)
        bent = clip.positions_world[:, 0, 2] < clip.positions_world[:, 0, 2].max() - 0.05
        assert away[bent].max() < 1e-3 + (joints[:, 0] - expected[:, 0])[bent].norm(dim=-1).max()
        # Quite straight legs stay a little bent, about their hinges.
        assert away[:, _OTHERS].max() < 3e-3
        assert away[:, _KNEES].max() < 0.025
        assert motion.observed.all()
        assert motion.contacts is not None
        assert motion.contacts.min() > 0.99


def test_the_mirrored_clip_gives_the_mirrored_motion(made: MocapShard) -> None:
    body = load_body(made.path.stem)
    twin = made.mirrored()
    how, other = (calibrate_subject(shard, "one", body) for shard in (made, twin))
    for info in made.clips:
        expected = mirror_motion(retarget(made.clip(info), body, how))
        found = retarget(twin.clip(info), body, other)
        torch.testing.assert_close(
            joints_of(found, body), joints_of(expected, body), atol=1.5e-3, rtol=0
        )


@pytest.mark.parametrize("name", ["cmu_dm", "hdm05", "tennis"])
def test_every_rig_is_as_good_in_a_mirror(name: str) -> None:
    shard = read_mocap(shared_path("mocap", f"{name}.npz"))
    body = load_body("toy")
    info = min(shard.of_split("val"), key=lambda clip: clip.num_frames)
    twin = shard.mirrored()
    how, other = (calibrate_subject(s, info.subject, body) for s in (shard, twin))
    expected = joints_of(mirror_motion(retarget(shard.clip(info), body, how)), body)
    found = joints_of(retarget(twin.clip(info), body, other), body)
    assert (found - expected).norm(dim=-1).median() < 1e-3
