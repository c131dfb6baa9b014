"""Whole runs from keypoints: the files of the contract, resuming, refusing, several inputs."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from motionfield import pipeline
from motionfield.core.errors import InputError, MotionfieldError, OptionError, OutputError
from motionfield.formats.motion_npz import read_motion_npz
from motionfield.outputs import files, name_sources
from motionfield.pipeline import Pipeline
from motionfield.pipeline.first import FirstMaker
from motionfield.run_config import RunConfig
from motionfield.stages import StageStore
from motionfield.steps.fit import SmplifyConfig
from pipeline.made_inputs import FRAMES, keypoint_file, made_tracks, quick_config, video_file

KEYS = {
    *("poses", "trans", "betas", "gender", "mocap_framerate", "joints", "joint_names"),
    *("body_model", "camera_R", "camera_t", "camera_K", "frame_index", "time_s"),
    *("keypoints_2d", "keypoints_world", "keypoint_names"),
    *("focal_source", "scale_source", "gravity_source", "history"),
}
FILES = {"motion.npz", "motion.bvh", "motion.glb", "motion.trc", "joint_angles.csv"}


def arrays_of(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def assert_same_arrays(a: Path, b: Path) -> None:
    one, other = arrays_of(a), arrays_of(b)
    assert set(one) == set(other)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def run(config: RunConfig) -> pipeline.RunResult:
    return Pipeline(config).run()


@pytest.fixture
def points(tmp_path: Path) -> Path:
    return keypoint_file(tmp_path / "swing.npz")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The OUT of a run that was not cut; its input lies beside it."""
    folder = tmp_path_factory.mktemp("whole")
    run(quick_config(folder / "out", keypoints=(keypoint_file(folder / "swing.npz"),)))
    return folder / "out"


def test_the_files_of_the_contract(whole: Path) -> None:
    assert {path.name for path in whole.iterdir()} == {"report.html", "run.json", "swing"}
    names = {path.name for path in (whole / "swing").iterdir()}
    assert names == FILES | {".stages"}


def test_the_keys_of_the_contract(whole: Path) -> None:
    arrays = arrays_of(whole / "swing" / "motion.npz")
    assert set(arrays) >= KEYS
    assert arrays["poses"].shape == (FRAMES, 72)
    assert arrays["joints"].shape == (FRAMES, 24, 3)
    assert arrays["camera_R"].shape == (FRAMES, 3, 3)
    assert arrays["keypoints_2d"].shape == (FRAMES, 33, 3)
    steps = [entry["name"] for entry in json.loads(str(arrays["history"]))]
    assert len(steps) == len(set(steps)) >= 4


def test_the_motion_stands_upright_in_the_world(whole: Path) -> None:
    joints = read_motion_npz(whole / "swing" / "motion.npz").joints
    assert joints is not None
    head, feet = joints[:, 15, 2], joints[:, [7, 8], 2]
    assert (head > 1.2).all()
    assert (head < 2.0).all()
    assert (np.abs(feet) < 0.3).all()


def test_run_json_says_what_was_done(whole: Path) -> None:
    content = json.loads((whole / "run.json").read_text("utf-8"))
    assert content["seed"] == 0
    assert content["packages"]["torch"]
    (video,) = content["videos"]
    assert video["frames"] == FRAMES
    assert {stage["stage"] for stage in video["stages"]} == {
        "track",
        "calibrate",
        "lift_0",
        "fit_0",
    }
    assert all((whole / file).is_file() for file in video["files"])
    assert content["options"]["fit"]["iterations"] == 4


@pytest.mark.parametrize("cut_after", ["track", "calibrate", "lift_0", "fit_0"])
def test_a_cut_run_goes_on_and_ends_the_same(
    cut_after: str, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed as soon as a stage is saved; the next run loads it and what lies before."""
    config = quick_config(tmp_path / "out", keypoints=(whole.parent / "swing.npz",))
    save = StageStore._save

    def save_and_die(self: StageStore, stage: str, *rest: object) -> None:
        save(self, stage, *rest)  # type: ignore[arg-type]
        if stage == cut_after:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(StageStore, "_save", save_and_die)
        with pytest.raises(KeyboardInterrupt):
            run(config)
    assert not (tmp_path / "out" / "run.json").exists()
    assert not (tmp_path / "out" / "swing" / "motion.npz").exists()
    result = run(quick_config(config.out, keypoints=config.keypoints, resume=True))
    stages = {time.stage: time.resumed for time in result.finished[0].result.times}
    order = ["track", "calibrate", "lift_0", "fit_0"]
    done = order.index(cut_after) + 1
    assert stages == {stage: index < done for index, stage in enumerate(order)}
    assert_same_arrays(tmp_path / "out" / "swing" / "motion.npz", whole / "swing" / "motion.npz")


@pytest.mark.parametrize("name", ["motion.glb", "motion.npz"])
def test_a_run_cut_while_writing_leaves_no_half_file(
    name: str, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(path: Path, *rest: object) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    config = quick_config(tmp_path / "out", keypoints=(whole.parent / "swing.npz",))
    with monkeypatch.context() as patch:
        if name in files.FORMS:
            patch.setitem(files.FORMS, name, half)
        else:
            patch.setattr(files, "write_motion_npz", lambda path, **rest: half(path))
        with pytest.raises(KeyboardInterrupt):
            run(config)
    folder = tmp_path / "out" / "swing"
    assert not (folder / name).exists()
    assert {path.name for path in folder.iterdir()} <= FILES | {".stages"}
    run(quick_config(config.out, keypoints=config.keypoints, resume=True))
    assert_same_arrays(folder / "motion.npz", whole / "swing" / "motion.npz")


def test_the_same_seed_gives_the_same_motion(whole: Path, tmp_path: Path) -> None:
    run(quick_config(tmp_path / "again", keypoints=(whole.parent / "swing.npz",)))
    assert_same_arrays(tmp_path / "again" / "swing" / "motion.npz", whole / "swing" / "motion.npz")


def test_a_finished_result_is_not_overwritten(whole: Path) -> None:
    keypoints = (whole.parent / "swing.npz",)
    before = (whole / "swing" / "motion.npz").stat().st_mtime_ns
    with pytest.raises(OutputError, match="already holds a finished result"):
        run(quick_config(whole, keypoints=keypoints))
    with pytest.raises(OutputError, match="with other options"):
        run(quick_config(whole, keypoints=keypoints, resume=True, seed=5))
    run(quick_config(whole, keypoints=keypoints, resume=True))
    assert (whole / "swing" / "motion.npz").stat().st_mtime_ns == before


def test_results_of_other_videos_are_kept_in_the_report(whole: Path, tmp_path: Path) -> None:
    other = keypoint_file(tmp_path / "other.npz")
    with pytest.raises(OutputError, match=r"results of other videos too \(swing\)"):
        run(quick_config(whole, keypoints=(other,)))


def test_someone_elses_motion_is_not_overwritten(points: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out" / "swing"
    folder.mkdir(parents=True)
    (folder / "motion.npz").write_bytes(b"precious")
    with pytest.raises(OutputError, match="already holds a finished result"):
        run(quick_config(tmp_path / "out", keypoints=(points,)))
    assert (folder / "motion.npz").read_bytes() == b"precious"


def test_equal_stems_get_a_suffix(tmp_path: Path) -> None:
    names = ["a/walk.mp4", "b/Walk.mov", "c/walk_2.mp4", "d/walk.mp4", "e/ .mp4", "f/Ü ber 🏃.mp4"]
    config = quick_config(tmp_path, videos=tuple(tmp_path / name for name in names))
    found = [source.name for source in name_sources(config)]
    assert found == ["walk", "Walk_2", "walk_2_2", "walk_3", "video", "Ü ber 🏃"]
    assert len({name.casefold() for name in found}) == len(found)


def test_one_that_fails_does_not_stop_the_others(points: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"nothing")
    result = run(quick_config(tmp_path / "out", keypoints=(broken, points)))
    assert [item.result.source.name for item in result.finished] == ["swing"]
    assert "broken.npz: is not a keypoint file" in str(result.failed[0][1])
    content = json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))
    assert content["failed"][0]["input"].endswith("broken.npz")
    with pytest.raises(InputError, match=r"broken\.npz"):
        run(quick_config(tmp_path / "none", keypoints=(broken,)))


def test_a_missing_input_stops_before_anything_is_made(points: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.npz: does not exist"):
        run(quick_config(tmp_path / "out", keypoints=(points, tmp_path / "nowhere.npz")))
    assert not (tmp_path / "out").exists()


def test_several_persons_have_folders(
    points: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FirstMaker, "_track", lambda *arguments: made_tracks(2))
    run(quick_config(tmp_path / "out", keypoints=(points,)))
    folder = tmp_path / "out" / "swing"
    assert {path.name for path in folder.iterdir()} == {"person_0", "person_1", ".stages"}
    first, second = (arrays_of(folder / f"person_{k}" / "motion.npz") for k in (0, 1))
    apart = np.linalg.norm(first["joints"][:, 0] - second["joints"][:, 0], axis=-1)
    assert apart.mean() == pytest.approx(0.8, abs=0.3)


def test_keypoints_with_their_video(points: Path, tmp_path: Path) -> None:
    video = video_file(tmp_path / "film.mp4")
    config = quick_config(tmp_path / "out", videos=(video,), keypoints=(points,), overlay=True)
    run(config)
    names = {path.name for path in (tmp_path / "out" / "film").iterdir()}
    assert names == FILES | {".stages", "overlay.mp4"}
    import av

    with av.open(str(tmp_path / "out" / "film" / "overlay.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == FRAMES


def test_keypoints_of_another_length(points: Path, tmp_path: Path) -> None:
    video = video_file(tmp_path / "film.mp4", frames=FRAMES + 3)
    config = quick_config(tmp_path / "out", videos=(video,), keypoints=(points,))
    with pytest.raises(InputError) as caught:
        run(config)
    text = str(caught.value)
    assert f"swing.npz: has {FRAMES} frames" in text
    assert f"film.mp4 has {FRAMES + 3}" in text


def test_one_frame(tmp_path: Path) -> None:
    points = keypoint_file(tmp_path / "one.npz", frames=1)
    run(quick_config(tmp_path / "out", keypoints=(points,)))
    assert arrays_of(tmp_path / "out" / "one" / "motion.npz")["joints"].shape == (1, 24, 3)


def test_the_papers_fit_frame_by_frame(points: Path, tmp_path: Path) -> None:
    run(quick_config(tmp_path / "out", keypoints=(points,), fit=SmplifyConfig()))
    arrays = arrays_of(tmp_path / "out" / "swing" / "motion.npz")
    assert "smplify" in str(arrays["history"]).lower()


def test_odd_names(tmp_path: Path) -> None:
    points = keypoint_file(tmp_path / "Größe 100% 🏃 #1.npz")
    out = tmp_path / "Ergebnisse mit Leerzeichen 🏁"
    run(quick_config(out, keypoints=(points,)))
    assert (out / "Größe 100% 🏃 #1" / "motion.npz").is_file()


@pytest.mark.parametrize("where", ["file", "file/below"])
def test_unwritable_output(where: str, points: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be written") as caught:
        run(quick_config(tmp_path / where, keypoints=(points,)))
    assert "\n" not in str(caught.value)


def test_a_full_disk_is_one_clear_error(
    points: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(files.FORMS, "motion.trc", full)
    with pytest.raises(OutputError, match=r"No space left on device.*--resume"):
        run(quick_config(tmp_path / "out", keypoints=(points,)))


@pytest.mark.parametrize(
    "make",
    [
        lambda out: RunConfig(out=out),
        lambda out: RunConfig(out=out, videos=(out, out), keypoints=(out,)),
    ],
)
def test_contradicting_inputs(make: Callable[[Path], RunConfig], tmp_path: Path) -> None:
    with pytest.raises(OptionError):
        make(tmp_path)


def test_errors_share_a_base() -> None:
    assert issubclass(OutputError, MotionfieldError)
