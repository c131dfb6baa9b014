"""Options of the lift."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from motionfield.steps.lift.ik.config import IKLiftConfig
from motionfield.steps.lift.meva.config import MevaLiftConfig

LiftMethod = Literal["meva", "ik"]


@dataclass(frozen=True)
class LiftConfig:
    """Which lift, what is known of the person, and the options of each method."""

    method: LiftMethod = "meva"
    """meva: the network that has seen people move; ik: inverse kinematics from several headings."""
    height_m: float | None = None
    """The person's height; None: what the network says, or an average adult."""
    weights: Path | None = None
    """The network's; None: those that ship in the package."""
    images: bool = False
    """meva: from image features (``FeatureClip``) instead of keypoints; no such weights ship."""
    ik: IKLiftConfig = field(default_factory=IKLiftConfig)
    meva: MevaLiftConfig = field(default_factory=MevaLiftConfig)
