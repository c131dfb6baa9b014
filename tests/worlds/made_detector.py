"""A made detector with round figures, and a person for it to look at."""

import dataclasses
from typing import Any

import numpy as np
from numpy import ndarray

from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.worlds.detector_error_model import (
    BASIS,
    PARTS,
    DetectorErrorModel,
    Episodes,
    Errors,
)


def made_errors(**changes: Any) -> Errors:
    """One per cent (or 0.01 m across and 0.02 along) of slow noise, and nothing else."""
    count = len(PARTS)
    plain = Errors(
        offset=np.zeros((count, len(BASIS))),
        bias_sd=np.zeros((count, 2)),
        sd=np.tile([1.0, 0.0], (count, 1)),
        by_speed=np.zeros(count),
        by_occlusion=np.zeros(count),
        volatility=np.zeros(count),
        white=np.zeros(count),
        slow_s=np.full(count, 0.1),
        correlation=np.eye(33),
        by_tilt=0.0,
        clip_sd=0.0,
    )
    return dataclasses.replace(plain, **changes)


def made_model(**changes: Any) -> DetectorErrorModel:
    """Plain errors in 2D and 3D; confidence 0.95; nobody lost, nothing exchanged."""
    never = Episodes(0.0, 0.1, 0.5)
    plain = DetectorErrorModel(
        image=made_errors(),
        coarse=made_errors(sd=np.tile([0.01, 0.02], (len(PARTS), 1))),
        volatility_s=0.1,
        confidence=np.tile([3.0, 0.0, 0.0, 0.0], (len(PARTS), 1)),
        confidence_s=0.1,
        lost=never,
        swaps=never,
        swap_kinds=np.array([0.5, 0.25, 0.25]),
        coarse_size=(1.0, 0.0, 0.0),
        coarse_depth=(1.0, 0.0),
        source="tests",
    )
    return dataclasses.replace(plain, **changes)


def person(frames: int = 1, facing: str = "camera") -> tuple[ndarray, ndarray]:
    """Pixels and camera points of one who stands 5 m away with arms spread, 1.7 m tall.

    ``facing`` is "camera", "away" or "left" (of the picture).
    """
    places = {
        "nose": (0, 1.62, 0.1),
        "eye_inner": (0.02, 1.66, 0.08),
        "eye": (0.03, 1.66, 0.08),
        "eye_outer": (0.04, 1.66, 0.08),
        "ear": (0.075, 1.63, 0),
        "mouth": (0.02, 1.57, 0.08),
        "shoulder": (0.18, 1.42, 0),
        "elbow": (0.46, 1.42, 0),
        "wrist": (0.72, 1.42, 0),
        "pinky": (0.8, 1.4, 0),
        "index": (0.81, 1.42, 0),
        "thumb": (0.76, 1.43, 0.03),
        "hip": (0.1, 0.93, 0),
        "knee": (0.1, 0.5, 0),
        "ankle": (0.1, 0.08, 0),
        "heel": (0.1, 0.03, -0.05),
        "foot_index": (0.1, 0.02, 0.18),
    }
    rows = []
    for name in BLAZEPOSE_33.keypoint_names:
        side = -1.0 if name.startswith("right") else 1.0
        x, y, z = places[name.removeprefix("left_").removeprefix("right_")]
        rows.append((side * x, y, z))
    left, up, ahead = np.array(rows).T
    # Camera axes: x right, y down, z forward; one who faces the camera has his left on the right.
    x, z = {"camera": (left, -ahead), "away": (-left, ahead), "left": (-ahead, -left)}[facing]
    points = np.stack((x, 0.85 - up, 5 + z), -1)[None].repeat(frames, 0)
    return 960 + 1500 * points[..., :2] / points[..., 2:], points


def at(name: str) -> int:
    """Index of a keypoint."""
    return BLAZEPOSE_33.index(name)
