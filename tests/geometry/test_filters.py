"""Laws of the filters, for places and rotations, and plain twins."""

import math

import numpy as np
import pytest
import roma
import scipy.signal
import torch
from torch import Tensor

from motionfield.geometry.filters import (
    OneEuroConfig,
    SavgolConfig,
    one_euro,
    one_euro_rotations,
    savgol,
    savgol_rotations,
)
from motionfield.geometry.rotations import axis_rotation

WIDE = SavgolConfig(reach_s=0.2, order=2)


def uneven(frames: int = 40) -> Tensor:
    steps = torch.rand(frames, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    return torch.cumsum(0.01 + 0.04 * steps, 0)


def noisy_path(frames: int = 40) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn((frames, 2, 3), generator=generator, dtype=torch.float64)


def noisy_turns(frames: int = 40) -> Tensor:
    """Rotations of two joints that turn about changing axes, with jitter."""
    t = torch.arange(frames, dtype=torch.float64) / 30
    turn = axis_rotation("z", 2 * t) @ axis_rotation("x", torch.sin(3 * t))
    return turn.unsqueeze(1) @ roma.rotvec_to_rotmat(0.1 * noisy_path(frames))


@pytest.mark.parametrize("smooth", [savgol, one_euro])
def test_what_stands_still_stays_where_it_is(smooth) -> None:  # type: ignore[no-untyped-def]
    still = torch.tensor([1.0, -2.0, 5.0], dtype=torch.float64).expand(40, 2, 3)
    torch.testing.assert_close(smooth(still, uneven()), still)


@pytest.mark.parametrize("smooth", [savgol_rotations, one_euro_rotations])
def test_a_constant_rotation_stays_as_it_is(smooth) -> None:  # type: ignore[no-untyped-def]
    still = noisy_turns()[:1].expand(40, 2, 3, 3)
    torch.testing.assert_close(smooth(still, uneven()), still)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_savgol_leaves_polynomials_alone_on_any_times(order: int) -> None:
    t = uneven()
    factors = noisy_path(order + 1)
    path = sum(factors[power] * t[:, None, None] ** power for power in range(order + 1))
    assert isinstance(path, Tensor)
    config = SavgolConfig(reach_s=0.15, order=order)
    torch.testing.assert_close(savgol(path, t, config), path)
    axis = torch.nn.functional.normalize(factors[0], dim=-1)
    angle = 0.5 + 0.8 * t**order
    turns = roma.rotvec_to_rotmat(angle[:, None, None] * axis)
    torch.testing.assert_close(savgol_rotations(turns, t, config), turns)


@pytest.mark.parametrize(("reach_s", "order"), [(0.1, 2), (0.2, 3), (0.34, 1)])
def test_savgol_on_even_times_is_scipys(reach_s: float, order: int) -> None:
    path, t = noisy_path(), torch.arange(40, dtype=torch.float64) / 30
    window = 2 * round(reach_s * 30) + 1
    twin = scipy.signal.savgol_filter(path.numpy(), window, order, axis=0, mode="interp")
    smooth = savgol(path, t, SavgolConfig(reach_s, order))
    np.testing.assert_allclose(smooth.numpy(), twin, atol=1e-9)


def test_one_euro_is_the_papers_loop() -> None:
    """Algorithm 1 and 2 as the paper writes them, a number at a time."""
    t = uneven()
    signal = noisy_path()[:, :1, :1]
    config = OneEuroConfig(1.2, 0.7, 0.9)

    def alpha(cutoff: float, step: float) -> float:
        tau = 1 / (2 * math.pi * cutoff)
        return 1 / (1 + tau / step)

    x, dx = float(signal[0]), 0.0
    expected = [x]
    for i in range(1, 40):
        step = float(t[i] - t[i - 1])
        value = float(signal[i])
        a = alpha(config.speed_cutoff_hz, step)
        dx = a * (value - x) / step + (1 - a) * dx
        a = alpha(config.min_cutoff_hz + config.speed_slope * abs(dx), step)
        x = a * value + (1 - a) * x
        expected.append(x)
    smooth = one_euro(signal, t, config).flatten()
    np.testing.assert_allclose(smooth.numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("smooth", [savgol, one_euro])
def test_filtered_places_move_with_the_world(smooth) -> None:  # type: ignore[no-untyped-def]
    path, t = noisy_path(), uneven()
    R, shift = noisy_turns()[3, 0], noisy_path()[0, 0]
    torch.testing.assert_close(smooth(path @ R.mT + shift, t), smooth(path, t) @ R.mT + shift)


@pytest.mark.parametrize("smooth", [savgol_rotations, one_euro_rotations])
def test_filtered_rotations_turn_with_the_world_and_the_body(smooth) -> None:  # type: ignore[no-untyped-def]
    turns, t = noisy_turns(), uneven()
    world, own = noisy_turns()[3, 0], noisy_turns()[7, 1]
    torch.testing.assert_close(smooth(world @ turns, t), world @ smooth(turns, t))
    torch.testing.assert_close(smooth(turns @ own, t), smooth(turns, t) @ own)


@pytest.mark.parametrize("smooth", [savgol_rotations, one_euro_rotations])
def test_jitter_gets_less_and_rotations_stay_rotations(smooth) -> None:  # type: ignore[no-untyped-def]
    t = torch.arange(40, dtype=torch.float64) / 30
    result = smooth(noisy_turns(), t)
    torch.testing.assert_close(
        result @ result.mT, torch.eye(3, dtype=torch.float64).expand_as(result)
    )
    assert (torch.linalg.det(result) > 0).all()

    def bumps(turns: Tensor) -> Tensor:
        arcs = roma.rotmat_to_rotvec(turns[:-1].mT @ turns[1:])
        return arcs.diff(dim=0).norm(dim=-1).mean()

    assert bumps(result) < 0.6 * bumps(noisy_turns())


def test_places_and_small_rotations_are_smoothed_alike() -> None:
    """About one axis a rotation is its angle."""
    t = torch.arange(40, dtype=torch.float64) / 30
    angle = 0.3 * noisy_path()[:, 0, :1]
    axis = torch.tensor([0.0, 0.6, 0.8], dtype=torch.float64)
    turns = roma.rotvec_to_rotmat(angle * axis)
    for of_places, of_turns in ((savgol, savgol_rotations), (one_euro, one_euro_rotations)):
        smooth = roma.rotvec_to_rotmat(of_places(angle, t) * axis)
        torch.testing.assert_close(of_turns(turns, t), smooth)


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_short_clips(frames: int) -> None:
    path, t = noisy_path(frames), torch.arange(frames, dtype=torch.float64) / 30
    for smooth in (savgol, one_euro):
        assert torch.isfinite(smooth(path, t)).all()
    for turn in (savgol_rotations, one_euro_rotations):
        assert torch.isfinite(turn(noisy_turns(frames), t)).all()
    torch.testing.assert_close(savgol(path, t, WIDE), path)
