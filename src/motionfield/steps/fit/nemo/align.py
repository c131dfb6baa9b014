"""How far the action has come in each frame of each take: poses set against poses in time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from motionfield.body.base import Body
from motionfield.body.pose_features import PoseFeatures, pose_distances, pose_features
from motionfield.data.motion import Motion
from motionfield.geometry.resample import resample_positions
from motionfield.geometry.time_warp import warp_paths


@dataclass(frozen=True)
class AlignConfig:
    """Chosen on the val split's repetitions."""

    grid: int = 256
    """Samples of a take and of the mean motion at the most."""
    smooth_s: float = 0.1
    """Reach of the smoothing of each take before it is compared."""
    speed_weight: float = 0.5
    """How much the points' speeds count against their places."""
    hold_m: float = 0.01
    """Price of a moment in which one take waits while the mean goes on, or the other way."""
    skip_m: float = 0.1
    """A moment before or after all of the mean motion costs as much as poses so far apart, or …"""
    skip_ratio: float = 2.0
    """… this many times as far as the takes usually are from their mean, if that is more."""
    smooth_phase: float = 0.02
    """Standard deviation of the smoothing of each take's time warp, of the take's length."""
    margin: float = 0.25
    """What takes show before or after the part that most of them share gets at most so much
    phase at either end, relative to the part shared."""
    iterations: int = 5


class Alignment(NamedTuple):
    """Takes of one action on one time."""

    phases: list[Float[Tensor, "frames"]]
    """Per take: strictly growing, in [0, 1] over all takes together."""
    shared: tuple[float, float]
    """Between these phases at least half of the takes have frames."""
    distance_m: Float[Tensor, "takes"]
    """Root mean square distance of each take's joints from the others' mean at equal phase, after
    the best turn of each frame: places about the root of a body of average shape."""


def align_phases(
    motions: Sequence[Motion], body: Body, config: AlignConfig = AlignConfig()
) -> list[Float[Tensor, "frames"]]:
    """``align_takes(...).phases``."""
    return align_takes(motions, body, config).phases


def align_takes(
    motions: Sequence[Motion], body: Body, config: AlignConfig = AlignConfig()
) -> Alignment:
    """Set takes of one action against each other in time.

    Every take is warped onto a mean motion that the takes make together (it starts as the take
    nearest to all others); the mean's time is the mean of the takes' times, so phase grows by
    1 / duration in the mean. Takes may begin before or end after the others, rest where others do
    not, and have any rate and length. Facing and place do not matter. Who is mirrored has to be
    mirrored before.
    """
    length = int(np.clip(max(m.num_frames for m in motions), 16, config.grid))
    takes = [_Take.of(motion, body, length, config) for motion in motions]
    mean = _Mean.of_take(takes[_medoid(takes, config)])
    places = [np.linspace(0, 1, length)] * len(takes)
    usual = 0.15 / config.skip_ratio
    for _ in range(config.iterations):
        places, usual = _warped(takes, mean, max(config.skip_m, config.skip_ratio * usual), config)
        places, mean = _timed(takes, places, length, config)
    return _result(motions, takes, places, config)


def take_features(motion: Motion, body: Body, samples: int, config: AlignConfig) -> PoseFeatures:
    """A take at even steps of its own time: the points' places, then their speeds."""
    places = take_places(motion, body, samples, config)
    return places.joined(_speeds(places), config.speed_weight)


def take_places(motion: Motion, body: Body, samples: int, config: AlignConfig) -> PoseFeatures:
    """A take at even steps of its own time."""
    raw = pose_features(motion, body, config.smooth_s)
    time = torch.tensor(motion.time_s - motion.time_s[0])
    at = torch.linspace(0, 1, samples, dtype=torch.float64) * time[-1]
    return _resampled(raw, time, at)


class _Take(NamedTuple):
    """A take, sampled evenly over its own time."""

    features: PoseFeatures
    places_alone: PoseFeatures

    @classmethod
    def of(cls, motion: Motion, body: Body, samples: int, config: AlignConfig) -> "_Take":
        places = take_places(motion, body, samples, config)
        return cls(places.joined(_speeds(places), config.speed_weight), places)


def _resampled(features: PoseFeatures, time: Tensor, at: Tensor) -> PoseFeatures:
    flat = torch.view_as_complex(resample_positions(torch.view_as_real(features.flat), time, at))
    return PoseFeatures(flat, resample_positions(features.height, time, at))


def _speeds(places: PoseFeatures) -> PoseFeatures:
    """Of the points, as steps that are 0.2 m long in the root mean square over the take."""
    flat, height = torch.gradient(places.flat, dim=0)[0], torch.gradient(places.height, dim=0)[0]
    usual = (flat.abs().square() + height.square()).mean().sqrt().clamp_min(1e-6)
    return PoseFeatures(0.2 * flat / usual, 0.2 * height / usual)


class _Mean(NamedTuple):
    """The motion that the takes make together; samples at even steps of its time."""

    features: PoseFeatures
    cover: Float[ndarray, "samples"]
    """Share of the takes that have frames there."""
    time: Float[ndarray, "samples"]

    @classmethod
    def of_take(cls, take: _Take) -> "_Mean":
        samples = len(take.features.height)
        return cls(take.features, np.ones(samples), np.linspace(0, 1, samples))


def _table(takes: Sequence[PoseFeatures], others: Sequence[PoseFeatures]) -> ndarray:
    return np.stack(
        [pose_distances(a, b).double().numpy() for a, b in zip(takes, others, strict=True)]
    )


def _medoid(takes: Sequence[_Take], config: AlignConfig) -> int:
    """The take that is aligned with all others at the least cost."""
    count = len(takes)
    coarse = [
        PoseFeatures(*(part[:: max(1, len(part) // 64)] for part in take.features))
        for take in takes
    ]
    costs = np.zeros((count, count))
    for i in range(count):
        others = coarse[i + 1 :]
        if others:
            table = _table([coarse[i]] * len(others), others)
            costs[i, i + 1 :] = warp_paths(table, config.hold_m).cost
    # The median: one take of another action moves nothing.
    return int(np.median(costs + costs.T, axis=1).argmin())


def _warped(
    takes: Sequence[_Take], mean: _Mean, skip: float, config: AlignConfig
) -> tuple[list[Float[ndarray, "samples"]], float]:
    """The mean's time at each sample of each take; growing, at the take's pace where skipped.

    Also how far the takes usually are from the mean.
    """
    features = [take.features for take in takes]
    table = _table(features, [mean.features] * len(takes))
    weight = np.where(np.abs(mean.time - 0.5) < 0.2, np.inf, mean.cover)
    paths = warp_paths(table, config.hold_m, skip, weight)
    samples = table.shape[1]
    own = np.linspace(0, 1, samples)
    found, far = [], []
    for row, distance in zip(paths.place, table, strict=True):
        met = np.flatnonzero(np.isfinite(row))
        far.append(np.median(distance[met, np.rint(row[met]).astype(int)]))
        place = np.interp(row[met], np.arange(len(mean.time)), mean.time)
        # At least half of a take is what the others show, or its pace would be anybody's guess.
        pace = (place[-1] - place[0]) / max(own[met[-1]] - own[met[0]], 0.5)
        before = place[0] - pace * (own[met[0]] - own[: met[0]])
        after = place[-1] + pace * (own[met[-1] + 1 :] - own[met[-1]])
        place = np.concatenate((before, place, after))
        found.append(_smoothed(place, pace, config.smooth_phase))
    return found, float(np.median(far))


def _smoothed(place: Float[ndarray, "samples"], pace: float, sd: float) -> ndarray:
    """Without the stairs of a path through a grid; still growing, and straight lines stay."""
    samples = len(place)
    line = np.linspace(0, pace, samples)
    reach = int(np.ceil(4 * sd * samples))
    # Mirrored through the end points, which keeps slopes and order.
    off = np.pad(place, reach, mode="reflect", reflect_type="odd")
    smooth = gaussian_filter1d(off, sd * samples)[reach : reach + samples]
    return 0.98 * smooth + 0.02 * (line + smooth[0])


def _timed(
    takes: Sequence[_Take],
    places: Sequence[Float[ndarray, "samples"]],
    samples: int,
    config: AlignConfig,
) -> tuple[list[Float[ndarray, "samples"]], _Mean]:
    """Give the mean motion the mean of the takes' times, and make it anew."""
    own = np.linspace(0, 1, samples)
    low, high = min(p[0] for p in places), max(p[-1] for p in places)
    fine = np.linspace(low, high, 4 * samples)
    pace, cover = np.zeros_like(fine), np.zeros_like(fine)
    for place in places:
        inside = (fine >= place[0]) & (fine <= place[-1])
        if not inside.any():  # The whole take lies between two samples: it has no pace.
            continue
        rate = np.gradient(np.interp(fine, place, own), fine)
        pace += np.where(inside, rate / rate[inside].mean(), 0)
        cover += inside
    pace = np.where(cover > 0, pace / np.maximum(cover, 1), 1)
    time = np.concatenate(([0.0], np.cumsum(0.5 * (pace[1:] + pace[:-1]) * np.diff(fine))))
    start, end = _shared(fine, cover / len(places), time)
    scale = 1 / (end - start)
    time = _pressed((time - start) * scale, config.margin)
    places = [np.interp(place, fine, time) for place in places]
    return places, _mean_motion(takes, places, samples)


def _shared(fine: ndarray, cover: ndarray, time: ndarray) -> tuple[float, float]:
    """Times between which at least half of the takes have frames."""
    half = np.flatnonzero(cover >= min(0.5, cover.max()))
    return float(time[half[0]]), float(time[half[-1]])


def _pressed(time: Float[ndarray, "samples"], margin: float) -> ndarray:
    """Times before 0 and after 1 within the margin: as they are near by, pressed far out."""

    def press(outside: ndarray) -> ndarray:
        most = max(float(outside.max()), 1e-9)
        if most <= margin:
            return outside
        # Slope 1 at first, then less; the last one is at the margin.
        return margin * (1 - np.maximum(1 - outside / most, 0) ** (most / margin))

    return np.clip(time, 0, 1) - press(np.maximum(-time, 0)) + press(np.maximum(time - 1, 0))


def _mean_motion(
    takes: Sequence[_Take], places: Sequence[Float[ndarray, "samples"]], samples: int
) -> _Mean:
    time = np.linspace(min(p[0] for p in places), max(p[-1] for p in places), samples)
    shown, inside = _at(takes, places, time, False)
    return _Mean(_averaged(shown, inside), inside.mean(0), time)


def _at(
    takes: Sequence[_Take],
    places: Sequence[Float[ndarray, "samples"]],
    time: Float[ndarray, "times"],
    alone: bool,
) -> tuple[list[PoseFeatures], Float[ndarray, "takes times"]]:
    """The takes at times of the mean, and where they have frames."""
    own = torch.linspace(0, 1, len(places[0]), dtype=torch.float64)
    shown, inside = [], []
    for take, place in zip(takes, places, strict=True):
        at = torch.tensor(np.interp(time, place, own.numpy()))
        part = take.places_alone if alone else take.features
        shown.append(_resampled(part, own, at))
        inside.append((time >= place[0] - 1e-9) & (time <= place[-1] + 1e-9))
    return shown, np.array(inside, float)


def _averaged(shown: Sequence[PoseFeatures], weight: Float[ndarray, "takes times"]) -> PoseFeatures:
    """The mean pose at each time, all turned one way; what is far from it counts less."""
    given = torch.tensor(weight, dtype=torch.float32)
    # Everybody is first turned to the take that is nearest to the others at each time.
    order = given.argmax(0)
    times = torch.arange(len(order))
    flat = torch.stack([s.flat for s in shown])[order, times]
    height = torch.stack([s.height for s in shown])[order, times]
    mean = PoseFeatures(flat, height)
    share = given / given.sum(0).clamp_min(1e-9)
    for _ in range(4):
        turned = [s.turned_to(mean) for s in shown]
        flat = sum((w[:, None] * t.flat for w, t in zip(share, turned, strict=True)), 0 * mean.flat)
        height = sum(
            (w[:, None] * t.height for w, t in zip(share, turned, strict=True)), 0 * mean.height
        )
        mean = PoseFeatures(flat, height)
        far = torch.stack([t.distance_to(mean) for t in turned])
        usual = (far * given).sum(1) / given.sum(1).clamp_min(1e-9)
        trust = given / (1 + (usual / usual.median().clamp_min(1e-3)).square())[:, None]
        share = trust / trust.sum(0).clamp_min(1e-9)
    return mean


def _result(
    motions: Sequence[Motion],
    takes: Sequence[_Take],
    places: Sequence[Float[ndarray, "samples"]],
    config: AlignConfig,
) -> Alignment:
    low, high = min(p[0] for p in places), max(p[-1] for p in places)
    phases = []
    for motion, place in zip(motions, places, strict=True):
        own = (motion.time_s - motion.time_s[0]) / (motion.time_s[-1] - motion.time_s[0])
        at = np.interp(own, np.linspace(0, 1, len(place)), (place - low) / (high - low))
        phases.append(torch.tensor(at, dtype=torch.float32).clamp(0, 1))
    shared = (-low / (high - low), (1 - low) / (high - low))
    return Alignment(phases, shared, distances_from_others(takes, places))


def distances_from_others(
    takes: Sequence[_Take], places: Sequence[Float[ndarray, "samples"]]
) -> Float[Tensor, "takes"]:
    """See ``Alignment.distance_m``."""
    time = np.linspace(0, 1, len(places[0]))
    shown, inside = _at(takes, places, time, True)
    found = []
    for index, own in enumerate(shown):
        rest = [s for other, s in enumerate(shown) if other != index]
        cover = np.delete(inside, index, axis=0)
        far = own.distance_to(_averaged(rest, cover))
        both = torch.tensor((inside[index] > 0) & (cover.sum(0) > 0), dtype=torch.float32)
        found.append(((far.square() * both).sum() / both.sum().clamp_min(1)).sqrt())
    return torch.stack(found)
