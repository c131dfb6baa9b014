"""What another program's network saw of one person in each frame: a row of numbers."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from motionfield.core.errors import RecordError
from motionfield.data.record import Record


@dataclass(frozen=True, eq=False, kw_only=True)
class FeatureClip(Record):
    """Per-frame image features of one person. A row of NaN: none for that frame."""

    features: Float[ndarray, "frames width"]
    frame_index: Int[ndarray, "frames"]
    """Index of each frame in the video, growing."""
    bbox_xyxy: Float[ndarray, "frames 4"] | None = None
    """The crop that the network saw, pixels of the full image."""
    fps: float | None = None
    """Capture rate, where the file says it."""

    @property
    def num_frames(self) -> int:
        return len(self.features)

    @property
    def width(self) -> int:
        """Numbers per frame."""
        return int(self.features.shape[1])

    def _check(self) -> None:
        if self.num_frames == 0 or self.width == 0:
            raise RecordError("FeatureClip: no features")
        if (np.diff(self.frame_index) <= 0).any():
            raise RecordError("FeatureClip: frame_index does not grow from frame to frame")
        if np.isinf(self.features).any():
            raise RecordError("FeatureClip: features hold infinite values")
