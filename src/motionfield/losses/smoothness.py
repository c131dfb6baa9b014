"""Differences over time, in SI units, on any time stamps."""

import torch
from jaxtyping import Float
from torch import Tensor


def velocity(
    positions: Float[Tensor, "frames points 3"], time_s: Float[Tensor, "frames"]
) -> Float[Tensor, "steps points 3"]:
    """First difference, m/s: one value per step between neighbouring frames."""
    return positions.diff(dim=0) / time_s.diff().to(positions)[:, None, None]


def acceleration(
    positions: Float[Tensor, "frames points 3"], time_s: Float[Tensor, "frames"]
) -> Float[Tensor, "inner points 3"]:
    """Second difference, m/s², on the inner frames; none for fewer than three frames."""
    if len(positions) < 3:
        return positions.new_zeros((0, *positions.shape[1:]))
    step = time_s.diff().to(positions)
    mean_step = 0.5 * (step[1:] + step[:-1])
    return velocity(positions, time_s).diff(dim=0) / mean_step[:, None, None]


def angular_velocity_squared(
    rotations: Float[Tensor, "frames joints 3 3"], time_s: Float[Tensor, "frames"]
) -> Float[Tensor, "steps joints"]:
    """Squared chordal speed of rotations, (rad/s)² for small steps.

    ``|R1 - R0|²_F = 4 (1 - cos a)``, which is ``2 a²`` for small angles a.
    """
    step = time_s.diff().to(rotations)[:, None]
    return 0.5 * rotations.diff(dim=0).square().sum((-1, -2)) / step.square()


def frames_to_seconds(time_s: Float[Tensor, "frames"]) -> Float[Tensor, ""]:
    """Mean step between frames in seconds (1 for a single frame)."""
    if len(time_s) < 2:
        return torch.ones((), dtype=time_s.dtype)
    return (time_s[-1] - time_s[0]) / (len(time_s) - 1)
