"""The ground plane z = 0 with a metric checker, and soft shadows on it."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from motionfield.rendering.ray_casting import RayScene
from motionfield.rendering.view import Box, View


@dataclass(frozen=True)
class Ground:
    """Look of the ground and of what lies behind it. Colours are red, green, blue in [0, 1]."""

    tile_m: float = 1.0
    light_tile: tuple[float, float, float] = (0.86, 0.87, 0.88)
    dark_tile: tuple[float, float, float] = (0.76, 0.78, 0.80)
    background: tuple[float, float, float] = (0.95, 0.96, 0.97)
    fade_m: float = 14.0
    """Distance from the picture's centre on the ground at which the tiles have faded to a third."""
    shadow: float = 0.45
    """Darkness of shadows, 0 to 1."""
    light_world: tuple[float, float, float] = (-0.25, 0.2, 1.0)
    """Direction towards the light that casts shadows."""


def ground_picture(view: View, ground: Ground | None = None) -> UInt8[ndarray, "height width 3"]:
    """The empty ground as seen from a view. Make it once for a camera that stands still."""
    ground = ground or Ground()
    fine = view.resized(2 * view.width, 2 * view.height)
    rays = fine.rays()
    point, seen = _meet_ground(rays.origin_world, rays.direction_world)
    tile = np.floor(point / ground.tile_m)
    dark = (tile.sum(-1) % 2).astype(bool)
    colour = np.where(dark[:, None], ground.dark_tile, ground.light_tile)
    centre = _centre_on_ground(view)
    away = np.linalg.norm(point - centre, axis=-1)
    # Tiles fade into the background far away, where they would only flicker.
    strength = np.where(seen, np.exp(-((away / ground.fade_m) ** 2)), 0.0)[:, None]
    picture = (strength * colour + (1 - strength) * ground.background).astype(np.float32)
    picture = picture.reshape(fine.height, fine.width, 3)
    small = cv2.resize(picture, (view.width, view.height), interpolation=cv2.INTER_AREA)
    return cv2.convertScaleAbs(small, alpha=255)


def cast_shadow(
    picture: UInt8[ndarray, "height width 3"],
    scene: RayScene,
    view: View,
    ground: Ground | None = None,
) -> None:
    """Darken, in place, the ground that the scene keeps the light from."""
    ground = ground or Ground()
    light = np.asarray(ground.light_world, dtype=float)
    box, soft = shadow_on_ground(scene, view, light)
    if box.empty:
        return
    part = picture[box.y0 : box.y1, box.x0 : box.x1]
    np.copyto(part, cv2.convertScaleAbs(part * (1 - ground.shadow * soft)[..., None]))


def shadow_on_ground(
    scene: RayScene, view: View, towards_light: Float[ndarray, "3"], blur: float = 1.6
) -> tuple[Box, Float[ndarray, "height width"]]:
    """Where in a view the scene keeps a far light from the plane z = 0.

    Returns:
        The box of the shadow, and how much of each of its pixels lies in the shadow (0 to 1,
        ``blur`` is the deviation of its edge in pairs of pixels). Things before it are not
        thought of.
    """
    nothing = np.zeros((0, 0), np.float32)
    if not len(scene.vertices_world):
        return Box(0, 0, 0, 0), nothing
    vertices = scene.vertices_world
    footprint = vertices - vertices[:, 2:] / towards_light[2] * towards_light
    box = view.box_of(footprint, margin_px=6 * max(1.0, blur))
    if box.empty:
        return box, nothing
    size = max(1, box.width // 2), max(1, box.height // 2)
    rays = view.cropped(box).resized(*size).rays()
    point, seen = _meet_ground(rays.origin_world, rays.direction_world)
    place = np.concatenate((point, np.full((len(point), 1), 1e-3)), axis=-1)
    shade = np.zeros(len(place), dtype=np.float32)
    shade[seen] = scene.shades(place[seen], towards_light / np.linalg.norm(towards_light))
    soft = cv2.GaussianBlur(shade.reshape(size[1], size[0]), (0, 0), blur)
    return box, cv2.resize(soft, (box.width, box.height), interpolation=cv2.INTER_LINEAR)


def _meet_ground(
    origin: Float[ndarray, "3"], direction: Float[ndarray, "rays 3"]
) -> tuple[Float[ndarray, "rays 2"], ndarray]:
    """Where rays meet z = 0 (x and y), and whether they do so in front of the camera."""
    down = direction[:, 2]
    way = -origin[2] / np.where(np.abs(down) < 1e-12, 1e-12, down)
    seen = (way > 0) & (np.abs(down) > 1e-12)
    way = np.where(seen, way, 0.0)
    return origin[:2] + way[:, None] * direction[:, :2], seen


def _centre_on_ground(view: View) -> Float[ndarray, "2"]:
    axis = view.R_camera_world[2][None]
    point, seen = _meet_ground(view.position_world, axis)
    return point[0] if seen[0] else view.position_world[:2]
