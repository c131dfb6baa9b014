"""The ranges of joints: coordinates, the penalty, left and right alike."""

import math

import pytest
import roma
import torch

from motionfield.body.joint_limits import (
    JOINT_RANGES,
    from_swing_twist,
    limit_penalty,
    standing_pose,
    swing_twist,
)
from motionfield.core.conventions import JOINT_INDEX, JOINT_NAMES, mirror_order

MIRROR = [index - 1 for index in mirror_order(JOINT_NAMES)[1:]]


def within(seed: int, frames: int = 50) -> torch.Tensor:
    """Coordinates drawn evenly from the ranges."""
    generator = torch.Generator().manual_seed(seed)
    share = torch.rand(frames, 23, 3, generator=generator)
    return JOINT_RANGES.low + share * (JOINT_RANGES.high - JOINT_RANGES.low)


def turned(joint: str, axis: tuple[float, float, float], degrees: float) -> torch.Tensor:
    pose = torch.eye(3).repeat(1, 23, 1, 1)
    pose[0, JOINT_INDEX[joint] - 1] = roma.rotvec_to_rotmat(
        torch.tensor(axis) * math.radians(degrees)
    )
    return pose


def test_coordinates_come_back() -> None:
    coordinates = within(0)
    torch.testing.assert_close(
        swing_twist(from_swing_twist(coordinates)), coordinates, atol=2e-4, rtol=0
    )


def test_poses_within_the_ranges_cost_nothing() -> None:
    assert limit_penalty(from_swing_twist(within(1))).max() < 1e-6
    assert limit_penalty(standing_pose()[None]).max() < 1e-6


@pytest.mark.parametrize(
    ("joint", "axis", "allowed", "forbidden"),
    [
        ("left_knee", (1, 0, 0), 120, -30),
        ("right_knee", (1, 0, 0), 120, -30),
        ("left_knee", (0, 0, 1), 4, 30),
        ("left_elbow", (0, 1, 0), -120, 30),
        ("right_elbow", (0, 1, 0), 120, -30),
        ("left_hip", (1, 0, 0), -110, 80),
        ("left_hip", (0, 0, 1), 50, -80),
        ("right_hip", (0, 0, 1), -50, 80),
        ("left_shoulder", (0, 0, 1), 90, 150),
        ("head", (0, 1, 0), 30, 80),
        ("left_ankle", (1, 0, 0), 45, -60),
    ],
)
def test_named_movements(
    joint: str, axis: tuple[float, float, float], allowed: float, forbidden: float
) -> None:
    penalty = limit_penalty(turned(joint, axis, forbidden))
    assert limit_penalty(turned(joint, axis, allowed)).max() < 1e-6
    assert penalty[0, JOINT_INDEX[joint] - 1] > math.radians(15) ** 2
    assert penalty[0].count_nonzero() == 1


def test_penalty_is_the_squared_excess() -> None:
    penalty = limit_penalty(turned("left_knee", (1, 0, 0), -30))
    assert float(penalty.sum()) == pytest.approx(math.radians(30) ** 2, rel=1e-3)


def test_left_and_right_cost_the_same() -> None:
    generator = torch.Generator().manual_seed(2)
    pose = roma.random_rotmat(20 * 23, generator=generator).reshape(20, 23, 3, 3)
    flip = torch.diag(torch.tensor([-1.0, 1, 1]))
    mirrored = (flip @ pose @ flip)[:, MIRROR]
    torch.testing.assert_close(
        limit_penalty(mirrored), limit_penalty(pose)[:, MIRROR], atol=1e-4, rtol=1e-4
    )


def test_gradient_is_finite_everywhere() -> None:
    eye = torch.eye(3).repeat(4, 23, 1, 1)
    eye[1] = eye[1] @ torch.diag(torch.tensor([1.0, -1, -1]))
    eye[2] = eye[2] @ torch.diag(torch.tensor([-1.0, 1, -1]))
    eye[3] = eye[3] @ torch.diag(torch.tensor([-1.0, -1, 1]))
    eye.requires_grad_()
    limit_penalty(eye).sum().backward()
    assert eye.grad is not None
    assert eye.grad.isfinite().all()
