"""Tracked paths: exact without errors, drift as large as asked, in the first camera's axes."""

import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from motionfield.data import CameraPath
from motionfield.worlds.camera_drift import EXACT, DriftConfig, drifted
from motionfield.worlds.cameras import CameraConfig, given_path


def _walk(frames: int = 301, metres: float = 10.0) -> CameraPath:
    """A camera that goes along a curve and turns."""
    share = np.linspace(0, 1, frames)
    R = Rotation.from_rotvec(np.stack((0.3 * share, share, 0.1 * np.sin(6 * share)), -1))
    places = np.stack((metres * share, np.sin(3 * share), 1.5 + 0 * share), -1)
    matrices = R.as_matrix()
    t = -np.einsum("tij,tj->ti", matrices, places)
    return given_path(matrices, t, 1000.0, CameraConfig(kind="follow"))


def test_without_errors_relative_rotations_and_places_are_the_true_ones() -> None:
    camera = _walk()
    tracked = drifted(camera, 30.0, np.random.default_rng(0), EXACT)
    R, S = camera.R_camera_world, tracked.R_camera_world
    relative = np.einsum("tij,skj->tsik", R[::50], R[::50])
    np.testing.assert_allclose(np.einsum("tij,skj->tsik", S[::50], S[::50]), relative, atol=1e-5)
    np.testing.assert_allclose(S[0], np.eye(3), atol=1e-6)
    np.testing.assert_allclose(tracked.t_camera_world[0], 0, atol=1e-6)
    points = np.random.default_rng(1).normal(size=(20, 3)) + np.array([3.0, 0.0, 8.0])
    in_first = points @ R[0].T + camera.t_camera_world[0]
    seen = np.einsum("tij,pj->tpi", R, points) + camera.t_camera_world[:, None]
    same = np.einsum("tij,pj->tpi", S, in_first) + tracked.t_camera_world[:, None]
    np.testing.assert_allclose(same, seen, atol=1e-3)


def test_the_unit_of_length_scales_all_places_alike() -> None:
    camera = _walk()
    exact = drifted(camera, 30.0, np.random.default_rng(0), EXACT)
    config = DriftConfig(0, 0, 0, 0, 0, scale=(0.2, 5.0))
    units = []
    for seed in range(40):
        tracked = drifted(camera, 30.0, np.random.default_rng(seed), config)
        unit = tracked.history[-1].options["unit"]
        expected = unit * exact.position_world
        np.testing.assert_allclose(tracked.position_world, expected, atol=2e-4)
        units.append(unit)
    assert 0.2 <= min(units) < 0.5
    assert 2.0 < max(units) <= 5.0
    assert tracked.scale_range == (0.2, 5.0)
    assert (tracked.scale_source, tracked.gravity_source) == ("assumed", "assumed")


@pytest.mark.parametrize("fps", [30.0, 60.0])
def test_rotation_drifts_by_the_asked_angle_in_ten_seconds_at_every_rate(fps: float) -> None:
    camera = _walk(round(10 * fps) + 1)
    config = DriftConfig(0.75, 0, 0, 0, 0, (1.0, 1.0))
    angles = []
    for seed in range(150):
        tracked = drifted(camera, fps, np.random.default_rng(seed), config)
        true = camera.R_camera_world @ camera.R_camera_world[0].T
        wrong = tracked.R_camera_world @ np.swapaxes(true, 1, 2)
        angles.append(Rotation.from_matrix(wrong).magnitude())
    rms = np.degrees(np.sqrt(np.mean(np.square(angles), axis=0)))
    assert rms[-1] == pytest.approx(0.75, rel=0.15)
    # A random walk: half of the square after half of the time.
    assert rms[len(rms) // 2] == pytest.approx(0.75 / math.sqrt(2), rel=0.2)
    # From frame to frame next to nothing.
    assert rms[1] < 0.1


def test_places_drift_with_the_way_travelled() -> None:
    camera = _walk()
    exact = drifted(camera, 30.0, np.random.default_rng(0), EXACT).position_world
    config = DriftConfig(0, 0.02, 0, 0, 0, (1.0, 1.0))
    ends = []
    for seed in range(150):
        tracked = drifted(camera, 30.0, np.random.default_rng(seed), config)
        ends.append(np.linalg.norm(tracked.position_world[-1] - exact[-1]))
    assert np.sqrt(np.mean(np.square(ends))) == pytest.approx(0.2, rel=0.2)


def test_wrong_turns_bend_the_path() -> None:
    """Steps are right in the axes of the camera that takes them, wrong in the first one's."""
    camera = _walk()
    exact = drifted(camera, 30.0, np.random.default_rng(0), EXACT)
    config = DriftConfig(20.0, 0, 0, 0, 0, (1.0, 1.0))
    tracked = drifted(camera, 30.0, np.random.default_rng(0), config)
    own = [
        np.einsum("tij,tj->ti", path.R_camera_world[1:], np.diff(path.position_world, axis=0))
        for path in (exact, tracked)
    ]
    np.testing.assert_allclose(own[0], own[1], atol=1e-3)
    assert np.linalg.norm(exact.position_world[-1] - tracked.position_world[-1]) > 0.3


def test_a_camera_that_only_turns_is_tracked_without_travel() -> None:
    camera = _walk(metres=0.0)
    turning = given_path(
        camera.R_camera_world,
        -camera.R_camera_world @ np.array([1.0, 2.0, 1.5]),
        1000.0,
        CameraConfig(kind="pan"),
    )
    tracked = drifted(turning, 30.0, np.random.default_rng(0))
    np.testing.assert_allclose(tracked.position_world, 0, atol=1e-4)
    assert not np.allclose(tracked.R_camera_world[-1], camera.R_camera_world[-1], atol=1e-4)
