"""Which way is up, and where the ground is, from a person who stands or moves on it.

Evidence: who keeps balance has the centre of mass above the feet on average; resting feet lie in
one plane (strong where the path spans an area); photographers hold cameras level (weak). All are
put together as a maximum a posteriori estimate of two angles and a height.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from scipy.optimize import least_squares

CAMERA_UP = np.array([0.0, -1.0, 0.0])
"""Up of a level camera in camera axes."""


OTHER_LEVEL_M = 1.0
"""Who stands this much lower than the subject stands on another ground."""


@dataclass(frozen=True)
class GravityConfig:
    """Standard deviations of the evidence."""

    level_roll_deg: float = 8.0
    """How far people tilt a camera sideways."""
    level_pitch_deg: float = 25.0
    """How far they point it up or down."""
    lean_deg: float = 4.0
    """How far the mean line from feet to centre of mass is from the vertical."""
    contact_m: float = 0.3
    """Error of one step's height: its depth, seen from above, and ground that is not level."""
    level_s: float = 2.0
    """For so long a person is taken to stay on one level."""
    seconds_per_step: float = 0.5
    """Resting frames within this time are one piece of evidence, not many."""
    min_upright_share: float = 0.5
    """Below this share of upright frames the person tells nothing about up."""


class PersonEvidence(NamedTuple):
    """What one person tells about gravity; camera axes, metres."""

    body_up: Float[ndarray, "frames 3"]
    """Unit vectors from the resting feet to the centre of mass; NaN where not seen."""
    upright: Bool[ndarray, "frames"]
    """Where the person stands on a foot (not seated, inverted, lying, in flight)."""
    soles: Float[ndarray, "contacts 3"]
    """Heels and toes."""
    resting: Float[ndarray, "contacts"]
    """How surely each rests on the ground, in [0, 1]."""
    sole_time_s: Float[ndarray, "contacts"]
    """When it was seen, seconds."""


class Gravity(NamedTuple):
    """Up in camera axes, the ground's height along it, and how they are known."""

    up: Float[ndarray, "3"]
    ground: float
    """``up @ p`` of points on the ground, metres from the camera's centre."""
    source: str
    doubt_deg: float
    warning: str | None


def estimate_gravity(
    evidence: list[PersonEvidence],
    fps: float,
    sole_height_m: float,
    config: GravityConfig,
    R_first_camera: Float[ndarray, "frames 3 3"] | None = None,
) -> Gravity:
    """Up and ground from all persons; a level camera where nobody stands upright.

    Args:
        evidence: of each person, the subject first.
        fps: frames per second.
        sole_height_m: how high the sole points of a standing body lie above the ground.
        config: standard deviations.
        R_first_camera: how the camera turns; evidence and result are in the first one's axes.
    """
    turns = np.eye(3)[None] if R_first_camera is None else R_first_camera
    up_samples = np.concatenate([e.body_up[e.upright] for e in evidence])
    seen = sum(int(np.isfinite(e.body_up).all(-1).sum()) for e in evidence)
    weights = np.concatenate([e.resting for e in evidence])
    if len(up_samples) < max(1.0, config.min_upright_share * seen):
        level_up = _robust_direction(turns @ CAMERA_UP)
        ground = _ground(evidence, level_up) - sole_height_m
        warning = (
            "nobody is seen standing upright in 3D for long enough to show which way is up: "
            "the camera is taken as level"
        )
        return Gravity(level_up, ground, "assumed", config.level_pitch_deg, warning)
    mean_up = _robust_direction(up_samples)
    per_step = max(1.0, config.seconds_per_step * fps)
    contact_sd = config.contact_m * np.sqrt(per_step / weights)
    spread = np.concatenate([_centred(e, config.level_s) for e in evidence])

    def residuals(angles: ndarray) -> ndarray:
        up = _up_of(angles)
        lean = np.rad2deg(np.cross(mean_up, up)) / config.lean_deg
        held = np.rad2deg(_angles_of((up @ turns).T)).mean(-1)
        level = held / (config.level_roll_deg, config.level_pitch_deg)
        return np.concatenate((lean, level, spread @ up / contact_sd))

    start = _angles_of(mean_up)
    solution = least_squares(residuals, start, loss="soft_l1")
    covariance = np.linalg.inv(solution.jac.T @ solution.jac)
    up = _up_of(solution.x)
    doubt = float(np.rad2deg(np.sqrt(np.trace(covariance))))
    return Gravity(up, _ground(evidence, up) - sole_height_m, "estimated", doubt, None)


def _centred(evidence: PersonEvidence, level_s: float) -> ndarray:
    """Soles about the mean of their time: people of unknown size stand at different depths.

    They also climb and leap, so that only the soles of ``level_s`` share one ground.
    """
    spell = (evidence.sole_time_s // level_s).astype(int)
    weight = np.bincount(spell, evidence.resting)
    mean = np.stack(
        [np.bincount(spell, evidence.resting * axis) for axis in evidence.soles.T], axis=-1
    )
    return evidence.soles - (mean / np.maximum(weight, 1e-9)[:, None])[spell]


def _ground(evidence: list[PersonEvidence], up: ndarray) -> float:
    """Height of the subject's soles; of the lowest person's where somebody stands far below.

    A little lower says nothing: the size of the others, and so their distance, is not known.
    """
    levels = [_median(e.soles @ up, e.resting) for e in evidence if len(e.soles)]
    if not levels:
        return 0.0
    lowest = min(levels)
    return lowest if lowest < levels[0] - OTHER_LEVEL_M else levels[0]


def _up_of(angles: ndarray) -> ndarray:
    """Up in camera axes of a camera rolled and pitched by these angles (radians)."""
    roll, pitch = angles
    return np.array([np.sin(roll), -np.cos(roll) * np.cos(pitch), -np.cos(roll) * np.sin(pitch)])


def _angles_of(up: ndarray) -> ndarray:
    """Roll and pitch, first axis; ``up`` has its coordinates on the first axis."""
    return np.array([np.arcsin(up[0]), np.arctan2(-up[2], -up[1])])


def _robust_direction(directions: ndarray, iterations: int = 10) -> ndarray:
    """Mean direction, far ones counting less (Geman-McClure of 10 degrees)."""
    weight = np.ones(len(directions))
    for _ in range(iterations):
        mean = (weight[:, None] * directions).sum(0)
        mean /= np.linalg.norm(mean)
        off = np.rad2deg(np.arccos(np.clip(directions @ mean, -1, 1)))
        weight = (100 / (100 + off**2)) ** 2
    return mean


def _median(heights: ndarray, weights: ndarray) -> float:
    """Weighted median height of resting soles; 0 (the camera's own) where there are none."""
    if len(heights) == 0 or weights.sum() <= 0:
        return 0.0
    order = np.argsort(heights)
    cumulative = np.cumsum(weights[order])
    return float(heights[order][np.searchsorted(cumulative, 0.5 * cumulative[-1])])
