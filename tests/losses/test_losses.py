"""Laws of the penalty terms."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from motionfield.losses.contact import resting_share
from motionfield.losses.robust import charbonnier, geman_mcclure
from motionfield.losses.smoothness import acceleration, angular_velocity_squared, velocity

residuals = st.floats(0, 1e4)
scales = st.floats(1e-3, 1e3)


@given(residuals, scales)
def test_robust_terms_are_quadratic_near_zero_and_gentle_far_away(r: float, scale: float) -> None:
    squared = torch.tensor(r, dtype=torch.float64).square()
    gm, ch = geman_mcclure(squared, scale), charbonnier(squared, scale)
    assert 0 <= gm <= scale**2 * (1 + 1e-12)
    assert gm <= squared * (1 + 1e-12)
    # The square root loses digits where r is tiny beside the scale.
    assert ch <= squared + 1e-12 * scale**2
    assert ch <= 2 * scale * r + 1e-9 * scale**2
    small = torch.tensor(1e-3 * scale, dtype=torch.float64).square()
    torch.testing.assert_close(geman_mcclure(small, scale), small, rtol=1e-5, atol=0.0)
    torch.testing.assert_close(charbonnier(small, scale), small, rtol=1e-5, atol=0.0)


def test_robust_gradients_are_finite_at_zero() -> None:
    for term in (geman_mcclure, charbonnier):
        r = torch.zeros(3, requires_grad=True)
        term(r.square(), 0.5).sum().backward()
        assert torch.isfinite(r.grad).all()


def uneven_times() -> torch.Tensor:
    return torch.tensor([0.0, 0.1, 0.15, 0.3, 0.42, 0.5], dtype=torch.float64)


def test_constant_speed_has_no_acceleration_on_any_time_stamps() -> None:
    t = uneven_times()
    speed = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    line = (t[:, None] * speed)[:, None]
    torch.testing.assert_close(velocity(line, t), speed.expand(5, 1, 3))
    assert acceleration(line, t).abs().max() < 1e-9


def test_a_falling_stone_is_accelerated_by_gravity_on_any_time_stamps() -> None:
    t = uneven_times()
    fall = (-0.5 * 9.81 * t.square())[:, None, None] * torch.tensor([0.0, 0, 1])
    torch.testing.assert_close(acceleration(fall, t)[:, 0, 2], torch.full((4,), -9.81).double())


@pytest.mark.parametrize("frames", [1, 2])
def test_too_few_frames_have_no_acceleration(frames: int) -> None:
    positions = torch.zeros(frames, 5, 3)
    assert acceleration(positions, torch.arange(frames, dtype=torch.float32)).shape == (0, 5, 3)


def test_turning_speed_of_a_steady_turn() -> None:
    t = uneven_times()
    angle = 0.8 * t
    cos, sin, zero, one = angle.cos(), angle.sin(), torch.zeros(6), torch.ones(6)
    turn = torch.stack((cos, -sin, zero, sin, cos, zero, zero, zero, one), -1).view(6, 1, 3, 3)
    # 4 (1 - cos a) / 2 is a² to within a²/12.
    expected = torch.full((5, 1), 0.64).double()
    torch.testing.assert_close(angular_velocity_squared(turn, t), expected, rtol=2e-3, atol=0.0)


def moving_foot(speed: float, jitter: float = 0.0) -> torch.Tensor:
    """A foot point at 30 fps that moves by ``speed`` body heights (of 500 px) a second."""
    frames = 60
    generator = torch.Generator().manual_seed(0)
    x = 100 + 500 * speed * torch.arange(frames) / 30
    noise = jitter * torch.randn((frames, 2), generator=generator)
    xy = torch.stack((x, torch.full_like(x, 300)), -1) + noise
    return torch.cat((xy, torch.ones(frames, 1)), -1)[:, None]


def share_of(foot: torch.Tensor) -> torch.Tensor:
    frames = len(foot)
    return resting_share(foot, torch.arange(frames) / 30, torch.full((frames,), 500.0))


def test_a_still_foot_rests_even_with_jitter_and_a_moving_one_does_not() -> None:
    assert share_of(moving_foot(0.0)).min() > 0.99
    assert share_of(moving_foot(0.0, jitter=1.0)).mean() > 0.9
    assert share_of(moving_foot(1.0)).max() < 0.05
    assert share_of(moving_foot(0.25))[30].item() == pytest.approx(0.5, abs=0.05)


def test_an_unseen_foot_does_not_rest() -> None:
    foot = moving_foot(0.0)
    foot[20:30] = torch.nan
    share = share_of(foot)
    assert share[20:30].max() == 0
    assert share[5:15].min() > 0.99
    assert torch.isfinite(share).all()
