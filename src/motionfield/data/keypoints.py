"""What was seen of one person: 2D keypoints over time, and the detector's coarse 3D."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from motionfield.core.errors import RecordError
from motionfield.data.record import Record


@dataclass(frozen=True, eq=False, kw_only=True)
class Keypoints(Record):
    """One person's 2D keypoints. NaN: not observed. Confidence 0: observed and distrusted."""

    keypoints_2d: Float[ndarray, "frames keypoints 3"]
    """x, y in pixels of the full, upright image (distortion not removed), confidence in [0, 1]."""
    keypoint_names: tuple[str, ...]
    image_width: int
    image_height: int
    fps: float
    """Capture rate."""
    time_s: Float[ndarray, "frames"]
    """Capture time in seconds (float64)."""
    frame_index: Int[ndarray, "frames"]
    """Index of each frame in the source."""
    coarse_camera: Float[ndarray, "frames keypoints 3"] | None = None
    """The detector's own 3D: metres, hips at zero; x right, y down, z forward in the axes of a
    camera that looks at the person (``geometry.placement.turn_to_ray`` brings it to the true)."""
    bbox_xyxy: Float[ndarray, "frames 4"] | None = None
    """Box of the person in pixels; NaN where not tracked."""
    observed: Bool[ndarray, "frames"]
    """False where the person was not found in the frame (its keypoints are NaN there)."""

    @property
    def num_frames(self) -> int:
        return len(self.time_s)

    @property
    def image_size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.image_width, self.image_height

    def _check(self) -> None:
        if self.num_frames == 0:
            raise RecordError("Keypoints: no frames")
        if len(self.keypoint_names) != self.keypoints_2d.shape[1]:
            count = self.keypoints_2d.shape[1]
            raise RecordError(f"Keypoints: {len(self.keypoint_names)} names for {count} keypoints")
        if (self.time_s[1:] <= self.time_s[:-1]).any():
            raise RecordError("Keypoints: time_s does not grow from frame to frame")
        seen = np.isfinite(self.keypoints_2d).all(-1).any(-1)
        if (seen & ~self.observed).any():
            raise RecordError("Keypoints: frames that are not observed hold keypoints")
