"""Coverage of stated deviations against errors that were drawn with them."""

import math

import pytest
import torch

from motionfield.geometry.rotations import axis_rotation
from motionfield.steps.evaluate.coverage import coverage, deviations_off
from steps.evaluate.made import generator, points

FRAMES = 400
STD = torch.tensor([0.01, 0.02, 0.05], dtype=torch.float64).expand(FRAMES, 24, 3)


def drawn(scale: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
    """A truth, and a prediction that is wrong by ``scale`` deviations."""
    truth = points(0, FRAMES, 24)
    noise = torch.randn(FRAMES, 24, 3, generator=generator(1), dtype=torch.float64)
    return truth + scale * STD * noise, truth


def test_right_deviations_cover_what_they_say() -> None:
    found = coverage(*drawn(), STD)
    assert found.one == pytest.approx(0.683, abs=0.01)
    assert found.two == pytest.approx(0.954, abs=0.01)
    assert found.factor == pytest.approx(1, abs=0.02)
    assert found.frames_used == FRAMES


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_the_factor_mends_deviations_that_are_wrong(scale: float) -> None:
    ours, truth = drawn(scale)
    found = coverage(ours, truth, STD)
    assert found.factor == pytest.approx(scale, rel=0.02)
    assert (found.one > 0.75) == (scale < 1)
    assert coverage(ours, truth, STD * found.factor).one == pytest.approx(0.683, abs=0.002)


def test_the_truth_may_be_in_another_world_and_axes_are_the_predictions() -> None:
    ours, truth = drawn()
    turn = axis_rotation("z", torch.tensor(1.1, dtype=torch.float64))
    there = deviations_off(ours, truth @ turn.T + torch.tensor([3.0, -2, 1]), STD)
    torch.testing.assert_close(there, deviations_off(ours, truth, STD), rtol=1e-4, atol=1e-4)


def test_what_is_missing_or_unstated_is_left_out() -> None:
    ours, truth = drawn()
    truth[100:] = torch.nan
    std = STD.clone()
    std[:, 3] = 0
    std[0] = torch.nan
    found = coverage(ours, truth, std)
    assert found.frames_used == 99
    assert found.one == pytest.approx(0.683, abs=0.02)
    nothing = coverage(ours, truth, torch.zeros_like(STD))
    assert nothing.frames_used == 0
    assert math.isnan(nothing.factor)
