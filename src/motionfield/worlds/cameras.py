"""Made cameras: static, random, looking at a motion with the whole person in the picture."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from motionfield.core.errors import OptionError
from motionfield.core.history import step
from motionfield.data.camera_path import CameraPath

_UP: Final = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class CameraConfig:
    """Ranges that a camera is drawn from, uniformly."""

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


def draw_camera(
    points_world: Float[ndarray, "frames points 3"],
    rng: np.random.Generator,
    config: CameraConfig = CameraConfig(),
) -> CameraPath:
    """A static camera that sees all points in all frames.

    Raises:
        OptionError: no camera in front of these points sees them all.
    """
    points = points_world.reshape(-1, 3).astype(np.float64)
    middle = (points.min(0) + points.max(0)) / 2
    distance = rng.uniform(*config.distance_m)
    azimuth = rng.uniform(0, 2 * math.pi)
    height = rng.uniform(*config.height_m)
    roll = math.radians(rng.uniform(-config.roll_deg, config.roll_deg))
    view = math.radians(rng.uniform(*config.view_deg))
    focal = max(config.image_width, config.image_height) / 2 / math.tan(view / 2)
    around = np.array([math.cos(azimuth), math.sin(azimuth), 0.0])
    for _ in range(20):
        place = np.array([middle[0], middle[1], height]) + distance * around
        R = look_at(place, middle, roll)
        t = -R @ place
        if _all_inside(points @ R.T + t, focal, config):
            return _static_path(R, t, focal, len(points_world), config)
        distance *= 1.15
    raise OptionError("no camera sees the whole motion; cut it into shorter ones")


def look_at(
    place: Float[ndarray, "3"], target: Float[ndarray, "3"], roll: float = 0.0
) -> Float[ndarray, "3 3"]:
    """R_camera_world of a camera at ``place`` that looks at ``target``, up in the picture.

    ``roll`` radians turn the camera clockwise about its viewing axis.
    """
    ahead = (target - place) / np.linalg.norm(target - place)
    right = np.cross(ahead, _UP)
    right /= np.linalg.norm(right)
    level = np.stack((right, np.cross(ahead, right), ahead))
    cos, sin = math.cos(roll), math.sin(roll)
    return np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]]) @ level


def _all_inside(
    points_camera: Float[ndarray, "points 3"], focal: float, config: CameraConfig
) -> bool:
    depth = points_camera[:, 2]
    if (depth < 0.5).any():
        return False
    half = np.array([config.image_width, config.image_height]) * (0.5 - config.margin)
    return bool((np.abs(focal * points_camera[:, :2] / depth[:, None]) < half).all())


def _static_path(
    R: Float[ndarray, "3 3"],
    t: Float[ndarray, "3"],
    focal: float,
    frames: int,
    config: CameraConfig,
) -> CameraPath:
    width, height = config.image_width, config.image_height
    K = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])

    def every(value: ndarray) -> ndarray:
        return np.repeat(value[None].astype(np.float32), frames, axis=0)

    return CameraPath(
        K=every(K),
        distortion=np.zeros(5, np.float32),
        R_camera_world=every(R),
        t_camera_world=every(t),
        image_width=width,
        image_height=height,
        moving=False,
        focal_source="given",
        focal_range_px=(focal, focal),
        gravity_source="given",
        gravity_doubt_deg=0.0,
        scale_source="given",
        scale_range=(1.0, 1.0),
        history=(step("made camera", config),),
    )
