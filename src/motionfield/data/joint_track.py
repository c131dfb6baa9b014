"""Named points of one person over time, without a body: of marker files, of triangulation."""

from dataclasses import dataclass

from jaxtyping import Float, Int
from numpy import ndarray

from motionfield.core.errors import RecordError
from motionfield.data.record import Record


@dataclass(frozen=True, eq=False, kw_only=True)
class JointTrack(Record):
    """Points in the world (Z up, metres), by name. NaN: missing."""

    joints_world: Float[ndarray, "frames joints 3"]
    joint_names: tuple[str, ...]
    """``core.conventions.JOINT_NAMES`` where the points are those joints."""
    fps: float
    time_s: Float[ndarray, "frames"]
    frame_index: Int[ndarray, "frames"]

    @property
    def num_frames(self) -> int:
        return len(self.time_s)

    def _check(self) -> None:
        if self.num_frames == 0:
            raise RecordError("JointTrack: no frames")
        if len(self.joint_names) != self.joints_world.shape[1]:
            count = self.joints_world.shape[1]
            raise RecordError(f"JointTrack: {len(self.joint_names)} names for {count} joints")
        if len(set(self.joint_names)) != len(self.joint_names):
            raise RecordError("JointTrack: two joints have the same name")
