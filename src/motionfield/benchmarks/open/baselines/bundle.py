"""Bundle adjustment of static views of one person: cameras, focal lengths and points together.

Levenberg-Marquardt on robust residuals in the picture; the points are eliminated (Schur
complement), so that many frames cost little. The first view stays where it is; the scale is free
(no picture shows it) and stays about where the start had it. float64. Source: Triggs et al.,
Bundle Adjustment, a Modern Synthesis, 2000, sections 4 and 6.
"""

from dataclasses import dataclass
from typing import NamedTuple

import roma
import torch
from jaxtyping import Float
from torch import Tensor

_MIN_DEPTH_M = 0.1


@dataclass(frozen=True)
class BundleConfig:
    """How residuals are weighed."""

    error: float = 0.01
    """Standard deviation of a keypoint, as a share of the person's height in the picture."""
    outlier: float = 0.04
    """Geman-McClure scale, likewise."""
    log_focal_sd: float | None = None
    """How well the focal lengths are known, as a logarithm; None: exactly."""
    rounds: int = 30


class Rig(NamedTuple):
    """Static views in the axes of the first: ``p_view = R @ p_first + t``."""

    R: Float[Tensor, "views 3 3"]
    t: Float[Tensor, "views 3"]
    focal: Float[Tensor, "views"]
    """Factor on each view's assumed focal length."""


class Seen(NamedTuple):
    """What the views saw of the same points."""

    rays: Float[Tensor, "views points 2"]
    """x and y of viewing rays with z = 1, of the assumed lens, distortion taken out."""
    weights: Float[Tensor, "views points"]
    """Confidence; 0 where not seen."""
    height: Float[Tensor, "views"]
    """Height of the person in each picture, in the rays' units."""


def adjust(
    seen: Seen, points: Float[Tensor, "points 3"], rig: Rig, config: BundleConfig
) -> tuple[Rig, Float[Tensor, "points 3"]]:
    """Cameras and points that agree with all views.

    Args:
        points: a start, in the first view's axes.
        rig: likewise.
    """
    damping = 1e-3
    cost = _cost(seen, points, rig, config)
    for _ in range(config.rounds):
        normal = _normal_equations(seen, points, rig, config)
        trial_rig, trial_points = _stepped(normal, points, rig, damping, config)
        trial = _cost(seen, trial_points, trial_rig, config)
        if trial < cost:
            settled = cost - trial < 1e-6 * cost
            rig, points, cost, damping = trial_rig, trial_points, trial, damping / 4
            if settled:
                break
        else:
            damping *= 8
    return rig, points


def _in_views(points: Tensor, rig: Rig) -> Float[Tensor, "views points 3"]:
    return points @ rig.R.mT + rig.t.unsqueeze(1)


def _residuals(
    seen: Seen, points: Tensor, rig: Rig
) -> tuple[Float[Tensor, "views points 2"], Float[Tensor, "views points 3"]]:
    """As shares of the person's height; and the points in each view."""
    there = _in_views(points, rig)
    xy = there[..., :2] / there[..., 2:].clamp_min(_MIN_DEPTH_M)
    off = rig.focal[:, None, None] * xy - seen.rays
    return off / seen.height[:, None, None], there


def _cost(seen: Seen, points: Tensor, rig: Rig, config: BundleConfig) -> float:
    residual, _ = _residuals(seen, points, rig)
    squared = residual.square().sum(-1)
    total = (seen.weights * squared / (1 + squared / config.outlier**2)).sum() / config.error**2
    if config.log_focal_sd is not None:
        total = total + (rig.focal.log() / config.log_focal_sd).square().sum()
    return float(total)


class _Normal(NamedTuple):
    """Blocks of the normal equations; 7 numbers per view: turn, shift, log focal."""

    cameras: Float[Tensor, "views 7 7"]
    points: Float[Tensor, "points 3 3"]
    mixed: Float[Tensor, "points 3 views7"]
    camera_slope: Float[Tensor, "views7"]
    point_slope: Float[Tensor, "points 3"]


def _normal_equations(seen: Seen, points: Tensor, rig: Rig, config: BundleConfig) -> _Normal:
    residual, there = _residuals(seen, points, rig)
    squared = residual.square().sum(-1)
    weight = seen.weights * (1 + squared / config.outlier**2) ** -2 / config.error**2
    x, y, z = there.unbind(-1)
    z = z.clamp_min(_MIN_DEPTH_M)
    zero = torch.zeros_like(z)
    scale = rig.focal / seen.height
    # Of the image point with respect to the point in the view's axes.
    rows = torch.stack((1 / z, zero, -x / z**2, zero, 1 / z, -y / z**2), -1).unflatten(-1, (2, 3))
    rows = rows * scale[:, None, None, None]
    of_point = rows @ rig.R.unsqueeze(1)
    of_turn = torch.linalg.cross(there.unsqueeze(-2).expand_as(rows), rows, dim=-1)
    of_focal = (there[..., :2] / z.unsqueeze(-1) * scale[:, None, None]).unsqueeze(-1)
    of_camera = torch.cat((of_turn, rows, of_focal), dim=-1)
    weighted = weight[..., None, None] * of_camera
    cameras = torch.einsum("vpri,vprj->vij", weighted, of_camera)
    slope = torch.einsum("vpri,vpr->vi", weighted, residual)
    if config.log_focal_sd is not None:
        cameras[:, 6, 6] += config.log_focal_sd**-2
        slope[:, 6] += rig.focal.log() / config.log_focal_sd**2
    return _Normal(
        cameras=cameras,
        points=torch.einsum("vp,vpri,vprj->pij", weight, of_point, of_point),
        mixed=torch.einsum("vpri,vprj->pivj", of_point, weighted).flatten(2),
        camera_slope=slope.flatten(),
        point_slope=torch.einsum("vp,vpri,vpr->pi", weight, of_point, residual),
    )


def _stepped(
    normal: _Normal, points: Tensor, rig: Rig, damping: float, config: BundleConfig
) -> tuple[Rig, Tensor]:
    """One damped step; the first view's axes, and known focal lengths, stay."""
    views = len(rig.t)
    free = torch.ones(views, 7, dtype=torch.bool)
    free[0, :6] = False
    free[:, 6] = config.log_focal_sd is not None
    free = free.flatten()
    eye = torch.eye(3, dtype=points.dtype)
    size = normal.points.diagonal(dim1=-2, dim2=-1).mean(-1)
    inverse = torch.linalg.inv(normal.points + (damping * size + 1e-9)[:, None, None] * eye)
    mixed = normal.mixed[..., free]
    reduced = torch.block_diag(*normal.cameras)[free][:, free]
    reduced = reduced + torch.diag(damping * reduced.diagonal() + 1e-9)
    carried = inverse @ mixed
    reduced = reduced - torch.einsum("pif,pig->fg", mixed, carried)
    slope = normal.camera_slope[free] - torch.einsum("pif,pi->f", carried, normal.point_slope)
    change = torch.zeros_like(normal.camera_slope)
    change[free] = -torch.linalg.solve(reduced, slope)
    moved = inverse @ normal.point_slope.unsqueeze(-1) + carried @ change[free].unsqueeze(-1)
    turn, shift, focal = change.view(views, 7).split((3, 3, 1), dim=-1)
    delta = roma.rotvec_to_rotmat(turn)
    t = (delta @ rig.t.unsqueeze(-1)).squeeze(-1) + shift
    return Rig(delta @ rig.R, t, rig.focal * focal[:, 0].exp()), points - moved.squeeze(-1)
