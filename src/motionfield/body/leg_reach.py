"""Legs that reach for given ankle places: two bones and their angle, in closed form."""

import roma
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from motionfield.body.ik_start import swing_onto, world_rotations
from motionfield.core.conventions import JOINT_INDEX


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
        aim = thigh + shin + shift
        bend = _bend(thigh, shin, aim.norm(dim=-1), world[:, hip, :, 0])
        bent = thigh + (bend @ shin.unsqueeze(-1))[..., 0]
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
    length: Float[Tensor, "frames"],
    hinge: Float[Tensor, "frames 3"],
) -> Float[Tensor, "frames 3 3"]:
    """The shin's rotation about the knee's hinge that gives the leg its length, or the nearest.

    Of the two there are the one that bends the knee: none is left bent the other way.
    """
    # thigh · turned shin = a cos(angle) + b sin(angle) + c, and has to be ``wanted``.
    c = _dot(thigh, hinge) * _dot(shin, hinge)
    a = _dot(thigh, shin) - c
    b = _dot(thigh, torch.linalg.cross(hinge, shin))
    wanted = (length.square() - _dot(thigh, thigh) - _dot(shin, shin)) / 2 - c
    share = (wanted / torch.hypot(a, b).clamp_min(1e-9)).clamp(-1, 1)
    angle = torch.atan2(b, a) + torch.acos(share)
    return roma.rotvec_to_rotmat(hinge * angle.unsqueeze(-1))


def _dot(a: Float[Tensor, "frames 3"], b: Float[Tensor, "frames 3"]) -> Float[Tensor, "frames"]:
    return (a * b).sum(-1)
