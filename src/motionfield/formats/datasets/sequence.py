"""What every data set gives, whatever its files: pictures, camera, truth, frame by frame."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int
from numpy import ndarray

from motionfield.core.errors import RecordError
from motionfield.data.camera_path import CameraPath
from motionfield.data.joint_track import JointTrack
from motionfield.data.keypoints import Keypoints
from motionfield.data.motion import Motion


class Pictures(NamedTuple):
    """Where the pixels are."""

    path: Path
    """A folder of images, or a video file."""
    numbers: Int[ndarray, "frames"]
    """Which image (in natural order) or video frame each frame of the sequence is."""


@dataclass(frozen=True, eq=False, kw_only=True)
class DatasetSequence:
    """One person in one video, with the truth that the data set has of it.

    World: metres, Z up (``smpl.z_up`` where the files do not say what is up); its ground is not
    known to lie at z = 0. All parts have the same frames.
    """

    dataset: str
    name: str
    """Unique within the data set."""
    subject: str
    action: str
    fps: float
    good: Bool[ndarray, "frames"]
    """False where the data set itself distrusts its truth, or the person is not to be seen."""
    pictures: Pictures | None = None
    keypoints: Keypoints | None = None
    """2D keypoints of a detector that come with the data."""
    labels: Keypoints | None = None
    """True 2D keypoints (by hand, or from marker-based capture); confidence 0: hidden."""
    camera: CameraPath | None = None
    """Its ``K`` is the lens; its extrinsics lead from the world of ``motion`` and ``joints``."""
    motion: Motion | None = None
    """True parameters of the body ``smpl`` (10 or 16 betas, which only SMPL files understand)."""
    joints: JointTrack | None = None
    """True 3D joints."""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        lengths = {"good": len(self.good)}
        for part in ("keypoints", "labels", "camera", "motion", "joints"):
            record = getattr(self, part)
            if record is not None:
                lengths[part] = record.num_frames
        if self.pictures is not None:
            lengths["pictures"] = len(self.pictures.numbers)
        if len(set(lengths.values())) > 1:
            raise RecordError(f"{self.dataset} {self.name}: parts differ in length: {lengths}")

    @property
    def num_frames(self) -> int:
        return len(self.good)

    def at_frames(self, index: Int[ndarray, "chosen"]) -> "DatasetSequence":
        """The same sequence for these frames alone."""
        pictures = self.pictures
        if pictures is not None:
            pictures = pictures._replace(numbers=pictures.numbers[index])

        def cut(record):  # type: ignore[no-untyped-def]
            return None if record is None else record.at_frames(index)

        return replace(
            self,
            good=self.good[index],
            pictures=pictures,
            keypoints=cut(self.keypoints),
            labels=cut(self.labels),
            camera=cut(self.camera),
            motion=cut(self.motion),
            joints=cut(self.joints),
        )

    def clock(self) -> ndarray:
        """Time of each frame in seconds, of a part that knows it, else from ``fps``."""
        for record in (self.keypoints, self.labels, self.motion, self.joints):
            if record is not None:
                return record.time_s
        return np.arange(self.num_frames) / self.fps
