"""Forward kinematics of the 24-joint tree, batched over frames."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.core.conventions import JOINT_PARENTS


class Kinematics(NamedTuple):
    """Every joint's frame in the world."""

    rotations: Float[Tensor, "frames 24 3 3"]
    """World from joint."""
    joints: Float[Tensor, "frames 24 3"]
    """Metres."""


def forward_kinematics(
    rotations: Float[Tensor, "frames 24 3 3"],
    offsets: Float[Tensor, "*frames 24 3"],
    root: Float[Tensor, "frames 3"],
) -> Kinematics:
    """Chain parent-relative rotations and offsets down the tree.

    Args:
        rotations: each joint's rotation relative to its parent; the root's in the world.
        offsets: each joint's place in its parent's frame, metres (the root's is not used);
            one set for all frames, or one per frame.
        root: place of the root joint in the world, metres.
    """
    turned, placed = [rotations[:, 0]], [root]
    for joint, parent in enumerate(JOINT_PARENTS[1:], start=1):
        offset = offsets[..., joint, :]
        placed.append(placed[parent] + (turned[parent] @ offset.unsqueeze(-1)).squeeze(-1))
        turned.append(turned[parent] @ rotations[:, joint])
    return Kinematics(torch.stack(turned, dim=1), torch.stack(placed, dim=1))
