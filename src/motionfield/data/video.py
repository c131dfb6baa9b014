"""A video: what is known of it without its pixels. ``formats.video_file`` streams those."""

from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float, Int
from numpy import ndarray

from motionfield.core.errors import RecordError
from motionfield.data.record import Record


@dataclass(frozen=True, eq=False, kw_only=True)
class Video(Record):
    """The chosen range of a video file or folder of images."""

    path: Path
    """The file, or the folder of images."""
    image_width: int
    """Pixels, after the file's rotation flag is applied."""
    image_height: int
    rotation_deg: int
    """Clockwise turn (0, 90, 180, 270) that the decoder applies to show the picture upright."""
    fps: float
    """Mean frame rate in capture time: the speed at which the world was filmed."""
    frame_index: Int[ndarray, "frames"]
    """Index of each frame in the file, from 0."""
    time_s: Float[ndarray, "frames"]
    """Capture time of each frame in seconds, from the start of the file (variable rates kept)."""
    playback_s: Float[ndarray, "frames"]
    """The file's own time stamps in seconds (differ from ``time_s`` for slow motion)."""
    exif_focal_px: float | None = None
    """Focal length from the file's metadata in pixels, where it has one."""

    @property
    def num_frames(self) -> int:
        return len(self.frame_index)

    @property
    def image_size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.image_width, self.image_height

    def _check(self) -> None:
        if self.num_frames == 0:
            raise RecordError("Video: no frames")
        if (self.time_s[1:] <= self.time_s[:-1]).any():
            raise RecordError("Video: time_s does not grow from frame to frame")
