"""calibrate: persons in a picture → ``CameraPath``: intrinsics, gravity, ground and scale."""

from motionfield.steps.calibrate.calibrate import CalibrateConfig, Calibrator
from motionfield.steps.calibrate.standing import BackgroundWatch, StandingConfig

__all__ = ["BackgroundWatch", "CalibrateConfig", "Calibrator", "StandingConfig"]
