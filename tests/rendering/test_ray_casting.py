"""Depth and masks against analytic truth and against a plain per-ray loop."""

import dataclasses

import numpy as np
import pytest
import roma
import torch

from motionfield.rendering import Box, Mesh, RayScene, View, depth, look_at, mask
from rendering.meshes import plate, sphere


def moller_trumbore(origin, direction, corners):
    """Nearest way along one ray into triangles (faces, 3, 3), or infinity (Möller 1997)."""
    edge1, edge2 = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    h = np.cross(direction, edge2)
    a = (edge1 * h).sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        s = origin - corners[:, 0]
        u = (s * h).sum(-1) / a
        q = np.cross(s, edge1)
        v = (q @ direction) / a
        t = (edge2 * q).sum(-1) / a
    inside = (np.abs(a) > 1e-12) & (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0)
    return t[inside].min(initial=np.inf)


def test_depth_agrees_with_a_plain_loop_over_rays(oblique_view):
    view = oblique_view.resized(40, 30)
    meshes = [sphere((0, 0, 0.5), 0.5, subdivisions=2), sphere((0.4, 0.5, 0.3), 0.4, 1)]
    scene = RayScene(meshes)
    fast = depth(scene, view)

    corners = scene.vertices_world[scene.faces]
    rays = view.rays()
    plain = [moller_trumbore(rays.origin_world, d, corners) for d in rays.direction_world]
    plain = np.reshape(plain, fast.shape)
    assert np.isfinite(plain).any()
    # A ray through an edge may fall to either side in single precision.
    assert (np.isfinite(fast) != np.isfinite(plain)).mean() < 0.005
    both = np.isfinite(fast) & np.isfinite(plain)
    np.testing.assert_allclose(fast[both], plain[both], atol=2e-5)


def test_depth_of_a_plane_is_constant_and_fills_the_picture(straight_view):
    picture = depth(RayScene([plate(3.5)]), straight_view)
    np.testing.assert_allclose(picture, 3.5, rtol=1e-5)


def test_depth_of_a_sphere_is_analytic(straight_view):
    centre, radius = np.array([0.2, -0.1, 4.0]), 0.8
    picture = depth(RayScene([sphere(tuple(centre), radius, 5)]), straight_view)
    d = straight_view.rays().direction_world
    # |t d - c|² = r²
    b, aa = d @ centre, (d * d).sum(-1)
    under_root = b**2 - aa * (centre @ centre - radius**2)
    t = (b - np.sqrt(np.where(under_root > 0, under_root, np.nan))) / aa
    t = t.reshape(picture.shape)
    inside = under_root.reshape(picture.shape) > 0.3  # away from the rim, where depth falls off
    assert inside.sum() > 500
    np.testing.assert_allclose(picture[inside], t[inside], atol=3e-3)


def test_mask_of_a_sphere_has_the_right_area():
    view = look_at((0, -5, 1), (0, 0, 1), (400, 400), vertical_view_deg=30)
    area = mask(RayScene([sphere((0, 0, 1), 0.7, 5)]), view).sum()
    # On the axis the outline is a circle at the angle asin(r / d).
    radius_px = view.K[0, 0] * np.tan(np.arcsin(0.7 / 5))
    assert area == pytest.approx(np.pi * radius_px**2, rel=0.01)


def test_moving_camera_and_world_alike_leaves_the_picture(oblique_view):
    ball = sphere((0.1, 0.0, 0.5), 0.6)
    still = depth(RayScene([ball]), oblique_view)
    R = roma.random_rotmat(dtype=torch.float64).numpy()
    t = np.array([30.0, -200.0, 7.0])
    moved_ball = dataclasses.replace(ball, vertices_world=ball.vertices_world @ R.T + t)
    moved = depth(RayScene([moved_ball]), oblique_view.moved(R, t))
    assert (np.isfinite(still) != np.isfinite(moved)).mean() < 1e-3
    both = np.isfinite(still) & np.isfinite(moved)
    np.testing.assert_allclose(moved[both], still[both], atol=1e-3)


def test_rays_of_a_real_lens_meet_the_pixels_they_left(oblique_view):
    lens = np.array([-0.25, 0.08, 0.002, -0.001, 0.0])
    view = dataclasses.replace(oblique_view, distortion=lens)
    rays = view.rays()
    points = rays.origin_world + 3.7 * rays.direction_world
    pixels, depths = view.pixels_of(points)
    column, row = np.meshgrid(np.arange(view.width) + 0.5, np.arange(view.height) + 0.5)
    np.testing.assert_allclose(pixels, np.stack((column, row), -1).reshape(-1, 2), atol=1e-4)
    np.testing.assert_allclose(depths, 3.7, atol=1e-9)


def test_crop_and_resize_show_the_same_place(oblique_view):
    point = np.array([[0.2, 0.1, 0.5]])
    (x, y), _ = oblique_view.pixels_of(point)[0][0], None
    cropped = oblique_view.cropped(Box(40, 30, 110, 90)).pixels_of(point)[0][0]
    np.testing.assert_allclose(cropped, (x - 40, y - 30))
    resized = oblique_view.resized(300, 330).pixels_of(point)[0][0]
    np.testing.assert_allclose(resized, (2 * x, 3 * y))


def test_nearest_of_several_meshes_wins(straight_view):
    near, far = plate(2.0, half_m=0.2), plate(5.0)
    picture = depth(RayScene([far, near]), straight_view)
    assert picture[55, 80] == pytest.approx(2.0, rel=1e-5)
    assert picture[5, 5] == pytest.approx(5.0, rel=1e-5)


@pytest.mark.parametrize("where", ["empty", "behind", "beside"])
def test_nothing_in_view_gives_an_empty_picture(where, straight_view):
    shift = {"behind": (0, 0, -5), "beside": (100, 0, 5)}
    meshes = [] if where == "empty" else [sphere(shift[where], 0.5)]
    assert not mask(RayScene(meshes), straight_view).any()


def test_a_mesh_round_the_camera_is_seen_from_within(straight_view):
    assert mask(RayScene([sphere((0, 0, 0), 2.0)]), straight_view).all()


def test_look_at_is_upright_and_centred():
    view: View = look_at((3, 4, 2), (0, 0, 1), (200, 100))
    pixels, depths = view.pixels_of(np.array([(0, 0, 1.0), (0, 0, 1.2)]))
    np.testing.assert_allclose(pixels[0], (100, 50), atol=1e-9)
    assert depths[0] == pytest.approx(np.sqrt(26))
    assert pixels[1][1] < pixels[0][1], "higher in the world is higher in the picture"
    assert pixels[1][0] == pytest.approx(100)
    assert np.linalg.det(view.R_camera_world) == pytest.approx(1)


def test_shadow_falls_away_from_the_light():
    scene = RayScene([sphere((0, 0, 1), 0.5)])
    points = np.array([(0, 0, 0.001), (0, 1.0, 0.001), (0, -1.0, 0.001)])
    assert scene.shades(points, np.array([0, 0, 1.0])).tolist() == [True, False, False]
    assert scene.shades(points, np.array([0, -1.0, 1.0])).tolist() == [False, True, False]


def test_face_indices_count_over_all_meshes():
    a, b = plate(2.0, 0.2), plate(4.0)
    scene = RayScene([a, b])
    hits = scene.cast(View(np.eye(3), np.eye(3), np.zeros(3), 1, 1).rays())
    assert scene.face_mesh.tolist() == [0, 0, 1, 1]
    assert scene.face_mesh[hits.face[0]] in (0, 1)
    np.testing.assert_allclose(hits.corner_weights.sum(-1), 1)
    assert isinstance(scene.meshes[0], Mesh)
