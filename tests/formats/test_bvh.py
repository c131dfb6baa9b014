"""BVH files, reopened by a parser that shares nothing with the writer."""

from pathlib import Path

import numpy as np
import pytest

from formats.made import (
    FPS,
    MOTIONS,
    assert_t_pose,
    assert_walks_ahead,
    long_legged,
    true_joints,
    unevenly_timed,
    walk_ahead,
    walk_in_circles,
    z_up,
)
from formats.readers import Bvh, read_bvh
from motionfield.body.registry import load_body
from motionfield.core.conventions import JOINT_NAMES, JOINT_PARENTS
from motionfield.core.errors import OutputError
from motionfield.data import Motion
from motionfield.formats.bvh import write_bvh


def written(folder: Path, motion: Motion, **options: str) -> Bvh:
    path = folder / "motion.bvh"
    write_bvh(path, motion, load_body(motion.body_model), **options)
    return read_bvh(path)


def ordered(bvh: Bvh, joints: np.ndarray) -> np.ndarray:
    """From the file's order (depth first) to ours."""
    return joints[..., [bvh.names.index(name) for name in JOINT_NAMES], :]


@pytest.mark.parametrize("name", MOTIONS)
def test_every_joint_is_back_within_a_millimetre(tmp_path: Path, name: str) -> None:
    motion = long_legged(MOTIONS[name]())
    bvh = written(tmp_path, motion)
    found = z_up(ordered(bvh, bvh.joints()))
    np.testing.assert_allclose(found, true_joints(motion), atol=1e-3)
    assert bvh.frame_time == pytest.approx(1 / FPS, abs=1e-7)


def test_the_tree_is_ours(tmp_path: Path) -> None:
    bvh = written(tmp_path, walk_ahead())
    for joint, parent in enumerate(bvh.parents):
        ours = JOINT_PARENTS[JOINT_NAMES.index(bvh.names[joint])]
        assert (bvh.names[parent] if parent >= 0 else None) == (
            JOINT_NAMES[ours] if ours >= 0 else None
        )
    assert bvh.channels[0][:3] == ["Xposition", "Yposition", "Zposition"]
    assert len({tuple(c[-3:]) for c in bvh.channels}) == 1, "one order for all joints"


def test_a_spectator_sees_the_person_walk_ahead(tmp_path: Path) -> None:
    """Not upside down, not turned, not mirrored, not stuck, in metres."""
    bvh = written(tmp_path, walk_ahead())
    assert_walks_ahead(ordered(bvh, bvh.joints()), up=1, ahead=2, ahead_sign=1)


def test_the_rest_pose_is_a_t_pose(tmp_path: Path) -> None:
    bvh = written(tmp_path, walk_ahead())
    assert_t_pose(ordered(bvh, bvh.rest()))
    assert (bvh.offsets[0] == 0).all(), "readers differ on a root with an offset"
    assert set(bvh.ends) == {"head", "left_foot", "right_foot", "left_hand", "right_hand"}
    assert 0.03 < bvh.ends["head"][1] < 0.3
    assert 0.01 < bvh.ends["left_hand"][0] < 0.25
    assert -0.25 < bvh.ends["right_hand"][0] < -0.01
    assert 0.01 < bvh.ends["left_foot"][2] < 0.2


@pytest.mark.parametrize("name", MOTIONS)
def test_angles_do_not_jump(tmp_path: Path, name: str) -> None:
    bvh = written(tmp_path, MOTIONS[name]())
    steps = np.abs(np.diff(bvh.values[:, 3:], axis=0))
    assert steps.max() < 30, "degrees from one frame to the next"


def test_turns_are_counted(tmp_path: Path) -> None:
    bvh = written(tmp_path, walk_in_circles())
    heading = bvh.values[:, bvh.channels[0].index("Yrotation")]
    assert heading[-1] - heading[0] == pytest.approx(2.5 * 360 * 149 / 150, abs=0.1)


def test_centimetres_where_asked(tmp_path: Path) -> None:
    metres = written(tmp_path, walk_ahead())
    centimetres = written(tmp_path, walk_ahead(), unit="cm")
    np.testing.assert_allclose(centimetres.joints(), 100 * metres.joints(), atol=0.01)
    np.testing.assert_allclose(centimetres.ends["head"], 100 * metres.ends["head"], atol=1e-3)


def test_lost_frames_are_filled_in_time(tmp_path: Path) -> None:
    motion = walk_in_circles()
    bvh = written(tmp_path, unevenly_timed(motion))
    truth = true_joints(motion)[: len(bvh.values)]
    found = z_up(ordered(bvh, bvh.joints()))
    assert len(found) == motion.num_frames
    np.testing.assert_allclose(found, truth, atol=0.03)
    kept = np.arange(len(truth)) % 7 != 3
    np.testing.assert_allclose(found[kept], truth[kept], atol=1e-3)


def test_one_frame_is_a_file(tmp_path: Path) -> None:
    motion = walk_ahead(count=1)
    bvh = written(tmp_path, motion)
    np.testing.assert_allclose(z_up(ordered(bvh, bvh.joints())), true_joints(motion), atol=1e-3)


def test_a_folder_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"motion.bvh: cannot be written"):
        write_bvh(tmp_path / "no" / "motion.bvh", walk_ahead(), load_body("toy"))
