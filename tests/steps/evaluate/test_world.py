"""Errors in the world: what each alignment forgives, and what it does not."""

import math

import pytest
import roma
import torch
from hypothesis import given, settings

from motionfield.steps.evaluate.pose import mpjpe, pa_mpjpe, procrustes
from motionfield.steps.evaluate.world import align_clip, g_mpjpe, up_axis_error_deg
from steps.evaluate.made import points, seeds, turns


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_g_mpjpe_is_blind_to_one_rigid_motion_and_to_nothing_else(seed: int) -> None:
    predicted, truth = points(seed), points(seed + 1)
    moved = predicted @ turns(seed).T + points(seed + 2, 1, 1)
    before, after = g_mpjpe(predicted, truth), g_mpjpe(moved, truth)
    torch.testing.assert_close(before.per_frame, after.per_frame)
    assert g_mpjpe(1.1 * truth, truth).mean > 1  # a scale counts
    assert g_mpjpe(truth @ turns(seed, 7).mT, truth).mean > 1  # and so does a lost heading


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_alignments_only_help(seed: int) -> None:
    predicted, truth = points(seed), points(seed + 1)

    def squares(points: torch.Tensor) -> torch.Tensor:
        return (points - truth).square().sum((1, 2))

    per_frame = squares(procrustes(predicted, truth))
    clip = squares(align_clip(predicted, truth))
    assert (per_frame <= clip + 1e-9).all()
    assert clip.sum() <= squares(predicted).sum() + 1e-9


def test_missing_values_never_become_numbers() -> None:
    predicted, truth = points(0), points(1)
    predicted[2, 5, 1] = torch.nan
    truth[4, 0] = torch.nan
    for metric in (mpjpe, pa_mpjpe, g_mpjpe):
        score = metric(predicted, truth)
        assert score.frames_used == 5
        assert score.frames_total == 7
        assert score.per_frame[[2, 4]].isnan().all()
        assert math.isfinite(score.mean)
        whole = [0, 1, 3, 5, 6]
        assert score.mean == pytest.approx(metric(predicted[whole], truth[whole]).mean)
    nothing = pa_mpjpe(predicted * torch.nan, truth)
    assert nothing.frames_used == 0
    assert math.isnan(nothing.mean)
    assert math.isnan(nothing.median)
    assert math.isnan(g_mpjpe(predicted * torch.nan, truth).mean)


def test_up_axis_error_ignores_heading() -> None:
    true = turns(0, 3)
    heading = roma.rotvec_to_rotmat(torch.tensor([0, 0, 2.0], dtype=torch.float64))
    same = up_axis_error_deg((true @ heading)[..., 2], true[..., 2])
    assert same.mean == pytest.approx(0, abs=1e-6)
    tilt = roma.rotvec_to_rotmat(torch.tensor([math.radians(7), 0, 0], dtype=torch.float64))
    tilted = up_axis_error_deg((true @ tilt @ heading)[..., 2], true[..., 2])
    assert tilted.mean == pytest.approx(7)
