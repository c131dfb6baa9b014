"""lift: one person's keypoints and the camera → the first 3D ``Motion``."""

from motionfield.steps.lift.base import Lifter
from motionfield.steps.lift.config import LiftConfig
from motionfield.steps.lift.ik.config import IKLiftConfig
from motionfield.steps.lift.ik.lifter import IKLifter
from motionfield.steps.lift.make import make_lifter, weights_of
from motionfield.steps.lift.meva.config import MevaLiftConfig
from motionfield.steps.lift.meva.lifter import MevaLifter

__all__ = [
    "IKLiftConfig",
    "IKLifter",
    "LiftConfig",
    "Lifter",
    "MevaLiftConfig",
    "MevaLifter",
    "make_lifter",
    "weights_of",
]
