"""Euler angles that stay continuous over time, whatever the rotation passes through."""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motionfield.geometry.rotations import axis_rotation

_SINGULAR = 1e-5
"""Below this cosine of the middle angle, the first and last angles are one quantity."""


def unwrap(angles: Float[Tensor, "frames *batch"]) -> Float[Tensor, "frames *batch"]:
    """Add whole turns so that no angle steps by more than half a turn between frames."""
    turns = torch.round(torch.diff(angles, dim=0) / -math.tau).cumsum(0)
    return torch.cat((angles[:1], angles[1:] + math.tau * turns))


def continuous_euler(
    rotations: Float[Tensor, "frames *joints 3 3"], axes: str
) -> Float[Tensor, "frames *joints 3"]:
    """Angles (a, b, c) in radians with ``R = R_axes[0](a) @ R_axes[1](b) @ R_axes[2](c)``.

    Every rotation has two sets of angles, (a, b, c) and (a + pi, pi - b, c + pi), each up to
    whole turns. The set next to the frame before is taken, so that a rotation that moves
    smoothly has smooth angles, also through b = 90 degrees; at b = 90 degrees itself, where
    only a sum of a and c is defined, ``a`` is interpolated over time. The product of the three
    rotations is exact in every frame. Of the two continuous results, the one with b within
    90 degrees in most frames is given.

    Args:
        rotations: matrices over time.
        axes: three different letters of "xyz".
    """
    i, j, k = ("xyz".index(axis) for axis in axes)
    sign = 1.0 if (j - i) % 3 == 1 else -1.0
    R = rotations.double()
    cos_b = torch.hypot(R[..., i, i], R[..., i, j])
    regular = cos_b > _SINGULAR
    a = torch.atan2(-sign * R[..., j, k], R[..., k, k])
    b = torch.atan2(sign * R[..., i, k], cos_b)
    c = torch.atan2(-sign * R[..., i, j], R[..., i, i])
    other_set = _needs_other_set(torch.stack((a, b, c), dim=-1), regular)
    a = _interpolated(a + math.pi * other_set, regular)
    # Given a, the other two are the unique full-circle angles of what remains.
    rest = axis_rotation(axes[0], -a) @ R
    b = torch.atan2(sign * rest[..., i, k], rest[..., k, k])
    c = torch.atan2(sign * rest[..., j, i], rest[..., j, j])
    angles = torch.stack((a, unwrap(b), unwrap(c)), dim=-1)
    angles = angles - math.tau * torch.round(angles[:1] / math.tau)
    return angles.to(rotations.dtype)


def _needs_other_set(
    angles: Float[Tensor, "frames *joints 3"], regular: Bool[Tensor, "frames *joints"]
) -> Int[Tensor, "frames *joints"]:
    """1 where (a + pi, pi - b, c + pi) continues the frames before, else 0."""
    before = _last_regular(regular)[:-1].unsqueeze(-1).expand(angles[1:].shape)
    last = angles.gather(0, before)
    a, b, c = last.unbind(-1)
    last_other = torch.stack((a + math.pi, math.pi - b, c + math.pi), dim=-1)

    def distance(to: Tensor) -> Tensor:
        return (torch.remainder(angles[1:] - to + math.pi, math.tau) - math.pi).square().sum(-1)

    # Whichever set the last frame took, the two distances are the same two numbers.
    switches = (distance(last_other) < distance(last)) & regular[1:]
    other = torch.cat((torch.zeros_like(regular[:1]), switches)).cumsum(0) % 2
    mostly_other = (other * regular).sum(0) * 2 > regular.sum(0)
    return torch.where(mostly_other, 1 - other, other)


def _last_regular(regular: Bool[Tensor, "frames *joints"]) -> Int[Tensor, "frames *joints"]:
    """Index of the last regular frame up to each frame (the frame itself where there is none)."""
    index = torch.arange(len(regular)).reshape(-1, *(1,) * (regular.ndim - 1)).expand_as(regular)
    last = torch.where(regular, index, -1).cummax(0).values
    return torch.where(last < 0, index, last)


def _interpolated(
    a: Float[Tensor, "frames *joints"], regular: Bool[Tensor, "frames *joints"]
) -> Float[Tensor, "frames *joints"]:
    """``a`` unwrapped, and linear over time where it is undefined (0 where it always is)."""
    a = torch.where(regular.any(0), a, 0.0)
    left = _last_regular(regular)
    right = len(a) - 1 - _last_regular(regular.flip(0)).flip(0)
    # Before the first and after the last regular frame both ends are that frame.
    left, right = (
        torch.where(regular.gather(0, left), left, right),
        torch.where(regular.gather(0, right), right, left),
    )
    held = unwrap(a.gather(0, left))
    index = torch.arange(len(a)).reshape(-1, *(1,) * (a.ndim - 1))
    share = (index - left) / (right - left).clamp(min=1)
    return held + (held.gather(0, right) - held) * share
