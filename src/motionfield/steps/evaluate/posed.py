"""Points of a motion: its joints and keypoints at once, its vertices block by block."""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.body.base import Body, MeshName, Posed
from motionfield.core.arrays import tensor_of
from motionfield.core.errors import OptionError
from motionfield.data.motion import Motion

BLOCK_FRAMES = 128
"""Vertices of this many frames are in memory at once."""


def check_body(motion: Motion, body: Body) -> None:
    """Raises ``OptionError`` where the motion drives another body."""
    if motion.body_model != body.name:
        raise OptionError(
            f"metrics: the motion drives the body {motion.body_model!r}, not {body.name!r}; "
            "compare the joints alone (compare_joints), or load that body"
        )


def pose_motion(motion: Motion, body: Body, keypoint_set: str | None = None) -> Posed:
    """Joints, and the keypoints of a set, in the motion's world, metres."""
    scale = motion.bone_scale
    return body.pose(
        tensor_of(motion.global_orient),
        tensor_of(motion.body_pose),
        tensor_of(motion.transl),
        tensor_of(motion.betas),
        keypoint_set=keypoint_set,
        bone_scale=None if scale is None else tensor_of(scale),
    )


def vertex_blocks(
    motion: Motion, body: Body, mesh: MeshName = "full"
) -> Iterator[Float[Tensor, "frames vertices 3"]]:
    """Vertices in the motion's world, ``BLOCK_FRAMES`` at a time, metres."""
    orient, pose, transl = (
        torch.split(tensor_of(part), BLOCK_FRAMES)
        for part in (motion.global_orient, motion.body_pose, motion.transl)
    )
    betas = tensor_of(motion.betas)
    scale = None if motion.bone_scale is None else tensor_of(motion.bone_scale)
    for block in zip(orient, pose, transl, strict=True):
        yield body.vertices(block[0], block[1], block[2], betas, mesh, scale)
