"""The camera of every frame, and how each of its parts is known."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from motionfield.core.errors import RecordError
from motionfield.data.record import Record

SOURCES = ("given", "exif", "estimated", "assumed")
"""How a quantity is known, the best first."""


@dataclass(frozen=True, eq=False, kw_only=True)
class CameraPath(Record):
    """Intrinsics and extrinsics of every frame: ``p_camera = R_camera_world @ p_world + t``.

    The world is Z up, in metres, with the ground at z = 0.
    """

    K: Float[ndarray, "frames 3 3"]
    """Intrinsics in pixels; the first pixel's centre is at (0.5, 0.5)."""
    distortion: Float[ndarray, "5"]
    """OpenCV's k1, k2, p1, p2, k3; the same in all frames."""
    R_camera_world: Float[ndarray, "frames 3 3"]
    t_camera_world: Float[ndarray, "frames 3"]
    image_width: int
    image_height: int
    moving: bool
    focal_source: str
    """One of ``SOURCES``; likewise the two below."""
    focal_range_px: tuple[float, float]
    """A plausible range of the focal length (equal ends where it was given)."""
    gravity_source: str
    gravity_doubt_deg: float
    """A plausible error of the up axis in degrees."""
    scale_source: str
    scale_range: tuple[float, float]
    """A plausible range of true metres per metre of this world, around 1."""
    warnings: tuple[str, ...] = ()

    @property
    def num_frames(self) -> int:
        return len(self.K)

    @property
    def image_size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.image_width, self.image_height

    @property
    def position_world(self) -> Float[ndarray, "frames 3"]:
        """The camera's centre in the world."""
        return -np.einsum("tji,tj->ti", self.R_camera_world, self.t_camera_world)

    def moved(
        self, R_new_world: Float[ndarray, "3 3"], t_new_world: Float[ndarray, "3"]
    ) -> "CameraPath":
        """The same camera in a world moved by ``p_new = R_new_world @ p_world + t_new_world``.

        Moving the motion alike leaves every pixel where it was.
        """
        R = self.R_camera_world @ R_new_world.T
        t = self.t_camera_world - R @ t_new_world
        return self.replace(R_camera_world=R, t_camera_world=t)

    def _check(self) -> None:
        for name in ("focal_source", "gravity_source", "scale_source"):
            if getattr(self, name) not in SOURCES:
                raise RecordError(f"CameraPath: {name} is {getattr(self, name)!r}")
        determinant = np.linalg.det(self.R_camera_world)
        if not np.allclose(determinant, 1, atol=1e-3):
            raise RecordError("CameraPath: R_camera_world holds a matrix that is no rotation")
