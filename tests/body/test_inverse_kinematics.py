"""Inverse kinematics on a body's own poses: found again, upright or not, noisy or with gaps."""

import math

import pytest
import roma
import torch

from motionfield.body.base import Posed
from motionfield.body.ik_start import closed_form_start
from motionfield.body.inverse_kinematics import IKConfig, IKSolution, solve_ik
from motionfield.body.joint_limits import (
    JOINT_RANGES,
    from_swing_twist,
    limit_penalty,
    standing_pose,
    swing_twist,
)
from motionfield.body.registry import load_body
from motionfield.core.conventions import JOINT_INDEX, JOINT_NAMES, mirror_order
from motionfield.core.errors import OptionError
from motionfield.core.keypoint_sets import BLAZEPOSE_33, KEYPOINT_SETS

BODY = load_body("toy")
HINGES = ("left_knee", "right_knee", "left_elbow", "right_elbow")


def made(
    seed: int, frames: int = 20, betas: torch.Tensor | None = None
) -> tuple[IKSolution, Posed]:
    """Random plausible poses anywhere, any way up, and their points."""
    generator = torch.Generator().manual_seed(seed)
    span = JOINT_RANGES.high - JOINT_RANGES.low
    share = torch.rand(frames, 23, 3, generator=generator)
    middle = JOINT_RANGES.standing
    coordinates = middle + 0.5 * (JOINT_RANGES.low + share * span - middle)
    turn = roma.rotvec_to_rotmat(torch.randn(frames, 3, generator=generator))
    truth = IKSolution(
        turn,
        from_swing_twist(coordinates),
        torch.randn(frames, 3, generator=generator),
        torch.zeros(BODY.num_betas) if betas is None else betas,
        None,
        torch.zeros(frames, 33),
    )
    return truth, posed(truth)


def posed(solution: IKSolution, keypoint_set: str = "blazepose33") -> Posed:
    return BODY.pose(
        solution.global_orient,
        solution.body_pose,
        solution.transl,
        solution.betas,
        keypoint_set,
        solution.bone_scale,
    )


def ones(points: torch.Tensor) -> torch.Tensor:
    return torch.ones(points.shape[:2])


def bend_deg(body_pose: torch.Tensor) -> torch.Tensor:
    """Flexion of the four hinges, positive the way they bend: (frames, 4)."""
    rotvec = swing_twist(body_pose)
    columns = [
        rotvec[:, JOINT_INDEX[name] - 1, axis] * sign
        for name, axis, sign in zip(HINGES, (0, 0, 1, 1), (1, 1, -1, 1), strict=True)
    ]
    return torch.rad2deg(torch.stack(columns, dim=-1))


@pytest.mark.parametrize("keypoint_set", KEYPOINT_SETS)
def test_finds_its_own_poses(keypoint_set: str) -> None:
    truth, _ = made(0)
    points = posed(truth, keypoint_set).keypoints
    found = solve_ik(BODY, points, ones(points), keypoint_set)
    error = (posed(found, keypoint_set).keypoints - points).norm(dim=-1)
    assert error.mean() < 0.001
    assert error.max() < 0.006
    torch.testing.assert_close(found.residual_m, error, atol=1e-4, rtol=0)


def test_finds_the_turns_that_points_show() -> None:
    truth, points = made(1)
    found = solve_ik(BODY, points.joints, ones(points.joints), "smpl24")
    turn = roma.rotmat_geodesic_distance(found.global_orient, truth.global_orient)
    assert turn.max() < math.radians(6)
    assert (bend_deg(found.body_pose) - bend_deg(truth.body_pose)).abs().max() < 4


def test_closed_form_start_is_near() -> None:
    truth, points = made(2)
    start = closed_form_start(
        BODY, truth.betas, points.keypoints, ones(points.keypoints), "blazepose33"
    )
    begun = truth._replace(
        global_orient=start.rotations[:, 0], body_pose=start.rotations[:, 1:], transl=start.transl
    )
    error = (posed(begun).keypoints - points.keypoints).norm(dim=-1)
    assert error.median() < 0.08
    assert bend_deg(begun.body_pose).min() > -1e-3


def test_moves_with_its_targets() -> None:
    _, points = made(3)
    noise = 0.03 * torch.randn(points.keypoints.shape, generator=torch.Generator().manual_seed(0))
    targets = points.keypoints + noise
    turn = roma.rotvec_to_rotmat(torch.tensor([0.4, -1.3, 0.8]))
    shift = torch.tensor([30.0, -20.0, 5.0])
    config = IKConfig(free_betas=3)
    here = solve_ik(BODY, targets, ones(targets), "blazepose33", config)
    there = solve_ik(BODY, targets @ turn.T + shift, ones(targets), "blazepose33", config)
    moved = posed(here).joints @ turn.T + shift
    assert (posed(there).joints - moved).norm(dim=-1).max() < 0.004
    torch.testing.assert_close(there.body_pose, here.body_pose, atol=0.1, rtol=0)


def test_mirrored_targets_give_the_mirrored_pose() -> None:
    _, points = made(4)
    noise = 0.03 * torch.randn(points.keypoints.shape, generator=torch.Generator().manual_seed(1))
    targets = points.keypoints + noise
    flip = torch.tensor([-1.0, 1, 1])
    mirrored = (targets * flip)[:, list(BLAZEPOSE_33.mirror)]
    one = solve_ik(BODY, targets, ones(targets), "blazepose33")
    other = solve_ik(BODY, mirrored, ones(targets), "blazepose33")
    joints = (posed(one).joints * flip)[:, list(mirror_order(JOINT_NAMES))]
    assert (posed(other).joints - joints).norm(dim=-1).max() < 0.004


@pytest.mark.parametrize("noise_m", [0.03, 0.09])
def test_hinges_never_bend_backwards(noise_m: float) -> None:
    """Straight limbs and noise that pulls them the wrong way in about half of the frames."""
    frames = 60
    straight = from_swing_twist(torch.zeros(frames, 23, 3))
    points = BODY.pose(
        torch.eye(3).expand(frames, 3, 3),
        straight,
        torch.zeros(frames, 3),
        torch.zeros(16),
        "smpl24",
    ).joints
    targets = points + noise_m * torch.randn(
        points.shape, generator=torch.Generator().manual_seed(2)
    )
    found = solve_ik(BODY, targets, ones(targets), "smpl24")
    assert bend_deg(found.body_pose).min() > -8
    assert bend_deg(found.body_pose).median() > 0
    patient = solve_ik(BODY, targets, ones(targets), "smpl24", IKConfig(iterations=40))
    assert bend_deg(patient.body_pose).min() > -2
    free = solve_ik(BODY, targets, ones(targets), "smpl24", IKConfig(limit_sd_rad=100.0))
    assert bend_deg(free.body_pose).min() < -12, "noise that would bend no hinge tests nothing"


def test_missing_points_are_tolerated() -> None:
    _, points = made(5)
    targets = points.keypoints.clone()
    weights = ones(targets)
    targets[:, BLAZEPOSE_33.index("left_wrist")] = torch.nan
    weights[3, [BLAZEPOSE_33.index(f"{side}_shoulder") for side in ("left", "right")]] = 0
    targets[3, BLAZEPOSE_33.index("left_shoulder")] = 1e3
    targets[7] = torch.nan
    found = solve_ik(BODY, targets, weights, "blazepose33")
    assert all(value.isfinite().all() for value in found[:4])
    error = (posed(found).keypoints - points.keypoints).norm(dim=-1)
    seen = torch.isfinite(targets).all(-1) & (weights > 0)
    assert error[seen].max() < 0.006
    torch.testing.assert_close(found.residual_m.isnan(), ~seen)
    # Where nothing is seen the body stands.
    torch.testing.assert_close(found.body_pose[7], standing_pose(), atol=1e-3, rtol=0)
    assert limit_penalty(found.body_pose).max() < math.radians(2) ** 2


def test_an_outlier_is_left_alone() -> None:
    _, points = made(6)
    targets = points.keypoints.clone()
    wrist = BLAZEPOSE_33.index("right_wrist")
    targets[:, wrist] += torch.tensor([0.0, 1.5, 0.0])
    others = [i for i in range(33) if "right" not in BLAZEPOSE_33.keypoint_names[i]]

    def error(config: IKConfig) -> torch.Tensor:
        found = solve_ik(BODY, targets, ones(targets), "blazepose33", config)
        return (posed(found).keypoints - points.keypoints).norm(dim=-1)[:, others]

    robust = error(IKConfig(robust_m=0.1))
    assert robust.mean() < 0.004
    assert error(IKConfig()).mean() > 5 * robust.mean()


def test_shape_is_found_and_shared() -> None:
    betas = torch.zeros(BODY.num_betas)
    betas[:5] = torch.tensor([1.5, -1.0, 0.8, 0.0, -0.7])
    _, points = made(7, betas=betas)
    config = IKConfig(free_betas=5)
    found = solve_ik(BODY, points.joints, ones(points.joints), "smpl24", config)
    torch.testing.assert_close(found.betas, betas, atol=0.15, rtol=0)
    assert found.residual_m.max() < 0.006


def test_bone_lengths_are_found() -> None:
    truth, _ = made(8, frames=40)
    scale = torch.ones(24)
    for name, factor in (("knee", 1.15), ("ankle", 0.9), ("elbow", 0.85), ("hip", 0.7)):
        for side in ("left", "right"):
            scale[JOINT_INDEX[f"{side}_{name}"]] = factor
    points = posed(truth._replace(bone_scale=scale), "smpl24").joints
    found = solve_ik(BODY, points, ones(points), "smpl24", IKConfig(free_bone_scale=True))
    assert found.bone_scale is not None
    torch.testing.assert_close(found.bone_scale, scale, atol=0.03, rtol=0)
    assert found.residual_m.mean() < 0.001
    torch.testing.assert_close(
        found.bone_scale, found.bone_scale[list(mirror_order(JOINT_NAMES))], atol=1e-6, rtol=0
    )


def test_speed_penalty_smooths() -> None:
    truth, _ = made(9, frames=1)
    frames = 40
    still = IKSolution(
        *(value.expand(frames, *value.shape[1:]) for value in truth[:3]),
        truth.betas,
        None,
        truth[5],
    )
    points = posed(still).keypoints
    targets = points + 0.03 * torch.randn(points.shape, generator=torch.Generator().manual_seed(3))
    time_s = torch.arange(frames) / 30

    def turning(config: IKConfig) -> torch.Tensor:
        found = solve_ik(BODY, targets, ones(targets), "blazepose33", config, time_s=time_s)
        return roma.rotmat_geodesic_distance(found.body_pose[1:], found.body_pose[:-1]).mean()

    assert turning(IKConfig(joint_speed=0.1)) < 0.3 * turning(IKConfig())


def test_blocks_join_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    _, points = made(10, frames=30)
    targets = points.keypoints
    time_s = torch.arange(30) / 30
    config = IKConfig(joint_speed=1e-4)
    whole = solve_ik(BODY, targets, ones(targets), "blazepose33", config, time_s=time_s)
    monkeypatch.setattr("motionfield.body.inverse_kinematics._BLOCK", 7)
    pieces = solve_ik(BODY, targets, ones(targets), "blazepose33", config, time_s=time_s)
    assert (posed(pieces).joints - posed(whole).joints).norm(dim=-1).max() < 0.005


def test_wrong_options_are_refused() -> None:
    targets = torch.zeros(2, 33, 3)
    with pytest.raises(OptionError, match="blazepose33"):
        solve_ik(BODY, targets, ones(targets), "blaze")
    with pytest.raises(OptionError, match="time_s"):
        solve_ik(BODY, targets, ones(targets), "blazepose33", IKConfig(joint_speed=1.0))
