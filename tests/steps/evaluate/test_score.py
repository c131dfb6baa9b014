"""A score counts what it used, and NaN never becomes a number."""

import math

import pytest
import torch

from motionfield.core.errors import OptionError
from motionfield.steps.evaluate.score import Score, check_same_clock, mean_over_points

NAN = float("nan")


def test_mean_and_median_are_over_what_is_there() -> None:
    score = Score(torch.tensor([1.0, NAN, 3.0, 8.0]), "mm")
    assert (score.frames_used, score.frames_total) == (3, 4)
    assert score.mean == pytest.approx(4)
    assert score.median == pytest.approx(3)


def test_nothing_used_is_nan_and_not_zero() -> None:
    score = Score(torch.tensor([NAN, NAN]), "mm", torch.zeros(2))
    assert score.frames_used == 0
    assert math.isnan(score.mean)
    assert math.isnan(score.median)


def test_weights_make_the_mean_one_over_all_values() -> None:
    values = torch.tensor([[1.0, 2, 3], [10, NAN, NAN], [NAN, NAN, NAN]])
    score = mean_over_points(values, "px")
    assert score.per_frame[:2].tolist() == [2, 10]
    assert score.mean == pytest.approx(4)  # of 1, 2, 3 and 10; the mean of frames would be 6
    assert score.frames_used == 2


def test_only_leaves_frames_out() -> None:
    score = Score(torch.tensor([1.0, 2.0, 4.0]), "mm").only(torch.tensor([True, False, True]))
    assert (score.frames_used, score.frames_total) == (2, 3)
    assert score.mean == pytest.approx(2.5)


def test_clocks() -> None:
    check_same_clock((5, 5), (29.97, 30.0))
    with pytest.raises(OptionError, match="5 frames, the truth 6; cut both"):
        check_same_clock((5, 6), (30.0, 30.0))
    with pytest.raises(OptionError, match="25 frames per second, the truth 30; resample"):
        check_same_clock((5, 6), (25.0, 30.0))
