"""``motionfield evaluate``: known errors come out, files that do not fit are refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from motionfield.cli.main import main
from motionfield.core.conventions import JOINT_NAMES


def write(path: Path, joints: np.ndarray, **more: object) -> Path:
    arrays = {"joints": joints, "joint_names": np.array(JOINT_NAMES), **more}
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return path


@pytest.fixture
def joints() -> np.ndarray:
    rng = np.random.default_rng(0)
    return (rng.normal(0, 0.5, (24, 3)) + rng.normal(0, 0.05, (12, 24, 3))).astype(np.float32)


def figures(tmp_path: Path, pred: Path, truth: Path) -> dict[str, dict[str, float]]:
    target = tmp_path / "figures.json"
    assert (
        main(["evaluate", "--pred", str(pred), "--truth", str(truth), "--json", str(target)]) == 0
    )
    return json.loads(target.read_text())["scores"]


def test_known_errors(joints: np.ndarray, tmp_path: Path) -> None:
    """Moved by 3, 4 and 0 cm: 50 mm in the world, nothing once aligned."""
    truth = write(tmp_path / "truth.npz", joints)
    moved = write(tmp_path / "moved.npz", joints + np.float32([0.03, 0.04, 0]))
    scores = figures(tmp_path, moved, truth)
    assert scores["MPJPE (world)"]["mean"] == pytest.approx(50, abs=0.01)
    for name in ("MPJPE (pelvis)", "PA-MPJPE", "G-MPJPE", "acceleration error"):
        assert scores[name]["mean"] == pytest.approx(0, abs=0.01)


def test_frames_are_matched_by_their_number(joints: np.ndarray, tmp_path: Path) -> None:
    truth = write(tmp_path / "truth.npz", joints, frame_index=np.arange(12))
    part = write(tmp_path / "part.npz", joints[3:8], frame_index=np.arange(3, 8))
    assert figures(tmp_path, part, truth)["MPJPE (world)"]["mean"] == pytest.approx(0, abs=1e-3)


def test_joints_are_matched_by_their_name(joints: np.ndarray, tmp_path: Path) -> None:
    truth = tmp_path / "truth.npz"
    some = [5, 0, 17]
    np.savez(truth, joints=joints[:, some], joint_names=np.array(JOINT_NAMES)[some])
    pred = write(tmp_path / "pred.npz", joints)
    assert figures(tmp_path, pred, truth)["MPJPE (world)"]["mean"] == pytest.approx(0, abs=1e-3)


def test_what_does_not_fit_is_refused(
    joints: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pred = write(tmp_path / "pred.npz", joints)
    short = write(tmp_path / "short.npz", joints[:5])
    text = tmp_path / "text.npz"
    text.write_text("hello")
    for truth, part in (
        (short, "has 5 frames"),
        (text, "is not a motion"),
        (tmp_path / "no", "no"),
    ):
        assert main(["evaluate", "--pred", str(pred), "--truth", str(truth)]) == 2
        error = capsys.readouterr().err
        assert part in error
        assert error.count("\n") == 1
