"""Several takes of one action: their files, resuming, what is left out, what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from motionfield.core.errors import InputError, MotionfieldError, OptionError, OutputError
from motionfield.data import Tracks, Video
from motionfield.formats.motion_npz import read_motion_npz
from motionfield.outputs import Source, name_sources
from motionfield.pipeline import Pipeline, RunResult, group, members, subject
from motionfield.pipeline.first import FirstMaker
from motionfield.run_config import RunConfig
from motionfield.stages import StageStore
from motionfield.steps.fit import OddTakes
from motionfield.steps.read import ReadConfig
from motionfield.steps.track import TrackConfig
from pipeline.made_group import StandInFitter, group_config, nobody_file, take_file
from pipeline.made_inputs import made_keypoints, quick_config, video_file

MOTION = {"motion.npz", "motion.bvh", "motion.glb", "motion.trc", "joint_angles.csv"}


class Counting(StandInFitter):
    """Counted anew in every test."""


@pytest.fixture(autouse=True)
def fitter(monkeypatch: pytest.MonkeyPatch) -> type[Counting]:
    """The joint fit of these tests."""
    Counting.calls, Counting.dies = 0, False
    monkeypatch.setattr(group, "make_group_fitter", lambda *arguments: Counting())
    return Counting


@pytest.fixture
def takes(tmp_path: Path) -> list[Path]:
    """Of different lengths and rates."""
    return [
        take_file(tmp_path / "one.npz", 16),
        take_file(tmp_path / "two.npz", 12, aside_m=0.3),
        take_file(tmp_path / "three.npz", 20, fps=60.0, aside_m=-0.2),
    ]


def run(config: RunConfig) -> RunResult:
    return Pipeline(config).run()


def test_the_files_of_a_group(takes: list[Path], tmp_path: Path) -> None:
    result = run(group_config(tmp_path, takes))
    out = tmp_path / "out"
    together = {"canonical", "variation.csv", "takes.glb", "report.html", "run.json", ".stages"}
    assert {path.name for path in out.iterdir()} == {"one", "two", "three"} | together
    assert {path.name for path in (out / "canonical").iterdir()} == MOTION
    for name, frames in (("one", 16), ("two", 12), ("three", 20)):
        with np.load(out / name / "motion.npz") as file:
            np.testing.assert_allclose(file["phase"], np.linspace(0, 1, frames), atol=1e-6)
            assert "camera_K" in file.files
    with np.load(out / "canonical" / "motion.npz") as file:
        assert not {"camera_K", "keypoints_2d", "keypoint_names"} & set(file.files)
        np.testing.assert_allclose(file["phase"], np.linspace(0, 1, 16), atol=1e-6)
    assert read_motion_npz(out / "canonical" / "motion.npz").camera is None
    assert result.group is not None
    content = json.loads((out / "run.json").read_text("utf-8"))
    told = content["group"]
    assert told["takes"] == ["one", "two", "three"]
    assert told["phases"].startswith("poses set against each other")
    assert told["mirrored"] == told["outliers"] == []
    assert told["warnings"] == ["three: was not fitted"]
    assert [stage["stage"] for stage in told["stages"]] == ["nemo"]
    assert all((out / file).is_file() for file in told["files"])
    assert [video["fps"] for video in content["videos"]] == [30, 30, 60]


def test_killed_within_the_joint_fit_nothing_is_tracked_again(
    takes: list[Path], tmp_path: Path, fitter: type[Counting]
) -> None:
    fitter.dies = True
    with pytest.raises(KeyboardInterrupt):
        run(group_config(tmp_path, takes))
    assert not (tmp_path / "out" / "run.json").exists()
    fitter.dies = False
    result = run(group_config(tmp_path, takes, resume=True))
    for item in result.finished:
        assert {time.stage: time.resumed for time in item.result.times} == {
            "track": True,
            "calibrate": True,
            "lift_0": True,
        }
    assert fitter.calls == 2


def test_killed_after_the_joint_fit_it_is_loaded(
    takes: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fitter: type[Counting]
) -> None:
    save = StageStore._save

    def save_and_die(self: StageStore, stage: str, *rest: object) -> None:
        save(self, stage, *rest)  # type: ignore[arg-type]
        if stage == "nemo":
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(StageStore, "_save", save_and_die)
        with pytest.raises(KeyboardInterrupt):
            run(group_config(tmp_path, takes))
    run(group_config(tmp_path, takes, resume=True))
    assert fitter.calls == 1
    run(group_config(tmp_path / "whole", takes))
    for name in ("one", "two", "three", "canonical"):
        a, b = (
            np.load(top / "out" / name / "motion.npz") for top in (tmp_path, tmp_path / "whole")
        )
        for key in a.files:
            np.testing.assert_array_equal(a[key], b[key], err_msg=f"{name} {key}")


def test_a_finished_group_is_not_overwritten(
    takes: list[Path], tmp_path: Path, fitter: type[Counting]
) -> None:
    run(group_config(tmp_path, takes))
    file = tmp_path / "out" / "canonical" / "motion.npz"
    before = file.stat().st_mtime_ns
    with pytest.raises(OutputError, match="already holds a finished result"):
        run(group_config(tmp_path, takes))
    with pytest.raises(OutputError, match="with other options"):
        run(group_config(tmp_path, takes, resume=True, seed=3))
    with pytest.raises(OutputError, match="with other options"):
        run(quick_config(tmp_path / "out", keypoints=tuple(takes), resume=True))
    run(group_config(tmp_path, takes, resume=True))
    assert file.stat().st_mtime_ns == before
    assert fitter.calls == 1


def test_a_take_that_shows_nobody_is_left_out(takes: list[Path], tmp_path: Path) -> None:
    nobody = nobody_file(tmp_path / "empty.npz")
    result = run(group_config(tmp_path, [takes[0], nobody, takes[1]]))
    assert [item.result.source.name for item in result.finished] == ["one", "two"]
    ((source, error),) = result.failed
    assert source.name == "empty"
    assert error.exit_code == 2
    content = json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))
    assert content["failed"][0]["input"].endswith("empty.npz")
    assert content["group"]["takes"] == ["one", "two"]


def test_takes_that_are_too_short_are_left_out(tmp_path: Path) -> None:
    nine, ten = take_file(tmp_path / "nine.npz", 9), take_file(tmp_path / "ten.npz", 10)
    many = take_file(tmp_path / "many.npz", 40)
    result = run(group_config(tmp_path, [nine, ten, many]))
    assert [item.result.source.name for item in result.finished] == ["ten", "many"]
    assert "nine.npz: has only 9 frames, and a take needs 10 or more" in str(result.failed[0][1])


def test_a_short_video_is_refused_before_it_is_tracked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FirstMaker, "_track", lambda *arguments: pytest.fail("tracked"))
    film = video_file(tmp_path / "film.mp4", frames=7)
    again = video_file(tmp_path / "again.mp4", frames=8)
    with pytest.raises(OptionError) as caught:
        run(quick_config(tmp_path / "out", videos=(film, again), method="nemo"))
    text = str(caught.value)
    assert "film.mp4: has only 7 frames" in text
    assert "again.mp4: has only 8 frames" in text
    assert "no take is left, and nemo needs 2" in text


def test_one_take_that_remains_is_not_enough(takes: list[Path], tmp_path: Path) -> None:
    nobody = nobody_file(tmp_path / "empty.npz")
    with pytest.raises(MotionfieldError) as caught:
        run(group_config(tmp_path, [takes[0], nobody]))
    text = str(caught.value)
    assert "empty.npz: holds no observed keypoint" in text
    assert "one take is left, and nemo needs 2" in text
    assert "--method fit" in text
    assert caught.value.exit_code == InputError.exit_code
    assert (tmp_path / "out" / "one" / ".stages").is_dir()  # what was made is not lost


def test_the_same_take_twice(takes: list[Path], tmp_path: Path) -> None:
    copy = tmp_path / "copy.npz"
    copy.write_bytes(takes[0].read_bytes())
    with pytest.raises(OptionError, match=r"copy\.npz: is the same take as .*one\.npz"):
        run(group_config(tmp_path, [*takes, copy]))
    assert not (tmp_path / "out" / "one").exists()


def test_what_the_options_refuse(takes: list[Path], tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"one\.npz: is one take.*--repetitions.*--method fit"):
        group_config(tmp_path, takes[:1])
    with pytest.raises(OptionError, match="--person all: nemo takes one person"):
        group_config(tmp_path, takes, track=TrackConfig(person="all"))
    with pytest.raises(OptionError, match="--repetitions 1: give 2 or more, or auto"):
        group_config(tmp_path, takes, repetitions=1)
    with pytest.raises(OptionError, match="--capture-fps: 2 rates for 3 inputs"):
        group_config(tmp_path, takes, read=(ReadConfig(), ReadConfig()))


def test_no_take_is_called_canonical(tmp_path: Path) -> None:
    config = group_config(tmp_path, [tmp_path / "Canonical.npz", tmp_path / "b.npz"])
    assert [source.name for source in name_sources(config)] == ["Canonical_2", "b"]


def test_each_take_has_its_own_rate(takes: list[Path], tmp_path: Path) -> None:
    """Slow motion among normal speed: only its own clock is stretched."""
    reads = (ReadConfig(), ReadConfig(capture_fps=120.0), ReadConfig())
    result = run(group_config(tmp_path, takes, read=reads))
    motions = [item.result.takes[0].motion for item in result.finished]
    assert [motion.fps for motion in motions] == [30, 120, 60]
    np.testing.assert_allclose(motions[1].time_s, np.arange(12) / 120)


def found_odd(monkeypatch: pytest.MonkeyPatch, *odd: bool) -> None:
    """Takes that are found to show another action."""
    flags = torch.tensor(odd)
    found = OddTakes(flags, torch.where(flags, 0.31, 0.08), 0.09 if sum(odd) < len(odd) else 0.31)
    monkeypatch.setattr(subject, "odd_takes", lambda *arguments: found)


def test_a_take_of_another_action_is_named(
    takes: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fitter: type[Counting],
) -> None:
    found_odd(monkeypatch, False, True, False)
    with pytest.raises(OptionError) as caught:
        run(group_config(tmp_path, takes))
    text = str(caught.value)
    for part in ("two.npz: shows another action", "310 mm", "the others 90 mm", "--drop-outliers"):
        assert part in text
    assert "one.npz" not in text
    assert fitter.calls == 0
    result = run(group_config(tmp_path, takes, resume=True, drop_outliers=True))
    assert [item.result.source.name for item in result.finished] == ["one", "three"]
    assert all(time.resumed for item in result.finished for time in item.result.times)
    told = json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))["group"]
    assert told["outliers"][0]["called"].endswith("two.npz")
    assert "310 mm" in told["outliers"][0]["why"]
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "two.npz: shows another action" in page


def test_two_takes_of_different_actions(
    takes: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can tell which one is wrong, and nothing would remain."""
    found_odd(monkeypatch, True, True)
    for drop in (False, True):
        with pytest.raises(OptionError, match=r"one\.npz, .*two\.npz: show different actions"):
            run(group_config(tmp_path, takes[:2], drop_outliers=drop, resume=True))


def test_repetitions_are_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points = take_file(tmp_path / "squats.npz", 45)
    parts = [slice(2, 16), slice(16, 20), slice(20, 44)]
    monkeypatch.setattr(members, "find_repetitions", lambda *arguments: parts)
    config = group_config(tmp_path, [points], repetitions="auto")
    result = run(config)
    folder = tmp_path / "out" / "squats"
    assert {path.name for path in folder.iterdir()} == {
        *("repetition_01", "repetition_03", ".stages")
    }
    with np.load(folder / "repetition_03" / "motion.npz") as file:
        np.testing.assert_array_equal(file["frame_index"], np.arange(20, 44))
        np.testing.assert_allclose(file["time_s"], np.arange(20, 44) / 30)
    ((_, error),) = result.failed
    assert "squats.npz (repetition 2, 0.53 to 0.63 s): has only 4 frames" in str(error)
    content = json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))
    assert content["group"]["takes"] == ["squats/repetition_01", "squats/repetition_03"]
    assert [video["folder"] for video in content["videos"]] == content["group"]["takes"]
    run(group_config(tmp_path, [points], repetitions="auto", resume=True))
    with pytest.raises(OutputError, match="already holds a finished result"):
        run(config)


def test_a_clip_without_repetitions_is_named(tmp_path: Path) -> None:
    points = take_file(tmp_path / "still.npz", 24)
    with pytest.raises(OptionError, match=r"still\.npz: --repetitions 9: .* found") as caught:
        run(group_config(tmp_path, [points], repetitions=9))
    assert "no take is left" in str(caught.value)


def test_the_other_takes_say_whom_a_video_is_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the third video somebody sits in front; who acts as in the others stands behind."""
    films = [video_file(tmp_path / f"{name}.mp4", 14 + k) for k, name in enumerate("abc")]
    tracked: list[tuple[str, object]] = []

    def track(
        self: FirstMaker, source: Source, video: Video, asked: TrackConfig, *_: object
    ) -> Tracks:
        tracked.append((source.name, asked.person))
        frames = video.num_frames
        acts = Tracks.of_one(made_keypoints(frames, aside_m=0.1))
        if source.name != "c":
            return acts
        sits = Tracks.of_one(made_keypoints(frames, sits=True))
        return both(sits, acts) if asked.person == "all" else sits

    monkeypatch.setattr(FirstMaker, "_track", track)
    result = run(quick_config(tmp_path / "out", videos=tuple(films), method="nemo"))
    assert tracked == [("a", "auto"), ("b", "auto"), ("c", "auto"), ("c", "all")]
    names = [item.result.source.name for item in result.finished]
    assert names == ["a", "b", "c"]
    chosen = result.finished[2].result
    points = made_keypoints(16, aside_m=0.1).keypoints_2d
    np.testing.assert_array_equal(chosen.takes[0].keypoints.keypoints_2d, points)
    assert "of 2 people the one was followed who moves as in the other takes" in chosen.warnings[-1]
    run(quick_config(tmp_path / "out", videos=tuple(films), method="nemo", resume=True))
    assert len(tracked) == 4


def both(first: Tracks, second: Tracks) -> Tracks:
    names = ("keypoints_2d", "coarse_camera", "bbox_xyxy", "observed")
    stacked: dict[str, Any] = {
        n: np.concatenate([getattr(first, n), getattr(second, n)]) for n in names
    }
    return first.replace(**stacked)
