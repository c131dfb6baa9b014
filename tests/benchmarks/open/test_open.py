"""The open benchmark end to end on a tiny version; files, fingerprints, failures, reuse, page."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from benchmarks.open.made_version import FRAMES, LOOK_FROM_X, make_version
from motionfield.benchmarks.open import benchmark, page
from motionfield.benchmarks.open.benchmark import OpenOptions, OpenReport, measure_open
from motionfield.benchmarks.open.build import build_camera, differences
from motionfield.benchmarks.open.case import Given, Method, Tools
from motionfield.benchmarks.open.page import write_docs
from motionfield.benchmarks.open.spec import (
    VERSIONS_FOLDER,
    CameraSpec,
    Spec,
    read_spec,
    version_hash,
    versions,
    write_spec,
)
from motionfield.benchmarks.open.tables import table_of
from motionfield.core.assets import CACHE_VARIABLE
from motionfield.core.errors import InputError, OptionError
from motionfield.data.motion import Motion
from motionfield.steps.fit.base import FitResult

OPTIONS = OpenOptions(body="toy")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Spec]:
    folder = tmp_path_factory.mktemp("open")
    spec = make_version(folder / "v0", folder / "clips")
    return folder / "v0", folder / "clips", spec


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or logs anything of the user's."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    log = tmp_path / "log.tsv"
    monkeypatch.setattr(benchmark, "test_runs_path", lambda: log)
    return log


def run(made: tuple[Path, Path, Spec], known: dict[str, Method], **options: object) -> OpenReport:
    folder, clips, _ = made
    chosen = OpenOptions(**{"body": "toy", "data": clips, **options})  # type: ignore[arg-type]
    return measure_open(chosen, methods=known, folder=folder)


def stands_still(takes: Sequence[Given], tools: Tools) -> list[FitResult]:
    """Whatever happens: a person who stands before the first camera that comes to mind."""
    return [_standing(given, tools) for given in takes]


def _standing(given: Given, tools: Tools) -> FitResult:
    keypoints = given.keypoints
    frames = keypoints.num_frames
    upright = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]], np.float32)
    motion = Motion(
        global_orient=np.tile(upright, (frames, 1, 1)),
        body_pose=np.tile(np.eye(3, dtype=np.float32), (frames, 23, 1, 1)),
        transl=np.tile(np.array([0.0, 0, 1], np.float32), (frames, 1)),
        betas=np.zeros(tools.body.num_betas, np.float32),
        body_model=tools.body.name,
        fps=keypoints.fps,
        time_s=keypoints.time_s,
        frame_index=keypoints.frame_index,
        observed=np.ones(frames, bool),
    )
    focal = 1000.0 if given.intrinsics is None else given.intrinsics.fx
    seen_by = CameraSpec("static", focal, 1920, 1080, LOOK_FROM_X, (0.0, 1.0, 5.0))
    return FitResult(motion, build_camera(seen_by, frames, {}, ""))


STILL: dict[str, Method] = {"still": stands_still}


def broken_on_some(takes: Sequence[Given], tools: Tools) -> list[FitResult]:
    """Fails where no lens is given."""
    if takes[0].intrinsics is None:
        raise ValueError("no lens,\nno answer")
    return stands_still(takes, tools)


def answers_nothing(takes: Sequence[Given], tools: Tools) -> list[FitResult]:
    return []


def test_a_run_end_to_end(made: tuple[Path, Path, Spec]) -> None:
    report = run(made, STILL, quick=True)
    text = report.table()
    assert made[2].hash in text
    assert "points, single, val, true lens (2 cases, 2 takes, 48 frames (" in text
    assert "points, single, test, default focal (1 case, 1 take, 24 frames (" in text
    assert len(report.rows) == 3 * 2
    for row in report.rows:
        assert row.error is None
        assert 0 < row.scores["pa_mpjpe_mm"].value < 500
        assert row.frames == FRAMES
        assert row.seconds > 0
    plain = json.loads(json.dumps(report.summary()))
    assert plain["version_hash"] == made[2].hash
    assert {"date", "commit", "machine", "options", "tables", "rows"} <= set(plain)


def test_tables_of_each_action_stand_behind_those_of_all(made: tuple[Path, Path, Spec]) -> None:
    report = run(made, STILL, split="val", by_action=True)
    assert [table.action for table in report.tables] == [None, None]
    titles = [table.title for table in report.by_action]
    assert sorted(titles) == [
        f"points, single, val, {lens}, {action}"
        for lens in ("default focal", "true lens")
        for action in ("run", "walk")
    ]
    assert all(title in report.table() for title in titles)
    lens = report.by_action[0].lens
    (whole,) = (table for table in report.tables if table.lens == lens)
    own = [table.lines[0] for table in report.by_action if table.lens == lens]
    means = [line.figures["pa_mpjpe_mm"].mean for line in own]
    assert sum(means) / 2 == pytest.approx(whole.lines[0].figures["pa_mpjpe_mm"].mean)
    assert sum(line.takes for line in own) == whole.takes
    assert "[" in whole.grid()[1][1]
    assert "[" not in report.by_action[0].grid()[1][1]
    plain = report.by_action[0].summary()
    assert table_of(plain).summary() == plain
    assert run(made, STILL, split="val").by_action == ()


def test_a_method_that_fails_is_shown(made: tuple[Path, Path, Spec]) -> None:
    methods: dict[str, Method] = {"broken": broken_on_some, "silent": answers_nothing}
    report = run(made, methods, split="val")
    text = report.table()
    assert "broken failed on 3 of 3: ValueError: no lens, no answer" in text
    assert "silent failed on 3 of 3: gave 0 results for 1 takes" in text
    true_lens, default = report.tables
    assert [line.failed for line in true_lens.lines] == [0, 3]
    assert [line.failed for line in default.lines] == [3, 3]


def test_unchanged_runs_are_reused(made: tuple[Path, Path, Spec]) -> None:
    both = STILL
    first = run(made, both, split="test")
    again = run(made, {**both, "broken": broken_on_some}, split="test")
    assert first.reused == 0
    assert again.reused == 2
    assert "2 runs taken from the cache" in again.table()
    kept = [row.summary() for row in again.rows if row.method == "still"]
    assert kept == [row.summary() for row in first.rows]
    assert run(made, both, split="test", fresh=True).reused == 0
    assert run(made, both, split="test", seed=1).reused == 0


def test_failures_are_tried_again(made: tuple[Path, Path, Spec]) -> None:
    run(made, {"silent": answers_nothing}, split="test")
    again = run(made, {"silent": stands_still}, split="test")
    assert again.reused == 0
    assert run(made, {"silent": answers_nothing}, split="test").reused == 0


def test_test_runs_are_logged_and_val_runs_are_not(
    made: tuple[Path, Path, Spec], own_cache: Path
) -> None:
    run(made, STILL, split="val", quick=True)
    assert not own_cache.exists()
    run(made, STILL, split="test")
    (line,) = own_cache.read_text().splitlines()
    assert made[2].hash in line
    assert line.endswith("still")


def test_a_changed_take_is_noticed(made: tuple[Path, Path, Spec], tmp_path: Path) -> None:
    _, clips, spec = made
    other = tmp_path / "v0"
    prints = json.loads(json.dumps(spec.fingerprints))
    prints["case1/0"]["true points"][0][1][2] += 0.01
    write_spec(other, Spec(**{**vars(spec), "fingerprints": prints}))
    with pytest.raises(InputError, match=r"take case1/0: .*true points off by 0\.01.*--freeze"):
        measure_open(OpenOptions(body="toy", data=clips, split="val"), methods={}, folder=other)


def test_changed_noise_is_noticed(made: tuple[Path, Path, Spec], tmp_path: Path) -> None:
    _, clips, spec = made
    detector = {**spec.detector, "options": {**spec.detector["options"], "noise": 1.1}}
    other = tmp_path / "v0"
    write_spec(other, Spec(**{**vars(spec), "detector": detector}))
    with pytest.raises(InputError, match="detected points"):
        measure_open(OpenOptions(body="toy", data=clips, split="val"), methods={}, folder=other)


def test_another_file_of_clips_is_noticed(made: tuple[Path, Path, Spec], tmp_path: Path) -> None:
    folder, clips, _ = made
    other = tmp_path / "clips"
    other.mkdir()
    for path in clips.iterdir():
        (other / path.name).write_text(path.read_text() + " ")
    with pytest.raises(InputError, match="another file"):
        measure_open(OpenOptions(body="toy", data=other), methods={}, folder=folder)


def test_fingerprints_compare_with_what_is_missing() -> None:
    one = {"frames": 3, "detected points": [[1.0, None]], "true points": [0.0]}
    assert differences(one, one) == []
    assert differences({**one, "frames": 4}, one) == ["frames 4, were 3"]
    assert differences({**one, "detected points": [[1.0, 2.0]]}, one) == [
        "detected points off by inf"
    ]
    assert differences({"frames": 3, "true points": [0.0]}, one) == ["detected points missing"]
    assert differences({**one, "true points": [0.001]}, one) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"methods": ("nemo",)}, "--method nemo: no such method; choose among still"),
        ({"track": "dance"}, "--track dance: choose among single, nemo"),
        ({"track": "nemo"}, "no case of pybullet clips with track nemo; tracks here: single"),
        ({"split": "train"}, "--split train: choose among val, test"),
        ({"tier": "real"}, "--tier real: choose among points, render, pose2sim"),
    ],
)
def test_unknown_choices_are_one_clear_line(
    made: tuple[Path, Path, Spec], options: dict[str, object], message: str
) -> None:
    with pytest.raises(OptionError, match=message):
        run(made, STILL, **options)


def test_a_version_reads_back_and_its_hash_sees_every_file(
    made: tuple[Path, Path, Spec], tmp_path: Path
) -> None:
    _, _, spec = made
    copy = tmp_path / "v0"
    assert write_spec(copy, spec) == spec.hash
    again = read_spec(copy, "pybullet")
    assert again.cases == spec.cases
    for path in sorted(copy.iterdir()):
        content = path.read_bytes()
        path.write_bytes(content + b" ")
        assert version_hash(copy) != spec.hash
        path.write_bytes(content)
    text = copy / "pybullet.json"
    text.write_bytes(text.read_bytes().replace(b"\n", b"\r\n"))
    assert version_hash(copy) == spec.hash


@pytest.mark.parametrize("version", versions())
@pytest.mark.parametrize("clips", ["pybullet", "mocap"])
def test_frozen_versions_load(version: str, clips: str) -> None:
    spec = read_spec(VERSIONS_FOLDER / version, clips)  # type: ignore[arg-type]
    assert spec.version == version
    names = [take.name for case in spec.cases for take in case.takes]
    assert len({case.name for case in spec.cases}) == len(spec.cases)
    assert set(names) <= set(spec.fingerprints)
    for case in spec.cases:
        for take in case.takes:
            assert {piece.file for piece in take.pieces} <= set(spec.sources)
            if take.camera.kind != "static":
                assert f"{take.name}/tracked_R" in spec.paths
    clip_splits = {(t.clip, case.split) for case in spec.cases for t in case.takes}
    assert len({clip for clip, _ in clip_splits}) == len(clip_splits), "a clip in both splits"
    assert any(case.quick for case in spec.cases)


def test_the_page_is_written_from_the_report_alone(
    made: tuple[Path, Path, Spec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark, "_with_pose2sim", lambda options: False)
    docs = tmp_path / "docs"
    (docs / "benchmarks").mkdir(parents=True)
    report = run(made, STILL)
    path = write_docs(docs, report)
    text = path.read_text()
    assert made[2].hash in text
    assert "#### single, val" in text
    assert "| still |" in text
    assert "| PA-MPJPE mm |" in text
    kept = json.loads((docs / "benchmarks" / "open_pybullet.json").read_text())
    assert "rows" not in kept
    # Another version's summary beside it is not mixed in.
    other = {**kept, "version_hash": "another", "options": {**kept["options"], "clips": "mocap"}}
    (docs / "benchmarks" / "open_mocap.json").write_text(json.dumps(other))
    write_docs(docs, report)
    assert path.read_text() == text


def test_no_page_of_a_part(made: tuple[Path, Path, Spec], tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="whole runs"):
        page.check_whole(OpenOptions(quick=True))
    report = OpenReport(OPTIONS, benchmark.Setting("", "", "", "v0", ""), (), 0, ())
    with pytest.raises(InputError, match="has no folder benchmarks"):
        write_docs(tmp_path, report)
