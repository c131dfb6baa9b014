"""Least squares over a path of points: places, steps and bends of it, in one banded system."""

from typing import final

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.linalg import solveh_banded

_BAND = 6
"""Unknowns of frames up to two steps apart meet."""


@final
class BandedPath:
    """A sum of weighted squares in the points of a path, which are unknown.

    Every frame needs a term that tells its place, or steps that lead there.
    """

    def __init__(self, frames: int) -> None:
        self._band = np.zeros((_BAND + 1, frames, 3))
        self._pull = np.zeros((frames, 3))

    def add_places(
        self, precision: Float[ndarray, "frames 3 3"], target: Float[ndarray, "frames 3"]
    ) -> None:
        """(p - target)ᵀ precision (p - target)."""
        for row in range(3):
            for column in range(row, 3):
                self._band[_BAND - (column - row), :, column] += precision[:, row, column]
        self._pull += (precision @ target[..., None])[..., 0]

    def add_heights(
        self, weight: Float[ndarray, "frames points"], target: Float[ndarray, "frames points"]
    ) -> None:
        """weight * (p_z - target)²."""
        self._band[_BAND, :, 2] += weight.sum(-1)
        self._pull[:, 2] += (weight * target).sum(-1)

    def add_steps(
        self, weight: Float[ndarray, "steps points"], target: Float[ndarray, "steps points 3"]
    ) -> None:
        """weight * (p[t + 1] - p[t] - target[t])²."""
        total = weight.sum(-1)[:, None]
        self._band[_BAND, :-1] += total
        self._band[_BAND, 1:] += total
        self._band[_BAND - 3, 1:] -= total
        pull = (weight[..., None] * target).sum(1)
        self._pull[1:] += pull
        self._pull[:-1] -= pull

    def add_bends(self, weight: float, target: Float[ndarray, "bends 3"]) -> None:
        """weight * (p[t + 2] - 2 p[t + 1] + p[t] - target[t])²."""
        factors = (1.0, -2.0, 1.0)
        count = len(target)
        for i, first in enumerate(factors):
            self._pull[i : i + count] += weight * first * target
            for j in range(i, 3):
                part = self._band[_BAND - 3 * (j - i), j : j + count]
                part += weight * first * factors[j]

    def solve(self) -> Float[ndarray, "frames 3"]:
        """The path with the least sum."""
        solved = solveh_banded(self._band.reshape(_BAND + 1, -1), self._pull.reshape(-1))
        return solved.reshape(self._pull.shape)


def geman_mcclure(units: Float[ndarray, "*shape"]) -> Float[ndarray, "*shape"]:
    """Weight of a residual in units of the robust scale (reweighted least squares)."""
    return (1 + units**2) ** -2.0
