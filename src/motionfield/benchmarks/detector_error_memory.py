"""How long the made detector's errors last and how they go together: fits of correlations."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.optimize import curve_fit

from motionfield.benchmarks.detector_error_samples import Measured
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.worlds.detector_error import noise_growth
from motionfield.worlds.detector_error_model import Errors

_MIRROR: Final = list(BLAZEPOSE_33.mirror)
_LONGEST_LAG_S: Final = 0.4
RAYLEIGH: Final = (0.0580, math.pi**2 / 24)
"""Mean and variance of the log of a plane Gaussian vector's length."""


def autocorrelation(
    clips: Sequence[Measured], series: Sequence[Float[ndarray, "_ columns"]]
) -> tuple[ndarray, ndarray]:
    """Lags in seconds and the correlation of all columns at each, clip by clip."""
    lags, values = [], []
    for clip, columns in zip(clips, series, strict=True):
        centred = columns - np.nanmean(columns, axis=0)
        square = np.nanmean(centred**2)
        for lag in range(1, min(int(_LONGEST_LAG_S * clip.fps), len(columns) // 3) + 1):
            product = centred[lag:] * centred[:-lag]
            if np.isfinite(product).any() and square > 0:
                lags.append(lag / clip.fps)
                values.append(np.nanmean(product) / square)
    return np.array(lags), np.array(values)


def fit_memory(
    clips: Sequence[Measured], unit: Sequence[Float[ndarray, "_ 33 3"]], points: ndarray
) -> tuple[float, float]:
    """White share of the square and time constant of the rest.

    Taking each clip's own middle off lowers all its correlations by about the same: a constant
    goes into the fit.
    """
    series = [u[:, points, :2].reshape(len(u), -1) for u in unit]
    lag, value = autocorrelation(clips, series)

    def law(t: ndarray, white: float, slow: float, off: float) -> ndarray:
        return (1 - white) * (1 + off) * np.exp(-t / slow) - off

    bounds = ([0.0, 0.02, 0.0], [0.8, 0.6, 0.5])
    found, _ = curve_fit(law, lag, value, p0=(0.1, 0.1, 0.1), bounds=bounds)
    return float(found[0]), float(found[1])


def fit_correlation(
    unit: Sequence[Float[ndarray, "_ 33 3"]], shrink: float = 0.1
) -> Float[ndarray, "points points"]:
    """Between points, over frames and axes; alike for both sides, shrunk towards none."""
    rows = np.concatenate([u.transpose(0, 2, 1).reshape(-1, 33) for u in unit])
    rows = rows[np.isfinite(rows).all(-1) & (np.abs(rows).sum(-1) > 0)]
    found = np.corrcoef(rows.T)
    found = (found + found[_MIRROR][:, _MIRROR]) / 2
    return (1 - shrink) * found + shrink * np.eye(33)


def fit_volatility_time(
    clips: Sequence[Measured], figures: Errors, left: Sequence[Float[ndarray, "_ 33 3"]]
) -> float:
    """How long the log of the noise's size stays away from its mean."""
    series = []
    for clip, rest in zip(clips, left, strict=True):
        size = np.log(np.linalg.norm(rest[..., :2], axis=-1) + 1e-9)
        series.append(size - np.log(noise_growth(clip.view, figures)))
    lag, value = autocorrelation(clips, series)
    spells = float(np.mean(figures.volatility**2))
    own = (1 - figures.white.mean()) * np.exp(-lag / figures.slow_s.mean())
    share = spells / (spells + RAYLEIGH[1])

    def law(t: ndarray, slow: float, off: float) -> ndarray:
        return share * np.exp(-t / slow) + (1 - share) * own**2 - off

    found, _ = curve_fit(law, lag, value, p0=(0.1, 0.05), bounds=([0.02, 0.0], [0.6, 0.5]))
    return float(found[0])
