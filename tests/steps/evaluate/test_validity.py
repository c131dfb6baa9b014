"""Invalid poses: what a body does is valid, backward knees and random turns are not."""

import math

import pytest
import roma
import torch

from motionfield.body.joint_limits import JOINT_RANGES, from_swing_twist, standing_pose
from motionfield.core.conventions import JOINT_INDEX
from motionfield.priors.pose_mixture import PoseMixture
from motionfield.steps.evaluate.validity import bent_backwards, invalid_poses

MIXTURE = PoseMixture.load()


def _bent(joint: str, axis: int, angle_deg: float) -> torch.Tensor:
    coordinates = JOINT_RANGES.standing.clone()
    coordinates[JOINT_INDEX[joint] - 1, axis] = math.radians(angle_deg)
    return from_swing_twist(coordinates)[None]


@pytest.mark.parametrize(
    ("joint", "axis", "flexed"),
    [("left_knee", 0, 1), ("right_knee", 0, 1), ("left_elbow", 1, -1), ("right_elbow", 1, 1)],
)
def test_hinges_bend_one_way(joint: str, axis: int, flexed: int) -> None:
    assert not bent_backwards(_bent(joint, axis, 100 * flexed))
    assert not bent_backwards(_bent(joint, axis, -10 * flexed))
    assert bent_backwards(_bent(joint, axis, -20 * flexed))


def test_real_poses_are_valid_and_random_ones_are_not() -> None:
    poses = torch.cat(
        (standing_pose()[None], _bent("left_knee", 0, 60), _bent("left_elbow", 1, -90))
    )
    assert invalid_poses(poses, MIXTURE).mean == 0
    generator = torch.Generator().manual_seed(0)
    turns = roma.rotvec_to_rotmat(0.6 * torch.randn(200, 23, 3, generator=generator))
    assert invalid_poses(turns @ standing_pose(), MIXTURE).mean > 95


def test_share_and_frames_that_are_not_scored() -> None:
    poses = torch.cat((standing_pose()[None].repeat(3, 1, 1, 1), _bent("left_knee", 0, -60)))
    poses = torch.cat((poses, torch.full((1, 23, 3, 3), torch.nan)))
    score = invalid_poses(poses, MIXTURE)
    assert score.mean == pytest.approx(25)
    assert (score.frames_used, score.frames_total) == (4, 5)
    assert math.isnan(invalid_poses(poses[-1:], MIXTURE).mean)
