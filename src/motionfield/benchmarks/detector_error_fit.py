"""The figures of the made detector's errors, estimated from detections with exact truth."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from scipy.optimize import curve_fit, least_squares

from motionfield.benchmarks.detector_error_memory import (
    RAYLEIGH,
    autocorrelation,
    fit_correlation,
    fit_memory,
    fit_volatility_time,
)
from motionfield.benchmarks.detector_error_samples import Measured, Sample, measure
from motionfield.core.errors import OptionError
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.worlds.detector_error import LEAST_RELATIVE, MOST_SPEED, noise_growth
from motionfield.worlds.detector_error_model import (
    BASIS,
    LEG_M,
    PART_OF,
    PARTS,
    DetectorErrorModel,
    Episodes,
    Errors,
)
from motionfield.worlds.detector_view import leg_length

_MIRROR: Final = list(BLAZEPOSE_33.mirror)
_HALF_NORMAL: Final = (-0.6352, math.pi**2 / 8)
"""Likewise of a Gaussian number's size."""
_MOST_VOLATILITY: Final = 0.9
_CLIP: Final = 3.0
_MOST_GROWN: Final = (5.0, 5.0, 3.0)
"""By speed, occlusion, tilt: few clips hold people on the ground, and they are told apart badly."""
_POOLED: Final = 0.02
"""Share of a part's rows that the fit of all parts counts as."""
_MOST_ROWS: Final = 10_000
"""Fits take evenly chosen rows, no more than these."""
_ROUNDS: Final = 5
"""Of reweighting."""
_RIDGE: Final = 1.0
"""Clips' points that would speak for no offset at all, in units of the errors' own spread."""
_FOLLOWED_SHARE: Final = 0.5
"""Clips with less of the person in them tell of a search that failed, not of errors."""
_SWAP_PRIOR: Final = (400, 0.005)
"""Frames, and share of them with sides exchanged, that count beside those seen: exchanges are rare
and come in bursts, so a few clips without any do not show that there are none."""
_EPISODE_LENGTH: Final = (0.05, 1.0)
"""Median in seconds and spread of the log where fewer than three were seen."""


def fit_detector_error(samples: Sequence[Sample], source: str) -> DetectorErrorModel:
    """The model whose draws have the samples' errors, by moments.

    Left and right share their figures. Offsets are least squares with a ridge, each clip counting
    once; the size of the noise is fitted in its logarithm, so that single gross errors hardly
    move it, and what its logarithm varies beyond a Gaussian's is the volatility.

    Args:
        samples: clips of at least a second, of many people, views and movements.
        source: what they are, for the file.

    Raises:
        OptionError: no samples in which the person was followed.
    """
    clips = [clip for clip in map(measure, samples) if clip.observed.mean() > _FOLLOWED_SHARE]
    if not clips:
        raise OptionError("detector errors: no samples in which the person was followed")
    image, left = _fit_errors(clips, [clip.error for clip in clips])
    size, depth, residual = _fit_coarse_size(clips)
    coarse, _ = _fit_errors(clips, residual)
    lost = [~clip.observed for clip in clips]
    confidence, confidence_s = _fit_confidence(clips, image, left)
    swaps, kinds = _fit_swaps(clips)
    return DetectorErrorModel(
        image=image,
        coarse=coarse,
        volatility_s=fit_volatility_time(clips, image, left),
        confidence=confidence,
        confidence_s=confidence_s,
        lost=_fit_episodes(lost, [clip.fps for clip in clips], float(np.concatenate(lost).mean())),
        swaps=swaps,
        swap_kinds=kinds,
        coarse_size=size,
        coarse_depth=depth,
        source=source,
    )


def _fit_errors(
    clips: Sequence[Measured], errors: Sequence[Float[ndarray, "_ 33 3"]]
) -> tuple[Errors, list[Float[ndarray, "_ 33 3"]]]:
    """Figures of all parts, and what is left of the errors without offsets and constants."""
    along = any(np.nanmax(np.abs(error[..., 2])) > 0 for error in errors)
    masked = [
        np.where(c.observed[:, None, None], e, np.nan) for c, e in zip(clips, errors, strict=True)
    ]
    axes = 3 if along else 2
    offset = np.stack([_fit_offset(clips, masked, _points(p), axes) for p in range(len(PARTS))])
    left, constants = [], []
    for clip, error in zip(clips, masked, strict=True):
        rest = error - np.einsum("kb,tkbi->tki", offset[PART_OF], clip.view.basis)
        constant = np.nanmedian(rest, axis=0)
        constants.append(constant)
        left.append(rest - constant)
    figures = dataclasses.replace(
        _fit_scales(clips, left, along),
        offset=offset,
    )
    unit = [_standard(clip, rest, figures) for clip, rest in zip(clips, left, strict=True)]
    white, slow_s = np.array([fit_memory(clips, unit, _points(p)) for p in range(len(PARTS))]).T
    made = dataclasses.replace(
        figures,
        bias_sd=_fit_bias(np.stack(constants), clips, figures, slow_s),
        white=white,
        slow_s=slow_s,
        correlation=fit_correlation(unit),
    )
    return made, left


def _points(part: int) -> ndarray:
    return np.flatnonzero(part == PART_OF)


def _fit_offset(
    clips: Sequence[Measured],
    errors: Sequence[Float[ndarray, "_ 33 3"]],
    points: ndarray,
    axes: int,
) -> Float[ndarray, "directions"]:
    """Robust ridge regression on the directions; a clip's point counts as one observation."""
    rows, values, weights = [], [], []
    for clip, error in zip(clips, errors, strict=True):
        for point in points:
            good = np.isfinite(error[:, point]).all(-1)
            if good.any():
                basis = clip.view.basis[good, point, :, :axes].transpose(0, 2, 1)
                rows.append(basis.reshape(-1, len(BASIS)))
                values.append(error[good, point, :axes].reshape(-1))
                weights.append(np.full(axes * good.sum(), 1 / good.sum()))
    X, y, w = np.concatenate(rows), np.concatenate(values), np.concatenate(weights)
    spread = max(1.4826 * float(np.median(np.abs(y))), 1e-9)
    robust = np.ones_like(y)
    for _ in range(_ROUNDS):
        weighted = X * (w * robust)[:, None]
        found = np.linalg.solve(weighted.T @ X + _RIDGE * np.eye(len(BASIS)), weighted.T @ y)
        robust = 1 / (1 + ((y - X @ found) / (2 * spread)) ** 2)
    return found


class _Rows(NamedTuple):
    """Sizes of noise and what they depend on, a row per point, frame and direction."""

    size: Float[ndarray, "rows"]
    """Log of the size, less what the log of a Gaussian's size is on average."""
    speed: Float[ndarray, "rows"]
    occlusion: Float[ndarray, "rows"]
    tilt: Float[ndarray, "rows"]
    along: Bool[ndarray, "rows"]
    """Along the line of sight."""
    clip: Float[ndarray, "rows"]


class _Growth(NamedTuple):
    """What a part's noise was fitted by."""

    log_sd: tuple[float, float]
    """Across the line of sight and along it."""
    by_speed: float
    by_occlusion: float
    by_tilt: float
    left: Float[ndarray, "rows"]
    """What remains of the logs."""


def _fit_scales(
    clips: Sequence[Measured], left: Sequence[Float[ndarray, "_ 33 3"]], along: bool
) -> Errors:
    """Sizes of the noise and what they grow by; the other figures stay 0."""
    tables = [_scale_rows(clips, left, _points(part), along) for part in range(len(PARTS))]
    every = _Rows(*(np.concatenate(columns) for columns in zip(*tables, strict=True)))
    pooled = _fit_growth(every, None)
    parts = [_fit_growth(table, pooled) for table in tables]
    of_clip = _clip_means(every.clip, np.concatenate([part.left for part in parts]))
    volatility = np.zeros(len(PARTS))
    for part, (rows, found) in enumerate(zip(tables, parts, strict=True)):
        expected = np.where(rows.along, _HALF_NORMAL[1], RAYLEIGH[1])
        excess = float(((found.left - of_clip[rows.clip.astype(int)]) ** 2 - expected).mean())
        volatility[part] = math.sqrt(min(max(excess, 0.0), _MOST_VOLATILITY**2))
    seen = np.unique(every.clip).astype(int)
    sd = np.array([np.exp(part.log_sd) * (1, along) for part in parts])
    return Errors(
        offset=np.zeros((len(PARTS), len(BASIS))),
        bias_sd=np.zeros_like(sd),
        sd=sd,
        by_speed=np.array([part.by_speed for part in parts]),
        by_occlusion=np.array([part.by_occlusion for part in parts]),
        volatility=volatility,
        white=np.zeros(len(PARTS)),
        slow_s=np.zeros(len(PARTS)),
        correlation=np.eye(33),
        by_tilt=pooled.by_tilt,
        clip_sd=float(np.clip(of_clip[seen], -1, 1).std()),
    )


def _clip_means(
    clip: Float[ndarray, "rows"], left: Float[ndarray, "rows"]
) -> Float[ndarray, "clips"]:
    """How much larger the noise of each clip is, in the log, all points together."""
    clip = clip.astype(int)
    total = np.bincount(clip, weights=left)
    return total / np.maximum(np.bincount(clip), 1)


def _scale_rows(
    clips: Sequence[Measured],
    left: Sequence[Float[ndarray, "_ 33 3"]],
    points: ndarray,
    along: bool,
) -> _Rows:
    rows = []
    for number, (clip, rest) in enumerate(zip(clips, left, strict=True)):
        speed, occlusion = clip.view.speed[:, points], clip.view.occlusion[:, points]
        across = np.log(np.linalg.norm(rest[:, points, :2], axis=-1) + 1e-9) - RAYLEIGH[0]
        same = 0 * speed
        on = (speed, occlusion, same + clip.view.tilt[:, None])
        rows.append(np.stack((across, *on, same, same + number), -1).reshape(-1, 6))
        if along:
            deep = np.log(np.abs(rest[:, points, 2]) + 1e-9) - _HALF_NORMAL[0]
            rows.append(np.stack((deep, *on, same + 1, same + number), -1).reshape(-1, 6))
    table = np.concatenate(rows)
    size, speed, occlusion, tilt, deep, clip_of = table[np.isfinite(table).all(-1)].T
    return _Rows(size, np.minimum(speed, MOST_SPEED), occlusion, tilt, deep > 0, clip_of)


def _fit_growth(rows: _Rows, pooled: _Growth | None) -> _Growth:
    """Robust fit of the logs. With a fit of all parts given, tilt counts as there, and the other
    growths are drawn towards it as a few of the rows would draw them."""
    every = rows
    rows = _Rows(*(column[:: -(-len(rows.size) // _MOST_ROWS)] for column in rows))
    middle = float(np.median(rows.size))
    start = np.array([middle, middle, 1.0, 1.0, 1.0])
    prior, pull = start[2:], np.zeros(3)
    if pooled is not None:
        prior = np.array([pooled.by_speed, pooled.by_occlusion, pooled.by_tilt])
        pull = np.sqrt(np.array([_POOLED, _POOLED, 100.0]) * len(rows.size))
        start[2:] = np.clip(prior, 0.01, 4.9)

    def residual(x: ndarray) -> ndarray:
        return np.concatenate((_unexplained(rows, x), pull * (x[2:] - prior)))

    bounds = ([-20, -20, 0, 0, 0], [20, 20, *_MOST_GROWN])
    x = least_squares(residual, start, bounds=bounds, loss="soft_l1", f_scale=1.0).x
    return _Growth((x[0], x[1]), float(x[2]), float(x[3]), float(x[4]), _unexplained(every, x))


def _unexplained(rows: _Rows, x: Float[ndarray, "5"]) -> Float[ndarray, "rows"]:
    growth = (rows.speed, rows.occlusion, rows.tilt)
    grown = sum(np.log1p(by * feature) for by, feature in zip(x[2:], growth, strict=True))
    return rows.size - np.where(rows.along, x[1], x[0]) - grown


def _standard(
    clip: Measured, rest: Float[ndarray, "frames 33 3"], figures: Errors
) -> Float[ndarray, "frames 33 3"]:
    """Noise in units of its expected size, gross errors cut off."""
    scale = noise_growth(clip.view, figures)[..., None] * figures.sd[PART_OF][:, [0, 0, 1]]
    return np.clip(rest / np.where(scale > 0, scale, np.inf), -_CLIP, _CLIP)


def _fit_bias(
    constants: Float[ndarray, "clips 33 3"],
    clips: Sequence[Measured],
    figures: Errors,
    slow_s: Float[ndarray, "parts"],
) -> Float[ndarray, "parts 2"]:
    """Spread of the clips' constants, less what slow noise leaves in a clip's middle."""
    seconds = float(np.median([clip.observed.sum() / clip.fps for clip in clips]))
    # Spells hardly move a median, so the usual size counts.
    chance = figures.sd**2 * np.minimum(2 * slow_s[:, None] / seconds, 1.0)
    spread = np.zeros_like(figures.sd)
    for part in range(len(PARTS)):
        values = constants[:, _points(part)]
        for axis, columns in ((0, values[..., :2]), (1, values[..., 2])):
            spread[part, axis] = 1.4826 * np.nanmedian(np.abs(columns))
    bias = np.sqrt(np.maximum(spread**2 - chance, (0.3 * spread) ** 2))
    return np.where(figures.sd > 0, bias, 0.0)


def _fit_confidence(
    clips: Sequence[Measured], figures: Errors, left: Sequence[Float[ndarray, "_ 33 3"]]
) -> tuple[Float[ndarray, "parts 4"], float]:
    """Least squares of the logit on occlusion and on the log of the error's relative size."""
    found = np.zeros((len(PARTS), 4))
    rest_of = [np.full(clip.confidence.shape, np.nan) for clip in clips]
    for part in range(len(PARTS)):
        points = _points(part)
        rows, values = [], []
        for clip, rest in zip(clips, left, strict=True):
            length = np.linalg.norm(rest[:, points, :2], axis=-1) / math.sqrt(2)
            relative = np.log(length / figures.sd[part, 0] + LEAST_RELATIVE)
            rows.append(np.stack((0 * relative + 1, clip.view.occlusion[:, points], relative), -1))
            sure = np.clip(clip.confidence[:, points], 2e-3, 1 - 5e-4)
            values.append(np.log(sure / (1 - sure)))
        X, y = (
            np.concatenate([v.reshape(-1, *v.shape[2:]) for v in part]) for part in (rows, values)
        )
        good = np.isfinite(X).all(-1) & np.isfinite(y)
        coefficients = np.linalg.lstsq(X[good], y[good], rcond=None)[0]
        found[part] = *coefficients, (y[good] - X[good] @ coefficients).std()
        for store, x, v in zip(rest_of, rows, values, strict=True):
            store[:, points] = v - x @ coefficients
    lag, value = autocorrelation(clips, rest_of)
    slow = curve_fit(lambda t, s: np.exp(-t / s), lag, value, p0=(0.1,), bounds=([0.01], [2.0]))
    return found, float(slow[0][0])


def _fit_coarse_size(
    clips: Sequence[Measured],
) -> tuple[tuple[float, float, float], tuple[float, float], list[Float[ndarray, "_ 33 3"]]]:
    """Size by the true legs, depth against size, and the errors that remain."""
    sizes, depths, legs, residual = [], [], [], []
    for clip in clips:
        true, seen = clip.view.crop_points[clip.observed], clip.coarse[clip.observed]
        size = (true[..., :2] * seen[..., :2]).sum() / (true[..., :2] ** 2).sum()
        depth = (true[..., 2] * seen[..., 2]).sum() / (true[..., 2] ** 2).sum() / size
        sizes.append(size)
        depths.append(depth)
        legs.append(leg_length(true) / LEG_M)
        scale = np.array([size, size, size * depth])
        residual.append(clip.coarse - scale * clip.view.crop_points)
    log_size, log_leg = np.log(sizes), np.log(legs)
    # A ridge towards "knows no statures" where the samples' people are all alike.
    spread = log_leg - log_leg.mean()
    ridge = 0.05**2
    exponent = ((spread * log_size).sum() - ridge) / ((spread**2).sum() + ridge)
    rest = log_size - exponent * log_leg
    size_law = (float(np.exp(rest.mean())), float(exponent), float(rest.std()))
    return size_law, (float(np.mean(depths)), float(np.std(depths))), residual


def _fit_swaps(clips: Sequence[Measured]) -> tuple[Episodes, Float[ndarray, "3"]]:
    """Share, lengths and kinds of exchanges."""
    frames = sum(int(clip.observed.sum()) for clip in clips)
    either = [clip.swapped.any(-1) & clip.observed for clip in clips]
    seen = float(sum(one.sum() for one in either))
    share = (seen + _SWAP_PRIOR[0] * _SWAP_PRIOR[1]) / (frames + _SWAP_PRIOR[0])
    swapped = np.concatenate([clip.swapped[clip.observed] for clip in clips])
    upper, lower = swapped.T
    kinds = np.array([(upper & lower).sum(), (upper & ~lower).sum(), (~upper & lower).sum()])
    kinds = kinds + np.array([2.0, 1.0, 1.0])
    return _fit_episodes(either, [clip.fps for clip in clips], share), kinds / kinds.sum()


def _fit_episodes(
    states: Sequence[Bool[ndarray, "_"]], fps: Sequence[float], share: float
) -> Episodes:
    seconds = [
        length / rate for state, rate in zip(states, fps, strict=True) for length in _runs(state)
    ]
    if len(seconds) < 3:
        return Episodes(share, *_EPISODE_LENGTH)
    logs = np.log(seconds)
    return Episodes(share, float(np.exp(np.median(logs))), float(logs.std()))


def _runs(state: Bool[ndarray, "frames"]) -> list[int]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], state, [False])).astype(np.int8)))
    return (edges[1::2] - edges[::2]).tolist()
