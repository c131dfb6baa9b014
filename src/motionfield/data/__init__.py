"""The records that travel between steps: immutable, checked when made, saved by themselves."""

from motionfield.data.action import Action
from motionfield.data.camera_path import CameraPath
from motionfield.data.feature_clip import FeatureClip
from motionfield.data.joint_track import JointTrack
from motionfield.data.keypoints import Keypoints
from motionfield.data.motion import Motion
from motionfield.data.quality import Quality
from motionfield.data.record import Record
from motionfield.data.take import Take
from motionfield.data.tracks import Tracks
from motionfield.data.variation import Variation
from motionfield.data.video import Video

__all__ = [
    "Action",
    "CameraPath",
    "FeatureClip",
    "JointTrack",
    "Keypoints",
    "Motion",
    "Quality",
    "Record",
    "Take",
    "Tracks",
    "Variation",
    "Video",
]
