"""A skeleton by its world frames, and limbs that reach."""

import numpy as np
import pytest
import torch

from motionfield.body.registry import load_body
from motionfield.core.conventions import JOINT_INDEX
from motionfield.geometry.rotations import axis_rotation
from motionfield.worlds.mocap_figure import Figure, reach, swing
from motionfield.worlds.mocap_proportions import bone_offsets
from motionfield.worlds.mocap_sample import FLEXION_AXIS, LOWER_BONES, UPPER_BONES

_FRAMES = 12


def _figure(bend: float = 0.0) -> Figure:
    """T-poses with all knees and elbows bent, turning on the spot."""
    joints = load_body("toy").rest_joints(torch.zeros(load_body("toy").num_betas))
    turn = axis_rotation("y", torch.linspace(0, 2, _FRAMES))
    rotations = turn[:, None].repeat(1, 24, 1, 1)
    for upper, lower in zip(UPPER_BONES, LOWER_BONES, strict=True):
        sign = -1.0 if lower.joint == "left_elbow" else 1.0
        hinge = axis_rotation("y" if "elbow" in lower.joint else "x", torch.tensor(sign * bend))
        rotations[:, JOINT_INDEX[lower.joint]] = rotations[:, JOINT_INDEX[upper.joint]] @ hinge
        follow = JOINT_INDEX[lower.child]
        rotations[:, follow] = rotations[:, JOINT_INDEX[lower.joint]]
    return Figure(rotations, torch.randn(_FRAMES, 3), bone_offsets(joints))


def test_places_are_those_of_the_body() -> None:
    figure = _figure(0.7)
    body = load_body("toy")
    parents = [0, *(p for p in (0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17))]
    parents += [18, 19, 20, 21]
    local = figure.rotations[:, parents].mT @ figure.rotations
    betas = torch.zeros(body.num_betas)
    transl = figure.root - body.rest_joints(betas)[0]
    expected = body.pose(figure.rotations[:, 0], local[:, 1:], transl, betas).joints
    torch.testing.assert_close(figure.joints, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("limb", range(4))
def test_a_limb_reaches_its_target_and_keeps_its_lengths(limb: int) -> None:
    figure = _figure(1.4)
    upper, lower = UPPER_BONES[limb], LOWER_BONES[limb]
    end = JOINT_INDEX[lower.child]
    before = figure.joints
    target = before[:, end] + 0.08 * (torch.rand(_FRAMES, 3, generator=_generator()) - 0.5)
    moved = reach(figure, upper, lower, target)
    joints = moved.joints
    torch.testing.assert_close(joints[:, end], target, atol=1e-5, rtol=0)
    others = [j for j in range(24) if j not in _below(upper.joint)]
    torch.testing.assert_close(joints[:, others], before[:, others])
    # The middle joint stays on the side to which it was bent.
    middle = JOINT_INDEX[lower.joint]
    start = JOINT_INDEX[upper.joint]
    for places in (before, joints):
        out = places[:, middle] - (places[:, start] + places[:, end]) / 2
        hinge = figure.rotations[:, start] @ _hinge(lower.joint)
        along = places[:, end] - places[:, start]
        assert ((torch.linalg.cross(along, hinge) * out).sum(-1) > 0).all()


def test_out_of_reach_the_limb_points_at_the_target() -> None:
    figure = _figure(0.8)
    upper, lower = UPPER_BONES[0], LOWER_BONES[0]
    joints = figure.joints
    start = joints[:, JOINT_INDEX[upper.joint]]
    target = start + torch.tensor([2.0, -3.0, 1.0])
    found = reach(figure, upper, lower, target).joints[:, JOINT_INDEX[lower.child]]
    length = sum(figure.offsets[JOINT_INDEX[b.child]].norm() for b in (upper, lower))
    unit = torch.nn.functional.normalize(target - start, dim=-1)
    torch.testing.assert_close(found, start + length * unit, atol=2e-3, rtol=0)


def test_a_straight_leg_that_must_bend_bends_the_right_way() -> None:
    figure = _figure(0.0)
    for upper, lower, forward in (
        (UPPER_BONES[0], LOWER_BONES[0], 1),
        (UPPER_BONES[3], LOWER_BONES[3], -1),
    ):
        joints = figure.joints
        start, end = joints[:, JOINT_INDEX[upper.joint]], joints[:, JOINT_INDEX[lower.child]]
        places = reach(figure, upper, lower, start + 0.8 * (end - start)).joints
        out = places[:, JOINT_INDEX[lower.joint]] - (start + 0.4 * (end - start))
        ahead = figure.rotations[:, 0, :, 2]
        assert (forward * (out * ahead).sum(-1) > 0.05).all()


def test_a_limb_that_is_there_already_stays() -> None:
    figure = _figure(0.8)
    for upper, lower in zip(UPPER_BONES, LOWER_BONES, strict=True):
        target = figure.joints[:, JOINT_INDEX[lower.child]]
        same = reach(figure, upper, lower, target)
        torch.testing.assert_close(same.rotations, figure.rotations, atol=6e-3, rtol=0)


def test_swing_of_opposite_directions_is_still_a_rotation() -> None:
    start = torch.tensor([[1.0, 0.0, 0.0]])
    turn = swing(start, torch.tensor([[-1.0, 1e-3, 0.0]]))
    np.testing.assert_allclose(torch.linalg.det(turn).numpy(), 1, atol=1e-5)


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(5)


def _hinge(joint: str) -> torch.Tensor:
    return torch.tensor(FLEXION_AXIS[joint])


def _below(joint: str) -> list[int]:
    side = joint.split("_")[0]
    chain = ("shoulder", "elbow", "wrist", "hand") if "shoulder" in joint else _LEG
    return [JOINT_INDEX[f"{side}_{name}"] for name in chain]


_LEG = ("hip", "knee", "ankle", "foot")
