"""From light to a frame: lens blur, exposure, noise, the screen's curve, compression."""

import functools
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from motionfield.worlds.avatars.config import AvatarConfig

_TABLE = 4096
_WIDE = 1280


class Sensor(NamedTuple):
    """One camera's make."""

    exposure_s: float
    gain: float
    blur_px: float
    noise: float
    balance: Float[ndarray, "3"]
    """White balance."""
    jpeg_quality: int

    def develop(
        self, light: Float[ndarray, "height width 3"], rng: np.random.Generator
    ) -> UInt8[ndarray, "height width 3"]:
        """The frame of a picture in linear light; ``rng`` gives this frame's noise."""
        height, width = light.shape[:2]
        sigma = self.blur_px * max(width, height) / _WIDE
        blurred = cv2.GaussianBlur(light, (0, 0), sigma) if sigma > 0.2 else light
        exposed = blurred * (self.gain * self.balance).astype(np.float32)
        index = np.clip(exposed * _TABLE, 0, _TABLE - 1).astype(np.uint16)
        coded: ndarray = _curve()[index]
        grain = rng.standard_normal((height, width, 3), dtype=np.float32)
        # Brighter means more photons and more noise; the curve takes most of it back.
        coded = coded + grain * np.float32(255 * self.noise)
        frame = cv2.convertScaleAbs(np.maximum(coded, 0))
        if self.jpeg_quality > 0:
            frame = _compressed(frame, self.jpeg_quality)
        return frame


def _compressed(
    frame: UInt8[ndarray, "height width 3"], quality: int
) -> UInt8[ndarray, "height width 3"]:
    file = cv2.imencode(".jpg", frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    opened = cv2.imdecode(file, cv2.IMREAD_COLOR)
    if opened is None:
        raise RuntimeError("OpenCV cannot read the JPEG that it wrote")
    return np.ascontiguousarray(opened[..., ::-1])


def draw_sensor(rng: np.random.Generator, config: AvatarConfig) -> Sensor:
    """A camera at random."""
    return Sensor(
        exposure_s=float(rng.uniform(*config.exposure_s)),
        gain=float(2 ** rng.uniform(-config.exposure_stops, config.exposure_stops)),
        blur_px=float(rng.uniform(*config.lens_blur_px)),
        noise=float(rng.uniform(*config.noise)),
        balance=1 + rng.uniform(-0.05, 0.05, 3),
        jpeg_quality=int(rng.integers(config.jpeg_quality[0], config.jpeg_quality[1] + 1)),
    )


@functools.cache
def _curve() -> Float[ndarray, "levels"]:
    """sRGB's curve, 0 to 255."""
    x = (np.arange(_TABLE) + 0.5) / _TABLE
    high = 1.055 * x ** (1 / 2.4) - 0.055
    return (255 * np.where(x <= 0.0031308, 12.92 * x, high)).astype(np.float32)
