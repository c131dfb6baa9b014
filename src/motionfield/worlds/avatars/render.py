"""Frames of a motion as a camera would film it: a dressed avatar in a made place."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, UInt8
from numpy import ndarray

from motionfield.body.base import Body
from motionfield.core.errors import RecordError
from motionfield.data.camera_path import CameraPath
from motionfield.data.motion import Motion
from motionfield.rendering.ground import shadow_on_ground
from motionfield.rendering.ray_casting import Mesh, RayScene, depth
from motionfield.rendering.view import View
from motionfield.worlds.avatars.backdrop import Backdrop, paint_backdrop
from motionfield.worlds.avatars.config import AvatarConfig
from motionfield.worlds.avatars.dress import Avatar, dress
from motionfield.worlds.avatars.exposure import Exposure, exposures
from motionfield.worlds.avatars.light import Light
from motionfield.worlds.avatars.outfit import draw_outfit
from motionfield.worlds.avatars.paint import Painter, make_painter
from motionfield.worlds.avatars.sensor import Sensor, draw_sensor
from motionfield.worlds.avatars.surroundings import Surroundings, draw_surroundings

_MARGIN_M = 2.0


class Stage(NamedTuple):
    """Everything about a take that does not change from frame to frame."""

    avatar: Avatar
    painter: Painter
    place: Surroundings
    sensor: Sensor


def set_stage(
    motion: Motion, camera: CameraPath, body: Body, seed: int, config: AvatarConfig
) -> Stage:
    """Draw person, clothes, place, light and camera make, each from a stream of its own.

    Person and place do not depend on the camera (but for the reach), so takes with equal motion,
    seed and reach show the same person in the same place. The camera make depends on the seed.
    """
    streams = np.random.default_rng(seed).spawn(5)
    avatar = dress(body, motion, draw_outfit(streams[0]), streams[4])
    painter = make_painter(avatar, streams[1])
    middle = (motion.transl[:, :2].min(0) + motion.transl[:, :2].max(0)) / 2
    spots = np.concatenate((motion.transl[:, :2], camera.position_world[:, :2]))
    needed = float(np.linalg.norm(spots - middle, axis=1).max()) + _MARGIN_M
    place = draw_surroundings(streams[2], middle, max(config.reach_m, needed))
    return Stage(avatar, painter, place, draw_sensor(streams[3], config))


def render_take(
    motion: Motion, camera: CameraPath, body: Body, seed: int, config: AvatarConfig | None = None
) -> Iterator[UInt8[ndarray, "height width 3"]]:
    """Frames (red, green, blue) of a motion before a camera, one after the other.

    The same arguments give the same frames. World: Z up, metres, ground at z = 0, as in the
    records. The lens's distortion is drawn; the size of the frames is the camera's.

    Raises:
        RecordError: motion and camera differ in frames.
    """
    if motion.num_frames != camera.num_frames:
        fault = f"{motion.num_frames} frames of motion and {camera.num_frames} of the camera"
        raise RecordError(f"render_take: {fault}; give both the same")
    config = config or AvatarConfig()
    stage = set_stage(motion, camera, body, seed, config)
    grain = np.random.default_rng((seed, 1))
    standing: Backdrop | None = None
    for moment in exposures(stage.avatar, motion, camera, body, stage.sensor.exposure_s):
        if camera.moving or standing is None:
            effort = 1 if camera.moving else config.backdrop_supersampling
            standing = paint_backdrop(stage.place, moment.view, effort)
        light = render_light(stage, standing, moment, config)
        yield stage.sensor.develop(light, grain)


def render_light(
    stage: Stage, backdrop: Backdrop, moment: Exposure, config: AvatarConfig
) -> Float[ndarray, "height width 3"]:
    """One picture in linear light, before lens and sensor, over the backdrop of the same view."""
    picture = backdrop.colour.copy()
    faces = stage.avatar.faces
    middle = RayScene([Mesh(moment.places, faces)])
    _shade_ground(picture, backdrop, middle, moment.view, stage.place.light)
    count = config.rays_per_pixel
    picture = moment.smear(picture, count)
    box = moment.box
    if box.empty:
        return picture
    still = moment.still
    total: ndarray = np.zeros((box.height * box.width, 4), np.float32)
    for number, shift in enumerate(_jitter(count)):
        share = 0.0 if still else (number + 0.5) / count - 0.5
        scene = middle if still else RayScene([Mesh(moment.places_at(share), faces)])
        inside = moment.view_at(share).cropped(box)
        total += _person(stage, scene, _shifted(inside, shift), config)
    total = (total / count).reshape(box.height, box.width, 4)
    part = picture[box.y0 : box.y1, box.x0 : box.x1]
    part *= 1 - total[..., 3:]
    part += total[..., :3]
    return picture


def person_depth(
    stage: Stage, view: View, places: Float[ndarray, "vertices 3"]
) -> Float[ndarray, "height width"]:
    """Depth of the dressed person in metres at each pixel's centre; infinite elsewhere."""
    return depth(RayScene([Mesh(places, stage.avatar.faces)]), view)


def _shifted(view: View, shift: tuple[float, float]) -> View:
    """The view with its rays moved by a part of a pixel."""
    K = view.K.copy()
    K[:2, 2] -= shift
    return View(
        K, view.R_camera_world, view.t_camera_world, view.width, view.height, view.distortion
    )


def _jitter(count: int) -> list[tuple[float, float]]:
    """Places inside a pixel, evenly spread (the R2 sequence), from its centre."""
    steps = (np.arange(count)[:, None] + 1) * np.array((0.7548776662, 0.5698402910))
    places = np.mod(steps, 1) - 0.5
    places -= places.mean(0)
    return [(float(x), float(y)) for x, y in places]


def _person(
    stage: Stage, scene: RayScene, view: View, config: AvatarConfig
) -> Float[ndarray, "rays 4"]:
    """Colour times alpha and alpha of one ray per pixel."""
    rays = view.rays()
    hits = scene.cast(rays)
    rgba: ndarray = np.zeros((len(rays.direction_world), 4), np.float32)
    if not len(hits.ray):
        return rgba
    avatar, light = stage.avatar, stage.place.light
    corners = scene.faces[hits.face]
    weights = hits.corner_weights.astype(np.float32)
    normal = np.einsum("hc,hcx->hx", weights, scene.vertex_normals[corners])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True).clip(1e-9)
    canonical = np.einsum("hc,hcx->hx", weights, avatar.canonical[corners])
    layer = avatar.layer[hits.face]
    lit = np.ones(len(normal), np.float32)
    direction = rays.direction_world[hits.ray]
    if config.shadow_rays:
        point = rays.origin_world + hits.depth[:, None] * direction
        facing = normal @ light.towards_sun > 0
        start = point[facing] + 4e-3 * normal[facing] + 2e-3 * light.towards_sun
        lit[facing] = ~scene.shades(start, light.towards_sun)
    albedo = stage.painter.colours(canonical, layer)
    rgba[hits.ray, :3] = _shaded(albedo, layer, normal, direction, lit, light)
    rgba[hits.ray, 3] = 1
    return rgba


def _shaded(
    albedo: Float[ndarray, "hits 3"],
    layer: ndarray,
    normal: Float[ndarray, "hits 3"],
    direction: Float[ndarray, "hits 3"],
    lit: Float[ndarray, "hits"],
    light: Light,
) -> Float[ndarray, "hits 3"]:
    """Soft light on skin, matt on cloth, a little gloss on skin and hair."""
    colour = albedo * light.on(normal, lit, wrap=0.12)
    shiny = np.array([0.05, 0.0, 0.0, 0.06, 0.10], np.float32)[layer]
    at = np.flatnonzero((shiny > 0) & (lit > 0))
    eye = -direction[at] / np.linalg.norm(direction[at], axis=1, keepdims=True)
    half = eye + light.towards_sun
    half /= np.linalg.norm(half, axis=1, keepdims=True).clip(1e-9)
    gloss = np.clip(np.einsum("hx,hx->h", normal[at], half), 0, 1) ** 24
    colour[at] += (shiny[at] * gloss)[:, None] * light.sun.astype(np.float32)
    return colour.astype(np.float32)


def _shade_ground(
    picture: Float[ndarray, "height width 3"],
    backdrop: Backdrop,
    scene: RayScene,
    view: View,
    light: Light,
) -> None:
    """Take the sun away from ground that the person shades, in place."""
    reach = _shadow_blur_px(scene, view, light)
    box, shade = shadow_on_ground(scene, view, light.towards_sun, max(0.8, reach / 2))
    if box.empty:
        return
    part = picture[box.y0 : box.y1, box.x0 : box.x1]
    ground = backdrop.ground[box.y0 : box.y1, box.x0 : box.x1]
    sun = light.sun * max(0.0, light.towards_sun[2])
    kept = light.sky / (light.sky + sun)
    part *= 1 - (shade * ground)[..., None] * (1 - kept).astype(np.float32)


def _shadow_blur_px(scene: RayScene, view: View, light: Light) -> float:
    """The blur of a shadow's edge where the person stands."""
    _, away = view.pixels_of(scene.vertices_world.mean(0, keepdims=True))
    focal = float(view.K[0, 0])
    return 0.3 * light.softness_m * focal / max(0.5, float(away[0]))


def take_masks(
    motion: Motion, camera: CameraPath, body: Body, seed: int, config: AvatarConfig | None = None
) -> Iterator[Bool[ndarray, "height width"]]:
    """Pixels whose centre shows the person (clothes and hair too), frame by frame."""
    config = config or AvatarConfig()
    stage = set_stage(motion, camera, body, seed, config)
    for moment in exposures(stage.avatar, motion, camera, body, 0.0):
        yield np.isfinite(person_depth(stage, moment.view, moment.places))
