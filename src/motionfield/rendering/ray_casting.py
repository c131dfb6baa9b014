"""Where rays meet triangle meshes (Embree): depth and masks, without a display."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore import EmbreeDevice
from embreex.rtcore_scene import EmbreeScene
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from motionfield.rendering.view import Box, Rays, View


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles with one colour (red, green, blue in [0, 1])."""

    vertices_world: Float[ndarray, "vertices 3"]
    faces: Int[ndarray, "faces 3"]
    """Counter-clockwise seen from outside."""
    colour: tuple[float, float, float] = (0.7, 0.7, 0.72)


class Hits(NamedTuple):
    """The rays that met something, and where."""

    ray: Int[ndarray, "hits"]
    """Index of the ray."""
    depth: Float[ndarray, "hits"]
    """Way along the ray in lengths of its direction: metres of depth for a view's rays."""
    face: Int[ndarray, "hits"]
    """Index into the scene's faces."""
    corner_weights: Float[ndarray, "hits 3"]
    """Barycentric weights of the face's three corners; they sum to 1."""


class RayScene:
    """Several meshes, ready for rays. Make a new one when something moves.

    Geometry is kept relative to its own centre, so single precision holds far from the origin.
    """

    def __init__(self, meshes: Sequence[Mesh]) -> None:
        counts = np.array([len(m.vertices_world) for m in meshes], dtype=np.int64)
        first = np.concatenate(([0], np.cumsum(counts)[:-1])) if len(meshes) else counts
        self.meshes = tuple(meshes)
        self.vertices_world: ndarray = np.concatenate(
            [np.empty((0, 3)), *(np.asarray(m.vertices_world, float) for m in meshes)]
        )
        self.faces: ndarray = np.concatenate(
            [np.empty((0, 3), np.int64)]
            + [np.asarray(m.faces, np.int64) + at for m, at in zip(meshes, first, strict=True)]
        )
        self.face_mesh: ndarray = np.repeat(np.arange(len(meshes)), [len(m.faces) for m in meshes])
        self._centre = self.vertices_world.mean(0) if len(self.vertices_world) else np.zeros(3)
        self._embree = None
        if len(self.faces):
            self._embree = EmbreeScene(device=_device())
            # Plain contiguous arrays: subclasses of ndarray make the construction 4 times slower.
            vertices = np.ascontiguousarray(self.vertices_world - self._centre, dtype=np.float32)
            TriangleMesh(self._embree, vertices, np.ascontiguousarray(self.faces, dtype=np.int32))

    @functools.cached_property
    def vertex_normals(self) -> ndarray:
        """Unit normals of the vertices, (vertices, 3), single precision."""
        return vertex_normals(self.vertices_world, self.faces)

    def cast(self, rays: Rays) -> Hits:
        """The first thing that each ray meets."""
        directions = np.ascontiguousarray(rays.direction_world, dtype=np.float32)
        if self._embree is None or not len(directions):
            nothing = np.empty(0, np.int64)
            return Hits(nothing, np.empty(0), nothing, np.empty((0, 3)))
        origin = (rays.origin_world - self._centre).astype(np.float32)
        origins = np.ascontiguousarray(np.broadcast_to(origin, directions.shape))
        found = self._embree.run(origins, directions, output=True)
        ray = np.flatnonzero(found["primID"] >= 0)
        u, v = found["u"][ray].astype(float), found["v"][ray].astype(float)
        weights = np.stack((1 - u - v, u, v), axis=-1)
        return Hits(
            ray, found["tfar"][ray].astype(float), found["primID"][ray].astype(np.int64), weights
        )

    def shades(
        self, points_world: Float[ndarray, "points 3"], towards: Float[ndarray, "3"]
    ) -> Bool[ndarray, "points"]:
        """Whether something lies between each point and a light infinitely far ``towards``."""
        if self._embree is None or not len(points_world):
            return np.zeros(len(points_world), dtype=bool)
        origins = np.ascontiguousarray(points_world - self._centre, dtype=np.float32)
        directions = np.ascontiguousarray(
            np.broadcast_to(towards.astype(np.float32), origins.shape)
        )
        return self._embree.run(origins, directions, query="OCCLUDED") >= 0


@functools.cache
def _device() -> EmbreeDevice:
    return EmbreeDevice()


def depth(scene: RayScene, view: View) -> Float[ndarray, "height width"]:
    """Depth along the view axis in metres at each pixel's centre; infinite where nothing is."""
    picture = np.full((view.height, view.width), np.inf)
    box, hits = cast_in_box(scene, view)
    part = picture[box.y0 : box.y1, box.x0 : box.x1].reshape(-1)
    part[hits.ray] = hits.depth
    picture[box.y0 : box.y1, box.x0 : box.x1] = part.reshape(box.height, box.width)
    return picture


def mask(scene: RayScene, view: View) -> Bool[ndarray, "height width"]:
    """Pixels whose centre shows one of the meshes."""
    return np.isfinite(depth(scene, view))


def cast_in_box(scene: RayScene, view: View) -> tuple[Box, Hits]:
    """The scene's box in the view, and the hits of one ray per pixel of that box."""
    box = view.box_of(scene.vertices_world)
    if box.empty:
        return box, scene.cast(Rays(view.position_world, np.empty((0, 3))))
    return box, scene.cast(view.cropped(box).rays())


def vertex_normals(
    vertices_world: Float[ndarray, "vertices 3"], faces: ndarray
) -> Float[ndarray, "vertices 3"]:
    """Unit normals: the sum of the adjacent faces' area normals, single precision."""
    a, b, c = (vertices_world[faces[:, k]] for k in range(3))
    area_normal = np.cross(b - a, c - a)
    corner = faces.reshape(-1)
    summed = [
        np.bincount(corner, np.repeat(area_normal[:, k], 3), minlength=len(vertices_world))
        for k in range(3)
    ]
    normals = np.stack(summed, axis=-1)
    length = np.linalg.norm(normals, axis=-1, keepdims=True).clip(1e-12)
    return (normals / length).astype(np.float32)
