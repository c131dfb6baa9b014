"""Laws of the camera: projection and its inverse, distortion and its inverse, moving worlds."""

import cv2
import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from geometry.strategies import SEEDS, SIZES, intrinsics, lens, normal, rotations, uniform
from motionfield.geometry.cameras import (
    back_project,
    camera_to_world,
    distort,
    project,
    undistort,
    world_to_camera,
)


def _pixels(frames: int, points: int, seed: int) -> torch.Tensor:
    size = torch.tensor([1280.0, 720], dtype=torch.float64)
    return uniform(0, 1, (frames, points, 2), seed) * size


@given(SEEDS, SIZES, st.booleans())
def test_projected_rays_are_the_pixels_again(seed: int, frames: int, ideal: bool) -> None:
    K, pixels = intrinsics(frames, seed), _pixels(frames, 9, seed + 9)
    if not ideal:
        # A picture as wide as half its focal length: polynomials fold over beyond such angles.
        K[:, [0, 1], [0, 1]] = K[:, [0, 1], [0, 1]].clamp_min(1000)
    distortion = None if ideal else lens(seed + 10)
    depth = uniform(0.5, 50, (frames, 9, 1), seed + 11)
    rays = back_project(pixels, K, distortion)
    assert torch.equal(rays[..., 2], torch.ones(frames, 9).double())
    torch.testing.assert_close(project(rays * depth, K, distortion), pixels, atol=1e-3, rtol=0)


@given(SEEDS)
def test_distortion_is_undone(seed: int) -> None:
    xy = uniform(-0.7, 0.7, (50, 2), seed)
    distortion = lens(seed + 1)
    torch.testing.assert_close(
        undistort(distort(xy, distortion), distortion), xy, atol=1e-5, rtol=0
    )


@given(SEEDS)
def test_no_distortion_changes_nothing(seed: int) -> None:
    xy = normal((10, 2), seed)
    zero = torch.zeros(5, dtype=torch.float64)
    assert torch.equal(distort(xy, zero), xy)
    assert torch.equal(undistort(xy, zero), xy)


@given(SEEDS)
def test_projection_agrees_with_opencv(seed: int) -> None:
    points = uniform(-2, 2, (1, 20, 3), seed)
    points[..., 2] += 5
    K, distortion = intrinsics(1, seed + 1), lens(seed + 2)
    expected, _ = cv2.projectPoints(
        points[0].numpy(), np.zeros(3), np.zeros(3), K[0].numpy(), distortion.numpy()
    )
    found = project(points, K, distortion)[0].numpy()
    np.testing.assert_allclose(found, expected[:, 0], atol=1e-6)


@given(SEEDS, SIZES)
def test_world_and_camera_are_inverse(seed: int, frames: int) -> None:
    points = 5 * normal((frames, 6, 3), seed)
    R, t = rotations((frames,), seed + 1), normal((frames, 3), seed + 2)
    there = world_to_camera(points, R, t)
    torch.testing.assert_close(camera_to_world(there, R, t), points)


@given(SEEDS)
def test_points_behind_the_camera_give_finite_pixels_and_gradients(seed: int) -> None:
    points = normal((2, 10, 3), seed).requires_grad_()
    pixels = project(points, intrinsics(2, seed + 1), lens(seed + 2) * 0)
    pixels.sum().backward()
    assert torch.isfinite(pixels).all()
    assert points.grad is not None
    assert torch.isfinite(points.grad).all()


def test_known_pixel() -> None:
    """One metre right and half a metre down, four metres ahead, focal 1000 px."""
    K = torch.tensor([[[1000.0, 0, 640], [0, 1000, 360], [0, 0, 1]]])
    pixel = project(torch.tensor([[[1.0, 0.5, 4.0]]]), K)
    torch.testing.assert_close(pixel, torch.tensor([[[890.0, 485.0]]]))
