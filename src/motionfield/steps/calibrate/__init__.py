"""calibrate: persons in a picture → ``CameraPath``: intrinsics, gravity, ground and scale."""

from motionfield.steps.calibrate.calibrate import CalibrateConfig, Calibrator

__all__ = ["CalibrateConfig", "Calibrator"]
