"""Moving cameras: each kind keeps its law, the person stays in the picture, seeds repeat."""

import math

import numpy as np
import pytest
from numpy import ndarray

from motionfield.core.errors import OptionError
from motionfield.data import CameraPath
from motionfield.worlds.cameras import CameraConfig, CameraKind, draw_camera
from motionfield.worlds.moving_cameras import band_limited, calmed, draw_moving_camera
from motionfield.worlds.take import see

_KINDS: tuple[CameraKind, ...] = ("follow", "pan", "orbit", "dolly")


def _runner(fps: float = 30.0, seconds: float = 4.0, speed: float = 2.5) -> ndarray:
    """Points of a person 1.7 m tall who runs along x, bobbing at 2.5 Hz."""
    time_s = np.arange(round(seconds * fps)) / fps
    shape = np.random.default_rng(0).uniform((-0.3, -0.3, 0.0), (0.3, 0.3, 1.7), (33, 3))
    shape[0, 2], shape[1, 2] = 0.0, 1.7
    way = np.stack((speed * time_s, 0 * time_s, 0.05 * np.sin(5 * math.pi * time_s)), -1)
    return (shape + way[:, None]).astype(np.float32)


def _drawn(kind: CameraKind, seed: int = 0, fps: float = 30.0, speed: float = 2.5) -> CameraPath:
    points = _runner(fps, speed=speed)
    return draw_moving_camera(points, fps, np.random.default_rng(seed), CameraConfig(kind=kind))


def _turned_deg(R: ndarray) -> ndarray:
    """Angle between successive frames."""
    cos = (np.einsum("tij,tij->t", R[1:], R[:-1]) - 1) / 2
    return np.degrees(np.arccos(np.clip(cos, -1, 1)))


@pytest.mark.parametrize("kind", _KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_the_whole_person_is_in_the_picture_in_nearly_all_frames(
    kind: CameraKind, seed: int
) -> None:
    camera = _drawn(kind, seed)
    pixels, points_camera = see(_runner(), camera)
    assert (points_camera[..., 2] > 0.5).all()
    inside = ((pixels > 0) & (pixels < np.array(camera.image_size))).all((1, 2))
    assert inside.mean() >= 0.98
    upright = pixels[:, 1, 1] < pixels[:, 0, 1]
    assert upright.all()
    assert camera.moving


@pytest.mark.parametrize("kind", _KINDS)
def test_a_seed_gives_one_path_and_another_another(kind: CameraKind) -> None:
    first, second, other = _drawn(kind, 5), _drawn(kind, 5), _drawn(kind, 6)
    np.testing.assert_array_equal(first.R_camera_world, second.R_camera_world)
    np.testing.assert_array_equal(first.t_camera_world, second.t_camera_world)
    assert not np.allclose(first.R_camera_world, other.R_camera_world, atol=0.01)


@pytest.mark.parametrize("kind", _KINDS)
def test_the_path_is_the_same_at_twice_the_frame_rate(kind: CameraKind) -> None:
    slow, fast = _drawn(kind, 3), _drawn(kind, 3, fps=60.0)
    np.testing.assert_allclose(slow.position_world, fast.position_world[::2], atol=0.03)
    np.testing.assert_allclose(slow.R_camera_world, fast.R_camera_world[::2], atol=0.01)


@pytest.mark.parametrize("kind", _KINDS)
def test_paths_are_smooth(kind: CameraKind) -> None:
    camera = _drawn(kind, 1, fps=60.0)
    acceleration = np.diff(camera.position_world, n=2, axis=0) * 60**2
    assert np.linalg.norm(acceleration, axis=-1).max() < 6
    assert _turned_deg(camera.R_camera_world).max() * 60 < 90


def test_a_pan_only_turns() -> None:
    camera = _drawn("pan", 2)
    assert np.ptp(camera.position_world, axis=0).max() < 1e-5
    assert _turned_deg(camera.R_camera_world).sum() > 20


def test_a_dolly_runs_straight_at_one_speed_and_along_with_a_traveller() -> None:
    camera = _drawn("dolly", 2)
    steps = np.diff(camera.position_world, axis=0)
    np.testing.assert_allclose(steps, steps.mean(0)[None].repeat(len(steps), 0), atol=1e-3)
    np.testing.assert_allclose(steps.mean(0) * 30, [2.5, 0, 0], atol=0.1)
    still = _drawn("dolly", 2, speed=0.0)
    length = np.linalg.norm(still.position_world[-1] - still.position_world[0])
    assert 0.6 - 1e-3 <= length <= 4.0


def test_an_orbit_goes_round_the_person_at_one_distance() -> None:
    camera = _drawn("orbit", 2, speed=0.0)
    around = camera.position_world - _runner(speed=0.0).mean((0, 1))
    distance = np.linalg.norm(around[:, :2], axis=-1)
    assert np.ptp(distance) < 0.1
    turned = np.degrees(np.ptp(np.unwrap(np.arctan2(around[:, 1], around[:, 0]))))
    assert 4 * 6 - 2 < turned < 4 * 25 + 2


def test_a_follower_keeps_its_distance_and_its_hand_shakes() -> None:
    camera = _drawn("follow", 2, fps=60.0)
    away = camera.position_world - _runner(60.0).mean(1)
    assert np.ptp(np.linalg.norm(away[:, :2], axis=-1)) < 1.0
    assert np.linalg.norm(camera.position_world[-1] - camera.position_world[0]) > 7
    place = camera.position_world[:, 2]
    assert 0.002 < (place - place.mean()).std() < 0.03


def test_steady_motion_is_left_by_calming() -> None:
    line = np.arange(50)[:, None] * np.array([0.1, -0.2, 0.3])
    np.testing.assert_allclose(calmed(line, 8.0), line, atol=1e-9)
    np.testing.assert_array_equal(calmed(line[:1], 8.0), line[:1])
    rough = line + np.random.default_rng(0).normal(size=line.shape)
    assert np.abs(calmed(rough, 8.0) - line).mean() < 0.5 * np.abs(rough - line).mean()


def test_band_limited_noise_has_unit_size_and_no_energy_above_its_band() -> None:
    time_s = np.arange(3000) / 30
    noise = band_limited(np.random.default_rng(0), time_s, 20, (0.3, 6.0))
    np.testing.assert_allclose(np.sqrt((noise**2).mean()), 1, atol=0.05)
    power = np.abs(np.fft.rfft(noise * np.hanning(3000)[:, None], axis=0)) ** 2
    above = np.fft.rfftfreq(3000, 1 / 30) > 6.2
    assert power[above].sum() < 1e-3 * power.sum()


def test_kinds_that_do_not_belong_are_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(OptionError, match="moves"):
        draw_camera(_runner(), rng, CameraConfig(kind="pan"))
    with pytest.raises(OptionError, match="does not move"):
        draw_moving_camera(_runner(), 30.0, rng, CameraConfig(kind="static"))
    far = np.concatenate((_runner(), _runner() + 4000))
    with pytest.raises(OptionError, match="keeps this motion"):
        draw_moving_camera(far, 30.0, rng, CameraConfig(kind="pan"))
