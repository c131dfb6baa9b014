"""Smoothing over time of places and of rotations: Savitzky-Golay and One-Euro.

Both work on any time stamps, and commute with rigid motions of the world: places are smoothed as
vectors, rotations through the rotation vectors that lead from one frame to another.
"""

import math
from dataclasses import dataclass

import roma
import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class SavgolConfig:
    """A polynomial is fitted to the frames within ``reach_s`` on either side."""

    reach_s: float = 0.1
    order: int = 2


@dataclass(frozen=True)
class OneEuroConfig:
    """Cut-off of the low-pass: ``min_cutoff_hz + speed_slope * speed`` (the paper's fcmin, beta).

    Speed is in units of the signal (metres, radians) per second.
    """

    min_cutoff_hz: float = 1.0
    speed_slope: float = 1.0
    speed_cutoff_hz: float = 1.0
    """Low-pass of the speed itself."""


def savgol(
    values: Float[Tensor, "frames *shape"],
    time_s: Float[Tensor, "frames"],
    config: SavgolConfig = SavgolConfig(),
) -> Float[Tensor, "frames *shape"]:
    """Each value of a local polynomial: a polynomial of that order is left as it is.

    At the ends the first and last windows' polynomials are followed. Source: Savitzky and Golay,
    Analytical Chemistry 36(8), 1964; on even times ``scipy.signal.savgol_filter(mode="interp")``.
    """
    index, weights = _windows(time_s, config)
    weights = weights.to(values).reshape(*weights.shape, *(1,) * (values.ndim - 1))
    smooth = torch.zeros_like(values)
    for column in range(index.shape[1]):
        smooth = smooth + weights[:, column] * values[index[:, column]]
    return smooth


def savgol_rotations(
    rotations: Float[Tensor, "frames *shape 3 3"],
    time_s: Float[Tensor, "frames"],
    config: SavgolConfig = SavgolConfig(),
) -> Float[Tensor, "frames *shape 3 3"]:
    """``savgol`` of the rotation vectors from each frame to its window's frames.

    Turns about one axis by a polynomial angle are left as they are. Within a window a rotation
    must turn by less than half a turn.
    """
    index, weights = _windows(time_s, config)
    weights = weights.to(rotations).reshape(*weights.shape, *(1,) * (rotations.ndim - 2))
    change = torch.zeros_like(rotations[..., 0])
    for column in range(index.shape[1]):
        arc = rotations.mT @ rotations[index[:, column]]
        change = change + weights[:, column] * roma.rotmat_to_rotvec(arc)
    return rotations @ roma.rotvec_to_rotmat(change)


def one_euro(
    values: Float[Tensor, "frames *shape axes"],
    time_s: Float[Tensor, "frames"],
    config: OneEuroConfig = OneEuroConfig(),
) -> Float[Tensor, "frames *shape axes"]:
    """A causal low-pass that lets fast movements through.

    Source: Casiez, Roussel and Vogel, 1€ Filter, CHI 2012, algorithms 1 and 2. The axes of one
    vector share the cut-off of its speed, so that the result does not depend on their directions
    (the paper filters numbers).
    """
    smooth, speed = values[0], torch.zeros_like(values[0])
    result = [smooth]
    for value, step in zip(values[1:], time_s.diff().tolist(), strict=True):
        share, speed = _shares((value - smooth) / step, speed, step, config)
        smooth = smooth + share * (value - smooth)
        result.append(smooth)
    return torch.stack(result)


def one_euro_rotations(
    rotations: Float[Tensor, "frames *shape 3 3"],
    time_s: Float[Tensor, "frames"],
    config: OneEuroConfig = OneEuroConfig(),
) -> Float[Tensor, "frames *shape 3 3"]:
    """``one_euro`` along the shortest arc from the last smooth rotation to the new one."""
    smooth, speed = rotations[0], torch.zeros_like(rotations[0, ..., 0])
    result = [smooth]
    for value, step in zip(rotations[1:], time_s.diff().tolist(), strict=True):
        arc = roma.rotmat_to_rotvec(smooth.mT @ value)
        share, speed = _shares(arc / step, speed, step, config)
        smooth = smooth @ roma.rotvec_to_rotmat(share * arc)
        result.append(smooth)
    return roma.special_gramschmidt(torch.stack(result))


def _shares(
    velocity: Float[Tensor, "*shape axes"],
    smooth_velocity: Float[Tensor, "*shape axes"],
    step_s: float,
    config: OneEuroConfig,
) -> tuple[Float[Tensor, "*shape 1"], Float[Tensor, "*shape axes"]]:
    """How far to go towards the new value, and the new smooth velocity."""
    known = 1 / (1 + 1 / (math.tau * config.speed_cutoff_hz * step_s))
    smooth_velocity = smooth_velocity + known * (velocity - smooth_velocity)
    cutoff = config.min_cutoff_hz + config.speed_slope * smooth_velocity.norm(dim=-1, keepdim=True)
    return 1 / (1 + 1 / (math.tau * cutoff * step_s)), smooth_velocity


def _windows(
    time_s: Float[Tensor, "frames"], config: SavgolConfig
) -> tuple[Tensor, Float[Tensor, "frames window"]]:
    """Frames of each frame's window, and their weights in the polynomial's value there."""
    frames = len(time_s)
    time = time_s.double()
    step = float((time[-1] - time[0]) / (frames - 1)) if frames > 1 else 1.0
    half = round(config.reach_s / step)
    window = min(2 * half + 1, frames)
    first = (torch.arange(frames) - half).clamp(0, frames - window)
    index = first.unsqueeze(1) + torch.arange(window)
    # In units of the window, so that powers are of one size.
    offset = (time[index] - time.unsqueeze(1)) / (step * max(half, 1))
    powers = offset.unsqueeze(-1) ** torch.arange(min(config.order, window - 1) + 1)
    return index, torch.linalg.pinv(powers)[:, 0]
