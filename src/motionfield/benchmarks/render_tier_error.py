"""Errors of 2D keypoints in shares of the person's size: offset and spread by part of the body."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy import ndarray

from motionfield.benchmarks.multiview import project_views, triangulate
from motionfield.benchmarks.pose2sim import load_reference, track_views
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.core.progress import Progress, silent
from motionfield.data.tracks import boxes_of
from motionfield.steps.track import TrackConfig

PARTS: Final[dict[str, tuple[str, ...]]] = {
    "nose": ("nose",),
    "ear": ("left_ear", "right_ear"),
    "shoulder": ("left_shoulder", "right_shoulder"),
    "elbow": ("left_elbow", "right_elbow"),
    "wrist": ("left_wrist", "right_wrist"),
    "knuckle": ("left_index", "right_index", "left_pinky", "right_pinky"),
    "hip": ("left_hip", "right_hip"),
    "knee": ("left_knee", "right_knee"),
    "ankle": ("left_ankle", "right_ankle"),
    "heel": ("left_heel", "right_heel"),
    "foot index": ("left_foot_index", "right_foot_index"),
}
"""Keypoints that are scored, both sides together."""
OVERLAP_MIN: Final = 0.4
"""Least intersection over union of the boxes of true and found keypoints in a detected frame."""
_MAD_TO_SD: Final = 1.4826


class TakeError(NamedTuple):
    """One person before one camera."""

    error: Float[ndarray, "frames 33 2"]
    """Found minus true, per cent of ``size_px``, image axes; NaN where not found."""
    detected: Bool[ndarray, "frames"]
    size_px: float

    @property
    def offset(self) -> Float[ndarray, "33 2"]:
        """Median over the take: what keypoint and body define differently, and what the detector
        gets wrong all the time."""
        return np.nanmedian(self.error, axis=0)


class PartError(NamedTuple):
    """A part of the body over several takes, per cent of the person's size."""

    offset: float
    """Mean length of the takes' offsets."""
    spread: float
    """Robust standard deviation per axis about the take's offset."""
    varying: float
    """Median distance from the take's offset."""
    whole: float
    """Median distance from the truth."""


def take_error(
    found_2d: Float[ndarray, "frames 33 3"], true_2d: Float[ndarray, "frames 33 2"]
) -> TakeError:
    """Compare what was found in a take with the truth, both in pixels."""
    size = person_size_px(true_2d)
    error = (found_2d[..., :2].astype(float) - true_2d) / size * 100
    found = boxes_of(found_2d).astype(float)
    true = np.concatenate((true_2d.min(1), true_2d.max(1)), axis=-1)
    shared = np.minimum(found[:, 2:], true[:, 2:]) - np.maximum(found[:, :2], true[:, :2])
    both = np.clip(shared, 0, None).prod(-1)
    area = (found[:, 2:] - found[:, :2]).prod(-1) + (true[:, 2:] - true[:, :2]).prod(-1)
    overlap = both / np.maximum(area - both, 1e-9)
    detected = np.nan_to_num(overlap) >= OVERLAP_MIN
    return TakeError(error, detected, size)


def person_size_px(pixels: Float[ndarray, "frames 33 2"]) -> float:
    """The larger side of the mean box round the keypoints."""
    return float(np.nanmax(np.nanmean(np.nanmax(pixels, 1) - np.nanmin(pixels, 1), axis=0)))


def by_part(takes: Sequence[TakeError]) -> dict[str, PartError]:
    """Detected frames of all takes together."""
    found = {}
    for part, names in PARTS.items():
        at = [BLAZEPOSE_33.index(name) for name in names]
        offsets = np.stack([take.offset[at] for take in takes])
        error = np.concatenate([take.error[take.detected][:, at] for take in takes])
        rest = np.concatenate(
            [take.error[take.detected][:, at] - take.offset[at] for take in takes]
        )
        found[part] = PartError(
            offset=float(np.nanmean(np.linalg.norm(offsets, axis=-1))),
            spread=_MAD_TO_SD * float(np.nanmedian(np.abs(rest))),
            varying=float(np.nanmedian(np.linalg.norm(rest, axis=-1))),
            whole=float(np.nanmedian(np.linalg.norm(error, axis=-1))),
        )
    return found


def pose2sim_takes(data: Path | None = None, progress: Progress = silent) -> list[TakeError]:
    """Demo_SinglePerson: each camera against the triangulation of the other three, all points.

    Offsets that are common to all cameras cannot be seen this way, and the errors hold those of
    the other three cameras (the camera's own are about 0.82 of them).
    """
    from motionfield.core.assets import fetch_asset

    clips = data if data is not None else fetch_asset("pose2sim_clips", progress)
    tracks = track_views(clips, "SinglePerson", "full", track=TrackConfig(), progress=progress)
    seen = np.stack([each.person(0).keypoints_2d for each in tracks]).astype(float)
    cameras = load_reference("man").views
    flat = torch.from_numpy(seen).flatten(1, 2)
    takes = []
    for view in range(len(seen)):
        others = [other for other in range(len(seen)) if other != view]
        found = triangulate(flat[others, :, :2], flat[others, :, 2], cameras.only(others))
        there = project_views(found.points_world, cameras.only([view]))[0]
        takes.append(take_error(seen[view], there.numpy().reshape(seen.shape[1], -1, 2)))
    return takes


def ratios(
    ours: Mapping[str, PartError], theirs: Mapping[str, PartError]
) -> dict[str, tuple[float, float]]:
    """By part: our varying and whole error as multiples of theirs."""
    return {
        part: (ours[part].varying / theirs[part].varying, ours[part].whole / theirs[part].whole)
        for part in ours
    }
