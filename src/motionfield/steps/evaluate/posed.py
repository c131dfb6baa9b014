"""Points of a motion: its joints and keypoints at once, its vertices block by block."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.body.base import Body, MeshName, Posed
from motionfield.core.arrays import tensor_of
from motionfield.core.errors import OptionError
from motionfield.data.motion import Motion
from motionfield.steps.evaluate.score import MM_PER_M, Score

BLOCK_FRAMES = 128
"""Vertices of this many frames are in memory at once."""


class Pose(NamedTuple):
    """What a body is posed with."""

    global_orient: Float[Tensor, "frames 3 3"]
    body_pose: Float[Tensor, "frames 23 3 3"]
    transl: Float[Tensor, "frames 3"]
    betas: Float[Tensor, "betas"]
    bone_scale: Float[Tensor, "24"] | None = None


def pose_of(motion: Motion, body: Body) -> Pose:
    """The parameters of a motion as tensors.

    Raises:
        OptionError: the motion drives another body.
    """
    if motion.body_model != body.name:
        raise OptionError(
            f"metrics: the motion drives the body {motion.body_model!r}, not {body.name!r}; "
            "compare the joints alone (compare_joints), or load that body"
        )
    return Pose(
        tensor_of(motion.global_orient),
        tensor_of(motion.body_pose),
        tensor_of(motion.transl),
        tensor_of(motion.betas),
        None if motion.bone_scale is None else tensor_of(motion.bone_scale),
    )


def local_pose(pose: Pose, body: Body, own_shape: bool = False) -> Pose:
    """The root at the origin in body axes; the mean shape (betas = 0), or its own."""
    upright = torch.eye(3).to(pose.global_orient).expand_as(pose.global_orient)
    local = pose._replace(global_orient=upright)
    if not own_shape:
        local = local._replace(betas=torch.zeros_like(pose.betas), bone_scale=None)
    rest = body.rest_joints(local.betas, local.bone_scale)[0]
    return local._replace(transl=-rest.expand_as(pose.transl))


def posed_points(pose: Pose, body: Body, keypoint_set: str | None = None) -> Posed:
    """Joints and the keypoints of a set, metres; float64, in which metrics are computed."""
    posed = body.pose(
        pose.global_orient, pose.body_pose, pose.transl, pose.betas, keypoint_set, pose.bone_scale
    )
    return Posed(posed.joints.double(), posed.keypoints.double())


def vertex_blocks(
    pose: Pose, body: Body, mesh: MeshName = "full"
) -> Iterator[Float[Tensor, "frames vertices 3"]]:
    """Vertices, ``BLOCK_FRAMES`` at a time, metres."""
    for first in range(0, len(pose.transl), BLOCK_FRAMES):
        block = slice(first, first + BLOCK_FRAMES)
        yield body.vertices(
            pose.global_orient[block],
            pose.body_pose[block],
            pose.transl[block],
            pose.betas,
            mesh,
            pose.bone_scale,
        )


class Placing(NamedTuple):
    """What carries the prediction's points of each frame onto the truth: ``R @ p + t``."""

    R: Float[Tensor, "frames 3 3"]
    t: Float[Tensor, "frames 3"]

    def apply(self, points: Float[Tensor, "frames points 3"]) -> Float[Tensor, "frames points 3"]:
        return points @ self.R.mT.to(points) + self.t.unsqueeze(1).to(points)


def vertex_error(
    predicted: Pose,
    truth: Pose,
    body: Body,
    placing: Placing | None = None,
    mesh: MeshName = "full",
) -> Score:
    """Mean distance over the vertices of each frame in mm, the prediction placed first.

    Frames whose placing is NaN have no score. Memory is that of one block of frames.
    """
    errors = []
    first = 0
    for ours, theirs in zip(
        vertex_blocks(predicted, body, mesh), vertex_blocks(truth, body, mesh), strict=True
    ):
        block = slice(first, first + len(ours))
        if placing is not None:
            ours = Placing(placing.R[block], placing.t[block]).apply(ours)
        # The body lays vertices out component first: by components this is five times as fast
        # as a norm over the last axis.
        x, y, z = (ours - theirs).unbind(-1)
        errors.append((x * x).addcmul_(y, y).addcmul_(z, z).sqrt_().mean(-1))
        first = block.stop
    return Score(torch.cat(errors).double() * MM_PER_M, "mm")
