"""Angles, speeds and times of contact by hand."""

import math

import pytest
import torch

from motionfield.body.joint_angles import ANGLES
from motionfield.core.arrays import tensor_of
from motionfield.core.conventions import JOINT_INDEX
from motionfield.core.keypoint_sets import LIMB_JOINTS
from motionfield.geometry.rotations import axis_rotation
from motionfield.steps.evaluate.biomechanics import (
    angle_groups,
    angle_rmse,
    contact_timing,
    flexion_deg,
    joint_angle_rmse,
    joint_speeds,
    peak_speed_error,
)
from steps.evaluate.made import made_motion, turns


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
    angles = flexion_deg(points, LIMB_JOINTS)
    assert float(angles["left_elbow"]) == pytest.approx(90, abs=1e-4)
    assert float(angles["left_hip"]) == pytest.approx(0, abs=1e-4)
    assert float(angles["left_knee"]) == pytest.approx(135, abs=1e-4)


def test_angle_rmse_goes_the_short_way_and_counts_frames() -> None:
    ours, theirs = torch.tensor([359.0, 10.0, torch.nan]), torch.tensor([1.0, 12.0, 3.0])
    value, used = angle_rmse(ours, theirs)
    assert value == pytest.approx(2)
    assert used == 2
    assert math.isnan(angle_rmse(ours[2:], theirs[2:])[0])


def angles_of(seed: int = 0, frames: int = 30) -> tuple[torch.Tensor, torch.Tensor]:
    motion = made_motion(seed, frames)
    return tensor_of(motion.global_orient), tensor_of(motion.body_pose)


ALL = torch.ones(30, dtype=torch.bool)


def test_a_knee_bent_by_ten_degrees_more_is_that_error_alone() -> None:
    upright = axis_rotation("x", torch.tensor(math.pi / 2)).expand(30, 3, 3)
    straight = torch.eye(3).repeat(30, 23, 1, 1)
    bent = straight.clone()
    ten = torch.tensor(math.radians(10))
    bent[:, JOINT_INDEX["left_knee"] - 1] = axis_rotation("x", ten)
    found = joint_angle_rmse((upright, bent), (upright, straight), ALL)
    assert set(found) == set(ANGLES)
    assert found.pop("left_knee_flexion") == pytest.approx(10, abs=1e-3)
    assert all(value == pytest.approx(0, abs=1e-3) for value in found.values())


def test_heading_of_the_world_is_no_error_of_angles_but_tilt_is() -> None:
    orient, body_pose = angles_of()
    turn = axis_rotation("z", torch.tensor(2.5))
    same = joint_angle_rmse((turn @ orient, body_pose), (orient, body_pose), ALL)
    assert all(value == pytest.approx(0, abs=1e-2) for value in same.values())
    upright = axis_rotation("x", torch.tensor(math.pi / 2)).expand(30, 3, 3)
    tilt = upright @ axis_rotation("x", torch.tensor(math.radians(7)))
    tilted = joint_angle_rmse((tilt, body_pose), (upright, body_pose), ALL)
    assert tilted["pelvis_tilt"] == pytest.approx(7, abs=1e-2)
    assert tilted["pelvis_rotation"] == pytest.approx(0, abs=1e-2)


def test_angles_count_the_asked_frames_alone() -> None:
    orient, body_pose = angles_of()
    wrong = body_pose.clone()
    wrong[10:] = angles_of(1)[1][10:]
    first = torch.arange(30) < 10
    found = joint_angle_rmse((orient, wrong), (orient, body_pose), first)
    assert max(found.values()) < 1e-2
    assert joint_angle_rmse((orient, wrong), (orient, body_pose), ALL)["left_knee_flexion"] > 1
    nothing = joint_angle_rmse((orient, wrong), (orient, body_pose), torch.zeros_like(ALL))
    assert all(math.isnan(value) for value in nothing.values())


def test_groups_are_means_of_both_sides() -> None:
    rmse = dict.fromkeys(ANGLES, 1.0) | {"left_knee_flexion": 7.0, "right_forearm_pronation": 7.0}
    groups = angle_groups(rmse)
    assert set(groups) == {
        *("pelvis", "trunk", "neck", "hip", "knee", "ankle", "shoulder", "elbow", "wrist"),
    }
    assert groups["knee"] == pytest.approx(2)  # six angles
    assert groups["wrist"] == pytest.approx(2)  # flexion, deviation and pronation of two sides
    assert groups["hip"] == 1


def swing(amplitude_m: float, fps: float) -> torch.Tensor:
    """Two joints that swing once a second, one of them half as far."""
    t = torch.arange(round(2 * fps) + 1).double() / fps
    x = amplitude_m * torch.sin(math.tau * t)
    return torch.stack((x, 0.5 * x), dim=1).unsqueeze(-1) * torch.tensor([0.6, 0, 0.8])


def test_peak_speeds_of_a_swing() -> None:
    fps = 200.0
    truth = swing(0.4, fps)
    speeds = joint_speeds(truth, fps)
    assert float(speeds[1:-1].amax()) == pytest.approx(0.4 * math.tau, rel=1e-3)
    assert speeds[[0, -1]].isnan().all()
    flat = peak_speed_error(0.9 * truth, truth, fps)
    assert flat.error_percent == pytest.approx(10)
    assert flat.bias_percent == pytest.approx(-10)
    assert flat.joints_used == 2
    # 10 % too fast and 10 % too slow: an error, and no bias.
    mixed = peak_speed_error(truth * torch.tensor([1.1, 0.9]).view(1, 2, 1), truth, fps)
    assert mixed.error_percent == pytest.approx(10, rel=1e-5)
    assert mixed.bias_percent == pytest.approx(0, abs=1e-5)
    moved = truth @ turns(3).T + 4
    assert peak_speed_error(moved, truth, fps).error_percent == pytest.approx(0, abs=1e-9)
    back = peak_speed_error((0.9 * truth).flip(0), truth.flip(0), fps)
    assert back.error_percent == pytest.approx(10)


def test_slow_joints_have_no_relative_error() -> None:
    truth = swing(0.2, 100.0)  # peaks of 1.26 and 0.63 m/s
    assert peak_speed_error(truth, truth, 100.0).joints_used == 1
    slow = peak_speed_error(truth * 0.5, truth * 0.5, 100.0)
    assert slow.joints_used == 0
    assert math.isnan(slow.error_percent)
    assert math.isnan(slow.bias_percent)


def test_a_peak_that_one_of_both_misses_does_not_count() -> None:
    truth = swing(0.4, 100.0)
    gap = truth.clone()
    gap[60:] = torch.nan
    again = peak_speed_error(gap, truth, 100.0)
    assert again.error_percent == pytest.approx(0, abs=1e-9)
    assert again.frames_used == 58
    late = truth.clone()
    late[:60] = late[60]  # the truth is fast only where the prediction has nothing
    assert peak_speed_error(gap, late, 100.0).joints_used == 0


def steps(*rests: tuple[int, int], frames: int = 60) -> torch.Tensor:
    """Contact of the left foot in these frames; the right foot hangs."""
    contact = torch.zeros(frames, 2)
    for first, last in rests:
        contact[first:last, 0] = 1
    return contact


def test_contact_timing_by_hand() -> None:
    """Down one frame late, up three frames early; 50 fps: 20 and 60 ms."""
    found = contact_timing(steps((11, 27)), steps((10, 30)), 50.0)
    assert found.error_ms == pytest.approx(40)
    assert (found.matched, found.missed, found.invented) == (2, 0, 0)


def test_missed_and_invented_contacts_are_counted() -> None:
    found = contact_timing(steps((10, 30)), steps((10, 30), (40, 50)), 50.0)
    assert (found.matched, found.missed, found.invented) == (2, 2, 0)
    assert found.error_ms == 0
    found = contact_timing(steps((10, 30), (40, 50)), steps((10, 30)), 50.0)
    assert (found.matched, found.missed, found.invented) == (2, 0, 2)
    far = contact_timing(steps((10, 30)), steps((25, 45)), 50.0)  # 0.3 s off
    assert (far.matched, far.missed, far.invented) == (0, 2, 2)
    assert math.isnan(far.error_ms)
    nothing = contact_timing(steps(), steps(), 50.0)
    assert (nothing.matched, nothing.missed, nothing.invented) == (0, 0, 0)
    other_foot = contact_timing(steps((10, 30)), steps((10, 30)).flip(1), 50.0)
    assert (other_foot.matched, other_foot.missed, other_foot.invented) == (0, 2, 2)


def test_the_nearest_events_are_matched_each_once() -> None:
    """Two predicted touch-downs near one true one: the nearer counts, the other is invented."""
    found = contact_timing(steps((8, 10), (12, 30)), steps((11, 30)), 50.0)
    assert (found.matched, found.missed, found.invented) == (2, 0, 2)
    assert found.error_ms == pytest.approx(10)  # 20 ms for the touch-down, 0 for the lift-off


def test_soft_contact_passes_one_half_between_frames() -> None:
    soft, hard = torch.zeros(2, 6, 2)
    soft[:, 0] = torch.tensor([0, 0.2, 0.6, 1, 1, 1])  # passes 0.5 at frame 1.75
    hard[:, 0] = torch.tensor([0.0, 0, 1, 1, 1, 1])  # at frame 1.5
    assert contact_timing(soft, hard, 10.0).error_ms == pytest.approx(25, rel=1e-4)


def test_time_reversed_turns_touch_downs_into_lift_offs() -> None:
    ours, theirs = steps((11, 27), (35, 50)), steps((10, 30), (36, 48))
    forward, back = (
        contact_timing(ours, theirs, 30.0),
        contact_timing(ours.flip(0), theirs.flip(0), 30.0),
    )
    assert forward.error_ms == pytest.approx(back.error_ms)
    assert forward[1:] == back[1:]
