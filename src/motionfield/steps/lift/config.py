"""Options of the lift."""

from dataclasses import dataclass, field
from typing import Literal

from motionfield.steps.lift.ik.config import IKLiftConfig

LiftMethod = Literal["ik"]


@dataclass(frozen=True)
class LiftConfig:
    """Which lift, what is known of the person, and the options of each method."""

    method: LiftMethod = "ik"
    """ik: inverse kinematics, frame by frame from several headings."""
    height_m: float | None = None
    """The person's height; None: an average adult."""
    ik: IKLiftConfig = field(default_factory=IKLiftConfig)
