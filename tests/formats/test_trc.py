"""TRC files, reopened by a parser that shares nothing with the writer."""

from pathlib import Path

import numpy as np
import pytest

from formats.made import (
    MOTIONS,
    assert_walks_ahead,
    long_legged,
    parameters,
    true_joints,
    unevenly_timed,
    walk_ahead,
    z_up,
)
from formats.readers import Trc, read_trc
from motionfield.body.registry import load_body
from motionfield.core.conventions import JOINT_NAMES
from motionfield.core.errors import OutputError
from motionfield.core.keypoint_sets import BLAZEPOSE_33, COCO_17
from motionfield.data import Motion
from motionfield.formats.trc import write_trc


def written(folder: Path, motion: Motion, **options: str | None) -> Trc:
    path = folder / "motion.trc"
    write_trc(path, motion, load_body(motion.body_model), **options)
    return read_trc(path)


@pytest.mark.parametrize("name", MOTIONS)
def test_every_joint_is_back_within_a_millimetre(tmp_path: Path, name: str) -> None:
    motion = long_legged(MOTIONS[name]())
    trc = written(tmp_path, motion)
    assert trc.names[:24] == list(JOINT_NAMES)
    np.testing.assert_allclose(z_up(trc.markers[:, :24]), true_joints(motion), atol=1e-3)


def test_the_skin_markers_are_the_bodys_keypoints(tmp_path: Path) -> None:
    motion = long_legged(walk_ahead())
    for keypoint_set in (BLAZEPOSE_33, COCO_17):
        trc = written(tmp_path, motion, keypoint_set=keypoint_set.name)
        assert trc.names[24:] == [f"skin_{name}" for name in keypoint_set.keypoint_names]
        posed = load_body("toy").pose(**parameters(motion), keypoint_set=keypoint_set.name)
        found = z_up(trc.markers[:, 24:])
        np.testing.assert_allclose(found, posed.keypoints.numpy(), atol=1e-3)
    assert written(tmp_path, motion, keypoint_set=None).names == list(JOINT_NAMES)


def test_a_spectator_sees_the_person_walk_ahead(tmp_path: Path) -> None:
    """Not upside down, not turned, not mirrored, not stuck, in metres."""
    trc = written(tmp_path, walk_ahead())
    assert_walks_ahead(trc.markers[:, :24], up=1, ahead=2, ahead_sign=1)
    assert trc.header["Units"] == "m"


def test_time_and_header_are_true(tmp_path: Path) -> None:
    motion = unevenly_timed(walk_ahead())
    trc = written(tmp_path, motion)
    np.testing.assert_allclose(trc.time_s, motion.time_s, atol=1e-6)
    assert float(trc.header["DataRate"]) == motion.fps
    first = (tmp_path / "motion.trc").read_text().splitlines()[0]
    assert first == "PathFileType\t4\t(X/Y/Z)\tmotion.trc"


def test_a_folder_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"motion.trc: cannot be written"):
        write_trc(tmp_path / "no" / "motion.trc", walk_ahead(), load_body("toy"))
