"""Velocity, acceleration and jerk of motions with known ones."""

import pytest
import torch

from motionfield.steps.evaluate.smoothness import (
    acceleration_error,
    egobody_acceleration_error,
    jitter,
    tenths,
    velocity_error,
)
from steps.evaluate.made import points


def test_acceleration_error_of_a_parabola() -> None:
    fps = 50.0
    t = torch.arange(9, dtype=torch.float64) / fps
    fall = torch.zeros(9, 1, 3, dtype=torch.float64)
    fall[:, 0, 2] = -0.5 * 9.81 * t**2
    still = torch.zeros_like(fall)
    score = acceleration_error(fall, still, fps)
    assert score.frames_used == 7
    assert score.mean == pytest.approx(9.81)
    assert acceleration_error(fall, still).mean == pytest.approx(9.81 / fps**2 * 1000)
    steady = still + t[:, None, None]  # a steady drift has no acceleration
    assert acceleration_error(fall + steady, fall, fps).mean == pytest.approx(0, abs=1e-9)
    assert acceleration_error(fall[:2], still[:2]).frames_used == 0


def test_jitter_of_a_cubic() -> None:
    fps = 25.0
    t = torch.arange(8, dtype=torch.float64) / fps
    points = torch.zeros(8, 2, 3, dtype=torch.float64)
    points[:, :, 0] = (2 * t**3)[:, None]  # third derivative 12
    score = jitter(points, fps)
    assert score.frames_used == 5
    assert score.mean == pytest.approx(12)


def test_tenths_is_the_unit_of_tables() -> None:
    fps = 10.0
    t = torch.arange(5, dtype=torch.float64) / fps
    points = torch.zeros(5, 1, 3, dtype=torch.float64)
    points[:, 0, 2] = 5 * t**3  # third derivative 30 m/s^3
    shown = tenths(jitter(points, fps))
    assert shown.mean == pytest.approx(3)
    assert shown.unit == "10 m/s³"


def test_velocity_error_of_a_drift() -> None:
    truth = points(0, 6, 3)
    t = torch.arange(6, dtype=torch.float64)
    drifting = truth + (0.002 * t)[:, None, None] * torch.tensor([0.6, 0, 0.8])
    score = velocity_error(drifting, truth)
    assert score.frames_used == 5
    assert score.per_frame[-1].isnan()
    assert score.mean == pytest.approx(2)  # mm per frame
    assert velocity_error(drifting, truth, 50.0).mean == pytest.approx(0.1)  # m/s
    assert velocity_error(truth + 3, truth).mean == pytest.approx(0, abs=1e-9)
    assert velocity_error(truth[:1], truth[:1]).frames_used == 0


def test_egobody_acceleration_is_of_norms_and_no_mean() -> None:
    """Two joints that accelerate by 3 and 4 mm/frame^2 against none: 5, not 3.5."""
    t = torch.arange(4, dtype=torch.float64)
    moving = torch.zeros(4, 2, 3, dtype=torch.float64)
    moving[:, 0, 0] = 0.0015 * t**2
    moving[:, 1, 1] = 0.002 * t**2
    still = torch.zeros_like(moving)
    assert egobody_acceleration_error(moving, still).mean == pytest.approx(5)
    assert acceleration_error(moving, still).mean == pytest.approx(3.5)
    # The other way round in space is the same norm: no error at all.
    assert egobody_acceleration_error(-moving, moving).mean == pytest.approx(0, abs=1e-9)
    assert acceleration_error(-moving, moving).mean == pytest.approx(7)


def test_a_gap_takes_its_neighbours_out() -> None:
    predicted, truth = points(0, 9), points(1, 9)
    predicted[4, 2] = torch.nan
    assert acceleration_error(predicted, truth).frames_used == 4
    assert egobody_acceleration_error(predicted, truth).frames_used == 4
    assert velocity_error(predicted, truth).frames_used == 6
    assert jitter(predicted, 30.0).frames_used == 2


def test_time_reversed_is_as_smooth() -> None:
    predicted, truth = points(0, 9), points(1, 9)
    back = predicted.flip(0), truth.flip(0)
    for metric in (velocity_error, acceleration_error, egobody_acceleration_error):
        assert metric(*back).mean == pytest.approx(metric(predicted, truth).mean)
    assert jitter(back[0], 30.0).mean == pytest.approx(jitter(predicted, 30.0).mean)


def test_physical_units_do_not_depend_on_the_frame_rate() -> None:
    """The same quadratic and cubic motion seen at 30 and at 120 fps."""

    def motion(fps: float) -> torch.Tensor:
        t = torch.arange(round(fps)).double() / fps
        return torch.stack((t**2, 0.3 * t**3, 0 * t), dim=-1).unsqueeze(1)

    still = {fps: torch.zeros_like(motion(fps)) for fps in (30.0, 120.0)}
    slow, fast = (jitter(motion(fps), fps).mean for fps in still)
    assert slow == pytest.approx(fast)
    slow, fast = (acceleration_error(motion(fps), still[fps], fps).mean for fps in still)
    assert slow == pytest.approx(fast, rel=0.01)
    slow, fast = (acceleration_error(motion(fps), still[fps]).mean for fps in still)
    assert slow == pytest.approx(16 * fast, rel=0.01)  # mm/frame^2 does
