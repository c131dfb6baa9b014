"""Pictures of the empty place: sky, ground and things, in linear light."""

from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from motionfield.rendering.ray_casting import Hits
from motionfield.rendering.view import Rays, View
from motionfield.worlds.avatars.surroundings import SURFACES, Surroundings

_HAZE_M = 250.0


class Backdrop(NamedTuple):
    """The empty place as seen from a view."""

    colour: Float[ndarray, "height width 3"]
    ground: Bool[ndarray, "height width"]
    """Pixels that show the ground."""


def paint_backdrop(place: Surroundings, view: View, supersampling: int = 1) -> Backdrop:
    """Cast a ray through every pixel (``supersampling`` squared rays)."""
    fine = view.resized(view.width * supersampling, view.height * supersampling)
    rays = fine.rays()
    directions = rays.direction_world.astype(np.float32)
    hits = place.scene.cast(rays)
    way = np.full(len(directions), np.inf, np.float32)
    way[hits.ray] = hits.depth
    down = -rays.origin_world[2] / np.minimum(directions[:, 2], -1e-9)
    on_ground = (directions[:, 2] < -1e-6) & (down < way) & (down > 0)
    colour: ndarray = np.zeros((len(directions), 3), np.float32)
    per_pixel = 1 / np.float32(min(fine.K[0, 0], fine.K[1, 1]))
    thing = ~on_ground[hits.ray]
    shown = Hits(*(part[thing] for part in hits))
    if len(shown.ray):
        colour[shown.ray] = _things(place, shown, rays, per_pixel)
    if on_ground.any():
        at = np.flatnonzero(on_ground)
        colour[at] = _ground(place, rays, directions[at], down[at], per_pixel)
    open_air = ~on_ground
    open_air[shown.ray] = False
    above = np.flatnonzero(open_air)
    if len(above):
        colour[above] = _sky(place, directions[above])
    picture = colour.reshape(fine.height, fine.width, 3)
    ground = on_ground.reshape(fine.height, fine.width)
    if supersampling > 1:
        picture = cv2.resize(picture, (view.width, view.height), interpolation=cv2.INTER_AREA)
        half = supersampling // 2
        ground = ground[half::supersampling, half::supersampling]
    return Backdrop(picture, ground)


def _sky(place: Surroundings, directions: ndarray) -> Float[ndarray, "rays 3"]:
    up = directions[:, 2] / np.linalg.norm(directions, axis=1)
    share = np.clip(up * 2.2, 0, 1)[:, None] ** 0.7
    colour = place.sky[0] * (1 - share) + place.sky[1] * share
    above = np.maximum(up, 0.02)
    u, v = directions[:, 0] / above, directions[:, 1] / above
    cloud = np.clip(place.noise.at(u, v, 25.0) * 0.6 + place.cloud, 0, 1) * (up > 0)
    colour += (cloud * np.clip(6 * up, 0, 1))[:, None] * (0.88 - colour)
    return colour.astype(np.float32)


def _ground(
    place: Surroundings,
    rays: Rays,
    directions: ndarray,
    way: ndarray,
    per_pixel: np.float32,
) -> Float[ndarray, "rays 3"]:
    point = rays.origin_world[:2].astype(np.float32) + way[:, None] * directions[:, :2]
    slant = np.linalg.norm(directions, axis=1) / np.maximum(-directions[:, 2], 0.02)
    footprint = way * per_pixel * np.sqrt(slant)
    albedo = place.ground.at(point[:, 0], point[:, 1], footprint)
    up = np.broadcast_to(np.array((0, 0, 1), np.float32), (len(way), 3))
    lit = albedo * place.light.on(up, np.ones(len(way), np.float32))
    return _hazed(place, lit, way)


def _things(
    place: Surroundings,
    hits: Hits,
    rays: Rays,
    per_pixel: np.float32,
) -> Float[ndarray, "rays 3"]:
    scene = place.scene
    point = rays.origin_world + hits.depth[:, None] * rays.direction_world[hits.ray]
    corner = scene.faces[hits.face]
    normal = np.einsum(
        "hc,hcx->hx", hits.corner_weights.astype(np.float32), scene.vertex_normals[corner]
    )
    normal /= np.linalg.norm(normal, axis=1, keepdims=True).clip(1e-9)
    owner = scene.face_mesh[hits.face]
    # Along the wall and up; on roofs, the two level directions.
    flat = np.abs(normal[:, 2]) > 0.8
    along = np.where(flat, point[:, 0], point[:, 1] * normal[:, 0] - point[:, 0] * normal[:, 1])
    up = np.where(flat, point[:, 1], point[:, 2])
    leaves = np.array([thing.kind == "leaves" for thing in place.things])[owner]
    along = np.where(leaves, 0.8 * point[:, 0] + 0.6 * point[:, 1], along)
    up = np.where(leaves, point[:, 2] + 0.5 * point[:, 0] - 0.4 * point[:, 1], up)
    footprint = (hits.depth * per_pixel).astype(np.float32)
    albedo = _albedo(place, owner, along, up, footprint)
    light = place.light.on(normal, np.ones(len(point), np.float32))
    if place.indoors:
        light = np.maximum(light, 0.55 * (place.light.sky + place.light.sun)).astype(np.float32)
    return _hazed(place, albedo * light, hits.depth)


def _albedo(
    place: Surroundings, owner: ndarray, along: ndarray, up: ndarray, footprint: ndarray
) -> Float[ndarray, "points 3"]:
    things = place.things
    base = np.array([t.colour for t in things], np.float32)[owner]
    second = np.array([t.second for t in things], np.float32)[owner]
    cell = np.array([t.cell_m for t in things], np.float32)[owner]
    shift = np.array([t.shift for t in things], np.float32)[owner]
    kind = np.array([SURFACES.index(t.kind) for t in things])[owner]
    u, v = (along + shift).astype(np.float32), up.astype(np.float32)
    noise = place.noise.at(u + 3 * shift, v, 4.0)
    fine = place.noise.at(v, u, 0.9) * np.clip(1.3 - footprint / 0.02, 0, 1)
    share = np.zeros(len(u), np.float32)
    strength = np.full(len(u), 0.10, np.float32)
    for name, shape in (("bricks", _bricks), ("windows", _windows), ("planks", _planks)):
        at = np.flatnonzero(kind == SURFACES.index(name))
        share[at] = shape(u[at], v[at], cell[at], footprint[at])
    leaves = kind == SURFACES.index("leaves")
    share[leaves] = np.clip(0.25 + 0.5 * noise[leaves] + 0.5 * fine[leaves], 0, 1)
    strength[leaves] = 0.45
    poster = kind == SURFACES.index("poster")
    blocks = np.sin(u / cell * 3) + np.sin(v / cell * 4 + 1.3) + 0.8 * noise
    share[poster] = (blocks[poster] > 0.2).astype(np.float32)
    colour = base + share[:, None] * (second - base)
    return colour * np.clip(1 + strength * (noise + fine), 0.2, 2.5)[:, None]


def _bricks(u: ndarray, v: ndarray, cell: ndarray, footprint: ndarray) -> ndarray:
    high = cell * 0.4
    row = np.floor(v / high)
    across = u / cell + 0.5 * np.mod(row, 2)
    own = np.mod(np.sin(row * 12.9898 + np.floor(across) * 78.233) * 43758.5453, 1)
    edge = np.minimum(np.mod(across, 1) * cell, np.mod(v / high, 1) * high)
    mortar = (edge < 0.018) * np.clip(1.5 - footprint / 0.02, 0.15, 1)
    return np.clip(
        0.45 * mortar + 0.3 * (own - 0.5) * np.clip(1.5 - footprint / 0.08, 0, 1), -0.2, 1
    )


def _windows(u: ndarray, v: ndarray, cell: ndarray, footprint: ndarray) -> ndarray:
    across, high = np.mod(u / cell, 1), np.mod(v / 2.8, 1)
    inside = (across > 0.25) & (across < 0.75) & (high > 0.3) & (high < 0.8)
    frame = (np.abs(across - 0.5) < 0.02) | (np.abs(high - 0.55) < 0.015)
    return (inside & ~frame).astype(np.float32)


def _planks(u: ndarray, v: ndarray, cell: ndarray, footprint: ndarray) -> ndarray:
    own = np.mod(np.sin(np.floor(u / cell) * 78.233) * 43758.5453, 1)
    gap = (np.mod(u / cell, 1) * cell < 0.015) * np.clip(1.5 - footprint / 0.02, 0.1, 1)
    return 0.35 * (own - 0.3) * np.clip(1.5 - footprint / cell, 0, 1) + 0.3 * gap


def _hazed(place: Surroundings, colour: ndarray, way: ndarray) -> Float[ndarray, "rays 3"]:
    """What is far fades into the horizon; not in a hall."""
    if place.indoors:
        return colour.astype(np.float32)
    clear = np.exp(-way / _HAZE_M)[:, None].astype(np.float32)
    return (colour * clear + place.sky[0] * (1 - clear)).astype(np.float32)
