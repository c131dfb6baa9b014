"""Synchronised views of a made walk: cameras found from the keypoints, then the motion."""

import math

import numpy as np
import pytest
import roma
import torch
from torch import Tensor

from motionfield.benchmarks.open.baselines.bundle import BundleConfig, Rig, Seen, adjust
from motionfield.benchmarks.open.baselines.views import (
    View,
    relative_cameras,
    triangulate_views,
)
from motionfield.body.registry import load_body
from motionfield.core.errors import OptionError
from motionfield.data import CameraPath, Motion
from motionfield.geometry.alignment import align_points
from motionfield.geometry.rotations import axis_rotation
from motionfield.steps.fit import FitResult
from steps.lift.made_worlds import camera_at, points_of, seen, walk

FRAMES = 16
AROUND = (0.0, 1.3, 2.9)


def ring(frames: int = FRAMES) -> list[CameraPath]:
    """Cameras round the walk, all looking at it."""
    cameras = []
    for angle in AROUND:
        place = (4.5 * math.sin(angle), -4.5 * math.cos(angle) - 0.5, 1.5 + 0.1 * angle)
        cameras.append(camera_at(frames, place, yaw=angle))
    return cameras


def disturbed(motion: Motion, seed: int) -> Motion:
    """A view's own idea of the person: turned limbs, wrong distance."""
    generator = torch.Generator().manual_seed(seed)
    turn = roma.rotvec_to_rotmat(0.15 * torch.randn((FRAMES, 24, 3), generator=generator))
    shift = 0.1 * torch.randn((FRAMES, 3), generator=generator)
    return motion.replace(
        global_orient=(torch.tensor(motion.global_orient) @ turn[:, 0]).numpy(),
        body_pose=(torch.tensor(motion.body_pose) @ turn[:, 1:]).numpy(),
        transl=motion.transl + shift.numpy(),
    )


def apart(camera: CameraPath, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Each view's result lies in a world of its own: turned about Z and shifted."""
    R = axis_rotation("z", torch.tensor(1.7 * index)).numpy()
    return R, np.array([index, -index, 0.0], np.float32)


def made_views(noise_px: float = 2.0, focal_factor: float | None = None) -> list[View]:
    """Three views; their worlds are not those of each other."""
    body = load_body("toy")
    motion = walk(body, FRAMES)
    views = []
    for index, camera in enumerate(ring()):
        keypoints = seen(body, motion, camera, noise_px=noise_px)
        own = disturbed(motion, index)
        R, t = apart(camera, index)
        pelvis = body.rest_joints(torch.zeros(body.num_betas))[0].numpy()
        moved = own.replace(
            global_orient=R @ own.global_orient,
            transl=(own.transl + pelvis) @ R.T + t - pelvis,
        )
        found = camera.moved(R, t)
        if focal_factor is not None:
            K = found.K.copy()
            K[:, :2, :2] *= focal_factor
            found = found.replace(K=K, focal_source="assumed")
        views.append(View(keypoints, FitResult(moved, found), focal_factor is None))
    return views


def joints_of(motion: Motion) -> Tensor:
    return points_of(load_body("toy"), motion)


def turn_deg(a: np.ndarray, b: np.ndarray) -> float:
    return math.degrees(math.acos(min(1.0, max(-1.0, (float(np.trace(a @ b.T)) - 1) / 2))))


@pytest.mark.parametrize("noise_px", [0.0, 2.0])
def test_the_motion_and_the_cameras_are_found(noise_px: float) -> None:
    body = load_body("toy")
    results = triangulate_views(made_views(noise_px), body)
    truth, cameras = walk(body, FRAMES), ring()
    for result, camera in zip(results, cameras, strict=True):
        relative = [
            c.R_camera_world[0] @ other.R_camera_world[0].T
            for c, other in ((result.camera, results[0].camera), (camera, cameras[0]))
        ]
        assert turn_deg(*relative) < 1.0
        found, true = joints_of(result.motion), joints_of(truth)
        whole = (found.reshape(1, -1, 3), true.reshape(1, -1, 3))
        off = (align_points(*whole).apply(whole[0]) - whole[1]).norm(dim=-1)
        assert off.mean() < (0.015 if noise_px == 0 else 0.025)
    # One motion, one world, Z up, feet on the ground.
    assert all(result.motion is results[0].motion for result in results)
    up = results[0].camera.R_camera_world[0, :, 2] @ cameras[0].R_camera_world[0, :, 2]
    assert math.degrees(math.acos(float(up))) < 3
    assert abs(float(joints_of(results[0].motion)[..., 2].amin(1).median())) < 0.06


def test_a_wrong_focal_length_is_mended() -> None:
    """Three views show the focal length; where it is assumed it may move."""
    results = triangulate_views(made_views(0.5, focal_factor=0.8), load_body("toy"))
    for result, camera in zip(results, ring(), strict=True):
        ratio = result.camera.K[0, 0, 0] / camera.K[0, 0, 0]
        assert abs(ratio - 1) < 0.1
        assert result.camera.focal_source == "estimated"
    kept = triangulate_views(made_views(0.5), load_body("toy"))
    assert kept[0].camera.K[0, 0, 0] == pytest.approx(ring()[0].K[0, 0, 0])
    assert kept[0].camera.focal_source == "given"


def test_what_is_no_set_of_views_is_refused() -> None:
    views, body = made_views(), load_body("toy")
    with pytest.raises(OptionError, match="one view"):
        triangulate_views(views[:1], body)
    late = views[1].keypoints.replace(time_s=views[1].keypoints.time_s + 0.5)
    with pytest.raises(OptionError, match="same instants"):
        triangulate_views([views[0], views[1]._replace(keypoints=late)], body)
    alone = views[1].alone
    moving = alone._replace(camera=alone.camera.replace(moving=True))
    with pytest.raises(OptionError, match="moves"):
        triangulate_views([views[0], views[1]._replace(alone=moving)], body)


def test_one_view_with_a_wrong_shape_does_not_spoil_the_others() -> None:
    generator = torch.Generator().manual_seed(0)
    first = torch.randn((20, 33, 3), generator=generator) * 0.4 + torch.tensor([0.0, 0, 5])
    R = axis_rotation("y", torch.tensor([0.0, 1.0, 2.0]))
    t = torch.tensor([[0.0, 0, 0], [1.0, 0, 1], [0.0, 0.3, 2]])
    shapes = first @ R[:, None].mT + t[:, None, None]
    wrong = shapes.clone()
    wrong[0] = wrong[0, :, torch.randperm(33, generator=generator)]
    found_R, _ = relative_cameras(wrong, torch.ones(3, 20, 33), 0.3)
    true = R[2] @ R[1].T
    assert turn_deg((found_R[2] @ found_R[1].T).numpy(), true.double().numpy()) < 0.1
    exact_R, exact_t = relative_cameras(shapes, torch.ones(3, 20, 33), 0.3)
    torch.testing.assert_close(exact_R.float(), R, atol=1e-4, rtol=0)
    torch.testing.assert_close(exact_t.float(), t, atol=1e-4, rtol=0)


# --- bundle adjustment --------------------------------------------------------------------------


def made_bundle(outliers: bool = False) -> tuple[Seen, Tensor, Rig]:
    generator = torch.Generator().manual_seed(1)
    points = torch.randn((80, 3), generator=generator).double() * 0.6
    points = points + torch.tensor([0.0, 0, 5]).double()
    R = axis_rotation("y", torch.tensor([0.0, 1.0, -1.4]).double())
    centre = torch.tensor([0.0, 0, 5]).double()
    t = centre - (R @ centre.unsqueeze(-1)).squeeze(-1)
    rig = Rig(R, t, torch.ones(3).double())
    there = points @ R.mT + t[:, None]
    rays = there[..., :2] / there[..., 2:]
    if outliers:
        rays[1, :15] += 0.2
    return Seen(rays, torch.ones(3, 80).double(), torch.full((3,), 0.35).double()), points, rig


def off_start(points: Tensor, rig: Rig) -> tuple[Tensor, Rig]:
    generator = torch.Generator().manual_seed(2)
    turns = 0.06 * torch.randn((3, 3), generator=generator).double()
    turns[0] = 0
    moved = rig.t + 0.1 * torch.tensor([[0.0], [1], [-1]]).double()
    start = points + 0.1 * torch.randn(points.shape, generator=generator).double()
    return start, Rig(roma.rotvec_to_rotmat(turns) @ rig.R, moved, rig.focal)


@pytest.mark.parametrize("outliers", [False, True])
def test_bundle_finds_the_truth_up_to_scale(outliers: bool) -> None:
    seen_, points, truth = made_bundle(outliers)
    rig, found = adjust(seen_, *off_start(points, truth), BundleConfig(rounds=60))
    torch.testing.assert_close(rig.R, truth.R, atol=2e-3, rtol=0)
    alike = align_points(found[None], points[None], with_scale=True)
    assert (alike.apply(found[None])[0] - points).norm(dim=-1).median() < 0.005
    torch.testing.assert_close(rig.R[0], truth.R[0])
    torch.testing.assert_close(rig.focal, truth.focal)


def test_bundle_leaves_the_truth_alone_and_finds_focal_lengths() -> None:
    seen_, points, truth = made_bundle()
    rig, found = adjust(seen_, points, truth, BundleConfig())
    torch.testing.assert_close(found, points, atol=1e-5, rtol=0)
    torch.testing.assert_close(rig.t, truth.t, atol=1e-5, rtol=0)
    # The true lens is 1.2 times as long as the assumed one.
    wide = seen_._replace(rays=1.2 * seen_.rays, height=1.2 * seen_.height)
    config = BundleConfig(log_focal_sd=0.5, rounds=100)
    rig, _ = adjust(wide, *off_start(points, truth), config)
    torch.testing.assert_close(rig.focal, torch.full((3,), 1.2).double(), atol=0.05, rtol=0)
