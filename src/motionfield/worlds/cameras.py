"""Made cameras: random, looking at a motion with the whole person in the picture.

Static ones are drawn here, those that move in ``moving_cameras``.
"""

import math
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from motionfield.core.errors import OptionError
from motionfield.core.history import step
from motionfield.data.camera_path import CameraPath

_UP: Final = np.array([0.0, 0.0, 1.0])
_LEAST_DEPTH_M: Final = 0.5

CameraKind = Literal["static", "follow", "pan", "orbit", "dolly"]
"""Follow: hand-held, walking along. Pan: turning on a tripod. Orbit: round the person.
Dolly: along a straight rail."""


@dataclass(frozen=True)
class MovingConfig:
    """How a camera moves that does; the same seed gives the same path at every frame rate."""

    aim_s: float = 0.35
    """The camera aims at where the person is on average over about this time."""
    carry_s: float = 0.8
    """Likewise where the camera itself goes along with the person."""
    orbit_deg_per_s: tuple[float, float] = (6.0, 25.0)
    """Drawn with either sense."""
    dolly_m_per_s: tuple[float, float] = (0.2, 0.8)
    dolly_m: tuple[float, float] = (0.6, 4.0)
    """Length of the rail where the person stays about; it goes along with one who travels."""
    aim_deg: float = 1.5
    """Root mean square of the slow error of the aim about each axis."""
    shake_deg: float = 0.35
    """Root mean square of the hand's turns about each axis (follow; a third of it in orbit)."""
    shake_m: float = 0.012
    """Likewise of its shifts."""
    wander_deg: float = 12.0
    """Root mean square of the slow change of the side from which a following camera looks."""
    framed_share: float = 0.98
    """Least share of frames with the whole person in the picture, margins kept."""


@dataclass(frozen=True)
class CameraConfig:
    """Ranges that a camera is drawn from, uniformly."""

    kind: CameraKind = "static"
    distance_m: tuple[float, float] = (3.0, 8.0)
    """From the middle of the motion; farther where the motion would not fit into the picture."""
    height_m: tuple[float, float] = (0.8, 2.2)
    roll_deg: float = 2.0
    """Most turn about the viewing axis."""
    view_deg: tuple[float, float] = (40.0, 70.0)
    """Angle of view along the longer side of the image."""
    image_width: int = 1920
    image_height: int = 1080
    margin: float = 0.08
    """Share of the image that stays free at each edge."""
    moving: MovingConfig = field(default_factory=MovingConfig)

    @property
    def longer_side(self) -> int:
        """Pixels."""
        return max(self.image_width, self.image_height)


def draw_camera(
    points_world: Float[ndarray, "frames points 3"],
    rng: np.random.Generator,
    config: CameraConfig = CameraConfig(),
) -> CameraPath:
    """A static camera that sees all points in all frames.

    Raises:
        OptionError: no camera in front of these points sees them all.
    """
    if config.kind != "static":
        raise OptionError(f"camera {config.kind!r} moves: it is drawn by draw_moving_camera")
    points = points_world.reshape(-1, 3).astype(np.float64)
    middle = (points.min(0) + points.max(0)) / 2
    distance = rng.uniform(*config.distance_m)
    azimuth = rng.uniform(0, 2 * math.pi)
    height = rng.uniform(*config.height_m)
    roll = math.radians(rng.uniform(-config.roll_deg, config.roll_deg))
    view = math.radians(rng.uniform(*config.view_deg))
    focal = config.longer_side / 2 / math.tan(view / 2)
    around = np.array([math.cos(azimuth), math.sin(azimuth), 0.0])
    for _ in range(20):
        place = np.array([middle[0], middle[1], height]) + distance * around
        R = look_at(place, middle, roll)
        t = -R @ place
        if inside(points @ R.T + t, focal, config).all():
            frames = len(points_world)
            return given_path(R[None].repeat(frames, 0), t[None].repeat(frames, 0), focal, config)
        distance *= 1.15
    raise OptionError("no camera sees the whole motion; cut it into shorter ones")


def look_at(
    place: Float[ndarray, "*frames 3"], target: Float[ndarray, "*frames 3"], roll: float = 0.0
) -> Float[ndarray, "*frames 3 3"]:
    """R_camera_world of a camera at ``place`` that looks at ``target``, up in the picture.

    ``roll`` radians turn the camera clockwise about its viewing axis.
    """
    ahead = (target - place) / np.linalg.norm(target - place, axis=-1, keepdims=True)
    right = np.cross(ahead, _UP)
    right /= np.linalg.norm(right, axis=-1, keepdims=True)
    level = np.stack((right, np.cross(ahead, right), ahead), axis=-2)
    cos, sin = math.cos(roll), math.sin(roll)
    return np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]]) @ level


def inside(
    points_camera: Float[ndarray, "*frames points 3"], focal: float, config: CameraConfig
) -> Bool[ndarray, "*frames points"]:
    """Which points are in front of the camera and in its picture, the margins kept."""
    depth = points_camera[..., 2:]
    half = np.array([config.image_width, config.image_height]) * (0.5 - config.margin)
    ahead = depth[..., 0] > _LEAST_DEPTH_M
    seen = focal * np.abs(points_camera[..., :2]) < half * depth
    return ahead & seen.all(-1)


def given_path(
    R_camera_world: Float[ndarray, "frames 3 3"],
    t_camera_world: Float[ndarray, "frames 3"],
    focal: float,
    config: CameraConfig,
) -> CameraPath:
    """The record of a camera that is known exactly."""
    width, height = config.image_width, config.image_height
    K = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]], np.float32)
    return CameraPath(
        K=K[None].repeat(len(R_camera_world), 0),
        distortion=np.zeros(5, np.float32),
        R_camera_world=R_camera_world.astype(np.float32),
        t_camera_world=t_camera_world.astype(np.float32),
        image_width=width,
        image_height=height,
        moving=config.kind != "static",
        focal_source="given",
        focal_range_px=(focal, focal),
        gravity_source="given",
        gravity_doubt_deg=0.0,
        scale_source="given",
        scale_range=(1.0, 1.0),
        history=(step("made camera", config),),
    )
