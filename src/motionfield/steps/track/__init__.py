"""track: frames of a video → ``Tracks`` (2D keypoints and coarse 3D of each person)."""

from motionfield.steps.track.config import TrackConfig
from motionfield.steps.track.networks import PoseModels
from motionfield.steps.track.tracker import Tracker

__all__ = ["PoseModels", "TrackConfig", "Tracker"]
