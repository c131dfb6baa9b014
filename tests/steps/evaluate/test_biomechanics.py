"""Angles, speeds and times of contact by hand."""

import math

import pytest
import torch

from motionfield.core.keypoint_sets import LIMB_JOINTS
from motionfield.steps.evaluate.biomechanics import angle_rmse, flexion_deg


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
