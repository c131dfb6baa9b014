"""Legs that reach: ankles get where they should, feet keep their turn, nothing else moves."""

import math

import pytest
import roma
import torch

from motionfield.body.ik_start import world_rotations
from motionfield.body.leg_reach import reach
from motionfield.body.registry import load_body
from motionfield.core.conventions import JOINT_INDEX
from motionfield.geometry.rotations import axis_rotation

ANKLES = [JOINT_INDEX["left_ankle"], JOINT_INDEX["right_ankle"]]
LEGS = [JOINT_INDEX[f"{s}_{p}"] for s in ("left", "right") for p in ("hip", "knee", "ankle")]


def posed(rotations: torch.Tensor) -> torch.Tensor:
    body = load_body("toy")
    nowhere, shape = torch.zeros(len(rotations), 3), torch.zeros(body.num_betas)
    return body.pose(rotations[:, 0], rotations[:, 1:], nowhere, shape).joints


def striding(frames: int = 40, bend: float = 1.0) -> torch.Tensor:
    """Random small turns everywhere, knees bent."""
    generator = torch.Generator().manual_seed(3)
    rotations = roma.rotvec_to_rotmat(0.3 * torch.randn(frames, 24, 3, generator=generator))
    for knee in ("left_knee", "right_knee"):
        flexion = bend * (1 + torch.rand(frames, generator=generator))
        rotations[:, JOINT_INDEX[knee]] = axis_rotation("x", flexion)
    return rotations


def test_ankles_get_there_and_feet_keep_their_turn() -> None:
    rotations = striding()
    joints = posed(rotations)
    shifts = 0.02 * torch.randn(40, 2, 3, generator=torch.Generator().manual_seed(1))
    found = reach(rotations, joints, shifts)
    torch.testing.assert_close(
        posed(found)[:, ANKLES], joints[:, ANKLES] + shifts, atol=1e-4, rtol=0
    )
    before, after = (world_rotations(r)[:, ANKLES] for r in (rotations, found))
    torch.testing.assert_close(after, before, atol=1e-5, rtol=0)
    others = [i for i in range(24) if i not in LEGS]
    torch.testing.assert_close(found[:, others], rotations[:, others])


def test_no_shift_changes_nothing() -> None:
    rotations = striding()
    found = reach(rotations, posed(rotations), torch.zeros(40, 2, 3))
    torch.testing.assert_close(found, rotations, atol=1e-5, rtol=0)


def test_knees_bend_on_about_their_hinge() -> None:
    """Lifted feet bend the knee further, from a straight leg too, and never the other way."""
    rotations = torch.eye(3).repeat(10, 24, 1, 1)
    shifts = torch.zeros(10, 2, 3)
    shifts[..., 1] = torch.linspace(0.01, 0.1, 10).unsqueeze(-1)
    found = reach(rotations, posed(rotations), shifts)
    knees = roma.rotmat_to_rotvec(found[:, [JOINT_INDEX["left_knee"], JOINT_INDEX["right_knee"]]])
    assert (knees[..., 0].diff(dim=0) > 0).all()
    assert knees[..., 0].min() > 0.1
    torch.testing.assert_close(knees[..., 1:], torch.zeros_like(knees[..., 1:]), atol=1e-3, rtol=0)


def test_out_of_reach_the_leg_points_there() -> None:
    rotations = striding(5)
    joints = posed(rotations)
    shifts = torch.zeros(5, 2, 3)
    shifts[:, 0, 2] = 2.0
    found = posed(reach(rotations, joints, shifts))
    hip, ankle = found[:, JOINT_INDEX["left_hip"]], found[:, ANKLES[0]]
    aim = joints[:, ANKLES[0]] + shifts[:, 0] - hip
    cosine = torch.nn.functional.cosine_similarity(ankle - hip, aim, dim=-1)
    assert torch.rad2deg(torch.acos(cosine.clamp(-1, 1))).max() < 1.0
    assert torch.isfinite(found).all()


@pytest.mark.parametrize("turn", [0.0, 1.3])
def test_the_world_may_be_turned(turn: float) -> None:
    rotations = striding()
    shifts = 0.03 * torch.randn(40, 2, 3, generator=torch.Generator().manual_seed(2))
    R = axis_rotation("z", torch.tensor(turn)) @ axis_rotation("x", torch.tensor(math.pi / 2))
    turned = rotations.clone()
    turned[:, 0] = R @ rotations[:, 0]
    there = reach(turned, posed(turned), shifts @ R.T)
    here = reach(rotations, posed(rotations), shifts)
    torch.testing.assert_close(there[:, 1:], here[:, 1:], atol=1e-4, rtol=0)
