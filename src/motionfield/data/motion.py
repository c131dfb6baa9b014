"""One person's motion: the parameters of the body in the world, frame by frame."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from motionfield.core.errors import RecordError
from motionfield.data.record import Record


@dataclass(frozen=True, eq=False, kw_only=True)
class Motion(Record):
    """Body parameters over time. World: Z up, metres, ground at z = 0."""

    global_orient: Float[ndarray, "frames 3 3"]
    """Rotation of the root, world from body; Rx(+90 degrees) stands upright."""
    body_pose: Float[ndarray, "frames 23 3 3"]
    """Rotations of joints 1 to 23 relative to their parents."""
    transl: Float[ndarray, "frames 3"]
    """The root joint is at its rest place plus this."""
    betas: Float[ndarray, "betas"]
    bone_scale: Float[ndarray, "24"] | None = None
    """Factor on each joint's offset from its parent, where proportions leave the shape space."""
    body_model: str
    """Name of the body that these parameters drive ("anny", "toy", …)."""
    fps: float
    """Capture rate."""
    time_s: Float[ndarray, "frames"]
    frame_index: Int[ndarray, "frames"]
    observed: Bool[ndarray, "frames"]
    """False where nothing was seen and the motion was carried over."""
    contacts: Float[ndarray, "frames 2"] | None = None
    """How much each foot (left, right) bears on the ground, in [0, 1]."""
    joints_std: Float[ndarray, "frames 24 3"] | None = None
    """Standard deviation of each joint's place in metres, where known."""

    @property
    def num_frames(self) -> int:
        return len(self.time_s)

    def _check(self) -> None:
        if self.num_frames == 0:
            raise RecordError("Motion: no frames")
        for name in ("global_orient", "body_pose", "transl", "betas"):
            if not np.isfinite(getattr(self, name)).all():
                raise RecordError(f"Motion: {name} holds values that are not finite")
