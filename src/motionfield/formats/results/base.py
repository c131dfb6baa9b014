"""What every result file becomes: one person's poses, joints, or both, in our conventions."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from motionfield.core.errors import RecordError
from motionfield.data.camera_path import CameraPath
from motionfield.data.motion import Motion
from motionfield.data.record import Record

FrameName = Literal["world", "tilted world", "camera"]
FRAMES: Final[dict[str, str]] = {
    "world": "a level world",
    "tilted world": "a world whose up is not known",
    "camera": "the camera of each frame",
}
"""What the numbers of a file are relative to. Axes are ours in all of them (Z up, metres): camera
axes are turned as those of a level camera that looks along +Y."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Result(Record):
    """One person of one file. NaN: missing. Has ``rotations``, ``joints``, or both."""

    path: Path
    source: str
    """Which program's file it is, e.g. "WHAM"."""
    persons: tuple[str, ...]
    """All that the file holds."""
    person: str
    """The one that was read."""
    frame: str
    """One of ``FRAMES``."""
    fps: float | None
    """None: the file does not say."""
    time_s: Float[ndarray, "frames"]
    """Seconds; at 30 fps where ``fps`` is None."""
    frame_index: Int[ndarray, "frames"]
    numbered: bool
    """Whether ``frame_index`` is the file's own; else its rows are counted from 0."""
    rotations: Float[ndarray, "frames 24 3 3"] | None = None
    """The root's in the world, the others' in their parents; SMPL's order and T-pose."""
    root: Float[ndarray, "frames 3"] | None = None
    """Place of the root joint in metres; None: the file has no path."""
    betas: Float[ndarray, "betas"] | None = None
    """Of SMPL's shape space, which is not ours; the mean where a file has one for each frame."""
    joints: Float[ndarray, "frames joints 3"] | None = None
    """The file's own joints or markers in metres."""
    joint_names: tuple[str, ...] = ()
    """Ours where the file's name is known (``formats.joint_words``), else the file's."""
    renamed: tuple[tuple[str, str], ...] = ()
    """(the file's name, ours) of the joints whose names differ."""
    motion: Motion | None = None
    """The motion itself, where the file is one of ours."""
    camera: CameraPath | None = None
    """Likewise the camera of every frame."""
    notes: tuple[str, ...] = ()
    """What was assumed in reading, one line each."""

    @property
    def num_frames(self) -> int:
        return len(self.time_s)

    @property
    def has_path(self) -> bool:
        """Whether the person's place is known, not the pose alone."""
        if self.motion is not None or self.root is not None:
            return True
        return self.joints is not None and self.frame != "camera"

    def _check(self) -> None:
        if self.num_frames == 0:
            raise RecordError("Result: no frames")
        if self.rotations is None and self.joints is None:
            raise RecordError("Result: neither rotations nor joints")
        if self.frame not in FRAMES:
            raise RecordError(f"Result: frame is {self.frame!r}")
        if self.joints is not None and len(self.joint_names) != self.joints.shape[1]:
            raise RecordError("Result: names and joints differ in number")
        if (np.diff(self.frame_index) <= 0).any():
            raise RecordError("Result: frame_index does not grow from frame to frame")
