"""Export: a motion file in every form that is known, and a clear word about the others."""

from pathlib import Path

import numpy as np
import pytest

from formats.made import take_of, true_joints, walk_ahead, z_up
from formats.readers import read_bvh, read_glb, read_trc
from motionfield.body.registry import load_body
from motionfield.core.conventions import JOINT_NAMES
from motionfield.core.errors import InputError, OptionError
from motionfield.formats.motion_npz import read_motion_npz, write_motion_npz
from motionfield.steps.export import EXPORTERS, export_motion


def write(folder: Path, body: str) -> Path:
    path = folder / "motion.npz"
    write_motion_npz(path, take_of(walk_ahead(body)), load_body(body))
    return path


@pytest.fixture
def motion_file(tmp_path: Path) -> Path:
    return write(tmp_path, "toy")


def joints_in(path: Path) -> np.ndarray:
    """Our Z-up world, our order, whatever the form."""
    if path.suffix == ".bvh":
        bvh = read_bvh(path)
        return z_up(bvh.joints()[:, [bvh.names.index(name) for name in JOINT_NAMES]])
    if path.suffix == ".glb":
        glb = read_glb(path)
        return z_up(glb.joints(glb.time_s))
    if path.suffix == ".trc":
        return z_up(read_trc(path).markers[:, :24])
    return true_joints(read_motion_npz(path).motion)


@pytest.mark.parametrize("body", ["toy", "anny"])
@pytest.mark.parametrize("to", sorted(set(EXPORTERS) - {"csv"}))
def test_every_form_holds_the_same_motion(tmp_path: Path, to: str, body: str) -> None:
    out = tmp_path / f"out.{to}"
    export_motion(write(tmp_path, body), to, out)
    np.testing.assert_allclose(joints_in(out), true_joints(walk_ahead(body)), atol=1e-3)


def test_the_table_of_angles_has_a_row_per_frame(tmp_path: Path, motion_file: Path) -> None:
    export_motion(motion_file, "csv", tmp_path / "out.csv")
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 61


def test_npz_to_npz_loses_nothing(tmp_path: Path, motion_file: Path) -> None:
    export_motion(motion_file, "npz", tmp_path / "out.npz")
    with np.load(motion_file) as before, np.load(tmp_path / "out.npz") as after:
        assert before.files == after.files
        for key in before.files:
            if before[key].dtype.kind == "f":
                np.testing.assert_allclose(after[key], before[key], atol=1e-5)
            else:
                np.testing.assert_array_equal(after[key], before[key])


def test_an_unknown_form_names_the_known_ones(tmp_path: Path, motion_file: Path) -> None:
    with pytest.raises(OptionError, match=r"fbx.*bvh, glb, trc, csv, npz"):
        export_motion(motion_file, "fbx", tmp_path / "out.fbx")


def test_a_missing_motion_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        export_motion(tmp_path / "no.npz", "bvh", tmp_path / "out.bvh")
    assert list(tmp_path.iterdir()) == []
