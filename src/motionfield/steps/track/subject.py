"""Whom the video is about: large, central, active, and there for long."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from motionfield.core.keypoint_sets import BLAZEPOSE_33, LIMB_JOINTS
from motionfield.steps.track.regions import Roi

_LIMBS = [BLAZEPOSE_33.index(name) for name in LIMB_JOINTS]
_ACTIVE = 0.5
"""Body sizes per second at which a person counts as half fully active."""


def prominence(roi: Roi, image_size: tuple[int, int]) -> float:
    """Size times centrality of a region: what one frame says about who the subject is."""
    size = np.array(image_size, float)
    offset = (np.array([roi.x, roi.y]) - size / 2) / size
    centrality = 1 - min(float(np.linalg.norm(offset)), 0.5)
    return roi.side / float(size[1]) * centrality


def subject_scores(
    keypoints_2d: Float[ndarray, "persons frames keypoints 3"],
    image_size: tuple[int, int],
    fps: float,
) -> Float[ndarray, "persons"]:
    """How likely each person is the subject; only the order has a meaning.

    The product of size (share of the frame's height), centrality, squared confidence, share of
    the frames seen, and activity (limb speed against the body's own size: the tall do not count
    twice).
    """
    return np.array([_score(person, image_size, fps) for person in keypoints_2d])


def _score(
    keypoints: Float[ndarray, "frames keypoints 3"], image_size: tuple[int, int], fps: float
) -> float:
    limbs = keypoints[:, _LIMBS, :2]
    seen = np.isfinite(limbs).all((1, 2))
    if not seen.any():
        return 0.0
    frame = np.array(image_size, float)
    low, high = limbs[seen].min(1), limbs[seen].max(1)
    extent = (high - low).max(-1)
    offset = ((low + high) / 2 - frame / 2) / frame
    centrality = 1 - np.minimum(np.linalg.norm(offset, axis=-1), 0.5)
    steps = np.linalg.norm(np.diff(limbs, axis=0), axis=-1)
    steps = steps[seen[1:] & seen[:-1]].mean(-1) if len(limbs) > 1 else np.zeros(0)
    speed = float(np.median(steps)) * fps / float(np.median(extent)) if len(steps) else 0.0
    activity = 0.5 + speed / (speed + _ACTIVE)
    confidence = keypoints[seen][:, _LIMBS, 2].mean(-1)
    prominent = float(np.mean(extent / frame[1] * centrality * confidence**2))
    return prominent * float(seen.mean()) * activity


def order_persons(scores: Sequence[float] | Float[ndarray, "persons"]) -> list[int]:
    """Indices of the persons, the subject first."""
    return [int(i) for i in np.argsort(-np.asarray(scores), kind="stable")]
