"""Made takes: no noise is the exact projection, noise is as large as asked, seeds repeat."""

import math

import numpy as np
import pytest
from numpy import ndarray

from motionfield.body.registry import load_body
from motionfield.core.errors import OptionError
from motionfield.core.keypoint_sets import BLAZEPOSE_33, LIMB_JOINTS
from motionfield.data import CameraPath, Motion
from motionfield.geometry.rotations import axis_rotation
from motionfield.worlds.camera_drift import EXACT
from motionfield.worlds.cameras import CameraConfig, draw_camera, look_at
from motionfield.worlds.detector_error import (
    DetectorErrorConfig,
    bursts,
    detect,
    slow_noise,
)
from motionfield.worlds.take import TakeConfig, keypoints_world, make_take, see

_SILENT = DetectorErrorConfig(
    noise=0, bias=0, episodes=0, lost_share=0, coarse_m=0, coarse_size_sd=0
)
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


def test_lost_and_unobserved_frames_are_not_observed() -> None:
    motion = _motion(200)
    hidden = motion.observed.copy()
    hidden[10:15] = False
    motion = motion.replace(observed=hidden)
    config = TakeConfig(detector=DetectorErrorConfig(lost_share=0.2))
    keypoints = make_take(motion, load_body("toy"), 1, config).keypoints
    assert not keypoints.observed[10:15].any()
    assert 0.05 < 1 - keypoints.observed.mean() < 0.45
    assert np.isnan(keypoints.keypoints_2d[~keypoints.observed]).all()
    assert np.isfinite(keypoints.keypoints_2d[keypoints.observed]).all()


# --- errors -------------------------------------------------------------------------------------


def _still(frames: int = 4000) -> tuple[ndarray, ndarray]:
    """A person 1000 px tall who does not move, and the same in camera axes."""
    rng = np.random.default_rng(0)
    pixels = rng.uniform(0, 1000, (1, 33, 2))
    pixels[:, 0, 1], pixels[:, 1, 1] = 0, 1000
    pixels[..., 0] /= 3
    points = rng.normal(size=(1, 33, 3)) * 0.4 + np.array([0, 0, 5.0])
    return np.repeat(pixels, frames, 0), np.repeat(points, frames, 0)


@pytest.mark.parametrize(
    ("keypoint", "network", "percent", "jitter"),
    [
        ("left_wrist", "full", 1.2, 0.36),
        ("right_hip", "heavy", 0.71, 0.17),
        ("left_foot_index", "full", 1.25, 0.44),
        ("right_index", "full", 1.2, 0.36),
    ],
)
def test_the_2d_error_has_the_published_size(
    keypoint: str, network: str, percent: float, jitter: float
) -> None:
    pixels, points = _still()
    config = DetectorErrorConfig(network=network, bias=0, episodes=0)  # type: ignore[arg-type]
    seen = detect(pixels, points, 60.0, np.random.default_rng(1), config)
    error = (seen.keypoints_2d[..., :2] - pixels)[:, BLAZEPOSE_33.index(keypoint)] / 10 / 0.82
    assert error.std() == pytest.approx(percent, rel=0.12)
    # Slow noise of 0.11 s hardly changes from frame to frame; white jitter does.
    slow = percent**2 - jitter**2
    steps = 2 * jitter**2 + 2 * slow * (1 - math.exp(-1 / (0.11 * 60)))
    assert np.diff(error, axis=0).std() == pytest.approx(math.sqrt(steps), rel=0.1)


def test_the_bias_is_constant_and_has_the_published_length() -> None:
    pixels, points = _still(2)
    config = DetectorErrorConfig(noise=0)
    lengths = []
    for seed in range(300):
        seen = detect(pixels, points, 60.0, np.random.default_rng(seed), config)
        error = seen.keypoints_2d[..., :2] - pixels
        np.testing.assert_allclose(error[0], error[1], atol=1e-3)
        lengths.append(np.linalg.norm(error[0], axis=-1) / 10 / 0.82)
    mean = np.mean(lengths, axis=0)
    assert mean[BLAZEPOSE_33.index("left_ankle")] == pytest.approx(0.87, rel=0.12)
    assert mean[BLAZEPOSE_33.index("nose")] == pytest.approx(2.1, rel=0.12)


def test_episodes_make_heavy_tails_with_low_confidence() -> None:
    pixels, points = _still()
    calm = detect(pixels, points, 60.0, np.random.default_rng(1), DetectorErrorConfig(episodes=0))
    wild = detect(pixels, points, 60.0, np.random.default_rng(1), DetectorErrorConfig(bias=0))
    wrist = BLAZEPOSE_33.index("left_wrist")
    error = (wild.keypoints_2d[..., :2] - pixels)[:, wrist]
    robust = 1.4826 * np.median(np.abs(error))
    beyond = (np.abs(error) > 3 * robust).mean()
    assert 0.01 < beyond < 0.08
    assert np.quantile(calm.keypoints_2d[:, wrist, 2], 0.02) > 0.85
    far = np.abs(error).max(-1) > 5 * robust
    assert np.median(wild.keypoints_2d[far, wrist, 2]) < 0.8


def test_the_coarse_3d_errs_by_as_much_as_asked_mostly_in_depth() -> None:
    pixels, points = _still(300)
    limbs = [BLAZEPOSE_33.index(name) for name in LIMB_JOINTS]
    config = DetectorErrorConfig(coarse_size_sd=0)
    true = _hips_at_zero(points)
    squares, lengths = [], []
    for seed in range(25):
        seen = detect(pixels, points, 30.0, np.random.default_rng(seed), config)
        error = (seen.coarse_camera - true)[:, limbs]
        lengths.append(np.linalg.norm(error, axis=-1).mean())
        squares.append((error**2).mean((0, 1)))
    assert np.mean(lengths) == pytest.approx(0.075, rel=0.1)
    share = np.mean(squares, axis=0)
    assert share[2] / share.sum() == pytest.approx(0.65, abs=0.05)


def test_swaps_exchange_all_sides_in_bursts() -> None:
    pixels, points = _still(1000)
    config = DetectorErrorConfig(
        noise=0, bias=0, coarse_m=0, coarse_size_sd=0, swaps_per_s=1.0, swap_s=0.2
    )
    seen = detect(pixels, points, 30.0, np.random.default_rng(2), config)
    assert seen.swapped.mean() == pytest.approx(0.2, abs=0.08)
    wrong = np.abs(seen.keypoints_2d[..., :2] - pixels).max((1, 2)) > 1
    np.testing.assert_array_equal(wrong, seen.swapped)
    back = seen.keypoints_2d[:, list(BLAZEPOSE_33.mirror), :2]
    np.testing.assert_allclose(back[seen.swapped], pixels[seen.swapped], atol=1e-3)


@pytest.mark.parametrize("frames", [0.0, 3.0, 10.0])
def test_slow_noise_is_stationary_with_the_asked_memory(frames: float) -> None:
    noise = slow_noise(np.random.default_rng(3), (300, 4000), frames)
    np.testing.assert_allclose(noise.std(1), 1, atol=0.06)
    lag = 5
    correlation = (noise[:-lag] * noise[lag:]).mean()
    expected = math.exp(-lag / frames) if frames else 0.0
    assert correlation == pytest.approx(expected, abs=0.01)


def test_bursts_are_as_frequent_and_as_long_as_asked() -> None:
    state = bursts(np.random.default_rng(4), (4000, 200), np.full(200, 0.1), 6.0)
    assert state.mean() == pytest.approx(0.1, rel=0.05)
    starts = (state[1:] & ~state[:-1]).sum()
    assert state[1:].sum() / starts == pytest.approx(6, rel=0.05)
    assert not bursts(np.random.default_rng(4), (100, 2), np.zeros(2), 6.0).any()


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
