"""The made sensor: brighter light, brighter frame; noise of the asked size."""

import numpy as np
import pytest

from motionfield.core.errors import OptionError
from motionfield.worlds.avatars.config import AvatarConfig
from motionfield.worlds.avatars.sensor import Sensor, draw_sensor

_CLEAN = Sensor(0.001, 1.0, 0.0, 0.0, np.ones(3), 0)
_GREY = np.full((40, 50, 3), 0.2, np.float32)


def test_without_noise_and_blur_it_is_the_curve_alone() -> None:
    frame = _CLEAN.develop(_GREY, np.random.default_rng(0))
    # sRGB of a linear 0.2 is 124.
    assert np.abs(frame.astype(int) - 124).max() <= 1


def test_twice_the_light_is_brighter_and_white_is_white() -> None:
    frames = [_CLEAN.develop(_GREY * k, np.random.default_rng(0)).mean() for k in (1, 2, 20)]
    assert frames[0] < frames[1] < frames[2] == 255


def test_noise_has_the_asked_size() -> None:
    noisy = _CLEAN._replace(noise=0.02).develop(_GREY, np.random.default_rng(0))
    assert noisy.std() == pytest.approx(0.02 * 255, rel=0.05)


def test_compression_keeps_the_picture() -> None:
    frame = _CLEAN._replace(jpeg_quality=80).develop(_GREY, np.random.default_rng(0))
    assert frame.shape == (40, 50, 3)
    assert np.abs(frame.astype(int) - 124).max() <= 3


def test_drawn_from_the_ranges() -> None:
    config = AvatarConfig(jpeg_quality=(0, 0), noise=(0.01, 0.01))
    sensor = draw_sensor(np.random.default_rng(1), config)
    assert sensor.jpeg_quality == 0
    assert sensor.noise == pytest.approx(0.01)
    assert config.exposure_s[0] <= sensor.exposure_s <= config.exposure_s[1]


def test_no_rays_is_an_error() -> None:
    with pytest.raises(OptionError, match="at least 1"):
        AvatarConfig(rays_per_pixel=0)
