"""Noise: of the asked size, periodic, continuous, repeated by its seed."""

import numpy as np

from motionfield.worlds.avatars.noise import NoisePlane, NoiseVolume


def _places(count: int, axes: int) -> np.ndarray:
    return np.random.default_rng(5).uniform(-3, 3, (count, axes))


def test_volume_has_mean_nought_and_deviation_about_one() -> None:
    noise = NoiseVolume(np.random.default_rng(0)).at(_places(20_000, 3), 1.0)
    assert abs(noise.mean()) < 0.05
    # Between the cells it is a mean of several, so a little smaller.
    assert 0.7 < noise.std() < 1.05


def test_volume_repeats_after_its_period() -> None:
    noise, places = NoiseVolume(np.random.default_rng(0)), _places(500, 3)
    period = np.array((0.5, 0.25, 2.0))
    here = noise.at(places, period)
    for axis in range(3):
        there = noise.at(places + period * np.eye(3)[axis], period)
        assert np.abs(here - there).max() < 1e-3


def test_volume_is_continuous() -> None:
    noise, places = NoiseVolume(np.random.default_rng(0)), _places(2000, 3)
    near = noise.at(places + 1e-5, 1.0)
    assert np.abs(near - noise.at(places, 1.0)).max() < 0.02


def test_plane_repeats_and_is_continuous() -> None:
    noise, (u, v) = NoisePlane(np.random.default_rng(0), size=64), _places(500, 2).T
    here = noise.at(u, v, 1.0)
    assert np.abs(here - noise.at(u + 1, v - 2, 1.0)).max() < 0.15
    # OpenCV looks up at a thirty-second of a cell.
    assert np.abs(here - noise.at(u + 1e-4, v, 1.0)).max() < 0.3
    assert here.std() > 0.5


def test_same_seed_same_noise() -> None:
    places = _places(50, 3)
    first, second, other = (
        NoiseVolume(np.random.default_rng(s)).at(places, 1.0) for s in (1, 1, 2)
    )
    assert (first == second).all()
    assert not np.allclose(first, other)
