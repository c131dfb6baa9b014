"""lift: one person's keypoints and the camera → the first 3D ``Motion``."""

from motionfield.steps.lift.config import LiftConfig
from motionfield.steps.lift.lifter import Lifter

__all__ = ["LiftConfig", "Lifter"]
