"""Detections with exact truth: their errors in the units of the made detector's figures."""

from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from motionfield.body.registry import load_body
from motionfield.core.errors import InputError, OptionError
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.data.camera_path import CameraPath
from motionfield.data.keypoints import Keypoints
from motionfield.data.motion import Motion
from motionfield.worlds.detector_view import View, view_person
from motionfield.worlds.take import keypoints_world, see

_MIRROR: Final = list(BLAZEPOSE_33.mirror)
_HIPS: Final = [BLAZEPOSE_33.index("left_hip"), BLAZEPOSE_33.index("right_hip")]
_UPPER_START: Final = BLAZEPOSE_33.index("left_shoulder")
_LOWER_START: Final = BLAZEPOSE_33.index("left_hip")
_HALVES: Final = (slice(_UPPER_START, _LOWER_START), slice(_LOWER_START, 33))
"""Without the face, whose two sides lie too near together to tell."""
_OFF_PERCENT: Final = 25.0
"""Half of the points farther off than this: the person was lost and something else followed."""
_SWAPPED_PERCENT: Final = 4.0
"""Smaller errors are no exchange, however well the other side's labels fit."""


class Sample(NamedTuple):
    """One clip: what the detector (or tracker) reported, and the truth."""

    predicted: Keypoints
    """BlazePose's 33 points, with ``coarse_camera``."""
    pixels: Float[ndarray, "frames 33 2"]
    """True places in the image."""
    points_camera: Float[ndarray, "frames 33 3"]
    """True places in camera axes, metres."""


class Measured(NamedTuple):
    """A clip's errors with exchanged sides put right; NaN where not observed."""

    view: View
    fps: float
    observed: Bool[ndarray, "frames"]
    """The person was found, and it was this person."""
    swapped: Bool[ndarray, "frames 2"]
    error: Float[ndarray, "frames 33 3"]
    """Per cent of the size; the third is 0."""
    coarse: Float[ndarray, "frames 33 3"]
    """Reported coarse 3D, crop axes, hips at zero, metres."""
    confidence: Float[ndarray, "frames 33"]


def measure(sample: Sample) -> Measured:
    """Errors of one clip in the units of the model."""
    fps = sample.predicted.fps
    view = view_person(sample.pixels, sample.points_camera, fps)
    seen = sample.predicted.keypoints_2d.astype(np.float64)
    if sample.predicted.coarse_camera is None:
        raise OptionError("detector errors are measured on keypoints with coarse 3D")
    coarse = sample.predicted.coarse_camera.astype(np.float64)
    swapped = find_exchanges(seen[..., :2], sample.pixels, view.size_px)
    halves = np.repeat(swapped, (_LOWER_START, 33 - _LOWER_START), axis=1)[..., None]
    seen = np.where(halves, seen[:, _MIRROR], seen)
    coarse = np.where(halves, coarse[:, _MIRROR], coarse)
    error = (seen[..., :2] - sample.pixels) / view.size_px[:, None, None] * 100
    known = sample.predicted.observed & np.isfinite(error).all((1, 2))
    off = np.median(np.linalg.norm(error, axis=-1), axis=-1)
    return Measured(
        view=view,
        fps=fps,
        observed=known & (off < _OFF_PERCENT),
        swapped=swapped,
        error=np.concatenate((error, np.zeros_like(error[..., :1])), axis=-1),
        coarse=coarse - coarse[:, _HIPS].mean(1, keepdims=True),
        confidence=seen[..., 2],
    )


def find_exchanges(
    seen: Float[ndarray, "frames 33 2"],
    true: Float[ndarray, "frames 33 2"],
    size_px: Float[ndarray, "frames"],
) -> Bool[ndarray, "frames 2"]:
    """Where the upper and the lower half fit the truth much better with sides exchanged."""
    found = []
    for half in _HALVES:
        own, other = (
            np.linalg.norm(picked[:, half] - true[:, half], axis=-1)
            for picked in (seen, seen[:, _MIRROR])
        )
        own, other = np.median(own, -1) / size_px, np.median(other, -1) / size_px
        found.append((own > _SWAPPED_PERCENT / 100) & (other < 0.5 * own))
    return np.stack(found, axis=-1)


def read_samples(folder: Path) -> list[Sample]:
    """Clips kept as ``NAME.keypoints.npz``, ``NAME.motion.npz`` and ``NAME.camera.npz``.

    Raises:
        InputError: there are none, or one of the three is missing.
    """
    paths = sorted(folder.glob("*.keypoints.npz"))
    if not paths:
        cure = "give the folder that the render tier keeps its detections in"
        raise InputError(folder, "holds no detections (*.keypoints.npz)", cure)
    return [_read_sample(path) for path in paths]


def _read_sample(path: Path) -> Sample:
    stem = path.name.removesuffix(".keypoints.npz")
    keypoints = Keypoints.load(path)
    motion = Motion.load(path.with_name(f"{stem}.motion.npz"))
    camera = CameraPath.load(path.with_name(f"{stem}.camera.npz"))
    points = keypoints_world(motion, load_body(motion.body_model))
    return Sample(keypoints, *see(points, camera))
