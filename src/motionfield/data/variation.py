"""How the takes of one action vary: every take and the canonical motion on one grid of phase."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from motionfield.core.conventions import JOINT_NAMES
from motionfield.core.errors import RecordError
from motionfield.data.record import Record

STANDS_OUT: Final = 1.5
"""A take stands out if it differs this many times as much as the others' median …"""
STANDS_OUT_MM: Final = 2.0
"""… and at least by this much."""


class Difference(NamedTuple):
    """How far one take is from the mean of the others."""

    mean_mm: float
    """Over the points of phase and the joints."""
    most_mm: float
    phase: float
    """Where it is greatest, in [0, 1]."""
    joint: str
    """The joint in which it is greatest."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Variation(Record):
    """Statistics of the takes over phase. NaN: the take does not cover the point, or unknown.

    Takes done with the other hand are mirrored here: their "left" is the right side that was
    filmed. Spread is the unbiased standard deviation over takes.
    """

    take_names: tuple[str, ...]
    phase: Float[ndarray, "points"]
    """Even, from 0 to 1."""
    signal_names: tuple[str, ...]
    """With the unit last: "left_knee_flexion_deg", "root_height_m", …"""
    values: Float[ndarray, "takes points signals"]
    canonical: Float[ndarray, "points signals"]
    mean: Float[ndarray, "points signals"]
    sd: Float[ndarray, "points signals"]
    """NaN where fewer than two takes cover the point."""
    measured_sd: Float[ndarray, "points signals"]
    """Standard deviation of the measurement alone (rms over takes), where known."""
    covered: Bool[ndarray, "takes points"]
    """The take reaches this phase, and the person was seen there."""
    joints_world: Float[ndarray, "takes points 24 3"]
    """Each take's joints in the world, metres; held beyond its ends."""
    canonical_joints_world: Float[ndarray, "points 24 3"]
    spread_mm: Float[ndarray, "points 24"]
    """Of the joints relative to the root, all takes posed on the canonical body; root sum of
    squares over the three axes."""
    spread_world_mm: Float[ndarray, "points 24"]
    """Of the joints in the world, each take with its own body."""
    measured_mm: Float[ndarray, "points 24"]
    """What measurement alone may give of ``spread_mm``, where ``joints_std`` is known: rms over
    takes of the standard deviation beyond the root's, whose error all joints share."""
    measured_world_mm: Float[ndarray, "points 24"]
    """The same of ``spread_world_mm``: the whole standard deviation."""
    clear: Bool[ndarray, "points 24"]
    """``spread_mm`` is above what measurement alone gives once in twenty times."""
    difference_mm: Float[ndarray, "takes points 24"]
    """Each take's joints relative to the root against the mean of the other takes."""
    duration_s: Float[ndarray, "takes"]
    """From the first to the last frame of the take."""
    mirrored: Bool[ndarray, "takes"]

    @property
    def num_takes(self) -> int:
        return len(self.take_names)

    def signal(self, name: str) -> int:
        """Index of a signal by its name."""
        return self.signal_names.index(name)

    def difference(self, take: int) -> Difference:
        """How far a take is from the others, and where most; zeros where nothing overlaps."""
        of_take = self.difference_mm[take]
        # The root is the origin of all: it has no difference.
        seen = of_take[:, 1:]
        if not np.isfinite(seen).any():
            return Difference(0.0, 0.0, 0.0, JOINT_NAMES[0])
        point, joint = np.unravel_index(np.nanargmax(of_take), of_take.shape)
        most = float(of_take[point, joint])
        return Difference(
            float(np.nanmean(seen)), most, float(self.phase[point]), JOINT_NAMES[joint]
        )

    def outlier(self) -> int | None:
        """The take that differs most, if it clearly stands out; None of two takes."""
        if self.num_takes < 3:
            return None
        means = np.array([self.difference(take).mean_mm for take in range(self.num_takes)])
        first = int(means.argmax())
        others = np.delete(means, first)
        least = max(STANDS_OUT_MM, STANDS_OUT * float(np.median(others)))
        return first if means[first] > least else None

    def _check(self) -> None:
        if self.num_takes < 2 or len(self.mirrored) != self.num_takes:
            raise RecordError("Variation: needs two takes or more, each with its name")
        if len(self.signal_names) != self.values.shape[2]:
            raise RecordError("Variation: signals and their names differ in number")
