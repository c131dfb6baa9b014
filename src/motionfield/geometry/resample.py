"""Values at other times: straight or smooth, rotations along shortest arcs."""

from typing import NamedTuple

import roma
import torch
from jaxtyping import Float
from torch import Tensor


class _Bracket(NamedTuple):
    """The frames before and after each sample."""

    left: Tensor
    right: Tensor
    share: Tensor
    """Of the later one."""

    @classmethod
    def of(cls, time_s: Float[Tensor, "frames"], at_s: Float[Tensor, "samples"]) -> "_Bracket":
        right = torch.searchsorted(time_s, at_s).clamp(1, len(time_s) - 1)
        left = right - 1
        share = (at_s - time_s[left]) / (time_s[right] - time_s[left])
        return cls(left, right, share.clamp(0, 1))

    def smooth(self, time_s: Float[Tensor, "frames"]) -> list[tuple[Tensor, Tensor]]:
        """Four frames for each sample, and their weights, which add up to 1.

        A cubic with the frames' values, whose slopes are those from neighbour to neighbour
        (Hermite; on even times Catmull and Rom's); the first is ``left``.
        """
        before, after = (self.left - 1).clamp_min(0), (self.right + 1).clamp_max(len(time_s) - 1)
        step = time_s[self.right] - time_s[self.left]
        u = self.share
        slope_left = (u**3 - 2 * u**2 + u) * step / (time_s[self.right] - time_s[before])
        slope_right = (u**3 - u**2) * step / (time_s[after] - time_s[self.left])
        value_right = 3 * u**2 - 2 * u**3
        return [
            (self.left, 1 - value_right - slope_right),
            (before, -slope_left),
            (self.right, value_right + slope_left),
            (after, slope_right),
        ]


def resample_positions(
    positions: Float[Tensor, "frames *shape"],
    time_s: Float[Tensor, "frames"],
    at_s: Float[Tensor, "samples"],
    smooth: bool = False,
) -> Float[Tensor, "samples *shape"]:
    """Interpolation over time; held constant beyond the ends.

    Args:
        smooth: cubic, with no kinks at the frames; else linear.
    """
    if len(time_s) == 1:
        return positions.expand(len(at_s), *positions.shape[1:]).clone()
    if torch.equal(time_s, at_s):
        return positions.clone()
    bracket = _Bracket.of(time_s, at_s)
    if smooth:
        shape = (-1, *(1,) * (positions.ndim - 1))
        parts = [w.to(positions).reshape(shape) * positions[i] for i, w in bracket.smooth(time_s)]
        return torch.stack(parts).sum(0)
    share = bracket.share.to(positions.dtype).reshape(-1, *(1,) * (positions.ndim - 1))
    return positions[bracket.left] * (1 - share) + positions[bracket.right] * share


def resample_rotations(
    rotations: Float[Tensor, "frames *shape 3 3"],
    time_s: Float[Tensor, "frames"],
    at_s: Float[Tensor, "samples"],
    smooth: bool = False,
) -> Float[Tensor, "samples *shape 3 3"]:
    """Interpolation over time along shortest arcs; held constant beyond the ends.

    Args:
        smooth: cubic in the rotation vectors from the frame before, with hardly a kink at the
            frames; else spherical linear.
    """
    if len(time_s) == 1:
        return rotations.expand(len(at_s), *rotations.shape[1:]).clone()
    if torch.equal(time_s, at_s):
        return rotations.clone()
    bracket = _Bracket.of(time_s, at_s)
    start = rotations[bracket.left]

    def arc(index: Tensor, weight: Tensor) -> Tensor:
        vector = roma.rotmat_to_rotvec(start.mT @ rotations[index])
        return vector * weight.to(rotations.dtype).reshape(-1, *(1,) * (vector.ndim - 1))

    if not smooth:
        return start @ roma.rotvec_to_rotmat(arc(bracket.right, bracket.share))
    others = bracket.smooth(time_s)[1:]
    arcs = torch.stack([arc(index, weight) for index, weight in others])
    return start @ roma.rotvec_to_rotmat(arcs.sum(0))


def time_at_phase(
    phase: Float[Tensor, "frames"],
    time_s: Float[Tensor, "frames"],
    at_phase: Float[Tensor, "samples"],
) -> Float[Tensor, "samples"]:
    """When a phase that never falls passes given values: its inverse, held beyond its ends.

    Between frames it is linear; where the phase rests at a value, the middle of that rest.
    """
    end = len(phase) - 1
    reached = torch.searchsorted(phase, at_phase).clamp_max(end)
    left = (torch.searchsorted(phase, at_phase, right=True) - 1).clamp_min(0)
    gap = phase[reached] - phase[left]
    share = torch.where(gap > 0, (at_phase - phase[left]) / torch.where(gap > 0, gap, 1.0), 0.5)
    return time_s[left] + share.clamp(0, 1) * (time_s[reached] - time_s[left])
