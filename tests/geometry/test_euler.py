"""Continuous Euler angles: exact products, no jumps, singular places included."""

import math
from itertools import permutations

import pytest
import roma
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from motionfield.geometry.euler import continuous_euler, unwrap
from motionfield.geometry.rotations import axis_rotation

ORDERS = ["".join(order) for order in permutations("xyz")]


def product(angles: torch.Tensor, axes: str) -> torch.Tensor:
    a, b, c = (axis_rotation(axis, angles[..., n]) for n, axis in enumerate(axes))
    return a @ b @ c


def smooth_rotations(frames: int, joints: int, seed: int) -> torch.Tensor:
    """Rotations that wander over the whole of SO(3) by at most some degrees per frame."""
    generator = torch.Generator().manual_seed(seed)
    steps = torch.randn(joints, 8, 3, generator=generator, dtype=torch.float64)
    speed = torch.nn.functional.interpolate(steps.mT, size=frames, mode="linear").permute(2, 0, 1)
    turns = roma.rotvec_to_rotmat(0.12 * speed)
    total = [turns[0]]
    for turn in turns[1:]:
        total.append(total[-1] @ turn)
    return torch.stack(total)


@pytest.mark.parametrize("axes", ORDERS)
def test_the_product_is_the_rotation_and_agrees_with_scipy(axes: str) -> None:
    R = roma.random_rotmat(200, dtype=torch.float64)
    angles = continuous_euler(R, axes)
    torch.testing.assert_close(product(angles, axes), R)
    one_by_one = torch.cat([continuous_euler(R[n : n + 1], axes) for n in range(200)])
    scipy = Rotation.from_matrix(R.numpy()).as_euler(axes.upper())
    torch.testing.assert_close(one_by_one, torch.from_numpy(scipy))


@pytest.mark.parametrize("axes", ORDERS)
def test_smooth_rotations_have_exact_products_in_float32(axes: str) -> None:
    R = smooth_rotations(400, 6, seed=1).float()
    torch.testing.assert_close(product(continuous_euler(R, axes), axes), R, rtol=0, atol=1e-5)


@pytest.mark.parametrize("axes", ORDERS)
@given(
    start=st.tuples(*[st.floats(-2, 2)] * 3),
    speed=st.tuples(*[st.floats(-0.2, 0.2)] * 3),
    frames=st.integers(1, 120),
)
def test_angles_that_move_evenly_come_back_as_even_steps(
    axes: str, start: tuple[float, ...], speed: tuple[float, ...], frames: int
) -> None:
    """Also where the middle angle runs through 90, 270, … degrees, exactly or nearly."""
    time = torch.arange(frames, dtype=torch.float64)[:, None]
    R = product(
        torch.tensor(start, dtype=torch.float64) + time * torch.tensor(speed).double(), axes
    )
    angles = continuous_euler(R, axes)
    torch.testing.assert_close(product(angles, axes), R)
    if frames > 1 and math.cos(start[1]) > 0.3:
        steps = angles.diff(dim=0).abs().max(0).values
        limit = torch.tensor(speed).abs().double() + 1e-4
        assert (steps <= limit).all()


def test_a_cartwheel_through_the_singular_angle_has_no_jump() -> None:
    """72 steps of exactly 5 degrees meet 90 and 270 degrees exactly."""
    angle = torch.deg2rad(torch.arange(0, 365, 5, dtype=torch.float64))
    R = axis_rotation("y", torch.full_like(angle, 0.4)) @ axis_rotation("z", angle)
    angles = continuous_euler(R, "yzx")
    torch.testing.assert_close(angles[:, 1], angle, rtol=0, atol=1e-6)
    torch.testing.assert_close(angles[:, 0], torch.full_like(angle, 0.4), rtol=0, atol=1e-6)


def test_a_rotation_always_singular_is_still_exact() -> None:
    angle = torch.linspace(0, 3, 30, dtype=torch.float64)
    down = axis_rotation("z", torch.full_like(angle, math.pi / 2))
    R = down @ axis_rotation("x", angle)
    angles = continuous_euler(R, "yzx")
    torch.testing.assert_close(product(angles, "yzx"), R)
    assert angles.diff(dim=0).abs().max() < 0.2


def test_unwrap_follows_many_turns() -> None:
    angle = torch.linspace(0, 40, 300, dtype=torch.float64)
    wrapped = torch.remainder(angle + math.pi, math.tau) - math.pi
    torch.testing.assert_close(unwrap(wrapped), angle)
