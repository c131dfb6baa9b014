"""Metrics: cases worked by hand, and what each must not see."""

import math

import pytest
import roma
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from motionfield.core.errors import OptionError
from motionfield.core.keypoint_sets import LIMB_JOINTS
from motionfield.steps.evaluate import metrics

seeds = st.integers(0, 2**31)


def _points(seed: int, frames: int = 7, joints: int = 12) -> torch.Tensor:
    return torch.randn(frames, joints, 3, generator=_generator(seed), dtype=torch.float64)


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _turn(seed: int, *shape: int) -> torch.Tensor:
    return roma.rotvec_to_rotmat(
        torch.randn(*shape, 3, generator=_generator(seed), dtype=torch.float64)
    )


def test_mpjpe_by_hand() -> None:
    truth = torch.zeros(2, 2, 3)
    predicted = torch.tensor([[[0.003, 0.004, 0], [0, 0, 0]], [[0, 0, 0.01], [0, 0.02, 0]]])
    score = metrics.mpjpe(predicted, truth)
    assert score.per_frame.tolist() == pytest.approx([2.5, 15.0])
    assert score.mean == pytest.approx(8.75)
    assert score.unit == "mm"


def test_mpjpe_root_is_moved_onto_the_origin() -> None:
    truth = _points(0)
    assert metrics.mpjpe(truth + 5, truth, root=(3, 4)).mean == pytest.approx(0, abs=1e-9)
    predicted = truth.clone()
    predicted[:, 0, 0] += 0.1  # with joint 0 as root, all others are 100 mm off
    assert metrics.mpjpe(predicted, truth, root=(0,)).mean == pytest.approx(100 * 11 / 12)


@settings(max_examples=25, deadline=None)
@given(seeds, st.floats(0.2, 5))
def test_pa_mpjpe_is_blind_to_a_similarity_of_each_frame(seed: int, scale: float) -> None:
    predicted, truth = _points(seed), _points(seed + 1)
    moved = scale * predicted @ _turn(seed, 7).mT + _points(seed + 2, 7, 1)
    before, after = metrics.pa_mpjpe(predicted, truth), metrics.pa_mpjpe(moved, truth)
    torch.testing.assert_close(before.per_frame, after.per_frame)
    assert metrics.pa_mpjpe(scale * truth @ _turn(seed, 7).mT, truth).mean < 1e-6


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_g_mpjpe_is_blind_to_one_rigid_motion_and_to_nothing_else(seed: int) -> None:
    predicted, truth = _points(seed), _points(seed + 1)
    moved = predicted @ _turn(seed).T + _points(seed + 2, 1, 1)
    before, after = metrics.g_mpjpe(predicted, truth), metrics.g_mpjpe(moved, truth)
    torch.testing.assert_close(before.per_frame, after.per_frame)
    assert metrics.g_mpjpe(1.1 * truth, truth).mean > 1  # a scale counts
    assert metrics.g_mpjpe(truth @ _turn(seed, 7).mT, truth).mean > 1  # and so does a lost heading


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_alignments_only_help(seed: int) -> None:
    predicted, truth = _points(seed), _points(seed + 1)

    def squares(points: torch.Tensor) -> torch.Tensor:
        return (points - truth).square().sum((1, 2))

    per_frame = squares(metrics.procrustes(predicted, truth))
    clip = squares(metrics.align_clip(predicted, truth))
    assert (per_frame <= clip + 1e-9).all()
    assert clip.sum() <= squares(predicted).sum() + 1e-9


def test_a_mirrored_body_does_not_align() -> None:
    truth = _points(3)
    assert metrics.pa_mpjpe(truth * torch.tensor([-1.0, 1, 1]), truth).mean > 100


def test_missing_values_never_become_numbers() -> None:
    predicted, truth = _points(0), _points(1)
    predicted[2, 5, 1] = torch.nan
    truth[4, 0] = torch.nan
    for metric in (metrics.mpjpe, metrics.pa_mpjpe, metrics.g_mpjpe):
        score = metric(predicted, truth)
        assert score.frames_used == 5
        assert score.frames_total == 7
        assert score.per_frame[[2, 4]].isnan().all()
        assert math.isfinite(score.mean)
        whole = [0, 1, 3, 5, 6]
        assert score.mean == pytest.approx(metric(predicted[whole], truth[whole]).mean)
    nothing = metrics.pa_mpjpe(predicted * torch.nan, truth)
    assert nothing.frames_used == 0
    assert math.isnan(nothing.mean)
    assert math.isnan(nothing.median)
    assert math.isnan(metrics.g_mpjpe(predicted * torch.nan, truth).mean)


def test_different_lengths_are_an_error() -> None:
    with pytest.raises(OptionError, match=r"\(6, 12, 3\).*\(7, 12, 3\)"):
        metrics.check_same_shape(_points(0)[:6], _points(0))


def test_flexion_by_hand() -> None:
    points = torch.zeros(1, 12, 3)
    place = {
        "left_shoulder": (0, 0, 1.5),
        "left_elbow": (0, 0, 1.2),
        "left_wrist": (0.3, 0, 1.2),  # bent by a right angle
        "left_hip": (0, 0, 1.0),
        "left_knee": (0, 0, 0.5),  # straight hip
        "left_ankle": (0.5, 0, 0.5 + 0.5),  # knee bent by 135 degrees
    }
    for name, xyz in place.items():
        points[0, LIMB_JOINTS.index(name)] = torch.tensor(xyz)
    angles = metrics.flexion_deg(points, LIMB_JOINTS)
    assert float(angles["left_elbow"]) == pytest.approx(90, abs=1e-4)
    assert float(angles["left_hip"]) == pytest.approx(0, abs=1e-4)
    assert float(angles["left_knee"]) == pytest.approx(135, abs=1e-4)


def test_angle_rmse_goes_the_short_way_and_counts_frames() -> None:
    ours, theirs = torch.tensor([359.0, 10.0, torch.nan]), torch.tensor([1.0, 12.0, 3.0])
    value, used = metrics.angle_rmse(ours, theirs)
    assert value == pytest.approx(2)
    assert used == 2
    assert math.isnan(metrics.angle_rmse(ours[2:], theirs[2:])[0])


def test_acceleration_error_of_a_parabola() -> None:
    fps = 50.0
    t = torch.arange(9, dtype=torch.float64) / fps
    fall = torch.zeros(9, 1, 3, dtype=torch.float64)
    fall[:, 0, 2] = -0.5 * 9.81 * t**2
    still = torch.zeros_like(fall)
    score = metrics.acceleration_error(fall, still, fps)
    assert score.frames_used == 7
    assert score.mean == pytest.approx(9.81)
    assert metrics.acceleration_error(fall, still).mean == pytest.approx(9.81 / fps**2 * 1000)
    steady = still + t[:, None, None]  # a steady drift has no acceleration
    assert metrics.acceleration_error(fall + steady, fall, fps).mean == pytest.approx(0, abs=1e-9)
    assert metrics.acceleration_error(fall[:2], still[:2]).frames_used == 0


def test_jitter_of_a_cubic() -> None:
    fps = 25.0
    t = torch.arange(8, dtype=torch.float64) / fps
    points = torch.zeros(8, 2, 3, dtype=torch.float64)
    points[:, :, 0] = (2 * t**3)[:, None]  # third derivative 12
    score = metrics.jitter(points, fps)
    assert score.frames_used == 5
    assert score.mean == pytest.approx(12)


@pytest.mark.parametrize("fps", [24.0, 25.0, 29.97, 30.0, 50.0, 59.94, 60.0, 240.0])
def test_foot_slide_does_not_depend_on_the_frame_rate(fps: float) -> None:
    frames = 40
    points = torch.zeros(frames, 2, 3)
    points[:, 0, 0] = torch.arange(frames) / fps * 0.3  # 0.3 m/s is 10 mm per 1/30 s
    points[:, 0, 2] = torch.arange(frames) / fps  # rising is no slide
    contact = torch.zeros(frames, 2, dtype=torch.bool)
    contact[:, 0] = True
    assert metrics.foot_slide(points, contact, fps).mean == pytest.approx(10, rel=1e-3)


def test_foot_slide_counts_only_what_is_in_contact_all_the_time() -> None:
    points = torch.zeros(6, 2, 3)
    points[3:, 0, 0] = 1.0  # the left point jumps between frames 2 and 3
    contact = torch.ones(6, 2, dtype=torch.bool)
    contact[3, 0] = False
    way = metrics.slide_way(points, contact, 30.0)
    assert way[:, 0].isnan().tolist() == [False, False, True, True, False, True]
    assert float(way[:, 0].nansum()) == 0
    none = metrics.foot_slide(points, torch.zeros_like(contact), 30.0)
    assert none.frames_used == 0
    assert math.isnan(none.mean)


def test_up_axis_error_ignores_heading() -> None:
    true = _turn(0, 3)
    heading = roma.rotvec_to_rotmat(torch.tensor([0, 0, 2.0], dtype=torch.float64))
    same = metrics.up_axis_error_deg((true @ heading)[..., 2], true[..., 2])
    assert same.mean == pytest.approx(0, abs=1e-6)
    tilt = roma.rotvec_to_rotmat(torch.tensor([math.radians(7), 0, 0], dtype=torch.float64))
    tilted = metrics.up_axis_error_deg((true @ tilt @ heading)[..., 2], true[..., 2])
    assert tilted.mean == pytest.approx(7)
