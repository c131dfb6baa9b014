"""Made takes: no noise is the exact projection, noise is as large as asked, seeds repeat."""

import dataclasses
import math

import numpy as np
import pytest
from numpy import ndarray

from motionfield.body.registry import load_body
from motionfield.core.errors import OptionError
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.data import CameraPath, Motion
from motionfield.geometry.rotations import axis_rotation
from motionfield.worlds.camera_drift import EXACT
from motionfield.worlds.cameras import CameraConfig, draw_camera, look_at
from motionfield.worlds.detector_error import DetectorErrorConfig
from motionfield.worlds.detector_error_model import Episodes, shipped_model
from motionfield.worlds.take import TakeConfig, keypoints_world, make_take, see

_SILENT = DetectorErrorConfig(noise=0, bias=0, volatility=0, lost=0, swaps=0, coarse=0)
_NAMES = BLAZEPOSE_33.keypoint_names


def _motion(frames: int = 40) -> Motion:
    """A toy body that stands in T-pose, turns and walks sideways."""
    import torch

    angle = torch.linspace(0, 1.0, frames)
    upright = axis_rotation("x", torch.tensor(math.pi / 2))
    transl = np.zeros((frames, 3), np.float32)
    transl[:, 0] = np.linspace(0, 1, frames)
    transl[:, 2] = 0.95
    return Motion(
        global_orient=(axis_rotation("z", angle) @ upright).numpy(),
        body_pose=np.tile(np.eye(3, dtype=np.float32), (frames, 23, 1, 1)),
        transl=transl,
        betas=np.zeros(16, np.float32),
        body_model="toy",
        fps=30.0,
        time_s=np.arange(frames) / 30.0,
        frame_index=np.arange(frames),
        observed=np.ones(frames, dtype=bool),
    )


def _hips_at_zero(points: ndarray) -> ndarray:
    hips = [BLAZEPOSE_33.index("left_hip"), BLAZEPOSE_33.index("right_hip")]
    return points - points[:, hips].mean(1, keepdims=True)


# --- takes --------------------------------------------------------------------------------------


def test_without_noise_the_take_is_the_exact_projection() -> None:
    motion, body = _motion(), load_body("toy")
    keypoints, camera, _ = make_take(motion, body, 3, TakeConfig(detector=_SILENT))
    points = keypoints_world(motion, body).astype(float)
    R, t = camera.R_camera_world.astype(float), camera.t_camera_world.astype(float)
    in_camera = np.einsum("tij,tkj->tki", R, points) + t[:, None]
    image = np.einsum("tij,tkj->tki", camera.K.astype(float), in_camera)
    expected = image[..., :2] / image[..., 2:]
    np.testing.assert_allclose(keypoints.keypoints_2d[..., :2], expected, atol=0.02)
    assert keypoints.observed.all()
    assert keypoints.keypoint_names == _NAMES


def test_without_noise_the_coarse_3d_is_the_truth_in_the_axes_of_the_crop() -> None:
    """Lengths and the depth order along the viewing ray survive; hips are at zero."""
    motion, body = _motion(), load_body("toy")
    keypoints, camera, _ = make_take(motion, body, 3, TakeConfig(detector=_SILENT))
    assert keypoints.coarse_camera is not None
    coarse = keypoints.coarse_camera
    true = _hips_at_zero(see(keypoints_world(motion, body), camera)[1])
    np.testing.assert_allclose(
        np.linalg.norm(coarse, axis=-1), np.linalg.norm(true, axis=-1), atol=1e-4
    )
    middle = see(keypoints_world(motion, body), camera)[1].mean(1)
    ray = middle / np.linalg.norm(middle, axis=-1, keepdims=True)
    depth = np.einsum("tki,ti->tk", true, ray)
    np.testing.assert_allclose(coarse[..., 2], depth, atol=0.03)


def test_the_same_seed_gives_the_same_take_and_another_another() -> None:
    motion, body = _motion(), load_body("toy")
    first, second, other = (make_take(motion, body, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.keypoints.keypoints_2d, second.keypoints.keypoints_2d)
    np.testing.assert_array_equal(first.camera.K, second.camera.K)
    assert not np.array_equal(first.camera.t_camera_world, other.camera.t_camera_world)
    silent = make_take(motion, body, 5, TakeConfig(detector=_SILENT))
    np.testing.assert_array_equal(silent.camera.t_camera_world, first.camera.t_camera_world)


def test_lost_and_unobserved_frames_are_not_observed(monkeypatch: pytest.MonkeyPatch) -> None:
    motion = _motion(200)
    often = dataclasses.replace(shipped_model(), lost=Episodes(0.2, 0.2, 0.5))
    monkeypatch.setattr("motionfield.worlds.detector_error.shipped_model", lambda: often)
    hidden = motion.observed.copy()
    hidden[10:15] = False
    motion = motion.replace(observed=hidden)
    keypoints = make_take(motion, load_body("toy"), 1).keypoints
    assert not keypoints.observed[10:15].any()
    assert 0.05 < 1 - keypoints.observed.mean() < 0.45
    assert np.isnan(keypoints.keypoints_2d[~keypoints.observed]).all()
    assert np.isfinite(keypoints.keypoints_2d[keypoints.observed]).all()


# --- cameras ------------------------------------------------------------------------------------


def _position(camera: CameraPath) -> ndarray:
    return camera.position_world[0]


def test_cameras_see_every_point_upright_from_the_asked_distance() -> None:
    points = keypoints_world(_motion(), load_body("toy"))
    config = CameraConfig()
    distances = []
    for seed in range(30):
        camera = draw_camera(points, np.random.default_rng(seed), config)
        pixels, in_camera = see(points, camera)
        assert (in_camera[..., 2] > 0).all()
        assert (pixels > 0).all()
        assert (pixels < np.array(camera.image_size)).all()
        nose, heel = (BLAZEPOSE_33.index(name) for name in ("nose", "left_heel"))
        assert (pixels[:, nose, 1] < pixels[:, heel, 1]).all()
        middle = (points.reshape(-1, 3).min(0) + points.reshape(-1, 3).max(0)) / 2
        distances.append(np.linalg.norm((_position(camera) - middle)[:2]))
        assert 0.8 <= _position(camera)[2] <= 2.2
    assert min(distances) >= 3
    assert np.std(distances) > 0.8


def test_look_at_puts_the_target_on_the_axis_and_up_up() -> None:
    place, target = np.array([3.0, -2.0, 1.5]), np.array([0.0, 1.0, 0.7])
    R = look_at(place, target)
    assert np.linalg.det(R) == pytest.approx(1)
    ahead = (target - place) / np.linalg.norm(target - place)
    np.testing.assert_allclose(R @ ahead, [0, 0, 1], atol=1e-12)
    assert (R @ np.array([0.0, 0.0, 1.0]))[1] < 0
    assert (R @ np.array([0.0, 0.0, 1.0]))[0] == pytest.approx(0, abs=1e-12)


def test_motions_that_no_camera_sees_are_refused() -> None:
    points = np.array([[[0.0, 0.0, 0.0]], [[5000.0, 0.0, 0.0]]])
    with pytest.raises(OptionError, match="no camera sees"):
        draw_camera(points, np.random.default_rng(0))


def test_a_take_of_a_moving_camera_holds_its_tracked_path() -> None:
    motion, body = _motion(), load_body("toy")
    static = make_take(motion, body, 3)
    assert static.camera_motion is None
    config = TakeConfig(camera=CameraConfig(kind="follow"), drift=EXACT)
    take = make_take(motion, body, 3, config)
    assert take.camera.moving
    assert take.camera_motion is not None
    np.testing.assert_allclose(take.camera_motion.R_camera_world[0], np.eye(3), atol=1e-6)
    relative = take.camera.R_camera_world[-1] @ take.camera.R_camera_world[0].T
    np.testing.assert_allclose(take.camera_motion.R_camera_world[-1], relative, atol=1e-5)
