"""The table of joint angles, reopened by the csv module."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from formats.made import MOTIONS, somersault_then_sit, unevenly_timed, walk_in_circles
from motionfield.body.joint_angles import ANGLES
from motionfield.core.errors import OutputError
from motionfield.data import Motion
from motionfield.formats.angles_csv import write_angles_csv


def written(folder: Path, motion: Motion) -> dict[str, np.ndarray]:
    path = folder / "joint_angles.csv"
    write_angles_csv(path, motion)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def test_columns_rows_and_marks(tmp_path: Path) -> None:
    motion = unevenly_timed(walk_in_circles())
    table = written(tmp_path, motion)
    assert list(table) == ["time_s", "frame", "observed", *(f"{name}_deg" for name in ANGLES)]
    np.testing.assert_allclose(table["time_s"], motion.time_s, atol=1e-6)
    np.testing.assert_array_equal(table["frame"], motion.frame_index)
    np.testing.assert_array_equal(table["observed"], motion.observed)
    assert ",-0.0000" not in (tmp_path / "joint_angles.csv").read_text()


def test_made_angles_come_back_in_degrees(tmp_path: Path) -> None:
    motion = somersault_then_sit()
    table = written(tmp_path, motion)
    fold = np.degrees(2.2 * np.linspace(0, 1, motion.num_frames))
    for side in ("left", "right"):
        np.testing.assert_allclose(table[f"{side}_hip_flexion_deg"], fold, atol=0.01)
        np.testing.assert_allclose(table[f"{side}_knee_flexion_deg"], fold, atol=0.01)
        np.testing.assert_allclose(table[f"{side}_shoulder_flexion_deg"], 1.3 * fold, atol=0.01)
        np.testing.assert_allclose(table[f"{side}_hip_adduction_deg"], 0, atol=0.01)
    assert table["pelvis_tilt_deg"][-1] == pytest.approx(math.degrees(math.tau + 0.4), abs=0.01)


def test_turns_are_counted_and_nothing_jumps(tmp_path: Path) -> None:
    table = written(tmp_path, walk_in_circles())
    turned = table["pelvis_rotation_deg"][-1] - table["pelvis_rotation_deg"][0]
    assert turned == pytest.approx(2.5 * 360 * 149 / 150, abs=0.01)
    for name in MOTIONS:
        table = written(tmp_path, MOTIONS[name]())
        for angle in ANGLES:
            assert np.abs(np.diff(table[f"{angle}_deg"])).max() < 30, (name, angle)


def test_a_folder_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_angles_csv(tmp_path / "no" / "joint_angles.csv", walk_in_circles())
