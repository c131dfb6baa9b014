"""All persons seen in one video."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from motionfield.core.errors import RecordError
from motionfield.data.keypoints import Keypoints
from motionfield.data.record import Record


@dataclass(frozen=True, eq=False, kw_only=True)
class Tracks(Record):
    """Keypoints of several persons over the frames of one video, the subject first.

    The persons are ordered: the one chosen as the subject (size, centrality, activity) is 0.
    """

    keypoints_2d: Float[ndarray, "persons frames keypoints 3"]
    """x, y in pixels of the full, upright image, confidence in [0, 1]; NaN: not observed."""
    coarse_camera: Float[ndarray, "persons frames keypoints 3"] | None = None
    """The detector's own 3D: metres, camera axes, hips at the origin."""
    bbox_xyxy: Float[ndarray, "persons frames 4"]
    """Box of each person in pixels; NaN where not tracked."""
    observed: Bool[ndarray, "persons frames"]
    keypoint_names: tuple[str, ...]
    image_width: int
    image_height: int
    fps: float
    time_s: Float[ndarray, "frames"]
    frame_index: Int[ndarray, "frames"]
    warnings: tuple[str, ...] = ()
    """What a user should know, one sentence each (a swap repaired, a person lost)."""

    @property
    def num_persons(self) -> int:
        return len(self.keypoints_2d)

    @property
    def num_frames(self) -> int:
        return len(self.time_s)

    @property
    def image_size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.image_width, self.image_height

    def person(self, index: int) -> Keypoints:
        """The keypoints of one person."""
        coarse = self.coarse_camera
        return Keypoints(
            keypoints_2d=self.keypoints_2d[index],
            keypoint_names=self.keypoint_names,
            image_width=self.image_width,
            image_height=self.image_height,
            fps=self.fps,
            time_s=self.time_s,
            frame_index=self.frame_index,
            coarse_camera=None if coarse is None else coarse[index],
            bbox_xyxy=self.bbox_xyxy[index],
            observed=self.observed[index],
            history=self.history,
        )

    @classmethod
    def of_one(cls, keypoints: Keypoints) -> "Tracks":
        """The tracks of a video with one person in it."""
        coarse = keypoints.coarse_camera
        box = keypoints.bbox_xyxy
        if box is None:
            box = boxes_of(keypoints.keypoints_2d)
        return cls(
            keypoints_2d=keypoints.keypoints_2d[None],
            coarse_camera=None if coarse is None else coarse[None],
            bbox_xyxy=box[None],
            observed=keypoints.observed[None],
            keypoint_names=keypoints.keypoint_names,
            image_width=keypoints.image_width,
            image_height=keypoints.image_height,
            fps=keypoints.fps,
            time_s=keypoints.time_s,
            frame_index=keypoints.frame_index,
            history=keypoints.history,
        )

    def _check(self) -> None:
        if self.num_persons == 0:
            raise RecordError("Tracks: no persons")
        if len(self.keypoint_names) != self.keypoints_2d.shape[2]:
            count = self.keypoints_2d.shape[2]
            raise RecordError(f"Tracks: {len(self.keypoint_names)} names for {count} keypoints")


def boxes_of(keypoints_2d: Float[ndarray, "frames keypoints 3"]) -> Float[ndarray, "frames 4"]:
    """Tight boxes (x0, y0, x1, y1) round the observed keypoints; NaN where there are none."""
    xy = keypoints_2d[..., :2]
    empty = ~np.isfinite(xy).all(-1).any(-1)
    low = np.where(np.isfinite(xy), xy, np.inf).min(1)
    high = np.where(np.isfinite(xy), xy, -np.inf).max(1)
    box = np.concatenate((low, high), axis=-1)
    box[empty] = np.nan
    return box.astype(keypoints_2d.dtype)
