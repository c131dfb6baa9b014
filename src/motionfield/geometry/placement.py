"""Where a known 3D shape stands in front of a camera, from its picture alone."""

import torch
from jaxtyping import Float
from torch import Tensor


def place_in_camera(
    points: Float[Tensor, "frames points 3"],
    rays: Float[Tensor, "frames points 3"],
    weights: Float[Tensor, "frames points"],
    robust_scale: float = 0.02,
    iterations: int = 5,
) -> Float[Tensor, "frames 3"]:
    """Translations that carry ``points`` onto their viewing rays, one per frame.

    Solves ``(p + t)_xy = ray_xy * (p + t)_z`` by weighted linear least squares, then reweights by
    the image error (Geman-McClure of ``robust_scale`` in normalised image units).

    Args:
        points: 3D points in camera axes, any origin, metres.
        rays: viewing rays with z = 1 (``geometry.cameras.back_project``).
        weights: confidence of each point; 0 leaves it out. A frame needs two points or more.

    Returns:
        Translations in metres, camera axes. Frames with too few points give NaN.
    """
    xy = rays[..., :2]
    offset = xy * points[..., 2:] - points[..., :2]
    irls = weights
    usable = (weights > 0).sum(-1) >= 2
    t = torch.zeros_like(points[:, 0])
    for _ in range(iterations):
        total = irls.sum(-1)
        mean_xy = (irls.unsqueeze(-1) * xy).sum(-2)
        mean_offset = (irls.unsqueeze(-1) * offset).sum(-2)
        # Normal equations of t_xy - xy * t_z = offset, with t_xy eliminated.
        centred = xy - (mean_xy / total.clamp_min(1e-9).unsqueeze(-1)).unsqueeze(-2)
        spread = (irls.unsqueeze(-1) * centred * centred).sum((-1, -2))
        slope = (irls.unsqueeze(-1) * centred * offset).sum((-1, -2))
        t_z = -slope / spread.clamp_min(1e-12)
        t_xy = (mean_offset + mean_xy * t_z.unsqueeze(-1)) / total.clamp_min(1e-9).unsqueeze(-1)
        t = torch.cat((t_xy, t_z.unsqueeze(-1)), dim=-1)
        placed = points + t.unsqueeze(-2)
        depth = placed[..., 2:].clamp_min(1e-2)
        squared = (placed[..., :2] / depth - xy).square().sum(-1)
        irls = weights * (robust_scale**2 / (robust_scale**2 + squared)).square()
    return torch.where(usable.unsqueeze(-1), t, torch.nan)
