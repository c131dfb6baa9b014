"""Laws of resampling: own times give own values, straight lines stay straight, ends are held."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from geometry.strategies import SEEDS, normal, rotations, uniform
from motionfield.geometry.resample import resample_positions, resample_rotations, time_at_phase
from motionfield.geometry.rotations import axis_rotation

COUNTS = st.integers(1, 12)


def _times(count: int, seed: int) -> torch.Tensor:
    """Uneven time stamps, as of a video of variable rate."""
    return uniform(0.01, 0.2, (count,), seed).cumsum(0)


@given(SEEDS, COUNTS, st.booleans())
def test_own_times_give_own_values(seed: int, count: int, smooth: bool) -> None:
    time_s = _times(count, seed)
    positions, R = normal((count, 4, 3), seed + 1), rotations((count, 4), seed + 2)
    torch.testing.assert_close(resample_positions(positions, time_s, time_s, smooth), positions)
    torch.testing.assert_close(resample_rotations(R, time_s, time_s, smooth), R, atol=1e-6, rtol=0)


@given(SEEDS, COUNTS, st.booleans())
def test_ends_are_held(seed: int, count: int, smooth: bool) -> None:
    time_s = _times(count, seed)
    positions, R = normal((count, 3), seed + 1), rotations((count,), seed + 2)
    beyond = torch.stack((time_s[0] - 1, time_s[-1] + 1))
    places = resample_positions(positions, time_s, beyond, smooth)
    torch.testing.assert_close(places, positions[[0, -1]])
    turns = resample_rotations(R, time_s, beyond, smooth)
    torch.testing.assert_close(turns, R[[0, -1]], atol=1e-6, rtol=0)


@given(SEEDS, st.integers(2, 12), st.booleans())
def test_straight_motion_stays_straight(seed: int, count: int, smooth: bool) -> None:
    time_s = _times(count, seed)
    speed = normal((5, 3), seed + 1)
    at_s = uniform(float(time_s[0]), float(time_s[-1]), (30,), seed + 2)
    found = resample_positions(time_s[:, None, None] * speed, time_s, at_s, smooth)
    torch.testing.assert_close(found, at_s[:, None, None] * speed)


@given(SEEDS, st.integers(2, 12), st.floats(-5, 5), st.booleans())
def test_steady_turning_stays_steady(seed: int, count: int, rate: float, smooth: bool) -> None:
    """Less than half a turn between the frames used: the shortest arc is the true one."""
    time_s = _times(count, seed)
    at_s = uniform(float(time_s[0]), float(time_s[-1]), (30,), seed + 1)
    found = resample_rotations(axis_rotation("y", rate * time_s), time_s, at_s, smooth)
    torch.testing.assert_close(found, axis_rotation("y", rate * at_s), atol=1e-6, rtol=0)


@given(SEEDS)
def test_results_are_rotations(seed: int) -> None:
    time_s = _times(6, seed)
    at_s = uniform(-1, 2, (20,), seed + 1)
    found = resample_rotations(rotations((6, 3), seed + 2), time_s, at_s)
    eye = torch.eye(3, dtype=torch.float64).expand_as(found)
    torch.testing.assert_close(found @ found.mT, eye, atol=1e-6, rtol=0)


def test_resampling_turns_with_the_world() -> None:
    """Turning the world first or last gives the same."""
    time_s, at_s = _times(5, 0), uniform(0, 1, (10,), 1)
    R, turn = rotations((5, 2), 2), rotations((), 3)
    torch.testing.assert_close(
        turn @ resample_rotations(R, time_s, at_s), resample_rotations(turn @ R, time_s, at_s)
    )


def test_smooth_has_no_kinks_and_is_nearer() -> None:
    """Of a wave seen at 30 frames per second, shown at 240."""
    old, new = torch.arange(31).double() / 30, torch.arange(8, 233).double() / 240
    wave = torch.sin(9 * old).unsqueeze(-1), torch.sin(9 * new).unsqueeze(-1)
    turn = axis_rotation("z", torch.sin(9 * old)), axis_rotation("z", torch.sin(9 * new))
    for resample, (seen, truth) in ((resample_positions, wave), (resample_rotations, turn)):
        off = [(resample(seen, old, new, smooth) - truth).abs().max() for smooth in (False, True)]
        assert off[1] < 0.1 * off[0]
        bends = [resample(seen, old, new, s).diff(n=2, dim=0).abs().max() for s in (False, True)]
        assert bends[1] < 1.3 * truth.diff(n=2, dim=0).abs().max()
        assert bends[0] > 4 * bends[1]


def test_time_at_phase_is_the_inverse_of_a_phase_that_grows() -> None:
    time = torch.linspace(2, 5, 40, dtype=torch.float64)
    phase = ((time - 2) / 3) ** 2
    np.testing.assert_allclose(time_at_phase(phase, time, phase), time, atol=1e-9)
    # Between frames it is linear: naively, frame by frame.
    at = torch.linspace(0, 1, 23, dtype=torch.float64)
    expected = np.interp(at.numpy(), phase.numpy(), time.numpy())
    np.testing.assert_allclose(time_at_phase(phase, time, at), expected, atol=1e-9)


def test_time_at_phase_of_a_rest_is_its_middle_and_ends_are_held() -> None:
    phase = torch.tensor((0.2, 0.4, 0.4, 0.4, 0.6), dtype=torch.float64)
    time = torch.tensor((0.0, 1.0, 2.0, 4.0, 5.0), dtype=torch.float64)
    at = torch.tensor((0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 1.0), dtype=torch.float64)
    found = time_at_phase(phase, time, at)
    np.testing.assert_allclose(found, (0.0, 0.0, 0.5, 2.5, 4.5, 5.0, 5.0))
    alone = time_at_phase(phase[:1], time[:1], at)
    np.testing.assert_allclose(alone, 0)
