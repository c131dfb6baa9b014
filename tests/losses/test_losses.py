"""Laws of the penalty terms."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from motionfield.geometry.cameras import project, world_to_camera
from motionfield.geometry.rotations import axis_rotation
from motionfield.losses.contact import (
    WINDOW_S,
    frames_within,
    resting_flow,
    resting_share,
    windowed_slope,
)
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


def shaking_camera(frames: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """K, R, t of a camera that turns, walks and shakes."""
    t = torch.arange(frames) / 30
    K = torch.tensor([[900.0, 0, 640], [0, 900, 360], [0, 0, 1]]).expand(frames, 3, 3)
    R = axis_rotation("y", 0.8 * t + 0.01 * torch.sin(20 * t)) @ axis_rotation("x", 0.1 * t)
    return K, R, torch.stack((1.2 * t, 0.02 * torch.sin(17 * t), 4 + 0.3 * t), -1)


DISTORTION = torch.tensor([0.05, -0.02, 0.001, -0.001, 0.0])


def test_a_resting_point_shows_the_resting_flow_and_rests_before_a_moving_camera() -> None:
    frames = 50
    K, R, t = shaking_camera(frames)
    time_s = torch.arange(frames) / 30
    points = torch.tensor([[0.1, 0.9, 0.3], [-0.4, 0.8, -0.2]]).expand(frames, 2, 3)
    pixels = project(world_to_camera(points, R, t), K, DISTORTION)
    flow = resting_flow(points, (K, DISTORTION), R, t, time_s)
    slope = windowed_slope(pixels, time_s, frames_within(WINDOW_S, time_s))
    torch.testing.assert_close(flow, slope, atol=0.2, rtol=0)
    assert slope.norm(dim=-1).min() > 100
    foot = torch.cat((pixels, torch.ones(frames, 2, 1)), -1)
    height = torch.full((frames,), 350.0)
    assert resting_share(foot, time_s, height).max() < 0.5
    assert resting_share(foot, time_s, height, flow=flow).min() > 0.99
    # The depth need not be exact.
    nearer = (points - torch.tensor([0.0, 0, 4])) * 0.95 + torch.tensor([0.0, 0, 4])
    about = resting_flow(nearer, (K, DISTORTION), R, t, time_s)
    assert resting_share(foot, time_s, height, flow=about).min() > 0.9


def test_a_still_camera_shows_no_flow() -> None:
    frames = 20
    K, R, t = (part[:1].expand(frames, *part.shape[1:]) for part in shaking_camera(2))
    points = torch.randn(frames, 3, 3, generator=torch.Generator().manual_seed(0))
    flow = resting_flow(points, (K, DISTORTION), R, t, torch.arange(frames) / 30)
    assert flow.abs().max() < 1e-2
    one = resting_flow(points[:1], (K[:1], DISTORTION), R[:1], t[:1], torch.zeros(1))
    assert one.abs().max() == 0
