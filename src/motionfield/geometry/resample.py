"""Values at other times: positions linearly, rotations along the shortest arc."""

import roma
import torch
from jaxtyping import Float
from torch import Tensor


def _bracket(
    time_s: Float[Tensor, "frames"], at_s: Float[Tensor, "samples"]
) -> tuple[Tensor, Tensor, Tensor]:
    """Indices of the frames before and after each sample, and the share of the later one."""
    right = torch.searchsorted(time_s, at_s).clamp(1, len(time_s) - 1)
    left = right - 1
    share = (at_s - time_s[left]) / (time_s[right] - time_s[left])
    return left, right, share.clamp(0, 1)


def resample_positions(
    positions: Float[Tensor, "frames *shape"],
    time_s: Float[Tensor, "frames"],
    at_s: Float[Tensor, "samples"],
) -> Float[Tensor, "samples *shape"]:
    """Linear interpolation over time; held constant beyond the ends."""
    if len(time_s) == 1:
        return positions.expand(len(at_s), *positions.shape[1:]).clone()
    left, right, share = _bracket(time_s, at_s)
    share = share.to(positions.dtype).reshape(-1, *(1,) * (positions.ndim - 1))
    return positions[left] * (1 - share) + positions[right] * share


def resample_rotations(
    rotations: Float[Tensor, "frames *shape 3 3"],
    time_s: Float[Tensor, "frames"],
    at_s: Float[Tensor, "samples"],
) -> Float[Tensor, "samples *shape 3 3"]:
    """Spherical interpolation over time (shortest arc); held constant beyond the ends."""
    if len(time_s) == 1:
        return rotations.expand(len(at_s), *rotations.shape[1:]).clone()
    left, right, share = _bracket(time_s, at_s)
    start = rotations[left]
    arc = roma.rotmat_to_rotvec(start.mT @ rotations[right])
    share = share.to(rotations.dtype).reshape(-1, *(1,) * (arc.ndim - 1))
    return start @ roma.rotvec_to_rotmat(arc * share)
