"""Laws of rotations: 6D form, axis rotations."""

import math

import pytest
import roma
import torch
from hypothesis import given
from hypothesis import strategies as st

from geometry.strategies import SEEDS, SIZES, normal, rotations
from motionfield.geometry.rotations import axis_rotation, rot6d_to_rotmat, rotmat_to_rot6d

EYE = torch.eye(3, dtype=torch.float64)


@given(SEEDS, SIZES)
def test_rot6d_round_trip(seed: int, count: int) -> None:
    R = rotations((count, 2), seed)
    torch.testing.assert_close(rot6d_to_rotmat(rotmat_to_rot6d(R)), R)


@given(SEEDS)
def test_any_six_numbers_give_a_proper_rotation(seed: int) -> None:
    R = rot6d_to_rotmat(normal((20, 6), seed))
    torch.testing.assert_close(R @ R.mT, EYE.expand(20, 3, 3), atol=1e-9, rtol=0)
    torch.testing.assert_close(torch.linalg.det(R), torch.ones(20, dtype=torch.float64))


@given(SEEDS, st.floats(0.01, 100), st.floats(0.01, 100), st.floats(-10, 10))
def test_rot6d_forgets_lengths_and_skew(seed: int, a: float, b: float, skew: float) -> None:
    """Gram-Schmidt: scaling either column or leaning the second on the first changes nothing."""
    R = rotations((1,), seed)
    rot6d = rotmat_to_rot6d(R)
    x, y = rot6d[..., :3], rot6d[..., 3:]
    torch.testing.assert_close(rot6d_to_rotmat(torch.cat((a * x, b * y + skew * x), -1)), R)


def test_rot6d_is_the_first_two_columns_in_a_row() -> None:
    """Published codes interleave the two columns; ours does not."""
    R = torch.arange(9.0).reshape(3, 3)
    assert rotmat_to_rot6d(R).tolist() == [0, 3, 6, 1, 4, 7]


def test_rot6d_has_finite_gradients_near_the_half_turn() -> None:
    half_turn = torch.diag(torch.tensor([1.0, -1, -1], dtype=torch.float64))
    rot6d = rotmat_to_rot6d(half_turn).requires_grad_()
    assert torch.autograd.gradcheck(rot6d_to_rotmat, (rot6d,))


@pytest.mark.parametrize("axis", ["x", "y", "z"])
@given(a=st.floats(-math.pi, math.pi), b=st.floats(-math.pi, math.pi))
def test_axis_rotations_add_up(axis: str, a: float, b: float) -> None:
    both = axis_rotation(axis, torch.tensor(a + b, dtype=torch.float64))
    first = axis_rotation(axis, torch.tensor(a, dtype=torch.float64))
    second = axis_rotation(axis, torch.tensor(b, dtype=torch.float64))
    torch.testing.assert_close(first @ second, both)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_axis_rotation_agrees_with_roma(index: int) -> None:
    angle = torch.linspace(-3, 3, 13, dtype=torch.float64)
    rotvec = angle[:, None] * EYE[index]
    expected = roma.rotvec_to_rotmat(rotvec)
    torch.testing.assert_close(axis_rotation("xyz"[index], angle), expected)


def test_a_quarter_turn_about_x_raises_the_body() -> None:
    """+Y of the body becomes +Z of the world: an upright person's ``global_orient``."""
    R = axis_rotation("x", torch.tensor(math.pi / 2, dtype=torch.float64))
    torch.testing.assert_close(R @ EYE[1], EYE[2])
    torch.testing.assert_close(R @ EYE[2], -EYE[1])
