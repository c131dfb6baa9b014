"""Velocity, acceleration and jerk of motions with known ones."""

import pytest
import torch

from motionfield.steps.evaluate.smoothness import acceleration_error, jitter


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
