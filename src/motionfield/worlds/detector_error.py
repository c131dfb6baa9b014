"""The errors that the BlazePose networks make, drawn at random with a seed.

2D, in shares of the person's box height: a constant bias per keypoint, a slow error (time constant
about 0.11 s), white jitter of a third of the whole, episodes of several times the size with low
confidence, lost frames, and bursts in which left and right are exchanged. The coarse 3D: a slow
error whose larger part lies in depth, a constant bias, a wrong size.

The figures are those of the networks on four synchronised views, each camera against the
triangulation of the other three, whose own errors are taken off (factor 0.82).
"""

import math
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from scipy.signal import lfilter

from motionfield.core.keypoint_sets import BLAZEPOSE_33

Network = Literal["full", "heavy"]

_OWN_SHARE: Final = 0.82
_COLUMNS: Final = {"full": 0, "heavy": 1}
_COARSE_LIMBS: Final = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")


class _PartError(NamedTuple):
    """Errors of one part of the body, per cent of the box height, (full, heavy)."""

    bias: tuple[float, float]
    """Mean length of the constant offset."""
    sd: tuple[float, float]
    """Robust standard deviation per axis of all that varies."""
    jitter: tuple[float, float]
    """White part of it."""
    episodes: float
    """Share of frames in episodes of several times the size."""
    coarse: float
    """Size of the 3D error relative to the mean of the limb joints."""


_PARTS: Final = {
    "nose": _PartError((2.1, 2.1), (1.6, 1.3), (0.53, 0.51), 0.02, 0.8),
    "ear": _PartError((1.2, 1.2), (1.0, 0.76), (0.33, 0.35), 0.02, 0.8),
    "shoulder": _PartError((0.76, 0.56), (0.71, 0.58), (0.21, 0.20), 0.02, 0.6),
    "elbow": _PartError((0.91, 0.80), (1.05, 0.94), (0.31, 0.27), 0.05, 1.1),
    "wrist": _PartError((0.69, 0.61), (1.2, 1.0), (0.36, 0.31), 0.05, 1.4),
    "hip": _PartError((1.05, 1.03), (0.83, 0.71), (0.20, 0.17), 0.02, 0.5),
    "knee": _PartError((0.61, 0.48), (1.1, 0.94), (0.35, 0.27), 0.05, 1.1),
    "ankle": _PartError((0.87, 0.48), (0.92, 0.64), (0.37, 0.27), 0.05, 1.3),
    "heel": _PartError((1.24, 0.87), (1.2, 0.98), (0.45, 0.33), 0.05, 1.35),
    "foot_index": _PartError((1.57, 1.42), (1.25, 1.04), (0.44, 0.37), 0.05, 1.4),
}
_LIKE: Final = {"eye": "nose", "mouth": "nose", "pinky": "wrist", "index": "wrist"}
_LIKE_THUMB: Final = "wrist"


@dataclass(frozen=True)
class DetectorErrorConfig:
    """How bad the made detector is; 0 turns a part off."""

    network: Network = "full"
    noise: float = 1.0
    """Factor on slow error, jitter and episodes in 2D."""
    bias: float = 1.0
    """Factor on the constant offsets in 2D."""
    slow_s: float = 0.11
    """Time constant of the slow error, seconds."""
    episodes: float = 1.0
    """Factor on how often errors of several times the size occur."""
    episode_s: float = 0.1
    """Mean length of such an episode, seconds."""
    episode_size: float = 3.5
    """Mean factor on the slow error during one."""
    lost_share: float = 0.01
    """Share of frames in which the person is not found."""
    lost_s: float = 0.1
    swaps_per_s: float = 0.0
    """Bursts with left and right exchanged; trackers repair most."""
    swap_s: float = 0.08
    coarse_m: float = 0.075
    """Mean 3D error of the limb joints in metres, bias included."""
    coarse_depth_share: float = 0.65
    """Share of the squared 3D error that lies in depth."""
    coarse_size_sd: float = 0.04
    """Standard deviation of the wrong size of the coarse 3D (it knows no statures)."""


class Seen(NamedTuple):
    """What the made detector reports of one person; ``lost`` frames hold values, too."""

    keypoints_2d: Float[ndarray, "frames 33 3"]
    coarse_camera: Float[ndarray, "frames 33 3"]
    lost: Bool[ndarray, "frames"]
    swapped: Bool[ndarray, "frames"]


def detect(
    pixels: Float[ndarray, "frames 33 2"],
    points_camera: Float[ndarray, "frames 33 3"],
    fps: float,
    rng: np.random.Generator,
    config: DetectorErrorConfig = DetectorErrorConfig(),
) -> Seen:
    """What a detector would report of BlazePose's keypoints.

    Args:
        pixels: true places in the image.
        points_camera: true places in camera axes, metres.
        fps: frames per second; errors are as long in seconds at every rate.
        rng: all randomness comes from here, drawn in a fixed order.
    """
    parts = [_PARTS[_part(name)] for name in BLAZEPOSE_33.keypoint_names]
    frames = len(pixels)
    parts = [_PARTS[_part(name)] for name in BLAZEPOSE_33.keypoint_names]
    error, episode = _image_error(pixels, parts, fps, rng, config)
    confidence = _confidence(rng, episode & (config.noise > 0))
    seen = np.concatenate((pixels + error, confidence[..., None]), axis=-1)
    coarse = _coarse(points_camera, parts, fps, rng, config)
    lost = _of_person(rng, frames, config.lost_share, config.lost_s * fps)
    swapped = _of_person(rng, frames, config.swaps_per_s * config.swap_s, config.swap_s * fps)
    mirror = list(BLAZEPOSE_33.mirror)
    seen[swapped] = seen[swapped][:, mirror]
    coarse[swapped] = coarse[swapped][:, mirror]
    return Seen(seen.astype(np.float32), coarse.astype(np.float32), lost, swapped)


def _image_error(
    pixels: Float[ndarray, "frames 33 2"],
    parts: list[_PartError],
    fps: float,
    rng: np.random.Generator,
    config: DetectorErrorConfig,
) -> tuple[Float[ndarray, "frames 33 2"], Bool[ndarray, "frames 33"]]:
    """Errors in pixels, and where they are several times the usual size."""
    frames, count = pixels.shape[:2]
    column = _COLUMNS[config.network]
    # The larger side, so that lying persons are no smaller than standing ones.
    percent = (pixels.max(1) - pixels.min(1)).mean(0).max() / 100 * _OWN_SHARE
    sd = np.array([part.sd[column] for part in parts])
    white = np.array([part.jitter[column] for part in parts])
    slow = np.sqrt(sd**2 - white**2)
    share = np.array([part.episodes for part in parts]) * config.episodes
    episode = bursts(rng, (frames, count), np.minimum(share, 0.9), config.episode_s * fps)
    growth = 1 + episode * rng.exponential(config.episode_size - 1, (frames, count))
    drift = slow_noise(rng, (frames, count, 2), config.slow_s * fps)
    error = slow[:, None] * drift * _held(growth, episode)[..., None]
    error += white[:, None] * rng.normal(size=(frames, count, 2))
    # The length of a Gaussian vector in the plane is sqrt(pi / 2) of its deviation per axis.
    offset = np.array([part.bias[column] for part in parts]) / math.sqrt(math.pi / 2)
    constant = offset[:, None] * rng.normal(size=(count, 2))
    return percent * (config.noise * error + config.bias * constant), episode


def _of_person(
    rng: np.random.Generator, frames: int, share: float, length: float
) -> Bool[ndarray, "frames"]:
    return bursts(rng, (frames, 1), np.array([min(float(share), 0.9)]), length)[:, 0]


def slow_noise(
    rng: np.random.Generator, shape: tuple[int, ...], frames: float
) -> Float[ndarray, "*shape"]:
    """Stationary first-order noise along the first axis, unit variance.

    Its correlation falls to 1/e within ``frames`` frames (0: white).
    """
    if frames <= 0:
        return rng.normal(size=shape)
    keep = math.exp(-1 / frames)
    drive = rng.normal(size=shape)
    # The first value is drawn from the stationary law, so no time is needed to settle.
    drive[1:] *= math.sqrt(1 - keep**2)
    return lfilter([1.0], [1.0, -keep], drive, axis=0)


def bursts(
    rng: np.random.Generator,
    shape: tuple[int, int],
    share: Float[ndarray, "columns"],
    frames: float,
) -> Bool[ndarray, "frames columns"]:
    """Two-state chains that are on for ``share`` of the time, ``frames`` frames each on average."""
    length = max(frames, 1.0)
    on_to_off = 1 / length
    off_to_on = np.minimum(share * on_to_off / np.maximum(1 - share, 1e-9), 1.0)
    draw = rng.random(shape)
    state = np.empty(shape, dtype=bool)
    state[0] = draw[0] < share
    for t in range(1, shape[0]):
        state[t] = np.where(state[t - 1], draw[t] >= on_to_off, draw[t] < off_to_on)
    return state


def _part(name: str) -> str:
    bare = name.removeprefix("left_").removeprefix("right_")
    if bare in _PARTS:
        return bare
    return _LIKE.get(bare.split("_")[0], _LIKE_THUMB)


def _held(growth: Float[ndarray, "f k"], episode: Bool[ndarray, "f k"]) -> Float[ndarray, "f k"]:
    """The growth of an episode's first frame, held to its end."""
    starts = episode & ~np.concatenate((np.zeros_like(episode[:1]), episode[:-1]))
    row = np.arange(len(growth))[:, None]
    first = np.maximum.accumulate(np.where(starts | ~episode, row, 0), axis=0)
    return np.take_along_axis(growth, first, axis=0)


def _confidence(
    rng: np.random.Generator, episode: Bool[ndarray, "frames keypoints"]
) -> Float[ndarray, "frames keypoints"]:
    sure = 1 - rng.exponential(0.02, episode.shape)
    doubtful = rng.uniform(0.2, 0.95, episode.shape)
    return np.clip(np.where(episode, doubtful, sure), 0.0, 1.0)


def _coarse(
    points_camera: Float[ndarray, "frames 33 3"],
    parts: list[_PartError],
    fps: float,
    rng: np.random.Generator,
    config: DetectorErrorConfig,
) -> Float[ndarray, "frames 33 3"]:
    frames, count = points_camera.shape[:2]
    hips = [BLAZEPOSE_33.index("left_hip"), BLAZEPOSE_33.index("right_hip")]
    true = points_camera - points_camera[:, hips].mean(1, keepdims=True)
    size = 1 + config.coarse_size_sd * rng.normal()
    depth = config.coarse_depth_share
    axes = np.sqrt(np.array([(1 - depth) / 2, (1 - depth) / 2, depth]))
    slow = slow_noise(rng, (frames, count, 3), 2 * config.slow_s * fps)
    constant = rng.normal(size=(count, 3))
    white = rng.normal(size=(frames, count, 3))
    # Half of the squared error is constant in a clip; jitter is a hundredth.
    error = math.sqrt(0.49) * slow + math.sqrt(0.5) * constant + math.sqrt(0.01) * white
    relative = np.array([part.coarse for part in parts])
    error = error * axes * relative[:, None] * (config.coarse_m * _LENGTH_TO_SD)
    if config.coarse_m:
        true = true * size
    return true + error - error[:, hips].mean(1, keepdims=True)


# The mean length of a Gaussian vector of unit total variance with 65 % of it on one axis.
_LENGTH_TO_SD: Final = 1 / 0.9045
