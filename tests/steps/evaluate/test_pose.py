"""Errors of the pose: cases worked by hand, and what each must not see."""

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from motionfield.core.errors import OptionError
from motionfield.steps.evaluate.pose import (
    auc_3d,
    joint_errors,
    mpjpe,
    pa_mpjpe,
    pck_3d,
    procrustes,
)
from motionfield.steps.evaluate.score import Score, check_same_shape
from steps.evaluate.made import points, seeds, turns


def test_mpjpe_by_hand() -> None:
    truth = torch.zeros(2, 2, 3)
    predicted = torch.tensor([[[0.003, 0.004, 0], [0, 0, 0]], [[0, 0, 0.01], [0, 0.02, 0]]])
    score = mpjpe(predicted, truth)
    assert score.per_frame.tolist() == pytest.approx([2.5, 15.0])
    assert score.mean == pytest.approx(8.75)
    assert score.unit == "mm"


def test_mpjpe_root_is_moved_onto_the_origin() -> None:
    truth = points(0)
    assert mpjpe(truth + 5, truth, root=(3, 4)).mean == pytest.approx(0, abs=1e-9)
    predicted = truth.clone()
    predicted[:, 0, 0] += 0.1  # with joint 0 as root, all others are 100 mm off
    assert mpjpe(predicted, truth, root=(0,)).mean == pytest.approx(100 * 11 / 12)


@settings(max_examples=25, deadline=None)
@given(seeds, st.floats(0.2, 5))
def test_pa_mpjpe_is_blind_to_a_similarity_of_each_frame(seed: int, scale: float) -> None:
    predicted, truth = points(seed), points(seed + 1)
    moved = scale * predicted @ turns(seed, 7).mT + points(seed + 2, 7, 1)
    before, after = pa_mpjpe(predicted, truth), pa_mpjpe(moved, truth)
    torch.testing.assert_close(before.per_frame, after.per_frame)
    assert pa_mpjpe(scale * truth @ turns(seed, 7).mT, truth).mean < 1e-6


def test_a_mirrored_body_does_not_align() -> None:
    truth = points(3)
    assert pa_mpjpe(truth * torch.tensor([-1.0, 1, 1]), truth).mean > 100


def test_different_lengths_are_an_error() -> None:
    with pytest.raises(OptionError, match=r"\(6, 12, 3\).*\(7, 12, 3\)"):
        check_same_shape(points(0)[:6], points(0))


def test_pck_and_auc_by_hand() -> None:
    """One of 12 joints moved far enough that the alignment hardly follows."""
    truth = 0.3 * points(5, frames=1)
    predicted = truth.clone()
    assert pck_3d(predicted, truth).mean == 100
    assert auc_3d(predicted, truth).mean == pytest.approx(100, abs=0.3)
    predicted[0, 3] += 5
    errors = joint_errors(procrustes(predicted, truth), truth)
    assert pck_3d(predicted, truth).mean == pytest.approx(
        100 * float((errors <= 150).double().mean())
    )
    nearly = float(errors.max()) * (1 - 1e-9)
    assert pck_3d(predicted, truth, nearly).mean == pytest.approx(100 * 11 / 12)
    assert pck_3d(predicted, truth, nearly + 1e-3).mean == 100
    # The naive twin of the area: one threshold after the other, and trapezoids by hand.
    shares = [float((errors <= threshold).double().mean()) for threshold in range(200)]
    area = sum((a + b) / 2 for a, b in pairwise(shares)) / 199
    assert auc_3d(predicted, truth).mean == pytest.approx(100 * area)


def test_frames_that_miss_a_joint_are_out_of_pck() -> None:
    truth, predicted = points(0), points(1)
    predicted[2, 3] = torch.nan
    for metric in (pck_3d, auc_3d):
        score = metric(predicted, truth)
        assert score.frames_used == 6
        assert score.per_frame[2].isnan()


@pytest.mark.parametrize("metric", [mpjpe, pa_mpjpe, pck_3d, auc_3d])
def test_time_reversed_is_reversed(metric: Callable[..., Score]) -> None:
    predicted, truth = points(0), points(1)
    forward, back = metric(predicted, truth), metric(predicted.flip(0), truth.flip(0))
    torch.testing.assert_close(forward.per_frame, back.per_frame.flip(0))
