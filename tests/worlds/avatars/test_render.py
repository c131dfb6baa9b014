"""Rendered takes: repeated by their seed, the same person from every side, honest masks."""

import cv2
import numpy as np
import pytest
from numpy import ndarray

from motionfield.body.registry import load_body
from motionfield.core.errors import RecordError
from motionfield.data import CameraPath
from motionfield.rendering.ray_casting import Mesh, RayScene, mask
from motionfield.rendering.view import Rays, View, look_at
from motionfield.worlds.avatars.backdrop import paint_backdrop
from motionfield.worlds.avatars.config import AvatarConfig
from motionfield.worlds.avatars.dress import pose_avatar
from motionfield.worlds.avatars.exposure import Exposure, view_of
from motionfield.worlds.avatars.render import (
    Stage,
    render_light,
    render_take,
    set_stage,
    take_masks,
)
from worlds.avatars.stages import QUICK, bent_motion, small_camera


def _frames(seed: int, config: AvatarConfig = QUICK) -> ndarray:
    motion = bent_motion()
    return np.stack(list(render_take(motion, small_camera(motion), load_body(), seed, config)))


def test_same_seed_same_frames() -> None:
    first = _frames(2)
    assert first.shape == (3, 120, 160, 3)
    assert (first == _frames(2)).all()
    assert (first != _frames(3)).mean() > 0.5


def test_noise_is_new_in_every_frame() -> None:
    motion = bent_motion()
    still = motion.at_frames(np.zeros(3, int)).replace(time_s=motion.time_s)
    first, second, _ = render_take(still, small_camera(still), load_body(), 2, QUICK)
    assert (first != second).mean() > 0.3
    assert np.abs(first.astype(int) - second).mean() < 12


def test_frames_must_match() -> None:
    motion = bent_motion()
    camera = small_camera(motion)
    with pytest.raises(RecordError, match="2 frames of motion and 3 of the camera"):
        next(render_take(motion.at_frames(np.arange(2)), camera, load_body(), 0, QUICK))


def _stage() -> tuple[Stage, ndarray]:
    motion, body = bent_motion(1), load_body()
    stage = set_stage(motion, small_camera(motion), body, 6, QUICK)
    return stage, pose_avatar(stage.avatar, motion, body)[0].astype(float)


def _moment(view: View, places: ndarray) -> Exposure:
    """Nothing moves."""
    return Exposure(view, places, np.zeros_like(places), np.zeros(3), np.zeros(3))


def _round(angle: float, height: float = 1.2, size: tuple[int, int] = (160, 200)) -> View:
    place = 2.5 * np.cos(angle), 2.5 * np.sin(angle), height
    return look_at(place, (0.0, 0.0, 0.9), size, 50.0)


def _albedo(stage: Stage, places: ndarray, view: View) -> dict[int, ndarray]:
    """The colour that a view finds in the middle of each face that it sees."""
    avatar = stage.avatar
    middles = places[avatar.faces].mean(1)
    rays = Rays(view.position_world, middles - view.position_world)
    hits = RayScene([Mesh(places, avatar.faces)]).cast(rays)
    own = np.flatnonzero(hits.face == hits.ray)
    face = hits.face[own]
    corners = avatar.canonical[avatar.faces[face]]
    canonical = np.einsum("hc,hcx->hx", hits.corner_weights[own], corners)
    found = stage.painter.colours(canonical, avatar.layer[face])
    return dict(zip(face.tolist(), found, strict=True))


def test_a_point_of_the_surface_has_one_colour() -> None:
    stage, places = _stage()
    views = [_albedo(stage, places, _round(angle)) for angle in (0.0, 0.6, 5.8)]
    for other in views[1:]:
        both = views[0].keys() & other.keys()
        assert len(both) > 500
        apart = [np.abs(views[0][face] - other[face]).max() for face in both]
        # Edges of stripes may fall between two places that differ by rounding.
        assert np.mean(np.array(apart) < 0.01) > 0.98


def test_person_and_place_do_not_depend_on_the_camera() -> None:
    motion, body = bent_motion(), load_body()
    one, two = (set_stage(motion, small_camera(motion, s), body, 6, QUICK) for s in (0, 1))
    assert one.avatar.outfit == two.avatar.outfit
    assert (one.avatar.bind == two.avatar.bind).all()
    assert (one.place.scene.vertices_world == two.place.scene.vertices_world).all()
    assert (one.place.light.towards_sun == two.place.light.towards_sun).all()


def test_masks_agree_with_casting_and_cover_the_naked_body() -> None:
    motion, body = bent_motion(2), load_body()
    camera = small_camera(motion)
    stage = set_stage(motion, camera, body, 6, QUICK)
    places = pose_avatar(stage.avatar, motion, body).astype(float)
    figure = stage.avatar.figure
    naked = stage.avatar._replace(
        bind=figure.skin.bind_vertices.numpy(), canonical=figure.canonical, weight=figure.weight
    )
    bare = pose_avatar(naked, motion, body).astype(float)
    for frame, found in enumerate(take_masks(motion, camera, body, 6, QUICK)):
        view = view_of(camera, frame)
        dressed = mask(RayScene([Mesh(places[frame], stage.avatar.faces)]), view)
        assert (found == dressed).all()
        skin = mask(RayScene([Mesh(bare[frame], figure.faces)]), view)
        assert 0.02 < skin.mean() < skin.size
        assert (skin & ~found).sum() <= 0.005 * skin.sum()
        assert found.sum() > 1.02 * skin.sum()


def test_only_person_and_shadow_change_the_empty_place() -> None:
    stage, places = _stage()
    view = _round(0.8)
    empty = paint_backdrop(stage.place, view)
    shown = render_light(stage, empty, _moment(view, places), QUICK)
    changed = np.abs(shown - empty.colour).max(-1) > 1e-4
    person = mask(RayScene([Mesh(places, stage.avatar.faces)]), view)
    assert changed[person].mean() > 0.99
    beside = changed & ~person
    # What changes beside the person is ground, and darker.
    assert (empty.ground | ~beside | _rim(person)).all()
    darker = shown.sum(-1) <= empty.colour.sum(-1) + 1e-5
    assert darker[beside & ~_rim(person)].all()


def _rim(person: ndarray) -> ndarray:
    grown = cv2.dilate(person.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    return grown & ~person


def test_fast_movement_spreads_the_person() -> None:
    stage, places = _stage()
    view = look_at((4.0, 1.0, 1.2), (0.0, 0.0, 0.9), (160, 200), 50.0)
    empty = paint_backdrop(stage.place, view)
    config = AvatarConfig(rays_per_pixel=6, backdrop_supersampling=1)
    top = places[places[:, 2].argmax()]
    raised = top + np.array((0, 0, 0.3 * 5 / 12))
    before, after = view.pixels_of(np.stack((top, raised)))[0]
    column = slice(int(before[0]) - 6, int(before[0]) + 6)
    highest = []
    for rise in (0.0, 0.3):
        travel = np.array((0, 0, rise)) + np.zeros_like(places)
        moment = _moment(view, places)._replace(travel=travel)
        shown = render_light(stage, empty, moment, config)
        changed = np.abs(shown - empty.colour).max(-1) > 1e-4
        highest.append(np.flatnonzero(changed[:, column].any(1))[0])
    # In the middle of the exposure the person is where it stood: half of the rise is above,
    # and the last of the moments lies a twelfth of it short of the end.
    assert highest[0] - highest[1] == pytest.approx(before[1] - after[1], abs=2)


def test_nothing_stands_within_reach() -> None:
    for seed in range(4):
        motion, body = bent_motion(1), load_body()
        place = set_stage(motion, small_camera(motion), body, seed, QUICK).place
        low = [t.mesh.vertices_world for t in place.things if t.mesh.vertices_world[:, 2].min() < 2]
        away = np.linalg.norm(np.concatenate(low)[:, :2] - place.centre, axis=1)
        assert away.min() > 0.75 * place.reach_m


def test_a_moving_camera_sees_the_same_place() -> None:
    """The ground's colour at a place in the world is the same from two views of like distance."""
    stage, _ = _stage()
    spots = np.array([[0.3, 0.2, 0], [-0.4, 0.1, 0], [0.1, -0.5, 0]])
    seen = []
    for angle in (0.0, 0.4):
        view = _round(angle, height=2.0, size=(800, 1000))
        picture = paint_backdrop(stage.place, view).colour
        pixels, _ = view.pixels_of(spots)
        x, y = np.floor(pixels).astype(int).T
        seen.append(picture[y, x])
    assert np.abs(seen[0] - seen[1]).max() < 0.25 * np.abs(seen[0]).max()


def test_a_turning_camera_smears_the_place_and_keeps_its_middle() -> None:
    stage, places = _stage()
    view = _round(0.8)
    empty = paint_backdrop(stage.place, view)
    turned = _moment(view, places)._replace(turn=np.array((0.0, 0.04, 0.0)))
    smeared = turned.smear(empty.colour, 8)
    # Less contrast across the turn, as much light.
    contrast = [np.abs(np.diff(p.sum(-1), axis=1)).mean() for p in (empty.colour, smeared)]
    assert contrast[1] < 0.6 * contrast[0]
    assert smeared.mean() == pytest.approx(empty.colour.mean(), rel=0.02)
    assert (_moment(view, places).smear(empty.colour, 8) == empty.colour).all()


def test_a_turn_moves_places_as_the_view_at_its_moments() -> None:
    """One moment of the smeared picture, half-way, is the picture that the turned camera sees."""
    stage, places = _stage()
    view = _round(0.8)
    moment = _moment(view, places)._replace(turn=np.array((0.0, 0.06, 0.01)))
    # The first of two moments lies a quarter before the middle.
    ends = [paint_backdrop(stage.place, moment.view_at(s)).colour for s in (-0.25, 0.25)]
    smeared = moment.smear(paint_backdrop(stage.place, view).colour, 2)
    error, wrong = (
        # Finer than pixels, the two are sampled in other places.
        np.abs(cv2.GaussianBlur(smeared - expected, (0, 0), 1.5))[20:-20, 20:-20].mean()
        for expected in ((ends[0] + ends[1]) / 2, ends[0])
    )
    assert error < 0.3 * wrong


def test_moving_camera_is_rendered() -> None:
    motion, body = bent_motion(), load_body()
    standing = small_camera(motion)
    shifted = standing.t_camera_world.copy()
    shifted[:, 0] += np.linspace(0, 0.3, 3, dtype=np.float32)
    moving: CameraPath = standing.replace(t_camera_world=shifted, moving=True)
    first, _, last = render_take(motion, moving, body, 2, QUICK)
    assert np.abs(first.astype(int) - last).mean() > 2
