"""Hands, feet and heads that a rig holds the wrong way round, turned back.

Solvers of marker data find feet with the sole up, hands and heads half a turn round: the bone
points where it should, and the marker's residual does not tell. What is nearer to the neighbour
is taken.
"""

import math
from typing import Final

import roma
import torch
from jaxtyping import Float
from torch import Tensor

_MAX_FOREARM_RAD: Final = math.radians(85)


def nearest_half_turn(
    relative: Float[Tensor, "frames 3 3"], axes: Float[Tensor, "axes 3"]
) -> Float[Tensor, "frames 3 3"]:
    """What to turn a joint by, in its own frame: nothing, or half a turn about one of ``axes``.

    Args:
        relative: the joint's frame in its parent's; the identity is the T-pose.
        axes: unit vectors in the joint's frame.
    """
    turns = torch.cat((torch.eye(3)[None], roma.rotvec_to_rotmat(math.pi * axes)))
    # The trace of a rotation falls with its angle.
    traces = torch.einsum("fij,aji->fa", relative, turns)
    return turns[traces.argmax(-1)]


def forearm_roll(
    relative: Float[Tensor, "frames 3 3"], bone: Float[Tensor, "3"]
) -> Float[Tensor, "frames 3 3"]:
    """What to roll a hand by about its bone, in its own frame, so that no forearm is wrung.

    The roll is followed over time with half turns between frames taken for the solver's, set to
    the half turn that is nearest to rest for most of the clip, and held within 85 degrees.

    Args:
        relative: the hand's frame in the forearm's; the identity is the T-pose.
        bone: the hand's direction, a unit vector.
    """
    roll = twist(relative, bone)
    steps = torch.diff(roll, prepend=roll[:1])
    steps = steps - math.pi * torch.round(steps / math.pi)
    steady = roll[0] + steps.cumsum(0)
    steady = steady - math.pi * torch.round(steady.median() / math.pi)
    wanted = steady.clamp(-_MAX_FOREARM_RAD, _MAX_FOREARM_RAD)
    return roma.rotvec_to_rotmat((wanted - roll)[:, None] * bone)


def limited(relative: Float[Tensor, "frames 3 3"], most_rad: float) -> Float[Tensor, "frames 3 3"]:
    """What to turn a joint by, in its own frame, so that it turns no farther from rest."""
    turn = roma.rotmat_to_rotvec(relative)
    angle = turn.norm(dim=-1, keepdim=True)
    back = (angle - most_rad).clamp(min=0) / angle.clamp(min=1e-6)
    return roma.rotvec_to_rotmat(-back * turn)


def twist(
    relative: Float[Tensor, "frames 3 3"], axis: Float[Tensor, "3"]
) -> Float[Tensor, "frames"]:
    """The part of a rotation about an axis (the rest is a swing of the axis), radians in ±pi."""
    quat = roma.rotmat_to_unitquat(relative)
    # Both signs of a quaternion are one rotation: the real part is made positive.
    quat = torch.where(quat[:, 3:] < 0, -quat, quat)
    return 2 * torch.atan2(quat[:, :3] @ axis, quat[:, 3])
