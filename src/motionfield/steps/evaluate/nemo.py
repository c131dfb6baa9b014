"""NeMo's measures: the pose alone, the whole sequence in the world, and its dynamic range.

Source: Wang et al., NeMo, CVPR 2023, sec. 4 and appendix A, and the public code, which decides
where the text leaves a choice. The joints are the first 15 of OpenPose's BODY_25 (nose, neck,
shoulders, elbows, wrists, mid hip, hips, knees, ankles) as the body knows them.
"""

from typing import Final, Literal, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motionfield.body.base import Body, MeshName
from motionfield.core.keypoint_sets import OPENPOSE_25
from motionfield.data.motion import Motion
from motionfield.steps.evaluate.pose import mpjpe
from motionfield.steps.evaluate.posed import (
    Placing,
    Pose,
    VertexPairs,
    local_pose,
    pose_of,
    posed_points,
    vertex_error,
)
from motionfield.steps.evaluate.score import Score, check_same_clock

NEMO_JOINTS: Final = OPENPOSE_25.keypoint_names[:15]
Convention = Literal["correct", "published"]
"""How the dynamic range takes thinned videos: see ``dynamic_range``."""
DYNAMIC_M_S: Final = 2.0


class JointsAndVertices(NamedTuple):
    """The same measure over joints (MPJPE) and over vertices (MPVPE), mm."""

    joints: Score
    vertices: Score


def nemo_local(
    predicted: Motion,
    truth: Motion,
    body: Body,
    own_shapes: bool = False,
    mesh: MeshName = "full",
) -> JointsAndVertices:
    """MPJPE and MPVPE of NeMo's Table 1, mm: root position and orientation aligned, no scale.

    Both bodies are posed with the root at the origin and unturned, and with betas = 0 (and bones
    as they are in the mean shape), as the code does; the text says only "the root translation and
    orientation were aligned with the groundtruth at every frame". So neither tilt nor heading nor
    body shape counts.

    Args:
        own_shapes: pose each with its own shape instead, so that shape counts.

    Raises:
        OptionError: lengths, frame rates or bodies differ.
    """
    ours, theirs = _two_poses(predicted, truth, body)
    observed = torch.tensor(truth.observed)
    if own_shapes:
        return own_shape_errors(ours, theirs, body, VertexPairs(ours, theirs, body, mesh), observed)
    ours, theirs = (local_pose(pose, body) for pose in (ours, theirs))
    joints = mpjpe(_nemo_points(ours, body), _nemo_points(theirs, body))
    vertices = vertex_error(ours, theirs, body, mesh=mesh)
    return JointsAndVertices(joints.only(observed), vertices.only(observed))


def nemo_global(
    predicted: Motion, truth: Motion, body: Body, mesh: MeshName = "full"
) -> JointsAndVertices:
    """Global MPJPE and MPVPE of NeMo's Table 2, mm: one rigid motion for the sequence, no scale.

    The motion is fitted to all vertices of all frames (appendix A: "results were first aligned
    using rigid-body transformation ... using vertices of the entire sequences ... we did not
    perform scaling"); joints and vertices are then compared as they are. Each with its own shape.
    The fit runs over blocks of frames and keeps sums alone.

    Raises:
        OptionError: lengths, frame rates or bodies differ.
    """
    ours, theirs = _two_poses(predicted, truth, body)
    observed = torch.tensor(truth.observed)
    return global_errors(ours, theirs, body, VertexPairs(ours, theirs, body, mesh), observed)


def own_shape_errors(
    ours: Pose, theirs: Pose, body: Body, pairs: VertexPairs, observed: Bool[Tensor, "frames"]
) -> JointsAndVertices:
    """``nemo_local`` with own shapes, of vertices at hand: the predicted root put on the true one.

    A distance is the same seen from the world as from the root.
    """
    roots = [posed_points(pose, body).joints[:, 0] for pose in (ours, theirs)]
    R = theirs.global_orient.double() @ ours.global_orient.double().mT
    t = roots[1] - (R @ roots[0].unsqueeze(-1)).squeeze(-1)
    return _placed(ours, theirs, body, pairs, Placing(R, t), observed)


def global_errors(
    ours: Pose, theirs: Pose, body: Body, pairs: VertexPairs, observed: Bool[Tensor, "frames"]
) -> JointsAndVertices:
    """``nemo_global``, of vertices at hand."""
    return _placed(ours, theirs, body, pairs, pairs.alignment(observed), observed)


def dynamic_range(
    local_joints: Float[Tensor, "frames 15 3"],
    fps: float,
    resampling: float = 1.0,
    threshold_m_s: float = DYNAMIC_M_S,
    convention: Convention = "correct",
) -> slice:
    """Frames from the first to the last whose fastest joint is at 2 m/s or more.

    A frame's speed is that of the way to the next frame. The end is half-open as in the code: the
    last fast frame is not in the range (so one fast frame alone gives an empty range, as does
    none). Source: appendix A, "Dynamic Range"; 15 joints with the root's motion removed in the
    code.

    Args:
        local_joints: the truth's, posed as ``nemo_local`` does. Steps from or to NaN are not fast.
        fps: frames per second of the source.
        resampling: source frames per frame given here: NeMo samples each video to as many frames
            as the shortest has.
        convention: "correct" divides the speed by ``resampling``, as a longer step asks for;
            "published" multiplies as the public code does (its range is longer where a video was
            thinned out).
    """
    factor = {"correct": 1 / resampling, "published": resampling}[convention]
    speed = torch.diff(local_joints, dim=0).norm(dim=-1) * (fps * factor)
    fast = torch.nonzero(speed.amax(-1) >= threshold_m_s)[:, 0] if len(speed) else speed[:0, 0]
    if not len(fast):
        return slice(0, 0)
    return slice(int(fast[0]), int(fast[-1]))


def motion_dynamic_range(truth: Motion, body: Body) -> slice:
    """``dynamic_range`` of a true motion at its own frame rate, by the frames that it observed."""
    points = _nemo_points(local_pose(pose_of(truth, body), body), body)
    observed = torch.tensor(truth.observed)[:, None, None]
    return dynamic_range(torch.where(observed, points, torch.nan), truth.fps)


def _two_poses(predicted: Motion, truth: Motion, body: Body) -> tuple[Pose, Pose]:
    check_same_clock((predicted.num_frames, truth.num_frames), (predicted.fps, truth.fps))
    return pose_of(predicted, body), pose_of(truth, body)


def _nemo_points(pose: Pose, body: Body) -> Float[Tensor, "frames 15 3"]:
    return posed_points(pose, body, OPENPOSE_25.name).keypoints[:, : len(NEMO_JOINTS)]


def _placed(
    ours: Pose, theirs: Pose, body: Body, pairs: VertexPairs, placing: Placing, observed: Tensor
) -> JointsAndVertices:
    joints = mpjpe(placing.apply(_nemo_points(ours, body)), _nemo_points(theirs, body))
    return JointsAndVertices(joints.only(observed), pairs.error(placing).only(observed))
