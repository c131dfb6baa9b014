"""Soft shading of ray-cast meshes: a picture layer with alpha, antialiased at little cost."""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8
from numpy import ndarray

from motionfield.rendering.ray_casting import Hits, RayScene
from motionfield.rendering.view import Box, View

MIN_CRISP_SCALE = 1.2
"""Rays per pixel and direction below which the edges of a layer are smoothed."""
EDGE_BLUR = 0.6
"""Standard deviation of that smoothing in rays."""
MIN_CELL_PX = 5.0
MAX_CELLS = 80
"""Cells along the longer side of a box, at most."""


@dataclass(frozen=True)
class Shading:
    """Lights and effort. The main light comes from the upper left, seen from the camera."""

    ambient: float = 0.42
    diffuse: float = 0.5
    sky: float = 0.14
    """Extra light on what faces up in the world."""
    edge: float = 0.25
    """Darkening of what is seen edge-on; draws the limbs apart."""
    light_camera: tuple[float, float, float] = (-0.45, -0.75, -0.5)
    """Direction towards the main light in camera axes."""
    ray_budget: int = 60_000
    """At most about so many rays per layer; a larger box is cast coarsely and scaled up."""
    supersampling: float = 1.6
    """Rays per pixel and direction where the budget allows."""
    buried_alpha: float = 0.35
    """Opacity of what lies below the ground, where a ground is shown."""


class Layer(NamedTuple):
    """A part of a picture: colour times alpha, and alpha, both in [0, 1]."""

    box: Box
    premultiplied: Float[ndarray, "height width 3"]
    alpha: Float[ndarray, "height width"]

    def blend_onto(self, picture: UInt8[ndarray, "rows columns 3"], opacity: float = 1.0) -> None:
        """Draw the layer over a picture, in place."""
        if self.box.empty:
            return
        box = self.box
        part = picture[box.y0 : box.y1, box.x0 : box.x1]
        keep = 1 - opacity * self.alpha
        blended = self.premultiplied * np.float32(255 * opacity)
        blended += part * keep[..., None]
        np.copyto(part, cv2.convertScaleAbs(blended))


def render_layer(
    scene: RayScene, view: View, shading: Shading | None = None, ground_m: float | None = None
) -> Layer:
    """The shaded meshes inside their box of the view.

    Rays are cast on a grid that fits the budget (finer than the pixels for small boxes, coarser
    for large ones) and resampled to pixels, which softens the edges either way. With
    ``ground_m``, what lies below that height shows through faintly.
    """
    shading = shading or Shading()
    box = view.box_of(scene.vertices_world)
    if box.empty:
        return Layer(box, np.empty((0, 0, 3), np.float32), np.empty((0, 0), np.float32))
    inside = view.cropped(box)
    cells = _cells_with_something(scene, inside)
    rows, columns = cells.shape
    finest = shading.supersampling * max(box.width / columns, box.height / rows)
    per_cell = max(1, round(min(finest, np.sqrt(shading.ray_budget / max(1, cells.sum())))))
    fine = inside.resized(columns * per_cell, rows * per_cell)
    where = np.repeat(np.repeat(cells, per_cell, axis=0), per_cell, axis=1)
    grid: ndarray = np.zeros((fine.height, fine.width, 4), dtype=np.float32)
    grid[where] = _cast_colours(scene, fine, where, shading, ground_m)
    scale = min(fine.width / box.width, fine.height / box.height)
    if scale < MIN_CRISP_SCALE:
        grid = cv2.GaussianBlur(grid, (0, 0), EDGE_BLUR)
    method = cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR
    grid = cv2.resize(grid, (box.width, box.height), interpolation=method)
    return Layer(box, np.ascontiguousarray(grid[..., :3]), np.ascontiguousarray(grid[..., 3]))


def _cells_with_something(scene: RayScene, view: View) -> Bool[ndarray, "rows columns"]:
    """Cells of the view that may show a mesh, and their neighbours.

    One ray per cell finds large triangles and the vertices' places find small ones: a person
    fills a quarter of its box, and only that needs rays.
    """
    cell = max(MIN_CELL_PX, max(view.width, view.height) / MAX_CELLS)
    columns, rows = max(1, round(view.width / cell)), max(1, round(view.height / cell))
    cells = np.zeros(rows * columns, dtype=np.uint8)
    coarse = view.resized(columns, rows)
    cells[scene.cast(coarse.rays()).ray] = 1
    pixels, _ = coarse.pixels_of(scene.vertices_world)
    with np.errstate(invalid="ignore"):
        seen = ((pixels >= 0) & (pixels < (columns, rows))).all(-1)
    column, row = pixels[seen].astype(np.int64).T
    cells[row * columns + column] = 1
    return cv2.dilate(cells.reshape(rows, columns), np.ones((3, 3), np.uint8)).astype(bool)


def _cast_colours(
    scene: RayScene,
    view: View,
    where: Bool[ndarray, "height width"],
    shading: Shading,
    ground_m: float | None,
) -> Float[ndarray, "rays 4"]:
    """Colour times alpha, and alpha, of one ray through each chosen pixel."""
    rays = view.rays(where)
    hits = scene.cast(rays)
    rgba = np.zeros((len(rays.direction_world), 4), dtype=np.float32)
    rgba[hits.ray, :3] = _shaded(scene, hits, view, rays.direction_world[hits.ray], shading)
    rgba[hits.ray, 3] = 1
    if ground_m is not None:
        z = rays.origin_world[2] + hits.depth * rays.direction_world[hits.ray, 2]
        rgba[hits.ray[z < ground_m]] *= shading.buried_alpha
    return rgba


def _shaded(
    scene: RayScene,
    hits: Hits,
    view: View,
    direction_world: Float[ndarray, "hits 3"],
    shading: Shading,
) -> Float[ndarray, "hits 3"]:
    corners = scene.vertex_normals[scene.faces[hits.face]]
    normal = np.einsum("hc,hcx->hx", hits.corner_weights.astype(np.float32), corners)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True).clip(1e-12)
    light = view.R_camera_world.T @ np.asarray(shading.light_camera)
    light /= np.linalg.norm(light)
    towards_eye = -direction_world / np.linalg.norm(direction_world, axis=-1, keepdims=True)
    lit = np.clip(0.5 + 0.5 * (normal @ light), 0, 1) ** 1.5
    facing = np.clip(np.einsum("hx,hx->h", normal, towards_eye), 0, 1)
    brightness = shading.ambient + shading.diffuse * lit + shading.sky * np.clip(normal[:, 2], 0, 1)
    brightness *= 1 - shading.edge * (1 - facing) ** 3
    colours = np.array([mesh.colour for mesh in scene.meshes], dtype=np.float32).reshape(-1, 3)
    shaded = colours[scene.face_mesh[hits.face]] * brightness[:, None].astype(np.float32)
    return np.clip(shaded, 0, 1)
