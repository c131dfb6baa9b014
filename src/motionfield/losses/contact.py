"""Feet on the ground: when they rest there, by the picture."""

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.geometry.cameras import project, world_to_camera
from motionfield.losses.smoothness import frames_to_seconds

WINDOW_S = 0.1
"""Speeds in the picture are slopes over so long on either side."""


def resting_share(
    foot_2d: Float[Tensor, "frames points 3"],
    time_s: Float[Tensor, "frames"],
    body_height_px: Float[Tensor, "frames"],
    still_per_s: float = 0.25,
    window_s: float = WINDOW_S,
    flow: Float[Tensor, "frames points 2"] | None = None,
) -> Float[Tensor, "frames points"]:
    """How surely each 2D foot point rests, in [0, 1], from its speed in the picture alone.

    The speed is the slope of a straight line fitted over ``window_s`` to both sides (so that
    detector jitter does not count), in body heights per second; the share falls from 1 at rest
    through 1/2 at ``still_per_s``. Frames without the point give 0.

    Args:
        flow: what resting points would show in the picture of a camera that moves
            (``resting_flow``), pixels per second; it is taken off.
    """
    seen = torch.isfinite(foot_2d).all(-1)
    pixels = torch.where(seen.unsqueeze(-1), foot_2d[..., :2], torch.nan)
    velocity = windowed_slope(pixels, time_s, frames_within(window_s, time_s))
    if flow is not None:
        velocity = velocity - flow
    speed = velocity.norm(dim=-1) / body_height_px[:, None]
    share = 1 / (1 + (speed / still_per_s) ** 4)
    return share.nan_to_num(0.0)


def resting_flow(
    points_world: Float[Tensor, "frames points 3"],
    lens: tuple[Float[Tensor, "frames 3 3"], Float[Tensor, "5"]],
    R_camera_world: Float[Tensor, "frames 3 3"],
    t_camera_world: Float[Tensor, "frames 3"],
    time_s: Float[Tensor, "frames"],
    window_s: float = WINDOW_S,
) -> Float[Tensor, "frames points 2"]:
    """Pixels per second that each frame's points would show if they rested in the world.

    The slope over the window of ``resting_share``. Of the places only the depths matter, and
    those little: they need not be exact.

    Args:
        points_world: where the points are, metres; NaN gives NaN.
        lens: K of every frame, and the distortion.
    """
    K, distortion = lens
    frames, half = len(points_world), frames_within(window_s, time_s)
    pixels, steps = [], []
    for offset in range(-half, half + 1):
        at = torch.arange(frames) + offset
        inside = (at >= 0) & (at < frames)
        at = at.clamp(0, frames - 1)
        there = world_to_camera(points_world, R_camera_world[at], t_camera_world[at])
        pixels.append(project(there, K[at], distortion))
        steps.append(torch.where(inside, time_s[at] - time_s, torch.nan))
    t = torch.stack(steps)
    weight = torch.isfinite(t).to(t)
    t = t.nan_to_num() - (t.nan_to_num().sum(0) / weight.sum(0))
    t = t * weight
    share = (t / t.square().sum(0).clamp_min(1e-9)).to(points_world)
    return (share[..., None, None] * torch.stack(pixels)).sum(0)


def frames_within(window_s: float, time_s: Float[Tensor, "frames"]) -> int:
    """So many frames lie within a time; at least 1."""
    return max(1, round(window_s / float(frames_to_seconds(time_s))))


def windowed_slope(
    values: Float[Tensor, "frames points axes"], time_s: Float[Tensor, "frames"], half: int
) -> Float[Tensor, "frames points axes"]:
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
