"""Feet on the ground: when they rest there, by the picture."""

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.losses.smoothness import frames_to_seconds


def resting_share(
    foot_2d: Float[Tensor, "frames points 3"],
    time_s: Float[Tensor, "frames"],
    body_height_px: Float[Tensor, "frames"],
    still_per_s: float = 0.25,
    window_s: float = 0.1,
) -> Float[Tensor, "frames points"]:
    """How surely each 2D foot point rests, in [0, 1], from its speed in the picture alone.

    The speed is the slope of a straight line fitted over ``window_s`` to both sides (so that
    detector jitter does not count), in body heights per second; the share falls from 1 at rest
    through 1/2 at ``still_per_s``. Frames without the point give 0.
    """
    seen = torch.isfinite(foot_2d).all(-1)
    pixels = torch.where(seen.unsqueeze(-1), foot_2d[..., :2], torch.nan)
    half = max(1, round(window_s / float(frames_to_seconds(time_s))))
    speed = windowed_slope(pixels, time_s, half).norm(dim=-1) / body_height_px[:, None]
    share = 1 / (1 + (speed / still_per_s) ** 4)
    return share.nan_to_num(0.0)


def windowed_slope(
    values: Float[Tensor, "frames points 2"], time_s: Float[Tensor, "frames"], half: int
) -> Float[Tensor, "frames points 2"]:
    """Slope per second of a line through each frame and its ``half`` neighbours on either side.

    Missing (NaN) frames within the window are left out; a missing frame, or one without seen
    neighbours, gives NaN.
    """
    known = torch.isfinite(values).all(-1)
    window = 2 * half + 1
    t = _windows(time_s - time_s[0], half, window)  # frames, window
    t = (t - (time_s - time_s[0])[:, None]).to(values.dtype)[:, None]  # frames, 1, window
    inside = _windows(torch.ones_like(time_s), half, window).to(values.dtype)[:, None]
    w = inside * _windows(known.to(values.dtype), half, window)
    x = _windows(torch.where(known[..., None], values, 0.0), half, window)
    total = w.sum(-1, keepdim=True).clamp_min(1e-9)
    centred = t - (w * t).sum(-1, keepdim=True) / total
    spread = (w * centred.square()).sum(-1)
    slope = ((w * centred).unsqueeze(-2) * x).sum(-1) / spread.clamp_min(1e-9)[..., None]
    return torch.where((known & (spread > 1e-9))[..., None], slope, torch.nan)


def _windows(values: Tensor, half: int, window: int) -> Tensor:
    """Each frame's window as a last axis; beyond the ends there is zero."""
    edge = torch.zeros((half, *values.shape[1:]), dtype=values.dtype)
    return torch.cat((edge, values, edge)).unfold(0, window, 1)
