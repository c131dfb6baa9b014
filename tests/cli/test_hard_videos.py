"""Videos that are hard, through the whole path with the real networks.

Made from a part of the demo video: a woman walks through the picture.
"""

import itertools
import json
import subprocess
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from motionfield.cli.main import main
from motionfield.core.assets import fetch_asset
from motionfield.formats.video_file import stream_frames
from motionfield.steps.read import read_video
from pipeline.made_inputs import video_file

pytestmark = [pytest.mark.models("demo_video"), pytest.mark.slow]

FIRST, COUNT = 100, 24
ROWS, COLUMNS = slice(250, 994), slice(540, 1284)
SIDE = 540


@pytest.fixture(scope="module")
def walk() -> list[np.ndarray]:
    """Square pictures with her in the middle, somewhat more than half as tall."""
    frames = stream_frames(read_video(fetch_asset("demo_video")))
    chosen = itertools.islice(frames, FIRST, FIRST + COUNT)
    return [
        cv2.resize(f[ROWS, COLUMNS], (SIDE, SIDE), interpolation=cv2.INTER_AREA) for f in chosen
    ]


def write(path: Path, frames: Sequence[np.ndarray], rotation: int = 0) -> Path:
    height, width = frames[0].shape[:2]
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(30))
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "ultrafast", "crf": "18"}
        if rotation:
            stream.set_display_rotation(rotation)
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


def run_on(video: Path, out: Path) -> dict[str, np.ndarray]:
    assert main(["run", str(video), "-o", str(out), "--quiet", "--no-overlay"]) == 0
    with np.load(out / video.stem / "motion.npz", allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def test_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = video_file(tmp_path / "empty room.mp4", frames=10)
    assert main(["run", str(video), "-o", str(tmp_path / "out"), "--quiet"]) == 5
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert "empty room.mp4: nobody was found" in lines[0]
    assert not (tmp_path / "out" / "report.html").exists()


def test_nobody_is_one_line_of_a_real_process(tmp_path: Path) -> None:
    """The networks' runtime writes notes of its own to standard error: users do not see them."""
    video = video_file(tmp_path / "empty.mp4", frames=3)
    command = [sys.executable, "-m", "motionfield", "run", str(video), "-o", str(tmp_path / "out")]
    found = subprocess.run([*command, "--quiet"], capture_output=True, text=True, check=False)
    assert found.returncode == 5
    assert found.stderr.startswith("motionfield: ")
    assert found.stderr.count("\n") == 1


def test_one_frame(walk: list[np.ndarray], tmp_path: Path) -> None:
    result = run_on(write(tmp_path / "one.mp4", walk[:1]), tmp_path / "out")
    assert result["joints"].shape == (1, 24, 3)


def test_lost_for_a_while(
    walk: list[np.ndarray], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Carried over, marked, told."""
    frames = [np.full_like(f, 128) if 9 <= i < 14 else f for i, f in enumerate(walk)]
    result = run_on(write(tmp_path / "lost.mp4", frames), tmp_path / "out")
    seen = np.isfinite(result["keypoints_2d"][..., 0]).any(1)
    assert not seen[10:14].any()
    assert seen[[2, 7, 17, 22]].all()
    assert np.isfinite(result["joints"]).all()
    step_m = np.linalg.norm(np.diff(result["joints"][:, 0], axis=0), axis=-1)
    assert step_m.max() < 0.3
    assert "not seen in" in capsys.readouterr().err


def test_4k(walk: list[np.ndarray], tmp_path: Path) -> None:
    frames = [cv2.resize(np.pad(f, ((0, 0), (210, 210), (0, 0))), (3840, 2160)) for f in walk[:3]]
    large = run_on(write(tmp_path / "uhd.mp4", frames), tmp_path / "out")
    plain = run_on(write(tmp_path / "plain.mp4", walk[:3]), tmp_path / "out_plain")
    assert_same_person(large["keypoints_2d"] / 4 - (210, 0, 0), plain["keypoints_2d"], SIDE)


@pytest.mark.parametrize("name", ["Größe und Weg.mp4", "läufer 🏃‍♂️.mp4", "100% [final] (2).mp4"])
def test_odd_names(name: str, walk: list[np.ndarray], tmp_path: Path) -> None:
    video = write(tmp_path / name, walk[:2])
    run_on(video, tmp_path / "out")
    content = json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))
    assert content["videos"][0]["folder"] == Path(name).stem


def test_rotated_portrait(walk: list[np.ndarray], tmp_path: Path) -> None:
    """Stored lying with a flag, as phones do: seen and measured upright."""
    upright = [np.ascontiguousarray(frame[:, 200:504]) for frame in walk[:3]]
    lying = [np.ascontiguousarray(np.rot90(frame)) for frame in upright]
    plain = run_on(write(tmp_path / "upright.mp4", upright), tmp_path / "out_a")
    turned = run_on(write(tmp_path / "lying.mp4", lying, rotation=-90), tmp_path / "out_b")
    assert tuple(turned["image_size"]) == (304, SIDE)
    assert_same_person(turned["keypoints_2d"], plain["keypoints_2d"], SIDE)
    head, feet = turned["joints"][:, 15, 2], turned["joints"][:, 7, 2]
    assert (head - feet > 1).all()


def assert_same_person(a: np.ndarray, b: np.ndarray, height_px: int) -> None:
    apart = np.linalg.norm(a[..., :2] - b[..., :2], axis=-1)
    assert np.isfinite(apart).mean() > 0.9
    assert np.nanmedian(apart) < 0.02 * height_px
