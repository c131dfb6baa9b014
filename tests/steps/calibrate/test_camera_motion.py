"""A tracked camera path becomes upright and metric by the feet that rest."""

import math

import numpy as np
import pytest
import torch

from motionfield.body.registry import load_body
from motionfield.core.errors import OptionError
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.data import CameraPath, Keypoints, Tracks
from motionfield.formats.calib_file import Intrinsics
from motionfield.geometry.cameras import project, world_to_camera
from motionfield.geometry.placement import turn_to_ray
from motionfield.geometry.rotations import axis_rotation
from motionfield.steps.calibrate import CalibrateConfig, Calibrator
from motionfield.steps.calibrate.camera_motion import (
    CameraMotionConfig,
    FirstCameraPath,
    estimate_scale,
    path_of,
)

FOCAL = 1000.0
SIZE = (1280, 720)
LENS = Intrinsics(FOCAL, FOCAL, SIZE[0] / 2, SIZE[1] / 2)


def walking_camera(frames: int, speed_m_s: float = 1.2, turn_per_s: float = 0.4) -> CameraPath:
    """A camera that goes along the world's X axis at eye level and turns; it looks along +Y."""
    time_s = torch.arange(frames, dtype=torch.float64) / 30
    level = torch.tensor([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]], dtype=torch.float64)
    down = axis_rotation("x", torch.tensor(0.2, dtype=torch.float64))
    R = down @ level @ axis_rotation("z", turn_per_s * (time_s - time_s[-1] / 2))
    bob = 0.05 * torch.sin(9 * time_s)
    place = torch.stack((speed_m_s * (time_s - time_s[-1] / 2), -4 + 0 * bob, 1.6 + bob), -1)
    K = np.array([[FOCAL, 0, SIZE[0] / 2], [0, FOCAL, SIZE[1] / 2], [0, 0, 1]], np.float32)
    return CameraPath(
        K=np.tile(K, (frames, 1, 1)),
        distortion=np.zeros(5, np.float32),
        R_camera_world=R.float().numpy(),
        t_camera_world=-(R @ place.unsqueeze(-1))[..., 0].float().numpy(),
        image_width=SIZE[0],
        image_height=SIZE[1],
        moving=True,
        focal_source="given",
        focal_range_px=(FOCAL, FOCAL),
        gravity_source="given",
        gravity_doubt_deg=0.0,
        scale_source="given",
        scale_range=(1.0, 1.0),
    )


def tracked(camera: CameraPath, unit: float) -> CameraPath:
    """What a tracker makes of it: the first camera's axes, ``unit`` of its lengths per metre."""
    R0, t0 = camera.R_camera_world[0], camera.t_camera_world[0]
    first = camera.moved(R0, t0)
    return first.replace(t_camera_world=unit * first.t_camera_world)


def standing_person(camera: CameraPath) -> Tracks:
    """A body that stands still in the world, seen without error."""
    body, frames = load_body("toy"), camera.num_frames
    upright = axis_rotation("x", torch.tensor(torch.pi / 2)).expand(frames, 3, 3)
    facing = axis_rotation("z", torch.tensor(0.4)) @ upright
    pose = torch.eye(3).expand(frames, 23, 3, 3)
    betas = torch.zeros(body.num_betas)
    ground = body.vertices(facing, pose, torch.zeros(frames, 3), betas)[..., 2].min()
    lifted = torch.zeros(frames, 3) - ground * torch.tensor([0.0, 0, 1])
    world = body.pose(facing, pose, lifted, betas, "blazepose33").keypoints
    R, t, K = (torch.tensor(a) for a in (camera.R_camera_world, camera.t_camera_world, camera.K))
    points = world_to_camera(world, R, t)
    hips = points[:, [23, 24]].mean(1, keepdim=True)
    rays = (points / points[..., 2:]).mean(1)
    seen = torch.cat((project(points, K), torch.ones(frames, 33, 1)), -1)
    keypoints = Keypoints(
        keypoints_2d=seen.numpy(),
        keypoint_names=BLAZEPOSE_33.keypoint_names,
        image_width=SIZE[0],
        image_height=SIZE[1],
        fps=30.0,
        time_s=np.arange(frames) / 30,
        frame_index=np.arange(frames),
        coarse_camera=((points - hips) @ turn_to_ray(rays)).numpy(),
        observed=np.ones(frames, bool),
    )
    return Tracks.of_one(keypoints)


def travel(camera: CameraPath) -> float:
    place = camera.position_world
    return float(np.linalg.norm(place[-1] - place[0]))


@pytest.mark.parametrize("unit", [1.0, 0.05, 30.0])
def test_a_person_who_stands_gives_the_path_its_axes_and_unit(unit: float) -> None:
    truth = walking_camera(40)
    calibrator = Calibrator(CalibrateConfig(intrinsics=LENS), load_body("toy"))
    camera = calibrator.calibrate(standing_person(truth), camera_motion=tracked(truth, unit))
    assert camera.moving
    assert not camera.warnings
    assert travel(camera) == pytest.approx(travel(truth), rel=0.03)
    up, true_up = camera.R_camera_world[:, :, 2], truth.R_camera_world[:, :, 2]
    assert np.rad2deg(np.arccos((up * true_up).sum(-1))).max() < 4
    np.testing.assert_allclose(camera.position_world[:, 2], truth.position_world[:, 2], atol=0.3)
    # Turns between frames are the tracker's.
    step, true_step = (c.R_camera_world[20] @ c.R_camera_world[0].T for c in (camera, truth))
    np.testing.assert_allclose(step, true_step, atol=1e-5)


def test_the_axes_of_the_tracked_path_do_not_matter() -> None:
    truth = walking_camera(30)
    calibrator = Calibrator(CalibrateConfig(intrinsics=LENS), load_body("toy"))
    tracks = standing_person(truth)
    first = calibrator.calibrate(tracks, camera_motion=tracked(truth, 1.0))
    turned = tracked(truth, 1.0).moved(
        axis_rotation("y", torch.tensor(1.1)).numpy(), np.array([3.0, 1.0, -2.0], np.float32)
    )
    second = calibrator.calibrate(tracks, camera_motion=turned)
    np.testing.assert_allclose(first.R_camera_world, second.R_camera_world, atol=1e-4)
    np.testing.assert_allclose(first.position_world, second.position_world, atol=1e-3)


def test_a_path_that_stands_still_is_the_static_camera() -> None:
    still = walking_camera(20, speed_m_s=0.0, turn_per_s=0.0)
    one = still.R_camera_world[:1].repeat(20, 0), still.t_camera_world[:1].repeat(20, 0)
    still = still.replace(R_camera_world=one[0], t_camera_world=one[1])
    tracks = standing_person(still)
    calibrator = Calibrator(CalibrateConfig(intrinsics=LENS), load_body("toy"))
    static = calibrator.calibrate(tracks)
    path = calibrator.calibrate(tracks, camera_motion=still)
    assert not static.moving
    assert path.moving
    np.testing.assert_allclose(static.R_camera_world, path.R_camera_world, atol=1e-5)
    np.testing.assert_allclose(static.t_camera_world, path.t_camera_world, atol=1e-5)


def test_a_path_of_other_frames_is_refused() -> None:
    with pytest.raises(OptionError, match="30 frames of keypoints, 20"):
        path_of(walking_camera(20), 30)


# --- the scale alone ----------------------------------------------------------------------------


def strolling_soles(
    path: FirstCameraPath, unit: float, rests: float, noise_m: float = 0.0
) -> torch.Tensor:
    """Soles that rest and swing in turn, in camera axes; the path's unit is 1 / ``unit`` m."""
    frames = len(path.place)
    time_s = torch.arange(frames) / 30
    phase = torch.stack((time_s, time_s + 0.5), -1) % 1.0
    strides = torch.floor(torch.stack((time_s, time_s + 0.5), -1))
    swing = ((phase - rests) / (1 - rests)).clamp_min(0) if rests < 1 else 0 * phase
    ahead = 1.4 * (strides + swing) - 1.2 * time_s[-1] / 2
    x = torch.stack((ahead, 0.9 + 0 * ahead, 4.5 + 0 * ahead), -1)
    true = path.scaled(unit)
    there = world_to_camera(x, *true.extrinsics())
    generator = torch.Generator().manual_seed(0)
    jitter = noise_m * torch.randn(there.shape, generator=generator)
    return there * (1 + 3 * jitter[..., 2:] / there[..., 2:]) + jitter


def first_path(frames: int = 90) -> FirstCameraPath:
    return path_of(tracked(walking_camera(frames), 1.0), frames)


def found(soles: torch.Tensor, path: FirstCameraPath, **options: float) -> tuple[float, bool]:
    frames = len(soles)
    scale = estimate_scale(
        soles,
        torch.ones(soles.shape[:2]),
        path,
        torch.arange(frames) / 30,
        CameraMotionConfig(**options),
    )
    return scale.metres, scale.warning is None


@pytest.mark.parametrize("unit", [0.2, 1.0, 5.0])
@pytest.mark.parametrize("noise_m", [0.0, 0.005])
def test_steps_of_a_walk_give_the_unit(unit: float, noise_m: float) -> None:
    path = first_path()
    metres, known = found(strolling_soles(path, unit, 0.6, noise_m), path)
    assert known
    assert metres == pytest.approx(unit, rel=0.08)


def test_the_scale_is_as_long_as_the_unit_is_short() -> None:
    path = first_path()
    soles = strolling_soles(path, 1.0, 0.6, 0.005)
    one, ten = found(soles, path)[0], found(soles, path.scaled(10.0))[0]
    assert ten == pytest.approx(one / 10, rel=1e-3)


def test_feet_that_never_rest_tell_nothing() -> None:
    path = first_path()
    time_s = torch.arange(90) / 30
    wild = torch.stack(
        (3 * torch.sin(7 * time_s), torch.cos(11 * time_s), 5 + torch.sin(9 * time_s)), -1
    )
    metres, known = found(wild.unsqueeze(1), path)
    assert (metres, known) == (1.0, False)


def test_feet_that_are_not_seen_tell_nothing_and_a_turning_camera_asks_for_nothing() -> None:
    path = first_path()
    soles = strolling_soles(path, 1.0, 0.6)
    assert found(torch.full_like(soles, torch.nan), path) == (1.0, False)
    still = path._replace(place=torch.zeros_like(path.place))
    assert found(soles, still) == (1.0, True)


def test_whitening_trusts_the_distance_less() -> None:
    """A foot with a slow error along the ray must not decide."""
    path = first_path()
    soles = strolling_soles(path, 1.0, 1.0)
    wrong = soles * (1 + 0.04 * torch.sin(torch.arange(90) / 30 * 2 * math.pi))[:, None, None]
    assert found(wrong, path)[0] == pytest.approx(1.0, rel=0.05)
