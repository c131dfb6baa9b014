"""Triangulation and camera correction on made views whose truth is known."""

import math

import roma
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from motionfield.benchmarks.multiview import (
    Views,
    leave_one_out,
    project_views,
    refine_cameras,
    triangulate,
)


def _ring(count: int = 4, distorted: bool = False) -> Views:
    """Cameras on a circle of 4 m round the origin, 2 m high, that look at it."""
    rotations, places = [], []
    for index in range(count):
        angle = torch.tensor(2 * math.pi * index / count + 0.3, dtype=torch.float64)
        centre = torch.stack((4 * angle.cos(), 4 * angle.sin(), torch.tensor(2.0)))
        forward = -centre / centre.norm()
        right = torch.linalg.cross(forward, torch.tensor([0, 0, 1.0], dtype=torch.float64))
        right = right / right.norm()
        R = torch.stack((right, torch.linalg.cross(forward, right), forward))
        rotations.append(R)
        places.append(-R @ centre)
    K = torch.tensor([[1600.0, 0, 540], [0, 1600, 960], [0, 0, 1]], dtype=torch.float64)
    lens = torch.tensor([-0.05, 0.02, 1e-3, -5e-4, 0.0], dtype=torch.float64)
    return Views(
        K.expand(count, 3, 3),
        (lens if distorted else lens * 0).expand(count, 5),
        torch.stack(rotations),
        torch.stack(places),
    )


def _cloud(count: int = 60, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 3, generator=generator, dtype=torch.float64) * 0.5


def _ones(pixels: torch.Tensor) -> torch.Tensor:
    return torch.ones(pixels.shape[:2], dtype=torch.float64)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31), st.integers(2, 5), st.booleans())
def test_exact_pixels_give_exact_points(seed: int, count: int, distorted: bool) -> None:
    views, points = _ring(count, distorted), _cloud(20, seed)
    pixels = project_views(points, views)
    found = triangulate(pixels, _ones(pixels), views)
    torch.testing.assert_close(found.points_world, points, atol=1e-6, rtol=0)
    assert (found.views_used == count).all()


def test_one_wrong_view_is_outvoted() -> None:
    views, points = _ring(4), _cloud()
    pixels = project_views(points, views)
    pixels[2] += torch.tensor([150.0, -80.0])
    found = triangulate(pixels, _ones(pixels), views)
    assert (found.points_world - points).norm(dim=-1).max() < 0.02
    assert (found.views_used == 3).all()
    assert (found.residual_px[2] > 100).all()


def test_points_that_too_few_saw_are_missing() -> None:
    views, points = _ring(4), _cloud()
    pixels = project_views(points, views)
    pixels[1:, 0] = torch.nan  # one view is left
    pixels[2:, 1] = torch.nan  # two are
    weights = _ones(pixels)
    weights[1:, 2] = 0.0  # seen by all, trusted once
    found = triangulate(pixels, weights, views)
    assert found.points_world[0].isnan().all()
    assert found.points_world[2].isnan().all()
    torch.testing.assert_close(found.points_world[1], points[1], atol=1e-6, rtol=0)
    assert found.residual_px[1:, 0].isnan().all()


def test_leave_one_out_sees_what_the_own_residual_hides() -> None:
    views, points = _ring(4), _cloud()
    pixels = project_views(points, views)
    pixels[0, :, 1] += 10.0
    errors = leave_one_out(pixels, _ones(pixels), views)
    torch.testing.assert_close(errors[0], torch.full_like(errors[0], 10.0), atol=1e-3, rtol=0)
    residual = triangulate(pixels, _ones(pixels), views).residual_px
    assert residual[0].median() < 9.0


def test_turned_cameras_are_found() -> None:
    views, points = _ring(4), _cloud(60)
    generator = torch.Generator().manual_seed(1)
    pixels = project_views(points, views)
    pixels = pixels + 0.5 * torch.randn(pixels.shape, generator=generator, dtype=torch.float64)
    wrong, places = views.R_camera_world.clone(), views.t_camera_world.clone()
    for view, degrees in ((0, (1.0, -0.5, 0.3)), (2, (-0.7, 0.7, 1.3))):
        turn = torch.deg2rad(torch.tensor(degrees, dtype=torch.float64))
        about_itself = roma.rotvec_to_rotmat(turn)
        wrong[view], places[view] = about_itself @ wrong[view], about_itself @ places[view]
    shipped = views._replace(R_camera_world=wrong, t_camera_world=places)
    assert leave_one_out(pixels, _ones(pixels), shipped)[0].median() > 15
    found = refine_cameras(pixels, _ones(pixels), shipped, [0, 2])
    left = roma.rotmat_to_rotvec(found.R_camera_world @ views.R_camera_world.mT).norm(dim=-1)
    assert torch.rad2deg(left).max() < 0.1
    assert leave_one_out(pixels, _ones(pixels), found).median() < 4
    kept = [1, 3]  # these hold the world and must not move at all
    assert torch.equal(found.R_camera_world[kept], shipped.R_camera_world[kept])
    assert torch.equal(found.t_camera_world[kept], shipped.t_camera_world[kept])
