"""Feet on the ground: when they rest there, by the picture, and what that asks of the motion."""

import torch
from jaxtyping import Float
from torch import Tensor


def resting_share(
    foot_2d: Float[Tensor, "frames points 3"],
    time_s: Float[Tensor, "frames"],
    body_height_px: Float[Tensor, "frames"],
    still_per_s: float = 0.25,
    window_s: float = 0.1,
) -> Float[Tensor, "frames points"]:
    """How surely each 2D foot point rests, in [0, 1], from its speed in the picture alone.

    The speed is the slope of a straight line fitted over ``window_s`` (so that detector jitter
    does not count), in body heights per second; the share falls from 1 at rest through 1/2 at
    ``still_per_s``. Frames without the point give 0.
    """
    xy, confidence = foot_2d[..., :2], foot_2d[..., 2]
    seen = torch.isfinite(foot_2d).all(-1)
    weight = torch.where(seen, confidence, 0.0)
    near = (time_s[:, None] - time_s[None, :]).abs() <= window_s
    # Weighted line fit of every frame's window at once: (frames, window frames, points).
    w = near.to(xy.dtype)[..., None] * weight[None]
    dt = (time_s[None, :] - time_s[:, None]).to(xy.dtype)[..., None]
    position = torch.where(seen[..., None], xy, 0.0)
    total = w.sum(1).clamp_min(1e-9)
    mean_t = (w * dt).sum(1) / total
    centred = dt - mean_t[:, None]
    spread = (w * centred.square()).sum(1)
    slope = torch.einsum("tsk,skc->tkc", w * centred, position) / spread.clamp_min(1e-9)[..., None]
    speed = slope.norm(dim=-1) / body_height_px[:, None]
    share = 1 / (1 + (speed / still_per_s) ** 4)
    return torch.where(seen & (spread > 1e-9), share, 0.0)
