"""Feet that stay where they stand when a motion is given to another body or cut together.

Poses are left as they are; only the root's path is corrected, sideways so that resting feet do
not slide and upwards so that the lowest point of the skin is where it belongs.
"""

from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.arrays import tensor_of
from motionfield.core.conventions import JOINT_INDEX
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.data.motion import Motion

_SOLE_POINTS: Final = [
    BLAZEPOSE_33.index(f"{side}_{part}")
    for side in ("left", "right")
    for part in ("heel", "foot_index")
]
_FOREARMS: Final = [
    JOINT_INDEX[f"{side}_{part}"]
    for side in ("left", "right")
    for part in ("elbow", "wrist", "hand")
]
_LOW_M: Final = 0.08
"""A point of the sole this high bears half of what it does on the ground."""
_LOW_WIDTH_M: Final = 0.02
_STILL_M_S: Final = 0.4
_LEAST_WEIGHT: Final = 0.05
"""Of the points that rest: below this much in all the root is left to itself."""
_CHUNK: Final = 256


def sole_points(motion: Motion, body: Body) -> Float[Tensor, "frames 4 3"]:
    """Heel and toe tip, left foot first, as BlazePose defines them; world, metres."""
    scale = None if motion.bone_scale is None else tensor_of(motion.bone_scale)
    with torch.no_grad():
        posed = body.pose(
            tensor_of(motion.global_orient),
            tensor_of(motion.body_pose),
            tensor_of(motion.transl),
            tensor_of(motion.betas),
            BLAZEPOSE_33.name,
            scale,
        )
    return posed.keypoints[:, _SOLE_POINTS]


def resting(points: Float[Tensor, "frames points 3"], fps: float) -> Float[Tensor, "frames points"]:
    """How surely each point of a sole rests, in [0, 1]: low and slow."""
    speed = velocity(points, fps).norm(dim=-1)
    low = torch.sigmoid((_LOW_M - points[..., 2]) / _LOW_WIDTH_M)
    return low * torch.exp(-((speed / _STILL_M_S) ** 2))


def velocity(
    points: Float[Tensor, "frames points 3"], fps: float
) -> Float[Tensor, "frames points 3"]:
    """Metres per second by central differences; one frame does not move."""
    if len(points) == 1:
        return torch.zeros_like(points)
    return torch.gradient(points, spacing=1 / fps, dim=0)[0]


def held(
    points: Float[Tensor, "frames points 3"],
    weights: Float[Tensor, "frames points"],
    wanted: Float[Tensor, "frames points 3"],
    fps: float,
) -> Float[Tensor, "frames 2"]:
    """Sideways shifts of the root, zero at first, with which resting points move as wanted.

    Args:
        points: the soles as they move now.
        weights: how surely each rests.
        wanted: velocities that resting points should have, metres per second.
    """
    excess = (velocity(points, fps) - wanted)[..., :2]
    total = weights.sum(-1, keepdim=True).clamp_min(_LEAST_WEIGHT)
    drift = (weights.unsqueeze(-1) * excess).sum(1) / total
    mean = (drift[1:] + drift[:-1]) / 2 / fps  # trapezoids
    return -torch.cat((torch.zeros_like(drift[:1]), mean.cumsum(0)))


def lowest_point(motion: Motion, body: Body) -> Float[Tensor, "frames"]:
    """Height of the skin's lowest point above the ground, metres; arms below the elbow left out.

    Retargeted hands reach some centimetres into the ground that they lean on.
    """
    scale = None if motion.bone_scale is None else tensor_of(motion.bone_scale)
    betas = tensor_of(motion.betas)
    skin = body.skin(betas)
    carrier = skin.joint_index.gather(1, skin.joint_weight.argmax(-1, keepdim=True))
    bearing = ~torch.isin(carrier[:, 0], torch.tensor(_FOREARMS))
    parts = [
        tensor_of(part).split(_CHUNK)
        for part in (motion.global_orient, motion.body_pose, motion.transl)
    ]
    with torch.no_grad():
        heights = [
            body.vertices(orient, pose, transl, betas, bone_scale=scale)[:, bearing, 2]
            .min(-1)
            .values
            for orient, pose, transl in zip(*parts, strict=True)
        ]
    return torch.cat(heights)


def leg_length(rest_joints: Float[Tensor, "24 3"]) -> float:
    """Thigh and shin, mean of both sides, metres."""
    length = torch.zeros(())
    for side in ("left", "right"):
        for upper, lower in (("hip", "knee"), ("knee", "ankle")):
            bone = (
                rest_joints[JOINT_INDEX[f"{side}_{upper}"]]
                - rest_joints[JOINT_INDEX[f"{side}_{lower}"]]
            )
            length = length + bone.norm() / 2
    return float(length)
