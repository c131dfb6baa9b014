"""One camera looking at the world at one moment: rays out of it, points into it."""

import dataclasses
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy import ndarray

from motionfield.core.errors import OptionError
from motionfield.geometry.cameras import MIN_DEPTH_M, back_project, project

NO_DISTORTION = np.zeros(5)
"""The lens terms of an ideal camera."""


class Rays(NamedTuple):
    """Rays from one point. A direction has length 1 along the view axis, so way = depth."""

    origin_world: Float[ndarray, "3"]
    direction_world: Float[ndarray, "rays 3"]


class Box(NamedTuple):
    """A rectangle of whole pixels, the end exclusive."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def width(self) -> int:
        return max(0, self.x1 - self.x0)

    @property
    def height(self) -> int:
        return max(0, self.y1 - self.y0)

    @property
    def empty(self) -> bool:
        return self.width == 0 or self.height == 0


@dataclass(frozen=True, eq=False)
class View:
    """Intrinsics, lens and pose of one picture: ``p_camera = R_camera_world @ p_world + t``.

    Pixels: the first pixel's centre is at (0.5, 0.5), so scaling a picture scales ``K`` alone.
    """

    K: Float[ndarray, "3 3"]
    R_camera_world: Float[ndarray, "3 3"]
    t_camera_world: Float[ndarray, "3"]
    width: int
    height: int
    distortion: Float[ndarray, "5"] = dataclasses.field(default_factory=NO_DISTORTION.copy)
    """OpenCV's k1, k2, p1, p2, k3."""

    @property
    def position_world(self) -> Float[ndarray, "3"]:
        """The camera's centre in the world, metres."""
        return -self.R_camera_world.T @ self.t_camera_world

    @property
    def whole(self) -> Box:
        """The box of the whole picture."""
        return Box(0, 0, self.width, self.height)

    def resized(self, width: int, height: int) -> "View":
        """The same view on another number of pixels."""
        scale = np.array([width / self.width, height / self.height, 1.0])
        return dataclasses.replace(self, K=scale[:, None] * self.K, width=width, height=height)

    def cropped(self, box: Box) -> "View":
        """The part of the view inside a box of its pixels."""
        K = self.K.copy()
        K[:2, 2] -= (box.x0, box.y0)
        return dataclasses.replace(self, K=K, width=box.width, height=box.height)

    def moved(self, R_new_world: Float[ndarray, "3 3"], t_new_world: Float[ndarray, "3"]) -> "View":
        """The same camera in a world moved by ``p_new = R_new_world @ p_world + t_new_world``."""
        R = self.R_camera_world @ R_new_world.T
        t = self.t_camera_world - R @ t_new_world
        return dataclasses.replace(self, R_camera_world=R, t_camera_world=t)

    def rays(self, where: Bool[ndarray, "height width"] | None = None) -> Rays:
        """A ray through the centre of each pixel, row by row; the lens is undone.

        With ``where``, only those pixels' rays.
        """
        pixels = _pixel_centres(self.width, self.height)
        if where is not None:
            pixels = pixels[torch.from_numpy(where.reshape(-1))]
        rays = back_project(pixels[None], torch.from_numpy(self.K)[None], self._lens())[0].numpy()
        return Rays(self.position_world, rays @ self.R_camera_world)

    def pixels_of(
        self, points_world: Float[ndarray, "points 3"]
    ) -> tuple[Float[ndarray, "points 2"], Float[ndarray, "points"]]:
        """Pixel and depth in metres of each point; the pixel is NaN behind the camera."""
        camera = points_world @ self.R_camera_world.T + self.t_camera_world
        points = torch.from_numpy(camera)[None]
        pixels = project(points, torch.from_numpy(self.K)[None], self._lens())[0].numpy()
        depth = camera[:, 2]
        return np.where((depth > MIN_DEPTH_M)[:, None], pixels, np.nan), depth

    def box_of(self, points_world: Float[ndarray, "points 3"], margin_px: float = 2.0) -> Box:
        """Pixels that can show something of the hull of the points (all if some are behind)."""
        pixels, _ = self.pixels_of(points_world)
        if not len(pixels):
            return Box(0, 0, 0, 0)
        if np.isnan(pixels).all():
            return Box(0, 0, 0, 0)
        if np.isnan(pixels).any():
            return self.whole
        size = np.array([self.width, self.height])
        low = np.clip(np.floor(pixels.min(0) - margin_px), 0, size).astype(int)
        high = np.clip(np.ceil(pixels.max(0) + margin_px), 0, size).astype(int)
        return Box(int(low[0]), int(low[1]), int(high[0]), int(high[1]))

    def _lens(self) -> torch.Tensor | None:
        return torch.from_numpy(self.distortion) if self.distortion.any() else None


@functools.lru_cache(maxsize=8)
def _pixel_centres(width: int, height: int) -> torch.Tensor:
    x = torch.arange(width, dtype=torch.float64) + 0.5
    y = torch.arange(height, dtype=torch.float64) + 0.5
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1).reshape(-1, 2)


def look_at(
    position_world: Sequence[int | float] | Float[ndarray, "3"],
    target_world: Sequence[int | float] | Float[ndarray, "3"],
    size: tuple[int, int],
    vertical_view_deg: int | float = 35.0,
) -> View:
    """An upright ideal camera at a place, looking at another; ``size`` is (width, height).

    Raises:
        OptionError: the target is straight above or below the camera, or at its place.
    """
    position, target = np.asarray(position_world, float), np.asarray(target_world, float)
    forward = target - position
    right = np.cross(forward, (0.0, 0.0, 1.0))
    if np.linalg.norm(right) < 1e-9:
        raise OptionError("look_at: the target is straight above or below the camera; move one")
    forward, right = forward / np.linalg.norm(forward), right / np.linalg.norm(right)
    R = np.stack((right, np.cross(forward, right), forward))
    width, height = size
    focal = height / 2 / np.tan(np.deg2rad(vertical_view_deg) / 2)
    K = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    return View(K, R, -R @ position, width, height)
