"""Keypoints and camera at the network's rate: what is seen does not depend on the frame rate."""

import numpy as np
import pytest

from motionfield.body.registry import load_body
from motionfield.data import CameraPath, Keypoints
from motionfield.steps.lift.meva.rate import at_network_rate
from steps.lift.made_worlds import camera_at, seen, walk

FINE = 1200.0
"""A rate that holds all others: the same walk for all."""


def made(fps: float, seconds: float = 2.0, noise_px: float = 0.0) -> tuple[Keypoints, CameraPath]:
    body = load_body("toy")
    every = np.round(np.arange(round(seconds * fps) + 1) * FINE / fps).astype(int)
    motion = walk(body, round(seconds * FINE) + 9, fps=FINE).at_frames(every).replace(fps=fps)
    camera = camera_at(motion.num_frames, (0.2, -4.5, 1.5), yaw=0.1)
    return seen(body, motion, camera, noise_px=noise_px, coarse_noise_m=0.0), camera


@pytest.mark.parametrize("fps", [30.0, 29.97, 30.5])
def test_a_near_rate_is_left_alone(fps: float) -> None:
    keypoints, camera = made(fps)
    at = at_network_rate(keypoints, camera)
    assert at.keypoints is keypoints
    assert at.camera is camera
    assert at.rate_hz == pytest.approx(fps, rel=1e-3)


@pytest.mark.parametrize("fps", [10.0, 24.0, 25.0, 50.0, 60.0, 120.0, 240.0])
def test_every_rate_shows_the_same(fps: float) -> None:
    truth, _ = made(30.0)
    at = at_network_rate(*made(fps))
    assert at.rate_hz == pytest.approx(30.0)
    assert at.keypoints.num_frames == truth.num_frames == at.camera.num_frames
    np.testing.assert_allclose(at.keypoints.time_s, truth.time_s, atol=1e-9)
    off = np.linalg.norm(at.keypoints.keypoints_2d - truth.keypoints_2d, axis=-1)
    # Arms swing at up to 800 px/s; 10 frames per second tell less of them.
    assert off.max() < (8.0 if fps == 10 else 2.0)
    assert at.keypoints.coarse_camera is not None
    away = np.linalg.norm(at.keypoints.coarse_camera - truth.coarse_camera, axis=-1)
    assert away.max() < (0.03 if fps == 10 else 0.008)


def test_high_rates_are_averaged_not_thinned_out() -> None:
    quiet, _ = made(240.0)
    at, still = at_network_rate(*made(240.0, noise_px=4.0)), at_network_rate(*made(240.0))
    noise = (at.keypoints.keypoints_2d - still.keypoints.keypoints_2d)[1:-1, :, :2].std()
    # A triangle of 16 frames: the noise falls by the root of about 12.
    assert noise < 4.0 / 3
    assert quiet.num_frames == 481


def test_distrusted_points_count_less() -> None:
    keypoints, camera = made(120.0)
    points = keypoints.keypoints_2d.copy()
    points[1::2, :, 0] += 50
    points[1::2, :, 2] = 0.0
    at = at_network_rate(keypoints.replace(keypoints_2d=points), camera)
    truth = at_network_rate(keypoints, camera)
    assert np.abs((at.keypoints.keypoints_2d - truth.keypoints.keypoints_2d)[..., 0]).max() < 3


@pytest.mark.parametrize("fps", [10.0, 25.0, 60.0, 240.0])
def test_gaps_stay_gaps_and_shift_nothing(fps: float) -> None:
    keypoints, camera = made(fps)
    points = keypoints.keypoints_2d.copy()
    gone = (keypoints.time_s > 0.72) & (keypoints.time_s < 1.28)
    points[gone] = np.nan
    holed = keypoints.replace(keypoints_2d=points, observed=~gone)
    at, whole = at_network_rate(holed, camera), at_network_rate(keypoints, camera)
    lost = ~at.keypoints.observed
    inside = (at.keypoints.time_s > 0.77) & (at.keypoints.time_s < 1.23)
    assert lost[inside].all()
    assert not lost[(at.keypoints.time_s < 0.67) | (at.keypoints.time_s > 1.33)].any()
    off = at.keypoints.keypoints_2d - whole.keypoints.keypoints_2d
    # Next to a gap one frame stands for its surroundings.
    step_px = 30.0 if fps == 10 else 12.0
    assert np.abs(off[~lost]).max() < step_px


def test_one_and_two_frames() -> None:
    keypoints, camera = made(10.0, seconds=0.1)
    at = at_network_rate(keypoints, camera)
    assert at.keypoints.num_frames == 4
    np.testing.assert_allclose(
        at.keypoints.keypoints_2d[[0, -1]], keypoints.keypoints_2d, atol=1e-3
    )
    one = np.array([0])
    single = at_network_rate(keypoints.at_frames(one), camera.at_frames(one))
    assert single.keypoints.num_frames == 1
    assert single.rate_hz == 30.0


def test_uneven_times() -> None:
    """Frames of a phone come when they come."""
    rng = np.random.default_rng(0)
    keypoints, camera = made(120.0)
    index = np.unique(np.r_[0, np.sort(rng.choice(241, 120, replace=False)), 240])
    at = at_network_rate(keypoints.at_frames(index), camera.at_frames(index))
    truth, _ = made(30.0)
    off = np.linalg.norm(at.keypoints.keypoints_2d - truth.keypoints_2d, axis=-1)
    assert off.max() < 5.0


def test_a_long_time_without_frames_is_a_gap() -> None:
    keypoints, camera = made(60.0)
    kept = np.flatnonzero((keypoints.time_s < 0.6) | (keypoints.time_s > 1.4))
    at = at_network_rate(keypoints.at_frames(kept), camera.at_frames(kept))
    between = (at.keypoints.time_s > 0.8) & (at.keypoints.time_s < 1.2)
    assert between.sum() >= 11
    assert not at.keypoints.observed[between].any()
    assert at.keypoints.observed[(at.keypoints.time_s < 0.6) | (at.keypoints.time_s > 1.4)].all()


def test_a_turning_camera_is_resampled_along_its_arc() -> None:
    keypoints, camera = made(10.0)
    steps = [
        camera_at(1, (0.2 + 0.5 * t, -4.5, 1.5), yaw=0.6 * t) for t in keypoints.time_s.tolist()
    ]
    moving = camera.replace(
        R_camera_world=np.concatenate([c.R_camera_world for c in steps]),
        t_camera_world=np.concatenate([c.t_camera_world for c in steps]),
        moving=True,
    )
    at = at_network_rate(keypoints, moving)
    for index in (0, 7, 50, -1):
        t = float(at.keypoints.time_s[index])
        true = camera_at(1, (0.2 + 0.5 * t, -4.5, 1.5), yaw=0.6 * t)
        np.testing.assert_allclose(
            at.camera.R_camera_world[index], true.R_camera_world[0], atol=1e-5
        )
        np.testing.assert_allclose(
            at.camera.position_world[index], true.position_world[0], atol=1e-4
        )
