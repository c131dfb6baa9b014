"""Bad input through the command line: one line with file, fault and cure; nothing lost."""

from pathlib import Path

import numpy as np
import pytest

from motionfield.cli.main import main
from pipeline.made_inputs import keypoint_file, video_file


def refused(
    capsys: pytest.CaptureFixture[str], *arguments: str | Path, code: int | None = None
) -> str:
    """Run, expect an error, and return its one line."""
    found = main([*(str(argument) for argument in arguments), "--quiet"])
    lines = capsys.readouterr().err.strip().splitlines()
    assert found != 0
    assert code is None or found == code
    assert len(lines) == 1, lines
    assert "Traceback" not in lines[0]
    assert lines[0].startswith("motionfield: ")
    return lines[0]


def test_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(capsys, "run", tmp_path / "no such 🎬.mp4", "-o", tmp_path / "o", code=2)
    assert "no such 🎬.mp4: does not exist; check the path" in line


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.mp4", b""),
        ("text.mp4", b"this is not a video\n" * 100),
        ("noise.mov", np.random.default_rng(0).bytes(20_000)),
    ],
)
def test_not_a_video(
    name: str, content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    line = refused(capsys, "run", path, "-o", tmp_path / "out", code=2)
    assert name in line
    assert ";" in line


def test_a_video_that_was_cut_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An mp4 has its index at the end: half of one cannot be read."""
    whole = video_file(tmp_path / "whole.mp4").read_bytes()
    half = tmp_path / "half.mp4"
    half.write_bytes(whole[: len(whole) // 2])
    assert "half.mp4" in refused(capsys, "run", half, "-o", tmp_path / "out", code=2)


def test_a_folder_without_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "no pictures"
    folder.mkdir()
    (folder / "notes.txt").write_text("hello")
    assert "no pictures" in refused(capsys, "run", folder, "-o", tmp_path / "out", code=2)


def test_a_range_beyond_the_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = video_file(tmp_path / "short.mp4")
    line = refused(capsys, "run", video, "-o", tmp_path / "o", "--range", "50-60", code=2)
    assert "short.mp4: has no frame between 50 s and 60 s" in line


def test_keypoints_that_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "points.npz"
    path.write_bytes(b"PK but no zip")
    line = refused(capsys, "run", "--keypoints", path, "-o", tmp_path / "out", code=2)
    assert "points.npz: is not a keypoint file" in line


def test_keypoints_of_another_length(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = video_file(tmp_path / "film.mp4", frames=9)
    points = keypoint_file(tmp_path / "points.npz", frames=7)
    line = refused(capsys, "run", video, "--keypoints", points, "-o", tmp_path / "out", code=2)
    assert "points.npz: has 7 frames" in line
    assert "film.mp4 has 9" in line


def test_output_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    points = keypoint_file(tmp_path / "points.npz")
    (tmp_path / "file").write_text("in the way")
    out = tmp_path / "file" / "out"
    line = refused(capsys, "run", "--keypoints", points, "-o", out, code=4)
    assert f"{out}: cannot be written" in line
    assert "give a folder" in line


@pytest.mark.parametrize(
    "options",
    [
        ["--height", "0.2"],
        ["--height", "nan"],
        ["--focal", "-5"],
        ["--focal", "nan"],
        ["--calib", "1 2"],
        ["--seed", "-1"],
        ["--capture-fps", "0"],
    ],
)
def test_impossible_numbers(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = video_file(tmp_path / "film.mp4")
    points = keypoint_file(tmp_path / "points.npz")
    given = ("run", video, "--keypoints", points, "-o", tmp_path / "out")
    line = refused(capsys, *given, *options, code=2)
    assert options[0].strip("-") in line


def test_export_of_something_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    points = keypoint_file(tmp_path / "points.npz")
    line = refused_export(capsys, points, tmp_path / "m.bvh")
    assert "points.npz" in line


def refused_export(capsys: pytest.CaptureFixture[str], source: Path, target: Path) -> str:
    assert main(["export", str(source), "--to", "bvh", "-o", str(target)]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert not target.exists()
    return lines[0]


def test_view_without_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", str(tmp_path)]) == 2
    assert "holds no report.html" in capsys.readouterr().err
