"""Pinhole projection with OpenCV's axes and distortion.

Camera: x right, y down, z forward. Pixels: the first pixel's centre is at (0.5, 0.5).
Distortion is OpenCV's (k1, k2, p1, p2, k3), all zero for an ideal lens.
"""

import torch
from jaxtyping import Float
from torch import Tensor

MIN_DEPTH_M = 1e-2
"""Points nearer than this (or behind the camera) are projected as if they were there."""


def world_to_camera(
    points_world: Float[Tensor, "frames points 3"],
    R_camera_world: Float[Tensor, "frames 3 3"],
    t_camera_world: Float[Tensor, "frames 3"],
) -> Float[Tensor, "frames points 3"]:
    """Points in camera coordinates, metres: ``p_camera = R_camera_world @ p_world + t``."""
    return points_world @ R_camera_world.mT + t_camera_world.unsqueeze(-2)


def camera_to_world(
    points_camera: Float[Tensor, "frames points 3"],
    R_camera_world: Float[Tensor, "frames 3 3"],
    t_camera_world: Float[Tensor, "frames 3"],
) -> Float[Tensor, "frames points 3"]:
    """The inverse of ``world_to_camera``."""
    return (points_camera - t_camera_world.unsqueeze(-2)) @ R_camera_world


def distort(
    xy: Float[Tensor, "*batch 2"], distortion: Float[Tensor, "5"]
) -> Float[Tensor, "*batch 2"]:
    """Apply OpenCV's radial and tangential terms to normalised image coordinates (x/z, y/z)."""
    k1, k2, p1, p2, k3 = distortion
    x, y = xy[..., 0], xy[..., 1]
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    return torch.stack(
        (
            x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
            y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
        ),
        dim=-1,
    )


def undistort(
    xy: Float[Tensor, "*batch 2"], distortion: Float[Tensor, "5"], iterations: int = 20
) -> Float[Tensor, "*batch 2"]:
    """Invert ``distort`` by fixed-point iteration (converges for the lenses of real cameras)."""
    if not bool(distortion.any()):
        return xy
    undistorted = xy
    for _ in range(iterations):
        undistorted = undistorted + (xy - distort(undistorted, distortion))
    return undistorted


def project(
    points_camera: Float[Tensor, "frames points 3"],
    K: Float[Tensor, "frames 3 3"],
    distortion: Float[Tensor, "5"] | None = None,
) -> Float[Tensor, "frames points 2"]:
    """Pixels of points in camera coordinates."""
    depth = points_camera[..., 2:].clamp_min(MIN_DEPTH_M)
    xy = points_camera[..., :2] / depth
    if distortion is not None:
        xy = distort(xy, distortion)
    return xy @ K[..., :2, :2].mT + K[..., :2, 2].unsqueeze(-2)


def back_project(
    pixels: Float[Tensor, "frames points 2"],
    K: Float[Tensor, "frames 3 3"],
    distortion: Float[Tensor, "5"] | None = None,
) -> Float[Tensor, "frames points 3"]:
    """Rays with z = 1 in camera coordinates through the given pixels."""
    centred = pixels - K[..., :2, 2].unsqueeze(-2)
    xy = torch.linalg.solve(K[..., :2, :2], centred.mT).mT
    if distortion is not None:
        xy = undistort(xy, distortion)
    return torch.cat((xy, torch.ones_like(xy[..., :1])), dim=-1)
