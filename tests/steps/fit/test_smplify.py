"""Per-frame SMPLify on made takes: what the paper's method can and cannot do."""

import math

import pytest
import torch

from motionfield.body.joint_limits import limit_penalty
from motionfield.core.conventions import JOINT_INDEX
from motionfield.core.keypoint_sets import BLAZEPOSE_33, LIMB_JOINTS
from motionfield.geometry.rotations import axis_rotation
from motionfield.priors.pose_mixture import PoseMixture
from motionfield.steps.fit import SmplifyConfig, SmplifyFitter
from motionfield.steps.fit.smplify import bending_backwards
from steps.fit.made_take import MadeTake, disturb, make_take, points_of

LIMBS = [BLAZEPOSE_33.index(name) for name in LIMB_JOINTS]


@pytest.fixture(scope="module")
def take() -> MadeTake:
    return make_take(frames=12)


def pixel_error(take: MadeTake, points: torch.Tensor) -> float:
    R = torch.tensor(take.camera.R_camera_world)
    in_camera = points @ R.mT + torch.tensor(take.camera.t_camera_world).unsqueeze(1)
    pixels = in_camera[..., :2] / in_camera[..., 2:] * take.camera.K[0, 0, 0]
    pixels = pixels + torch.tensor(take.camera.K[0, :2, 2])
    seen = torch.tensor(take.keypoints.keypoints_2d[..., :2])
    return (pixels - seen)[:, LIMBS].norm(dim=-1).mean().item()


def test_the_body_comes_to_cover_the_keypoints(take: MadeTake) -> None:
    start = disturb(take.truth)
    fitter = SmplifyFitter(SmplifyConfig(), take.body, PoseMixture.load())
    motion = fitter.fit(take.keypoints, take.camera, start).motion
    assert pixel_error(take, points_of(motion)) < 0.5 * pixel_error(take, points_of(start))
    assert limit_penalty(torch.tensor(motion.body_pose)).mean() < 0.05


def test_frames_do_not_know_of_each_other(take: MadeTake) -> None:
    """Per frame: fitting some frames alone gives what fitting them among others gives."""
    start = disturb(take.truth)
    fitter = SmplifyFitter(SmplifyConfig(steps_per_stage=20), take.body, PoseMixture.load())
    whole = fitter.fit(take.keypoints, take.camera, start).motion
    part = slice(0, 12, 3)
    few = make_take(frames=12)

    def some(record, names):  # type: ignore[no-untyped-def]
        return record.replace(**{n: getattr(record, n)[part] for n in names})

    keypoints = some(
        few.keypoints, ("keypoints_2d", "coarse_camera", "observed", "time_s", "frame_index")
    )
    camera = some(few.camera, ("K", "R_camera_world", "t_camera_world"))
    initial = some(
        start,
        ("global_orient", "body_pose", "transl", "observed", "time_s", "frame_index"),
    )
    alone = fitter.fit(keypoints, camera, initial).motion
    torch.testing.assert_close(
        torch.tensor(alone.body_pose), torch.tensor(whole.body_pose[part]), atol=2e-3, rtol=0
    )


@pytest.mark.parametrize(
    ("joint", "axis", "forwards"),
    [
        ("left_knee", "x", 1.0),
        ("right_knee", "x", 1.0),
        ("left_elbow", "y", -1.0),
        ("right_elbow", "y", 1.0),
    ],
)
def test_only_bending_backwards_is_punished(joint: str, axis: str, forwards: float) -> None:
    def penalty(angle: float) -> float:
        pose = torch.eye(3).repeat(1, 23, 1, 1)
        pose[:, JOINT_INDEX[joint] - 1] = axis_rotation(axis, torch.tensor(angle * forwards))
        return bending_backwards(pose).sum().item()

    straight = penalty(0.0)
    assert penalty(1.0) < straight < penalty(-0.5)
    assert penalty(-0.5) - straight == pytest.approx(math.exp(1.0) - 1, rel=1e-3)
