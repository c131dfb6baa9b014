"""Everything known of one person in one video: what exports and views are given."""

from typing import NamedTuple

from jaxtyping import Float
from numpy import ndarray

from motionfield.data.camera_path import CameraPath
from motionfield.data.keypoints import Keypoints
from motionfield.data.motion import Motion
from motionfield.data.quality import Quality


class Take(NamedTuple):
    """One person's motion with what it was made from. All parts have the same frames."""

    name: str
    """As shown to the user, e.g. "person 0"."""
    keypoints: Keypoints
    camera: CameraPath
    motion: Motion
    quality: Quality
    phase: Float[ndarray, "frames"] | None = None
    """How far the action has come, in [0, 1], where the take is one of several of one action."""
