"""The stroke: peak speed of the fastest point, and its time, by hand."""

import math

import pytest
import torch

from motionfield.steps.evaluate.stroke import MATCH_S, compare_stroke
from steps.evaluate.made import turns

FPS = 100.0


def stroke(peak_m_s: float, at_s: float, points: int = 4, fast: int = 1) -> torch.Tensor:
    """Two seconds in which one point moves with a bell of speed, and the others creep."""
    t = torch.arange(200).double() / FPS
    speed = peak_m_s * torch.exp(-(((t - at_s) / 0.08) ** 2))
    way = speed.cumsum(0) / FPS
    found = torch.zeros(200, points, 3, dtype=torch.float64)
    found[..., 1] = 0.3 * t[:, None]
    found[:, fast, 0] = way
    found[:, fast, 1] = 0
    return found


def test_the_same_is_no_error() -> None:
    found = compare_stroke(stroke(8, 1.0), stroke(8, 1.0), FPS)
    assert found.point == 1
    assert found.true_speed_m_s == pytest.approx(8, rel=0.01)
    assert (found.error_percent, found.bias_percent, found.time_ms) == (0, 0, 0)
    assert found.frames_used == 198


def test_a_late_and_flattened_stroke_by_hand() -> None:
    found = compare_stroke(stroke(6, 1.0337), stroke(8, 1.0), FPS)
    assert found.bias_percent == pytest.approx(-25, abs=0.2)
    assert found.error_percent == -found.bias_percent
    assert found.time_ms == pytest.approx(33.7, abs=0.7)  # between frames, which are 10 ms apart


def test_the_axes_of_either_world_and_the_direction_of_time_do_not_matter() -> None:
    ours, theirs = stroke(6, 1.03), stroke(8, 1.0)
    there = compare_stroke(ours, theirs, FPS)
    turned = compare_stroke(ours @ turns(3).T + 4, theirs, FPS)
    back = compare_stroke(ours.flip(0), theirs.flip(0), FPS)
    for found in (turned, back):
        assert found.error_percent == pytest.approx(there.error_percent)
        assert found.time_ms == pytest.approx(there.time_ms)


def test_it_is_the_truth_that_says_which_point_strikes() -> None:
    ours = stroke(8, 1.0, fast=2)
    found = compare_stroke(ours, stroke(8, 1.0, fast=1), FPS)
    assert found.point == 1
    assert found.bias_percent < -90


def test_a_peak_elsewhere_is_another_stroke() -> None:
    found = compare_stroke(stroke(8, 1.7), stroke(8, 1.0), FPS)
    assert found.error_percent > 50
    assert found.time_ms <= 1000 * MATCH_S


def test_slow_takes_have_no_stroke_and_missing_frames_no_peak() -> None:
    assert math.isnan(compare_stroke(stroke(8, 1.0), stroke(1, 1.0), FPS).error_percent)
    gone = stroke(8, 1.0)
    gone[80:130] = torch.nan
    assert math.isnan(compare_stroke(stroke(8, 1.0), gone, FPS).time_ms)
    assert math.isnan(compare_stroke(gone[:2], gone[:2], FPS).time_ms)
    # What the prediction misses cannot be scored there either.
    assert math.isnan(compare_stroke(gone, stroke(8, 1.0), FPS).error_percent)


def test_a_gap_beside_the_peak_is_no_neighbour() -> None:
    ours, theirs = stroke(8, 1.0), stroke(8, 1.0)
    ours[103:] = torch.nan
    found = compare_stroke(ours, theirs, FPS)
    assert found.error_percent == pytest.approx(0, abs=1)
    assert found.time_ms < 15
