"""Several takes of one action, set against each other."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from motionfield.core.errors import RecordError
from motionfield.data.record import Record


@dataclass(frozen=True, eq=False, kw_only=True)
class Action(Record):
    """How far the action has come in every frame of every take (each take's time warp)."""

    take_names: tuple[str, ...]
    take: Int[ndarray, "frames"]
    """Which take the frame is of; frames of all takes, one take after another."""
    phase: Float[ndarray, "frames"]
    """In [0, 1]; never falls within a take."""
    time_s: Float[ndarray, "frames"]
    """Capture time within the take."""
    mirrored: Bool[ndarray, "takes"]
    """This take was done with the other hand than most."""
    duration_s: float
    """Of the canonical motion."""

    @property
    def num_takes(self) -> int:
        return len(self.take_names)

    def frames_of(self, take: int) -> slice:
        """Where the frames of one take are."""
        first, last = np.searchsorted(self.take, [take, take + 1])
        return slice(int(first), int(last))

    def _check(self) -> None:
        steps = np.diff(self.take)
        if len(self.take) == 0 or self.take[0] != 0 or not np.isin(steps, (0, 1)).all():
            raise RecordError("Action: frames are not ordered by take")
        if len(self.mirrored) != self.num_takes or self.take[-1] != self.num_takes - 1:
            raise RecordError("Action: takes, their names and frames differ in number")
        if not ((self.phase >= 0) & (self.phase <= 1)).all():
            raise RecordError("Action: phase leaves [0, 1]")
        if (np.diff(self.phase)[steps == 0] < 0).any():
            raise RecordError("Action: phase falls within a take")
