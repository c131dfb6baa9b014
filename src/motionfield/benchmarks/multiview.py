"""Several calibrated, synchronous views: robust triangulation and correction of cameras.

All in float64: a reference should not lose digits. Views come first in every array.
"""

from typing import Final, NamedTuple

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.geometry.cameras import distort, undistort

REJECT_PX: Final = 40.0
"""A view farther than this from the triangulated point does not count as having seen it."""
_SCALES_PX: Final = (120.0, 60.0, 30.0, 20.0, 20.0, 20.0)
"""Scale of the Geman-McClure loss, step by step: first every view pulls, then the agreeing ones."""


class Views(NamedTuple):
    """Static pinhole cameras: ``p_camera = R_camera_world @ p_world + t``, metres and pixels."""

    K: Float[Tensor, "views 3 3"]
    distortion: Float[Tensor, "views 5"]
    R_camera_world: Float[Tensor, "views 3 3"]
    t_camera_world: Float[Tensor, "views 3"]

    def only(self, views: list[int]) -> "Views":
        """The named views, in that order."""
        return Views(*(part[views] for part in self))


class Triangulated(NamedTuple):
    """Points seen by several views."""

    points_world: Float[Tensor, "points 3"]
    """Metres; NaN where fewer than two views agree."""
    residual_px: Float[Tensor, "views points"]
    """Distance of the projected point from each view's pixel; NaN where not seen."""
    views_used: Float[Tensor, "points"]
    """How many views lie within ``REJECT_PX``."""


def project_views(points_world: Float[Tensor, "points 3"], views: Views) -> Tensor:
    """Pixels of the points in every view, (views, points, 2)."""
    camera = points_world @ views.R_camera_world.mT + views.t_camera_world.unsqueeze(1)
    xy = camera[..., :2] / camera[..., 2:].clamp_min(1e-3)
    xy = torch.stack([distort(a, k) for a, k in zip(xy, views.distortion, strict=True)])
    return xy @ views.K[:, :2, :2].mT + views.K[:, None, :2, 2]


def triangulate(
    pixels: Float[Tensor, "views points 2"], weights: Float[Tensor, "views points"], views: Views
) -> Triangulated:
    """Points from two or more views: linear first (DLT), then robust Gauss-Newton on pixels.

    Args:
        pixels: NaN where a view did not see the point.
        weights: confidence of each; 0 leaves a pixel out.

    Source: Hartley and Zisserman, Multiple View Geometry, 12.2; Geman and McClure 1987.
    """
    seen = torch.isfinite(pixels).all(-1)
    weights = torch.where(seen, weights, 0.0)
    observed = pixels.nan_to_num()
    points = _linear(observed, weights, views)
    for scale in _SCALES_PX:
        points = _step(points, observed, weights, views, scale)
    residual = (project_views(points, views) - observed).norm(dim=-1)
    residual = torch.where(weights > 0, residual, float("nan"))
    used = (residual < REJECT_PX).sum(0)
    points = torch.where((used >= 2).unsqueeze(-1), points, float("nan"))
    return Triangulated(points, residual, used.to(points.dtype))


def leave_one_out(
    pixels: Float[Tensor, "views points 2"], weights: Float[Tensor, "views points"], views: Views
) -> Float[Tensor, "views points"]:
    """Distance in pixels of each view's keypoint from the triangulation of the other views."""
    errors = []
    everyone = list(range(len(pixels)))
    for view in everyone:
        others = [other for other in everyone if other != view]
        found = triangulate(pixels[others], weights[others], views.only(others))
        there = project_views(found.points_world, views.only([view]))[0]
        errors.append((there - pixels[view]).norm(dim=-1))
    return torch.stack(errors)


def refine_cameras(
    pixels: Float[Tensor, "views points 2"],
    weights: Float[Tensor, "views points"],
    views: Views,
    free: list[int],
    rounds: int = 15,
) -> Views:
    """Correct rotation and place of the ``free`` views so that all views agree.

    Gauss-Newton over six numbers per free view, robust; the points are found anew for every
    trial, so they are not unknowns (variable projection). At least two views must stay as they
    are: they hold the world's axes and its scale.
    """
    damping = 1e-3
    current, cost = views, _cost(pixels, weights, views)
    for _ in range(rounds):
        residual, jacobian = _linearised(pixels, weights, current, free)
        normal = jacobian.mT @ jacobian
        damped = normal + damping * torch.diag(normal.diagonal())
        change = -torch.linalg.solve(damped, jacobian.mT @ residual)
        trial = _moved(current, free, change)
        trial_cost = _cost(pixels, weights, trial)
        if trial_cost < cost:
            settled = cost - trial_cost < 1e-7 * cost
            current, cost, damping = trial, trial_cost, damping / 3
            if settled:
                break
        else:
            damping *= 10
    return current


def _linear(pixels: Tensor, weights: Tensor, views: Views) -> Tensor:
    """DLT on undistorted, normalised coordinates."""
    centred = pixels - views.K[:, None, :2, 2]
    xy = torch.linalg.solve(views.K[:, :2, :2], centred.mT).mT
    xy = torch.stack([undistort(a, k) for a, k in zip(xy, views.distortion, strict=True)])
    P = torch.cat((views.R_camera_world, views.t_camera_world.unsqueeze(-1)), dim=-1)
    rows = xy.unsqueeze(-1) * P[:, None, 2:3] - P[:, None, :2]
    rows = (rows * weights[..., None, None]).permute(1, 0, 2, 3).flatten(1, 2)
    homogeneous = torch.linalg.svd(rows).Vh[:, -1]
    w = homogeneous[:, 3:]
    return homogeneous[:, :3] / torch.where(w.abs() < 1e-9, 1e-9, w)


def _robust(residual: Tensor, weights: Tensor, scale: float) -> Tensor:
    """Weights of iterated least squares for the Geman-McClure loss."""
    return weights * (scale**2 / (scale**2 + residual.square().sum(-1))).square()


def _step(points: Tensor, pixels: Tensor, weights: Tensor, views: Views, scale: float) -> Tensor:
    camera = points @ views.R_camera_world.mT + views.t_camera_world.unsqueeze(1)
    residual = project_views(points, views) - pixels
    w = _robust(residual, weights, scale)
    depth = camera[..., 2:].clamp_min(1e-3)
    xy = camera[..., :2] / depth
    # Distortion bends pixels by less than a percent here, so its slope is left out of the step.
    focal = views.K[:, None, :2, :2]
    R = views.R_camera_world.unsqueeze(1)
    slope = focal @ ((R[..., :2, :] - xy.unsqueeze(-1) * R[..., 2:, :]) / depth.unsqueeze(-1))
    normal = torch.einsum("vp,vpij,vpik->pjk", w, slope, slope)
    right = torch.einsum("vp,vpij,vpi->pj", w, slope, residual)
    ridge = 1e-6 * normal.diagonal(dim1=-2, dim2=-1).sum(-1) + 1e-9
    normal = normal + ridge[:, None, None] * torch.eye(3, dtype=points.dtype)
    return points - torch.linalg.solve(normal, right)


def _weighted(pixels: Tensor, weights: Tensor, views: Views, scale: float = 20.0) -> Tensor:
    """Residuals whose squares sum to the Geman-McClure cost (scaled)."""
    found = triangulate(pixels, weights, views)
    residual = project_views(found.points_world, views) - pixels
    residual = residual.nan_to_num()
    share = residual.square().sum(-1)
    known = torch.isfinite(pixels).all(-1) & torch.isfinite(found.points_world).all(-1)
    factor = torch.where(known, weights, 0.0) / (1 + share / scale**2)
    return (residual * factor.sqrt().unsqueeze(-1)).flatten()


def _cost(pixels: Tensor, weights: Tensor, views: Views) -> float:
    return float(_weighted(pixels, weights, views).square().sum())


def _linearised(
    pixels: Tensor, weights: Tensor, views: Views, free: list[int]
) -> tuple[Tensor, Tensor]:
    residual = _weighted(pixels, weights, views)
    columns = []
    small = 1e-4
    for index in range(6 * len(free)):
        change = torch.zeros(6 * len(free), dtype=residual.dtype)
        change[index] = small
        ahead = _weighted(pixels, weights, _moved(views, free, change))
        back = _weighted(pixels, weights, _moved(views, free, -change))
        columns.append((ahead - back) / (2 * small))
    return residual, torch.stack(columns, dim=-1)


def _moved(views: Views, free: list[int], change: Tensor) -> Views:
    """Turn the free cameras by a rotation vector and shift them, both in camera axes."""
    R, t = views.R_camera_world.clone(), views.t_camera_world.clone()
    for at, (turn, shift) in zip(free, change.view(-1, 2, 3), strict=True):
        delta = roma.rotvec_to_rotmat(turn)
        R[at], t[at] = delta @ R[at], delta @ t[at] + shift
    return views._replace(R_camera_world=R, t_camera_world=t)
