"""NeMo on Penn Action and NeMo-MoCap: choice of clips, thinning, filters, measures."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.papers.still_method import before
from formats.datasets import make_files as make
from motionfield.benchmarks.open.case import Tools
from motionfield.benchmarks.papers import nemo_mocap, penn
from motionfield.benchmarks.papers.scores import mean_shape, resampled, true_motion
from motionfield.benchmarks.papers.solve import (
    Solved,
    make_bench,
)
from motionfield.core.errors import InputError, NoPersonError
from motionfield.data import Keypoints
from motionfield.formats.datasets.nemo_mocap import ACTIONS, TAKES, read_nemo_mocap
from motionfield.formats.datasets.penn import PENN_13, read_penn
from motionfield.formats.datasets.sequence import DatasetSequence
from motionfield.steps.evaluate.posed import pose_of, posed_points
from motionfield.steps.fit import FitResult


@pytest.fixture(scope="module")
def penn_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four clips of each action; one of them shorter than fifty frames."""
    folder = tmp_path_factory.mktemp("penn")
    for action, numbers in penn.right_handed().items():
        for k, number in enumerate(numbers[:4]):
            make.write_penn(folder, number, action, frames=(30, 60, 70, 80)[k])
    return folder


# --- Penn Action ------------------------------------------------------------------------------


def test_penn_draws_forty_batches_of_three_of_one_handedness(tmp_path: Path) -> None:
    listed = penn.right_handed()
    assert {a: len(n) for a, n in listed.items()} == {
        "baseball_pitch": 43,
        "baseball_swing": 46,
        "tennis_serve": 47,
        "tennis_forehand": 43,
        "golf_swing": 49,
    }
    everything = [f"{n:04d}" for n in range(1, 2327)]
    drawn = penn.draw_batches(tmp_path, everything, seed=0)
    for action, numbers in listed.items():
        batches = [chosen for a, chosen in drawn if a == action]
        assert len(batches) == 40
        assert all(len(set(chosen)) == 3 and set(chosen) <= set(numbers) for chosen in batches)
        assert len(set(batches)) > 30
    assert drawn == penn.draw_batches(tmp_path, everything, seed=0)
    assert drawn != penn.draw_batches(tmp_path, everything, seed=1)


def test_penn_with_too_few_clips_says_so(tmp_path: Path) -> None:
    make.write_penn(tmp_path, "0001", "baseball_pitch")
    with pytest.raises(InputError, match="1 of the 43 clips of baseball_pitch"):
        penn.run_penn(tmp_path, "initial")


def test_fifty_frames_from_beginning_to_end(penn_folder: Path) -> None:
    number = penn.right_handed()["golf_swing"][3]
    clip = read_penn(penn_folder, number)
    few, step = resampled(clip, 50)
    assert few.num_frames == 50
    assert step == pytest.approx(1.6)
    assert few.labels is not None
    np.testing.assert_array_equal(few.labels.frame_index[:6], [0, 1, 3, 4, 6, 8])
    assert few.labels.frame_index[-1] == 78
    assert few.labels.fps == pytest.approx(30 / 1.6)
    assert np.diff(few.labels.time_s).mean() == pytest.approx(1.6 / 30, rel=0.02)


def test_keypoints_beyond_ten_per_cent_of_the_image_are_dropped(penn_folder: Path) -> None:
    clip = read_penn(penn_folder, penn.right_handed()["golf_swing"][0])
    assert clip.keypoints is not None
    assert clip.labels is not None
    points = clip.keypoints.keypoints_2d.copy()
    names = clip.keypoints.keypoint_names
    wrist, knee, ankle = (names.index(n) for n in ("left_wrist", "right_knee", "left_ankle"))
    points[2, wrist, 0] += 0.1 * 640 + 1
    points[3, knee, 1] -= 0.1 * 640 - 1
    points[0, ankle, 0] += 200  # its label is hidden in frame 0
    kept = penn.drop_far(clip.keypoints.replace(keypoints_2d=points), clip.labels)
    assert np.isnan(kept.keypoints_2d[2, wrist]).all()
    assert np.isfinite(kept.keypoints_2d[3, knee]).all()
    assert np.isfinite(kept.keypoints_2d[0, ankle]).all()
    assert np.isnan(kept.keypoints_2d).sum() == 3


def test_penn_end_to_end(penn_folder: Path, tools: Tools, quick: None) -> None:
    report = penn.run_penn(penn_folder, "initial", tools=tools, batches=2)
    assert len(report.sequences) == 5 * 2 * 3
    rows = {row.key: row.cells for row in report.rows}
    assert set(rows["penn.recon"]) == {*penn.COLUMNS.values(), "Mean"}
    assert 0 < rows["penn.recon"]["Mean"][0] < 200
    assert {entry["frames"] for entry in report.sequences} <= {29, 50}
    assert "NeMo" in report.table()


def test_exchanged_sides_show_in_the_score(penn_folder: Path, tools: Tools) -> None:
    """The check above would notice if the labels' sides were taken as they are written."""
    clip = read_penn(penn_folder, penn.right_handed()["tennis_serve"][1])
    assert clip.labels is not None
    columns = [PENN_13.index(name) for name in _exchanged()]
    wrong = clip.labels.replace(keypoints_2d=clip.labels.keypoints_2d[:, columns])
    bench = make_bench("initial", tools=tools)
    right_score, wrong_score = (
        penn.score_clip(bench.solve([c])[0], "tennis_serve", tools)["pck"]
        for c in (clip, replace(clip, labels=wrong))
    )
    assert right_score > 90
    assert wrong_score < 70


def _exchanged() -> list[str]:
    swap = {"left": "right", "right": "left"}
    return [
        name if name == "head" else swap[name.split("_")[0]] + "_" + name.split("_")[1]
        for name in PENN_13
    ]


def test_penn_without_pictures_and_openpose_sees_the_labels(
    tmp_path: Path, tools: Tools, quick: None
) -> None:
    for action, numbers in penn.right_handed().items():
        for number in numbers[:3]:
            make.write_penn(tmp_path, number, action, frames=20, openpose=False)
    report = penn.run_penn(tmp_path, "initial", tools=tools, batches=1)
    assert penn.LABELS_SEEN in report.notes


def test_a_clip_with_nobody_leaves_its_batch(
    penn_folder: Path, tools: Tools, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = [read_penn(penn_folder, n) for n in penn.right_handed()["golf_swing"][1:4]]
    bench = make_bench("initial", tools=tools)
    look = bench.keypoints_of

    def short_sighted(clip: DatasetSequence) -> Keypoints:
        if clip is clips[0]:
            raise NoPersonError("nobody was found")
        return look(clip)

    monkeypatch.setattr(bench, "keypoints_of", short_sighted)
    figures = penn.run_batch(bench, "golf_swing", clips)
    assert [entry["sequence"] for entry in figures] == [clip.name for clip in clips[1:]]
    assert bench.failures == {clips[0].name: "nobody was found"}


# --- NeMo-MoCap -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def nemo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nemo")
    for action in ACTIONS:
        for take in range(TAKES):
            make.write_nemo_mocap(folder, action, take, frames=5 + take)
    return folder


def test_nemo_mocap_end_to_end(nemo_folder: Path, tools: Tools, quick: None) -> None:
    report = nemo_mocap.run_nemo_mocap(nemo_folder, "initial", tools=tools)
    assert len(report.sequences) == 40
    assert {entry["frames"] for entry in report.sequences} == {4}  # the shortest but one
    rows = {row.key: row.cells for row in report.rows if row.label == "motionfield initial"}
    for key in ("nemo-mocap.mpjpe", "nemo-mocap.mpvpe"):
        whole, fast = rows[key]["Mean"]
        assert 0 < whole < 500
        assert np.isnan(fast)  # nobody moves at 2 m/s
        (by_code,) = (
            row.cells for row in report.rows if row.key == key and row.label.endswith("measure")
        )
        # Thinned takes seem faster to the code, which multiplies where it should divide.
        assert np.isfinite(by_code["Mean"][1])
    assert np.isfinite(rows["nemo-mocap.recon"]["Mean"][0])
    text = report.table()
    for key in ("mpjpe", "mpvpe", "recon", "pck"):
        labels = [row.label for row in report.rows if row.key == f"nemo-mocap.{key}"]
        assert labels == ["motionfield initial", "motionfield initial, the code's measure"]
    assert "Table 1" in text
    assert "Table 5" in text


def test_the_truth_itself_scores_zero(nemo_folder: Path, tools: Tools) -> None:
    sequence = read_nemo_mocap(nemo_folder, "golf_swing", 0)
    truth = true_motion(sequence, tools.body)
    perfect = Solved(sequence, FitResult(truth, before(sequence.num_frames)), 0.0)
    figures = nemo_mocap.score_take(perfect, tools, 1.0)
    for name in ("mpjpe", "mpvpe", "g_mpjpe", "g_mpvpe"):
        assert figures[name] < 0.5
    # The toy body is the one that was filmed.
    assert figures["recon"] < 0.1
    assert figures["pck"] == 100
    assert figures["recon_code"] < 0.1
    assert figures["pck_code"] == 100


def test_the_codes_measures_stand_beside_the_texts(nemo_folder: Path, tools: Tools) -> None:
    """Off by 8 % of the box: right by the text; a joint without a label counts as zero error."""
    sequence = read_nemo_mocap(nemo_folder, "golf_swing", 0)
    assert sequence.labels is not None
    truth = true_motion(sequence, tools.body)
    labels = sequence.labels.keypoints_2d.copy()
    labels[:, 4] = np.nan  # right wrist
    here = labels[:, :15, :2]
    box = np.nanmax(np.nanmax(here, 1) - np.nanmin(here, 1), axis=-1)
    labels[..., 0] += 0.08 * box[:, None]
    off = replace(sequence, labels=sequence.labels.replace(keypoints_2d=labels))
    solved = Solved(off, FitResult(truth, before(sequence.num_frames)), 0.0)
    figures = nemo_mocap.score_take(solved, tools, 1.0)
    assert figures["pck"] == 100
    assert figures["recon"] == pytest.approx(0.08 * box.mean(), rel=0.01)
    assert figures["recon_code"] == pytest.approx(figures["recon"] * 14 / 15, rel=1e-5)


def test_shape_alone_moves_no_root(tools: Tools, nemo_folder: Path) -> None:
    truth = true_motion(read_nemo_mocap(nemo_folder, "golf_swing", 0), tools.body)
    tall = truth.replace(betas=np.eye(1, 16, dtype=np.float32)[0] * 3)
    back = mean_shape(tall, tools.body)
    before, after = (posed_points(pose_of(m, tools.body), tools.body).joints for m in (tall, back))
    np.testing.assert_allclose(before[:, 0], after[:, 0], atol=1e-5)
    assert float((before[:, 20] - after[:, 20]).norm(dim=-1).min()) > 0.01
