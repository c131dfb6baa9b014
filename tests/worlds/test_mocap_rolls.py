"""Hands, feet and heads that a rig holds the wrong way round."""

import math

import roma
import torch

from motionfield.geometry.rotations import axis_rotation
from motionfield.worlds.mocap_rolls import forearm_roll, limited, nearest_half_turn, twist

_BONE = torch.tensor([0.6, 0.0, 0.8])


def _about(axis: torch.Tensor, angles: torch.Tensor) -> torch.Tensor:
    return roma.rotvec_to_rotmat(angles[:, None] * axis)


def test_a_foot_with_its_sole_up_is_turned_over() -> None:
    bend = axis_rotation("x", torch.linspace(-0.6, 0.6, 9))
    wrong = bend @ _about(_BONE, torch.full((9,), math.pi))
    back = wrong @ nearest_half_turn(wrong, _BONE[None])
    torch.testing.assert_close(back, bend, atol=1e-5, rtol=0)
    unchanged = nearest_half_turn(bend, _BONE[None])
    torch.testing.assert_close(unchanged, torch.eye(3).expand(9, 3, 3), atol=1e-6, rtol=0)


def test_twist_is_the_part_about_the_axis() -> None:
    angles = torch.linspace(-2.5, 2.5, 11)
    swing = roma.rotvec_to_rotmat(torch.tensor([0.0, 0.7, 0.0]))  # orthogonal to the bone
    found = twist(swing @ _about(_BONE, angles), _BONE)
    torch.testing.assert_close(found, angles, atol=1e-4, rtol=0)


def test_a_forearm_that_flips_by_half_a_turn_is_followed_smoothly() -> None:
    roll = 0.9 * torch.sin(torch.linspace(0, 6, 60))
    flipped = roll.clone()
    flipped[20:35] += math.pi
    for rolled in (flipped, roll + math.pi):
        relative = _about(_BONE, rolled)
        found = twist(relative @ forearm_roll(relative, _BONE), _BONE)
        torch.testing.assert_close(found, roll, atol=1e-4, rtol=0)


def test_no_forearm_is_wrung() -> None:
    relative = _about(_BONE, torch.linspace(0, 2.4, 40))
    found = twist(relative @ forearm_roll(relative, _BONE), _BONE)
    assert found.abs().max() < math.radians(85.1)
    assert found.diff().abs().max() < 0.1


def test_limits_are_kept_and_what_is_within_them_stays() -> None:
    angles = torch.tensor([0.0, 0.5, 2.0, 3.0])
    relative = _about(_BONE, angles)
    found = relative @ limited(relative, 1.0)
    expected = _about(_BONE, angles.clamp(max=1.0))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
