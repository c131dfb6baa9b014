"""The repetitions of one movement inside one long clip.

A stretch of the clip is looked for that comes back most: the one whose copies explain the most of
all movement in the clip, and the shortest such one, for two repetitions in a row come back, too.
Nothing has to be periodic: between copies a person may rest or do other things.
"""

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from motionfield.body.base import Body
from motionfield.body.pose_features import PoseFeatures, pose_distances, pose_features
from motionfield.core.errors import OptionError
from motionfield.data.motion import Motion
from motionfield.geometry.resample import resample_positions
from motionfield.geometry.time_warp import warp_paths

_MOST_SAMPLES: Final = 900
_COARSE: Final = 24
"""Samples of a copy where copies are compared with each other."""
_ENDS: Final = 1.6
"""The first and last pose of a copy may be so many times as far off as all may be in the mean."""
_WHOLE: Final = 0.65
"""A copy moves at least so much as the model does, or it is a part of one."""
_HOLD_M: Final = 0.02
"""Price of a sample at which a copy and its model do not go on together."""
_CURE: Final = "give single takes, a longer clip, --range, or --method fit"


@dataclass(frozen=True)
class CutConfig:
    """What counts as a repetition."""

    count: int | Literal["auto"] = "auto"
    """Exactly so many are wanted, or as many as are found."""
    shortest_s: float = 0.4
    longest_s: float = 12.0
    rate_hz: float = 12.0
    """Poses compared per second."""
    likeness: float = 0.35
    """A copy's poses are nearer than this share of the movement's own spread …"""
    noise_m: float = 0.05
    """… after this much, which a first 3D has wrong."""
    enough: float = 0.85
    """A shorter stretch is taken that explains this share of what the best one explains."""


class _Clip(NamedTuple):
    """A motion sampled evenly."""

    features: PoseFeatures
    distance: Float[ndarray, "samples samples"]
    """Of every two poses, metres."""
    moved: Float[ndarray, "samples"]
    """Path of the pose up to each sample, metres."""
    step_s: float


class _Finding(NamedTuple):
    score: float
    length: int
    starts: list[int]
    model: int
    """The start that the others were compared with."""


def find_repetitions(motion: Motion, body: Body, config: CutConfig = CutConfig()) -> list[slice]:
    """Frames of each repetition, in order; they do not overlap.

    Every one goes from the same phase to the same phase of the movement; what is incomplete at
    the ends of the clip is left out.

    Raises:
        OptionError: no movement, or fewer repetitions than asked for, were found.
    """
    duration = float(motion.time_s[-1] - motion.time_s[0])
    clip = _sampled(motion, body, config)
    guess = _best(clip, config)
    found = None if guess is None else _segmented(clip, guess, config)
    wanted = config.count if config.count != "auto" else 2
    if found is None or len(found.spans) < wanted:
        number = "no movement that comes back was" if found is None else f"{len(found.spans)} were"
        raise OptionError(
            f"--repetitions {config.count}: {number} found in {duration:.1f} s; {_CURE}"
        )
    time = motion.time_s - motion.time_s[0]
    edges = np.searchsorted(time, found.spans * clip.step_s - 1e-6)
    edges[:, 1] += 1
    # Neighbours that follow without a rest share a sample: the later one begins after it.
    edges[1:, 0] = np.maximum(edges[1:, 0], edges[:-1, 1])
    return [slice(int(start), int(end)) for start, end in edges]


def _sampled(motion: Motion, body: Body, config: CutConfig) -> _Clip:
    time = torch.tensor(motion.time_s - motion.time_s[0])
    samples = int(np.clip(round(float(time[-1]) * config.rate_hz) + 1, 2, _MOST_SAMPLES))
    at = torch.linspace(0, 1, samples, dtype=torch.float64) * time[-1]
    raw = pose_features(motion, body, smooth_s=1.5 / config.rate_hz)
    flat = torch.view_as_complex(resample_positions(torch.view_as_real(raw.flat), time, at))
    features = PoseFeatures(flat, resample_positions(raw.height, time, at))
    distance = pose_distances(features, features).double().numpy()
    moved = np.concatenate(([0.0], np.cumsum(np.diagonal(distance, 1))))
    return _Clip(features, distance, moved, float(time[-1]) / max(samples - 1, 1))


def _best(clip: _Clip, config: CutConfig) -> _Finding | None:
    """The shortest of the stretches whose copies explain nearly the most movement."""
    samples = len(clip.moved)
    low = max(4, round(config.shortest_s / clip.step_s))
    high = min(samples // 2, round(config.longest_s / clip.step_s))
    if config.count != "auto":
        high = min(high, samples // max(config.count - 1, 1))
    if high < low:
        return None
    lengths = sorted({int(n) for n in np.geomspace(low, high, 24)})
    findings = [f for length in lengths if (f := _of_length(clip, length, config)) is not None]
    if config.count != "auto":
        findings = [f for f in findings if len(f.starts) >= config.count] or findings
    if not findings:
        return None
    most = max(f.score for f in findings)
    return next(f for f in findings if f.score >= config.enough * most)


def _of_length(clip: _Clip, length: int, config: CutConfig) -> _Finding | None:
    """The stretch of this length whose copies explain most."""
    samples = len(clip.moved)
    starts = samples - length + 1
    # Mean distance of the stretches that start at two samples: sums along diagonals.
    total = np.zeros((samples + 1, samples + 1))
    total[1:, 1:] = clip.distance
    for row in range(1, samples + 1):
        total[row, 1:] += total[row - 1, :-1]
    apart = (total[length:, length:] - total[:starts, :starts]) / length
    own = _spread(clip, length)
    path = clip.moved[length - 1 :] - clip.moved[:starts]
    limit = config.likeness * own + config.noise_m
    busy = (own > config.noise_m) & (path > 0.25 * path.max())
    haste = _haste(clip, length)
    best: _Finding | None = None
    for model in np.flatnonzero(busy)[:: max(1, length // 8)]:
        chosen = _copies(apart[model], float(limit[model]), length)
        if len(chosen) < 2:
            continue
        nearness = 1 - apart[model, chosen] / (2 * limit[model])
        score = float((path[chosen] * nearness).sum())
        # Cuts are best where the body rests.
        score *= 1 - 0.2 * haste[model]
        if best is None or score > best.score:
            best = _Finding(float(score), length, chosen, int(model))
    return best


def _spread(clip: _Clip, length: int) -> Float[ndarray, "starts"]:
    """How far the poses of each stretch are from each other, in the mean."""
    starts = len(clip.moved) - length + 1
    block = np.zeros((len(clip.moved) + 1, len(clip.moved) + 1))
    block[1:, 1:] = clip.distance.cumsum(0).cumsum(1)
    i = np.arange(starts)
    j = i + length
    return (block[j, j] - block[i, j] - block[j, i] + block[i, i]) / length**2


def _copies(row: ndarray, limit: float, length: int) -> list[int]:
    """Starts of the nearest stretches that do not overlap, in order."""
    chosen: list[int] = []
    # Copies of other lengths than the model's may lie closer together than it is long.
    reach = max(1, round(0.8 * length))
    left = row.copy()
    while True:
        start = int(left.argmin())
        if left[start] > limit:
            return sorted(chosen)
        chosen.append(start)
        left[max(0, start - reach + 1) : start + reach] = np.inf


def _haste(clip: _Clip, length: int) -> Float[ndarray, "starts"]:
    """Speed at the ends of each stretch against its mean speed, at most 1."""
    speed = np.gradient(clip.moved)
    mean = (clip.moved[length - 1 :] - clip.moved[: 1 - length]) / (length - 1)
    ends = 0.5 * (speed[length - 1 :] + speed[: 1 - length])
    return np.minimum(ends / np.maximum(mean, 1e-9), 1.0)


class _Spans(NamedTuple):
    spans: Int[ndarray, "copies 2"]
    """First and last sample."""
    cost: Float[ndarray, "copies"]
    """Mean distance from the model."""


def _segmented(clip: _Clip, guess: _Finding, config: CutConfig) -> _Spans | None:
    """All copies of a stretch, each at its own pace, and then of the copy most like the others."""
    model = (guess.model, guess.model + guess.length - 1)
    found = None
    for _ in range(3):
        again = _copies_of(clip, model, config)
        if len(again.spans) < 2:
            break
        found = again
        central = _most_central(clip, found.spans)
        if central == model:
            break
        model = central
    if found is not None and config.count != "auto" and len(found.spans) > config.count:
        best = np.sort(np.argsort(found.cost)[: config.count])
        found = _Spans(found.spans[best], found.cost[best])
    return found


def _most_central(clip: _Clip, spans: Int[ndarray, "copies 2"]) -> tuple[int, int]:
    """The copy that is nearest to all others after alignment in time."""
    at = np.rint(np.linspace(spans[:, 0], spans[:, 1], _COARSE, axis=1)).astype(int)
    table = clip.distance[at[:, None, :, None], at[None, :, None, :]]
    cost = warp_paths(table.reshape(-1, _COARSE, _COARSE), _HOLD_M).cost
    first, last = spans[int(np.median(cost.reshape(len(spans), -1), axis=1).argmin())]
    return int(first), int(last)


def _copies_of(clip: _Clip, model: tuple[int, int], config: CutConfig) -> _Spans:
    """The cheapest way through the clip by copies of the model, each whole, and rest between them.

    A sample of a copy costs its distance from the model, any other sample what a copy may cost at
    the most, or little where the body rests (Viterbi). Copies go on in the model by 0 to 2 samples.
    """
    table = clip.distance[:, model[0] : model[1] + 1]
    samples, length = table.shape
    own = clip.distance[model[0] : model[1] + 1, model[0] : model[1] + 1].mean()
    limit = float(config.likeness * own + config.noise_m)
    pace = np.gradient(clip.moved)
    usual = (clip.moved[model[1]] - clip.moved[model[0]]) / max(length - 1, 1)
    # A copy begins and ends as the model does.
    table = table.copy()
    table[table[:, 0] > _ENDS * limit, 0] = np.inf
    table[table[:, -1] > _ENDS * limit, -1] = np.inf
    outside = limit * np.clip(pace / (0.5 * usual), 0.1, 1)
    total = np.full(length, np.inf)
    total[0] = table[0, 0]
    free = outside[0]
    came = np.zeros((samples, length), np.int8)
    free_from_copy = np.zeros(samples, bool)
    enter_from_copy = np.zeros(samples, bool)
    for t in range(1, samples):
        ways = np.full((3, length), np.inf)
        ways[0] = total + _HOLD_M
        ways[1, 1:] = total[:-1]
        ways[2, 2:] = total[:-2] + _HOLD_M
        enter_from_copy[t] = total[-1] < free
        # Entering the model at its first sample counts as going on by one.
        ways[1, 0] = min(total[-1], free)
        came[t] = ways.argmin(0)
        free_from_copy[t] = total[-1] < free
        free = outside[t] + min(free, total[-1])
        total = ways.min(0) + table[t]
    found = _traced(table, came, free_from_copy, enter_from_copy, bool(total[-1] < free), limit)
    path = clip.moved[found.spans[:, 1]] - clip.moved[found.spans[:, 0]]
    whole = path > _WHOLE * (clip.moved[model[1]] - clip.moved[model[0]])
    return _Spans(found.spans[whole], found.cost[whole])


def _traced(
    table: Float[ndarray, "samples length"],
    came: Int[ndarray, "samples length"],
    free_from_copy: Bool[ndarray, "samples"],
    enter_from_copy: Bool[ndarray, "samples"],
    ends_in_copy: bool,
    limit: float,
) -> _Spans:
    """Back along the cheapest way."""
    samples, length = table.shape
    spans, costs = [], []
    place = length - 1 if ends_in_copy else -1
    last, cost = samples - 1, 0.0
    for t in range(samples - 1, -1, -1):
        if place < 0:
            if free_from_copy[t]:
                place, last, cost = length - 1, t - 1, 0.0
            continue
        cost += table[t, place]
        if place == 0 and (t == 0 or came[t, 0] == 1):
            spans.append((t, last))
            costs.append(cost / (last - t + 1))
            place, last, cost = (length - 1, t - 1, 0.0) if enter_from_copy[t] else (-1, t, 0.0)
        elif t > 0:
            place -= int(came[t, place])
    good = [k for k in range(len(spans) - 1, -1, -1) if costs[k] < limit]
    return _Spans(
        np.array([spans[k] for k in good], int).reshape(-1, 2), np.array([costs[k] for k in good])
    )
