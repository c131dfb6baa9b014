"""The errors that the BlazePose networks make, drawn at random with a seed.

In the image: offsets that turn with the body (the network's idea of a hip), a constant of the
clip, and noise that is correlated in time and between points, larger where a point is fast or
hidden by the body, with spells of several times the size; confidence that falls with both; frames
in which the person is lost; stretches in which left and right are exchanged. The coarse 3D errs
likewise in metres, more in depth, with a wrong size and flattened depth. The figures are data
(``detector_error_model``); docs/worlds.md says where they come from and where they are wrong.
"""

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from scipy.signal import lfilter

from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.worlds.detector_error_model import (
    LEG_M,
    PART_OF,
    DetectorErrorModel,
    Episodes,
    Errors,
    shipped_model,
)
from motionfield.worlds.detector_view import View, leg_length, view_person

_MIRROR: Final = list(BLAZEPOSE_33.mirror)
_HIPS: Final = [BLAZEPOSE_33.index("left_hip"), BLAZEPOSE_33.index("right_hip")]
_SHOULDERS: Final = [BLAZEPOSE_33.index("left_shoulder"), BLAZEPOSE_33.index("right_shoulder")]
_HEAD_END: Final = BLAZEPOSE_33.index("left_shoulder")
_LOWER_START: Final = BLAZEPOSE_33.index("left_hip")
_POINTS: Final = len(PART_OF)
MOST_SPEED: Final = 3.0
"""Sizes per second; errors grow no further (the fastest limbs of the measured clips)."""
_MOST_GROWTH: Final = 12.0
"""Noise never exceeds this many times its usual size."""
_MOST_SHARE: Final = 0.9
LEAST_RELATIVE: Final = 0.1
"""Errors are told apart down to this share of the usual when confidence is given."""


@dataclass(frozen=True)
class DetectorErrorConfig:
    """How bad the made detector is: factors on what was measured; 0 turns a part off."""

    noise: float = 1.0
    """On all that varies in time in 2D."""
    bias: float = 1.0
    """On offsets and constants in 2D."""
    volatility: float = 1.0
    """On how much the size of the noise changes (2D and 3D)."""
    lost: float = 1.0
    """On the share of frames in which the person is not found."""
    swaps: float = 1.0
    """On the share of frames in which left and right are exchanged."""
    coarse: float = 1.0
    """On all errors of the coarse 3D."""


class Seen(NamedTuple):
    """What the made detector reports of one person; ``lost`` frames hold values, too."""

    keypoints_2d: Float[ndarray, "frames 33 3"]
    coarse_camera: Float[ndarray, "frames 33 3"]
    """Camera axes, hips at zero, metres."""
    lost: Bool[ndarray, "frames"]
    swapped: Bool[ndarray, "frames 2"]
    """Upper and lower half of the body."""


class Spells(NamedTuple):
    """How the size of the noise changes."""

    seconds: float
    """How long a spell lasts."""
    factor: float
    """On how strong spells are."""
    hard: float
    """How hard this clip is, in standard deviations among clips."""


def detect(
    pixels: Float[ndarray, "frames 33 2"],
    points_camera: Float[ndarray, "frames 33 3"],
    fps: float,
    rng: np.random.Generator,
    config: DetectorErrorConfig = DetectorErrorConfig(),
    model: DetectorErrorModel | None = None,
) -> Seen:
    """What a detector would report of BlazePose's keypoints.

    Args:
        pixels: true places in the image.
        points_camera: true places in camera axes, metres.
        fps: frames per second; errors are as long in seconds at every rate.
        rng: all randomness comes from here, in one stream per part of the model.
        model: the figures; None: those that ship.
    """
    model = model or shipped_model()
    view = view_person(pixels, points_camera, fps)
    streams = rng.spawn(5)
    hard = config.volatility * float(rng.normal())
    spells = Spells(model.volatility_s, config.volatility, hard)
    noise, growth = _image_noise(view, fps, streams[0], model, spells)
    error = config.noise * noise + config.bias * _constant(view, streams[1], model.image)[..., :2]
    error = view.size_px[:, None, None] / 100 * error
    confidence = _confidence(view, growth * config.noise, fps, streams[2], model)
    seen = np.concatenate((pixels + error, confidence[..., None]), axis=-1)
    coarse = _coarse(view, fps, streams[3], model, spells)
    coarse = view.crop_points + config.coarse * (coarse - view.crop_points)
    lost = draw_episodes(streams[4], len(pixels), fps, model.lost, config.lost)
    swapped = _draw_swaps(streams[4], len(pixels), fps, model, config.swaps)
    seen, coarse = _exchanged(seen, coarse, swapped)
    coarse = np.einsum("tij,tkj->tki", view.R_camera_crop, coarse)
    return Seen(seen.astype(np.float32), coarse.astype(np.float32), lost, swapped)


def _image_noise(
    view: View, fps: float, rng: np.random.Generator, model: DetectorErrorModel, spells: Spells
) -> tuple[Float[ndarray, "frames 33 2"], Float[ndarray, "frames 33"]]:
    """Noise in per cent of the size, and its length relative to what is usual."""
    unit = _grown_noise(view, fps, rng, model.image, spells)[..., :2]
    return unit * _xyz(model.image.sd)[:, :2], np.linalg.norm(unit, axis=-1) / math.sqrt(2)


def _coarse(
    view: View,
    fps: float,
    rng: np.random.Generator,
    model: DetectorErrorModel,
    spells: Spells,
) -> Float[ndarray, "frames 33 3"]:
    """The coarse 3D in crop axes, metres, hips at zero."""
    mean, exponent, size_sd = model.coarse_size
    flat, flat_sd = model.coarse_depth
    draw = rng.normal(size=2)
    size = mean * (leg_length(view.crop_points) / LEG_M) ** exponent
    size *= math.exp(size_sd * draw[0])
    wrong = np.array([size, size, size * (flat + flat_sd * draw[1])])
    noise = _grown_noise(view, fps, rng, model.coarse, spells) * _xyz(model.coarse.sd)
    error = (wrong - 1) * view.crop_points + _constant(view, rng, model.coarse) + noise
    error -= error[:, _HIPS].mean(1, keepdims=True)
    return view.crop_points + error


def _constant(
    view: View, rng: np.random.Generator, errors: Errors
) -> Float[ndarray, "frames 33 3"]:
    """Offsets that turn with the body and constants of the clip; crop axes."""
    turning = np.einsum("kb,tkbi->tki", errors.offset[PART_OF], view.basis)
    return turning + _mixed(rng, (1, _POINTS, 3), errors.correlation) * _xyz(errors.bias_sd)


def _grown_noise(
    view: View,
    fps: float,
    rng: np.random.Generator,
    errors: Errors,
    spells: Spells,
) -> Float[ndarray, "frames 33 3"]:
    """Noise of unit size for a point at rest, in sight and upright; larger for others."""
    shape = (len(view.size_px), _POINTS, 3)
    slow = _filtered(_mixed(rng, shape, errors.correlation), errors.slow_s[PART_OF] * fps)
    sudden = _mixed(rng, shape, errors.correlation)
    white = errors.white[PART_OF][:, None]
    z = _mixed(rng, (*shape[:2], 1), errors.correlation)
    z = _filtered(z, np.full(_POINTS, spells.seconds * fps))[..., 0]
    spell = spells.factor * errors.volatility[PART_OF] * z + errors.clip_sd * spells.hard
    growth = np.minimum(noise_growth(view, errors) * np.exp(spell), _MOST_GROWTH)
    return growth[..., None] * (np.sqrt(1 - white) * slow + np.sqrt(white) * sudden)


def noise_growth(view: View, errors: Errors) -> Float[ndarray, "frames 33"]:
    """How many times its size at rest, in sight and upright the noise is, spells apart."""
    fast = 1 + errors.by_speed[PART_OF] * np.minimum(view.speed, MOST_SPEED)
    hidden = 1 + errors.by_occlusion[PART_OF] * view.occlusion
    return fast * hidden * (1 + errors.by_tilt * view.tilt[:, None])


def _confidence(
    view: View,
    relative: Float[ndarray, "frames 33"],
    fps: float,
    rng: np.random.Generator,
    model: DetectorErrorModel,
) -> Float[ndarray, "frames 33"]:
    """Falls where a point is hidden and where its noise is larger than usual (1)."""
    sure, hidden, wrong, sd = model.confidence[PART_OF].T
    slow = np.full(_POINTS, model.confidence_s * fps)
    rest = _filtered(rng.normal(size=(*relative.shape, 1)), slow)[..., 0]
    logit = sure + hidden * view.occlusion + wrong * np.log(relative + LEAST_RELATIVE) + sd * rest
    return 1 / (1 + np.exp(-logit))


def draw_episodes(
    rng: np.random.Generator, frames: int, fps: float, episodes: Episodes, factor: float = 1.0
) -> Bool[ndarray, "frames"]:
    """Frames within episodes that begin at random times, of random lengths; may be none."""
    share = min(factor * episodes.share, _MOST_SHARE)
    # Begun before the first frame, too, so that the share is the same throughout.
    before = 5 * episodes.mean_s
    # Episodes overlap: of a Poisson process the share left free is exp(-rate * length).
    rate = -math.log(1 - share) / episodes.mean_s
    count = rng.poisson(rate * (before + frames / fps))
    begin = rng.uniform(-before, frames / fps, count)
    length = episodes.median_s * np.exp(episodes.log_sd * rng.normal(size=count))
    time_s = np.arange(frames)[:, None] / fps
    within = (time_s >= begin) & (time_s < begin + np.maximum(length, 1 / fps))
    return np.any(within, axis=-1)


def _draw_swaps(
    rng: np.random.Generator, frames: int, fps: float, model: DetectorErrorModel, factor: float
) -> Bool[ndarray, "frames 2"]:
    """Where upper and lower half are exchanged: both together, or one alone."""
    swaps = model.swaps
    kinds = [
        draw_episodes(
            rng, frames, fps, Episodes(swaps.share * kind, swaps.median_s, swaps.log_sd), factor
        )
        for kind in model.swap_kinds
    ]
    return np.stack((kinds[0] | kinds[1], kinds[0] | kinds[2]), axis=-1)


def _exchanged(
    seen: Float[ndarray, "frames 33 3"],
    coarse: Float[ndarray, "frames 33 3"],
    swapped: Bool[ndarray, "frames 2"],
) -> tuple[Float[ndarray, "frames 33 3"], Float[ndarray, "frames 33 3"]]:
    """Labels of both halves exchanged; where the upper is, the face looks the other way."""
    halves = np.repeat(swapped, (_LOWER_START, _POINTS - _LOWER_START), axis=1)[..., None]
    seen = np.where(halves, seen[:, _MIRROR], seen)
    coarse = np.where(halves, coarse[:, _MIRROR], coarse)
    middle = coarse[:, _SHOULDERS, 2].mean(1, keepdims=True)
    face = coarse[:, :_HEAD_END, 2]
    coarse[:, :_HEAD_END, 2] = np.where(swapped[:, :1], 2 * middle - face, face)
    return seen, coarse


def _xyz(sd: Float[ndarray, "parts 2"]) -> Float[ndarray, "33 3"]:
    """Across, across, along the line of sight, for every point."""
    return sd[PART_OF][:, [0, 0, 1]]


def _mixed(
    rng: np.random.Generator,
    shape: tuple[int, int, int],
    correlation: Float[ndarray, "points points"],
) -> Float[ndarray, "frames points axes"]:
    """White unit noise, correlated between points."""
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    return np.einsum("kj,tja->tka", root, rng.normal(size=shape), optimize=True)


def _filtered(
    drive: Float[ndarray, "frames points axes"], memory: Float[ndarray, "points"]
) -> Float[ndarray, "frames points axes"]:
    """Each point's white noise with a memory of its own, in frames."""
    made = np.empty_like(drive)
    for frames in np.unique(memory):
        same = memory == frames
        made[:, same] = remembering(drive[:, same], frames)
    return made


def remembering(
    drive: Float[ndarray, "frames *shape"], frames: float
) -> Float[ndarray, "frames *shape"]:
    """Stationary first-order noise along the first axis, made of white noise of unit variance.

    Its correlation falls to 1/e within ``frames`` frames (0: it stays white).
    """
    if frames <= 0:
        return drive.copy()
    keep = math.exp(-1 / frames)
    scaled = drive * math.sqrt(1 - keep**2)
    # The first value is drawn from the stationary law, so no time is needed to settle.
    scaled[:1] = drive[:1]
    return lfilter([1.0], [1.0, -keep], scaled, axis=0)
