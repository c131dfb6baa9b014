"""Legs that reach for given ankle places: two bones and their angle, in closed form."""

from typing import Final

import roma
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from motionfield.body.ik_start import swing_onto, world_rotations
from motionfield.core.conventions import JOINT_INDEX

_LONGEST: Final = 0.9995
"""A leg stretches to this share of its length."""
_STRAIGHT: Final = 0.05
"""A leg this little bent (sine) bends as its knee's hinge does."""


def reach(
    rotations: Float[Tensor, "frames 24 3 3"],
    joints: Float[Tensor, "frames 24 3"],
    shifts: Float[Tensor, "frames 2 3"],
) -> Float[Tensor, "frames 24 3 3"]:
    """Turn hips and bend knees so that the ankles move by ``shifts``; the feet keep their turn.

    Out of reach the leg points to where it should get.

    Args:
        rotations: root in the world, the others relative to their parents.
        joints: where the body has them, world, metres.
        shifts: of the left and right ankle, world, metres.
    """
    world = world_rotations(rotations)
    found = rotations.clone()
    for side, shift in zip(("left", "right"), shifts.unbind(1), strict=True):
        hip, knee, ankle = (JOINT_INDEX[f"{side}_{part}"] for part in ("hip", "knee", "ankle"))
        thigh, shin = joints[:, knee] - joints[:, hip], joints[:, ankle] - joints[:, knee]
        bend = _bend(thigh, shin, shift, world[:, hip, :, 0])
        bent = thigh + (bend @ shin.unsqueeze(-1))[..., 0]
        aim = thigh + shin + shift
        swing = swing_onto(normalize(bent, dim=-1), normalize(aim, dim=-1))
        turned_thigh = swing @ world[:, hip]
        turned_shin = swing @ bend @ world[:, knee]
        found[:, hip] = world[:, 0].mT @ turned_thigh
        found[:, knee] = turned_thigh.mT @ turned_shin
        found[:, ankle] = turned_shin.mT @ world[:, ankle]
    return found


def _bend(
    thigh: Float[Tensor, "frames 3"],
    shin: Float[Tensor, "frames 3"],
    shift: Float[Tensor, "frames 3"],
    hinge: Float[Tensor, "frames 3"],
) -> Float[Tensor, "frames 3 3"]:
    """Rotation of the shin about the knee that gives the leg the length that it needs."""
    a, b = thigh.norm(dim=-1), shin.norm(dim=-1)
    wanted = (thigh + shin + shift).norm(dim=-1)
    wanted = wanted.clamp_max(_LONGEST * (a + b)).maximum((a - b).abs() + 1e-3)
    new = torch.acos(((wanted**2 - a**2 - b**2) / (2 * a * b)).clamp(-1, 1))
    cross = torch.linalg.cross(thigh, shin) / (a * b).unsqueeze(-1)
    axis = normalize(cross + _STRAIGHT * hinge, dim=-1)
    # Signed, so that a leg bent the other way, or straight, goes on smoothly.
    old = torch.atan2((cross * axis).sum(-1), (thigh * shin).sum(-1) / (a * b))
    return roma.rotvec_to_rotmat(axis * (new - old).unsqueeze(-1))
