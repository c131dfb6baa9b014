"""Errors of the pose: cases worked by hand, and what each must not see."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from motionfield.core.errors import OptionError
from motionfield.steps.evaluate.pose import mpjpe, pa_mpjpe
from motionfield.steps.evaluate.score import check_same_shape
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
