"""Periodic random textures with a natural spectrum, looked up by place."""

from typing import Final

import cv2
import numpy as np
from jaxtyping import Float
from numpy import ndarray

_ROW: Final = 4096


class NoiseVolume:
    """Noise in space: mean 0, deviation 1, the same every ``period`` of the asker's unit."""

    def __init__(self, rng: np.random.Generator, size: int = 64, slope: float = 1.6) -> None:
        """``slope``: how fast the amplitude falls with the frequency; larger is smoother."""
        self._cells = _spectral(rng, (size,) * 3, slope)

    def at(
        self, points: Float[ndarray, "points 3"], period: float | Float[ndarray, "3"]
    ) -> Float[ndarray, "points"]:
        """Trilinear look-up."""
        size = len(self._cells)
        place = np.asarray(points, np.float32) * (size / np.asarray(period, np.float32))
        low = np.floor(place)
        share = place - low
        first = low.astype(np.int64) % size
        second = (first + 1) % size
        flat = self._cells.reshape(-1)
        x = (first[:, 0] * size * size, second[:, 0] * size * size)
        y = (first[:, 1] * size, second[:, 1] * size)
        z = (first[:, 2], second[:, 2])
        total = np.zeros(len(points), np.float32)
        for i in (0, 1):
            for j in (0, 1):
                row = x[i] + y[j]
                along = flat[row + z[0]] * (1 - share[:, 2]) + flat[row + z[1]] * share[:, 2]
                weight = share[:, 0] if i else 1 - share[:, 0]
                total += along * weight * (share[:, 1] if j else 1 - share[:, 1])
        return total


class NoisePlane:
    """Noise in a plane, likewise."""

    def __init__(self, rng: np.random.Generator, size: int = 512, slope: float = 1.2) -> None:
        self._cells = _spectral(rng, (size, size), slope)

    def at(
        self, u: Float[ndarray, "points"], v: Float[ndarray, "points"], period: float
    ) -> Float[ndarray, "points"]:
        """Bilinear look-up."""
        size = len(self._cells)
        count = len(u)
        padded = -(-max(1, count) // _ROW) * _ROW
        place = np.zeros((2, padded), np.float32)
        place[0, :count] = np.mod(u * (size / period), size)
        place[1, :count] = np.mod(v * (size / period), size)
        columns, rows = place.reshape(2, -1, _ROW)
        found = cv2.remap(self._cells, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        return found.reshape(-1)[:count]


def _spectral(
    rng: np.random.Generator, shape: tuple[int, ...], slope: float
) -> Float[ndarray, "..."]:
    """White noise whose amplitudes are divided by frequency ** slope (in 2D; steeper in 3D)."""
    white = np.fft.rfftn(rng.standard_normal(shape))
    axes = [np.fft.fftfreq(n, 1 / n) for n in shape[:-1]] + [
        np.fft.rfftfreq(shape[-1], 1 / shape[-1])
    ]
    squared = sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij"))
    white *= np.maximum(squared, 1.0) ** (-slope / 2)
    white.reshape(-1)[0] = 0
    noise = np.fft.irfftn(white, shape, axes=range(len(shape)))
    return (noise / noise.std()).astype(np.float32)
