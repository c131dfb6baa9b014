"""Points of a motion: its joints and keypoints at once, its vertices block by block."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motionfield.body.base import Body, MeshName, Posed
from motionfield.core.arrays import tensor_of
from motionfield.core.errors import OptionError
from motionfield.data.motion import Motion
from motionfield.geometry.alignment import AlignmentSums, Similarity
from motionfield.steps.evaluate.score import MM_PER_M, Score

BLOCK_FRAMES = 160
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


def local_pose(pose: Pose, body: Body) -> Pose:
    """The root unturned at the origin, of the mean shape: betas = 0, bones as they are there."""
    betas = torch.zeros_like(pose.betas)
    upright = torch.eye(3).to(pose.global_orient).expand_as(pose.global_orient)
    transl = -body.rest_joints(betas)[0].expand_as(pose.transl)
    return Pose(upright, pose.body_pose, transl, betas)


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
        # Component first, as the body lays them out: twice as fast for vertices.
        return (self.R.to(points) @ points.mT + self.t.to(points).unsqueeze(-1)).mT


class VertexPairs:
    """Vertices of prediction and truth, block by block; kept where one block holds them all."""

    def __init__(self, predicted: Pose, truth: Pose, body: Body, mesh: MeshName = "full") -> None:
        self._poses = (predicted, truth)
        self._body = body
        self._mesh = mesh
        self._kept: list[tuple[slice, Tensor, Tensor]] | None = None

    def __iter__(self) -> Iterator[tuple[slice, Tensor, Tensor]]:
        """Which frames, and their vertices in either motion: (frames, vertices, 3)."""
        if self._kept is None and len(self._poses[0].transl) <= BLOCK_FRAMES:
            self._kept = list(self._blocks())
        return iter(self._kept) if self._kept is not None else self._blocks()

    def _blocks(self) -> Iterator[tuple[slice, Tensor, Tensor]]:
        first = 0
        both = (vertex_blocks(pose, self._body, self._mesh) for pose in self._poses)
        for ours, theirs in zip(*both, strict=True):
            yield slice(first, first + len(ours)), ours, theirs
            first += len(ours)

    def error(self, placing: Placing | None = None) -> Score:
        """Mean distance over the vertices of each frame in mm, the prediction placed first.

        Frames whose placing is NaN have no score.
        """
        errors = []
        for block, ours, theirs in self:
            if placing is not None:
                ours = Placing(placing.R[block], placing.t[block]).apply(ours)
            # The body lays vertices out component first: by components this is five times as
            # fast as a norm over the last axis.
            x, y, z = (ours - theirs).unbind(-1)
            errors.append((x * x).addcmul_(y, y).addcmul_(z, z).sqrt_().mean(-1))
        return Score(torch.cat(errors).double() * MM_PER_M, "mm")

    def alignment(self, frames: Bool[Tensor, "frames"]) -> Placing:
        """The one rigid motion (no scale) that best carries all vertices of these frames."""
        sums = AlignmentSums()
        for block, ours, theirs in self:
            sums.add(ours[frames[block]], theirs[frames[block]])
        return whole_clip(sums.solve(), len(frames))


def whole_clip(motion: Similarity, frames: int) -> Placing:
    """One rigid motion for all frames."""
    return Placing(motion.R_b_a.expand(frames, 3, 3), motion.t_b_a.expand(frames, 3))


def vertex_error(
    predicted: Pose,
    truth: Pose,
    body: Body,
    placing: Placing | None = None,
    mesh: MeshName = "full",
) -> Score:
    """``VertexPairs.error`` of two motions that are compared once. Memory is that of one block."""
    return VertexPairs(predicted, truth, body, mesh).error(placing)
