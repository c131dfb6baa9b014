"""Shaded layers: coverage, colour, blending, burial, and the ground under them."""

import dataclasses

import numpy as np
import pytest

from motionfield.rendering import (
    Ground,
    RayScene,
    Shading,
    ground_picture,
    look_at,
    mask,
    render_layer,
)
from motionfield.rendering.ground import cast_shadow
from motionfield.rendering.ray_casting import vertex_normals
from rendering.meshes import plate, sphere


@pytest.mark.parametrize("budget", [1_500, 10_000, 1_000_000])
def test_alpha_covers_the_mask_at_every_resolution(budget, oblique_view):
    scene = RayScene([sphere((0, 0, 0.5), 0.5)])
    layer = render_layer(scene, oblique_view, Shading(ray_budget=budget))
    exact = mask(scene, oblique_view)
    assert layer.alpha.sum() == pytest.approx(exact.sum(), rel=0.03)
    assert layer.alpha.min() >= 0
    assert layer.alpha.max() <= 1 + 1e-6


def test_edges_are_soft():
    view = look_at((0, -4, 1), (0, 0, 1), (200, 200))
    layer = render_layer(RayScene([sphere((0, 0, 1), 0.6)]), view)
    soft = (layer.alpha > 0.1) & (layer.alpha < 0.9)
    assert soft.any()
    assert soft.mean() < 0.1


def test_light_comes_from_above_left_of_the_camera():
    view = look_at((0, -4, 1), (0, 0, 1), (200, 200))
    layer = render_layer(RayScene([sphere((0, 0, 1), 0.6)]), view)
    height, width = layer.alpha.shape
    brightness = layer.premultiplied.sum(-1)
    assert brightness[height // 4, width // 4] > 1.3 * brightness[3 * height // 4, 3 * width // 4]


def test_colours_stay_with_their_mesh(straight_view):
    red = dataclasses.replace(plate(2.0, 0.2), colour=(1.0, 0.0, 0.0))
    blue = dataclasses.replace(plate(5.0), colour=(0.0, 0.0, 1.0))
    picture = np.zeros((120, 160, 3), np.uint8)
    render_layer(RayScene([blue, red]), straight_view).blend_onto(picture)
    assert picture[55, 80, 0] > 50
    assert picture[55, 80, 2] == 0
    assert picture[5, 5, 2] > 50
    assert picture[5, 5, 0] == 0


def test_blending_keeps_the_rest_and_mixes_by_opacity(straight_view):
    scene = RayScene([dataclasses.replace(plate(3.0, 0.3), colour=(0.0, 0.0, 0.0))])
    picture = np.full((120, 160, 3), 200, np.uint8)
    render_layer(scene, straight_view).blend_onto(picture, opacity=0.5)
    assert (picture[0, 0] == 200).all()
    assert abs(int(picture[55, 80, 0]) - 100) <= 1


def test_layer_out_of_view_changes_nothing(straight_view):
    picture = np.full((120, 160, 3), 7, np.uint8)
    render_layer(RayScene([sphere((0, 0, -3), 0.5)]), straight_view).blend_onto(picture)
    assert (picture == 7).all()


def test_what_is_below_the_ground_shows_faintly():
    view = look_at((0, -4, 1), (0, 0, 0), (200, 200))
    scene = RayScene([sphere((0, 0, 0), 0.6)])
    layer = render_layer(scene, view, ground_m=0.0)
    height, width = layer.alpha.shape
    assert layer.alpha[height // 8, width // 2] == pytest.approx(1)
    faint = layer.alpha[7 * height // 8, width // 2]
    assert faint == pytest.approx(Shading().buried_alpha, abs=0.01)


def test_sphere_normals_point_outward():
    ball = sphere((1.0, 2.0, 3.0), 0.5)
    normals = vertex_normals(ball.vertices_world, ball.faces)
    outward = (ball.vertices_world - (1, 2, 3)) / 0.5
    assert (normals * outward).sum(-1).min() > 0.999


def test_checker_tiles_are_metric():
    view = look_at((0.5, 0.5001, 6), (0.5, 0.5, 0), (300, 300), vertical_view_deg=60)
    ground = Ground(fade_m=1e6)
    picture = ground_picture(view, ground)[..., 0].astype(float)
    centres = np.array([(x + 0.5, y + 0.5, 0.0) for x in range(-2, 3) for y in range(-2, 3)])
    columns, rows = view.pixels_of(centres)[0].astype(int).T
    dark = picture[rows, columns] < 205
    expected = [bool((x + y) % 2) for x in range(-2, 3) for y in range(-2, 3)]
    assert dark.tolist() == expected


def test_shadow_darkens_the_ground_under_the_body_only():
    view = look_at((0, -6, 3), (0, 0, 0.5), (240, 240))
    picture = ground_picture(view)
    before = picture.copy()
    cast_shadow(
        picture, RayScene([sphere((0, 0, 0.8), 0.4)]), view, Ground(light_world=(0.0, 0.0, 1.0))
    )
    (column, row), *_ = view.pixels_of(np.zeros((1, 3)))[0].astype(int)
    assert picture[row, column, 0] < 0.7 * before[row, column, 0]
    assert (picture[:20] == before[:20]).all()
    assert (picture[-20:] == before[-20:]).all()


def test_things_smaller_than_a_cell_are_not_missed(oblique_view):
    generator = np.random.default_rng(3)
    centres = generator.uniform((-0.6, -0.6, 0.1), (0.6, 0.6, 1.0), (40, 3))
    beads = [sphere(tuple(centre), 0.02, subdivisions=1) for centre in centres]
    layer = render_layer(RayScene(beads), oblique_view)
    pixels = np.floor(oblique_view.pixels_of(centres)[0]).astype(int) - (layer.box.x0, layer.box.y0)
    columns, rows = pixels.T
    assert (layer.alpha[rows, columns] > 0.1).all()
