"""Errors in the world: what each alignment forgives, and what it does not."""

import math
from collections.abc import Callable

import pytest
import roma
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from motionfield.geometry.rotations import axis_rotation
from motionfield.steps.evaluate.pose import joint_errors, mpjpe, pa_mpjpe, procrustes
from motionfield.steps.evaluate.score import Score
from motionfield.steps.evaluate.world import (
    Root,
    align_clip,
    egobody_fa,
    egobody_ga,
    g_mpjpe,
    glamr_g_mpjpe,
    heading_rad,
    rte,
    up_axis_error_deg,
    w_mpjpe,
    wa_mpjpe,
)
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


def walk(frames: int, joints: int = 5) -> torch.Tensor:
    """A stiff person who walks 0.04 m a frame along a bend."""
    body = points(7, 1, joints)
    at = torch.arange(frames, dtype=torch.float64)
    path = torch.stack((0.04 * at, torch.sin(at / 40), 0 * at), dim=-1)
    return body + path.unsqueeze(1)


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_chunks_forgive_one_similarity_each_and_no_more(seed: int) -> None:
    truth = walk(250)
    predicted = truth.clone()
    for n, chunk in enumerate((slice(0, 100), slice(100, 200), slice(200, 250))):
        predicted[chunk] = (0.5 + n) * truth[chunk] @ turns(seed + n).T + points(seed + n, 1, 1)
    assert wa_mpjpe(predicted, truth).mean < 1e-6
    assert w_mpjpe(predicted, truth).mean < 1e-6
    assert wa_mpjpe(predicted, truth, with_scale=False).mean > 1
    assert w_mpjpe(predicted, truth, with_scale=False).mean > 1
    # The last 50 frames belong to a chunk of another motion: as one chunk they do not fit.
    assert wa_mpjpe(predicted, truth, tail="merged").mean > 1
    assert egobody_ga(predicted, truth).mean > 1


def test_chunk_borders() -> None:
    """201 frames: a tail of one frame, alone or merged; 200 frames: no tail."""
    truth = walk(201)
    moved = truth.clone()
    moved[200] += 3.0
    assert wa_mpjpe(moved, truth).per_frame[200] < 1e-6  # one frame alone always fits
    assert wa_mpjpe(moved, truth, tail="merged").per_frame[200] > 100
    own, merged = (wa_mpjpe(moved[:200], truth[:200], tail=t) for t in ("own", "merged"))
    torch.testing.assert_close(own.per_frame, merged.per_frame)


def test_w_mpjpe_shows_drift_from_the_first_frames() -> None:
    """Steps 10 % too long, nothing else: rigid, the error grows by a tenth of the way."""
    at = torch.arange(100, dtype=torch.float64)
    body = points(3, 1, 6) * 5  # large, so that two nearly equal frames fix the rotation
    truth = body + torch.stack((0.05 * at, 0 * at, 0 * at), -1).unsqueeze(1)
    drifting = truth + torch.stack((0.005 * at, 0 * at, 0 * at), -1).unsqueeze(1)
    error = w_mpjpe(drifting, truth, with_scale=False).per_frame
    expected = (5 * (at - 0.5)).abs()  # mm; the first two frames meet in their middle
    torch.testing.assert_close(error, expected, atol=0.6, rtol=0.02)
    spread = wa_mpjpe(drifting, truth, with_scale=False).mean
    assert spread == pytest.approx(5 * 25, rel=0.02)  # mean distance from the middle: 100 / 4


def test_w_mpjpe_starts_from_the_first_whole_frames() -> None:
    truth = walk(60)
    predicted = truth + points(2, 60, 5) * 0.01
    gap = predicted.clone()
    gap[0, 2] = torch.nan
    score = w_mpjpe(gap, truth)
    assert score.frames_used == 59
    torch.testing.assert_close(score.per_frame[1:], w_mpjpe(predicted[1:], truth[1:]).per_frame)


def test_egobody_aligns_with_the_root_and_does_not_score_it() -> None:
    truth, predicted = walk(30, 6), walk(30, 6) + 0.1 * points(1, 30, 6)
    with_root = joint_errors(align_clip(predicted, truth, with_scale=True), truth)
    assert egobody_ga(predicted, truth, root=(5,)).mean == pytest.approx(
        float(with_root[:, :5].mean())
    )
    assert egobody_fa(predicted, truth, root=(5,)).mean > egobody_ga(predicted, truth, (5,)).mean


def test_rte_by_hand() -> None:
    """A straight path of 10 m walked as one of 11 m: from -0.5 m to 0.5 m, 2.5 % in the mean."""
    at = torch.linspace(0, 1, 101, dtype=torch.float64).unsqueeze(1)
    truth = at * torch.tensor([10.0, 0, 0], dtype=torch.float64)
    score = rte(1.1 * truth @ turns(4).T + 7, truth)
    assert score.mean == pytest.approx(2.5, rel=0.02)
    assert score.per_frame[0] == pytest.approx(5)
    assert score.unit == "%"
    assert rte(truth @ turns(3).T, truth).mean == pytest.approx(0, abs=1e-9)


def test_rte_of_someone_who_never_moves_is_no_number() -> None:
    still = torch.ones(5, 3, dtype=torch.float64)
    assert rte(still, still).frames_used == 0
    gap = torch.linspace(0, 1, 5, dtype=torch.float64)[:, None].repeat(1, 3)
    missing = gap.clone()
    missing[2] = torch.nan
    assert rte(missing, gap).frames_used == 4
    assert rte(gap, missing).frames_used == 4
    assert rte(gap * torch.nan, gap).frames_used == 0


def glamr(moved: torch.Tensor, turn: torch.Tensor, truth: torch.Tensor) -> Score:
    """GLAMR's measure of a person whose root is point 0, turned by ``turn`` from facing +X."""
    facing = torch.tensor([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]], dtype=torch.float64)
    orient = facing.expand(len(truth), 3, 3)
    return glamr_g_mpjpe(
        moved, truth, Root(moved[:, 0], turn @ orient), Root(truth[:, 0], orient), every=20
    )


@settings(max_examples=15, deadline=None)
@given(st.floats(-3.1, 3.1))
def test_glamr_forgives_heading_and_place_but_not_height(heading: float) -> None:
    truth = walk(50)
    turn = axis_rotation("z", torch.tensor(heading, dtype=torch.float64))
    moved = truth @ turn.T + torch.tensor([3.0, -2, 0], dtype=torch.float64)
    assert glamr(moved, turn, truth).mean < 1e-6
    raised = moved + torch.tensor([0, 0, 0.1], dtype=torch.float64)
    assert glamr(raised, turn, truth).mean == pytest.approx(100)
    assert glamr(moved, torch.eye(3).double(), truth).mean > 1 or abs(heading) < 1e-3


def test_glamr_starts_anew_from_the_frame_before_each_block() -> None:
    """A jump at the start of a block is still seen by the whole block, and by no later one."""
    truth = walk(60)
    moved = truth.clone()
    moved[20:] += torch.tensor([1.0, 0, 0], dtype=torch.float64)
    error = glamr(moved, torch.eye(3).double(), truth).per_frame
    torch.testing.assert_close(error[:20], torch.zeros(20).double(), atol=1e-6, rtol=0)
    torch.testing.assert_close(error[20:40], torch.full((20,), 1000.0).double())
    torch.testing.assert_close(error[40:], torch.zeros(20).double(), atol=1e-6, rtol=0)


def test_heading_of_people_who_stand_lean_and_lie() -> None:
    facing_x = torch.tensor([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]], dtype=torch.float64)
    angle = torch.tensor([0.0, 1.0, -2.0], dtype=torch.float64)
    lean = axis_rotation("y", torch.tensor([0.0, 0.5, 1.5], dtype=torch.float64))
    found = heading_rad(axis_rotation("z", angle) @ lean @ facing_x)
    torch.testing.assert_close(found, angle)


@pytest.mark.parametrize("metric", [g_mpjpe, wa_mpjpe, egobody_ga])
def test_whole_clip_measures_do_not_know_the_direction_of_time(metric: Callable) -> None:
    predicted, truth = points(0, 40), points(1, 40)
    forward, back = metric(predicted, truth), metric(predicted.flip(0), truth.flip(0))
    torch.testing.assert_close(forward.per_frame, back.per_frame.flip(0))
