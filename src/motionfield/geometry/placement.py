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


def turn_to_ray(ray: Float[Tensor, "frames 3"]) -> Float[Tensor, "frames 3 3"]:
    """The smallest rotations that carry the optical axis (0, 0, 1) onto viewing rays.

    A network that sees a crop gives its 3D in the axes of a camera that looks at the crop;
    these rotations bring it to the axes of the true camera.
    """
    x, y, z = torch.nn.functional.normalize(ray, dim=-1).unbind(-1)
    # Rodrigues' formula for axis (-y, x, 0); never singular for rays in front of the camera.
    k = 1 / (1 + z)
    rows = (1 - k * x * x, -k * x * y, x, -k * x * y, 1 - k * y * y, y, -x, -y, z)
    return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))


def mean_ray(
    rays: Float[Tensor, "frames points 3"], weights: Float[Tensor, "frames points"]
) -> Float[Tensor, "frames 3"]:
    """Weighted mean viewing ray of a person's points; the optical axis where none is seen."""
    total = weights.sum(-1, keepdim=True)
    mean = (weights.unsqueeze(-1) * rays).sum(-2) / total.clamp_min(1e-9)
    ahead = rays.new_tensor([0.0, 0.0, 1.0])
    return torch.where(total > 0, mean, ahead)
