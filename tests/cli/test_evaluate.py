"""``motionfield evaluate``: known errors come out, files that do not fit are refused."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from formats import made
from formats.made_pickles import joblib_dump
from formats.results import made_results
from motionfield.body.registry import load_body
from motionfield.cli.main import main
from motionfield.core.conventions import JOINT_NAMES
from motionfield.formats.motion_npz import write_motion_file
from motionfield.formats.trc import write_trc


def write(path: Path, joints: np.ndarray, **more: object) -> Path:
    arrays = {"joints": joints, "joint_names": np.array(JOINT_NAMES), **more}
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return path


@pytest.fixture
def joints() -> np.ndarray:
    rng = np.random.default_rng(0)
    return (rng.normal(0, 0.5, (24, 3)) + rng.normal(0, 0.05, (12, 24, 3))).astype(np.float32)


def report(tmp_path: Path, pred: Path, truth: Path, *more: str) -> dict[str, Any]:
    target = tmp_path / "figures.json"
    files = ["--pred", str(pred), "--truth", str(truth), "--json", str(target)]
    assert main(["evaluate", *files, *more]) == 0
    return json.loads(target.read_text())


def refusal(capsys: pytest.CaptureFixture[str], pred: Path, truth: Path, *more: str) -> str:
    assert main(["evaluate", "--pred", str(pred), "--truth", str(truth), *more]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith("motionfield: ")
    assert "unexpected" not in error
    return error


def test_known_errors(joints: np.ndarray, tmp_path: Path) -> None:
    """Moved and a tenth too large: a tenth of the distance from what is aligned is left."""
    truth = write(tmp_path / "truth.npz", joints)
    larger = write(tmp_path / "pred.npz", 1.1 * joints + np.float32([3, 4, 0]))
    found = report(tmp_path, larger, truth)["scores"]
    hips = joints[:, [1, 2]].mean(1, keepdims=True)
    from_hips = np.linalg.norm(joints - hips, axis=-1).mean()
    from_centre = np.linalg.norm(joints - joints.mean((0, 1)), axis=-1).mean()
    assert found["mpjpe_mm"]["value"] == pytest.approx(100 * from_hips, rel=1e-3)
    assert found["g_mpjpe_mm"]["value"] == pytest.approx(100 * from_centre, rel=1e-3)
    assert found["pa_mpjpe_mm"]["value"] == pytest.approx(0, abs=0.01)


def test_what_is_printed_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    motion, body = made.walk_ahead("anny", 12), load_body("anny")
    write_motion_file(tmp_path / "motion.npz", motion, body)
    write_trc(tmp_path / "truth.trc", motion, body)
    content = report(tmp_path, tmp_path / "motion.npz", tmp_path / "truth.trc")
    printed = capsys.readouterr().out.splitlines()
    assert printed[: len(content["statements"])] == content["statements"]
    assert content["prediction"]["source"] == "motionfield"
    assert content["truth"] == {"file": str(tmp_path / "truth.trc"), "source": "TRC", "person": "0"}
    names = {line.split()[0] for line in printed[len(content["statements"]) :]}
    assert names == set(content["scores"])
    assert content["scores"]["mpjpe_mm"]["frames_used"] == 12
    assert max(map(len, printed[len(content["statements"]) :])) < 200


def test_frames_are_matched_by_their_number(joints: np.ndarray, tmp_path: Path) -> None:
    truth = write(tmp_path / "truth.npz", joints, frame_index=np.arange(12))
    part = write(tmp_path / "part.npz", joints[3:8], frame_index=np.arange(3, 8))
    score = report(tmp_path, part, truth)["scores"]["mpjpe_mm"]
    assert score["value"] == pytest.approx(0, abs=1e-3)
    assert score["frames_total"] == 5


def test_joints_are_matched_by_their_name(joints: np.ndarray, tmp_path: Path) -> None:
    truth = tmp_path / "truth.npz"
    some = [5, 0, 17]
    np.savez(truth, joints=joints[:, some], joint_names=np.array(JOINT_NAMES)[some])
    pred = write(tmp_path / "pred.npz", joints)
    found = report(tmp_path, pred, truth)
    assert found["scores"]["g_mpjpe_mm"]["value"] == pytest.approx(0, abs=1e-3)
    few = report(tmp_path, pred, pred, "--joints", "head, neck,pelvis")
    assert "joints: 3 by name: head, neck, pelvis" in few["statements"]


def test_options_reach_their_places(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two = {0: made_results.wham_person(), 1: made_results.wham_person()}
    pred = joblib_dump(two, tmp_path / "two.pkl")
    (tmp_path / "a").mkdir()
    truth = made_results.amass(tmp_path / "a")
    error = refusal(capsys, pred, truth)
    assert "holds 2 persons (0 with 12 frames, 1 with 12 frames); choose one with --person" in error
    found = report(tmp_path, pred, truth, "--person", "1", "--align", "frame")
    assert found["prediction"]["person"] == "1"
    assert "g_mpjpe_mm" not in found["scores"]
    found = report(tmp_path, pred, truth, "--person", "1", "--range", "0.05-0.08", "--fps", "60")
    assert "frames: both resampled to 60 fps; 2 that both cover" in found["statements"]
    error = refusal(capsys, truth, pred, "--truth-person", "7")
    assert "holds no person 7, but 0, 1" in error


def test_what_does_not_fit_is_refused(
    joints: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pred = write(tmp_path / "pred.npz", joints)
    short = write(tmp_path / "short.npz", joints[:5])
    rate = write(tmp_path / "rate.npz", joints, fps=50.0)
    text = tmp_path / "text.npz"
    text.write_text("hello")
    unknown = tmp_path / "x.pkl"
    unknown.write_bytes(pickle.dumps({"theta": 1}))
    for truth, part in (
        (short, f"pred.npz: has 12 frames, {short} has 5; say which frames belong together: "),
        (text, "text.npz: is not a motion"),
        (tmp_path / "no", "no: does not exist"),
        (tmp_path, "is a folder; give one file, e.g. "),
        (unknown, "x.pkl: is of no known program: it holds theta; known are "),
    ):
        assert part in refusal(capsys, pred, truth)
    thirty = write(tmp_path / "thirty.npz", joints, fps=30.0)
    error = refusal(capsys, thirty, rate)
    assert f"has 30 frames per second, {rate} has 50; resample both with --fps 30" in error
    for more in (("--fps", "0"), ("--fps", "nan"), ("--range", "a"), ("--joints", "nose,x")):
        assert more[0] in refusal(capsys, pred, pred, *more)
