"""Truth and prediction on one body, and the papers' metrics frame by frame.

No SMPL file is needed: truth that is given as SMPL parameters drives our own body in its mean
shape, and so does the prediction, for these comparisons. Joints and vertices are then that body's,
not SMPL's: figures say how poses and paths agree, not whether body shapes do.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.arrays import tensor_of
from motionfield.core.errors import OptionError
from motionfield.core.keypoint_sets import KEYPOINT_SETS
from motionfield.data.camera_path import CameraPath
from motionfield.data.motion import Motion
from motionfield.formats.datasets.parts import evenly
from motionfield.formats.datasets.sequence import DatasetSequence
from motionfield.formats.datasets.smpl import SMPL_PELVIS_M
from motionfield.geometry.cameras import world_to_camera
from motionfield.steps.evaluate.pose import mpjpe, pa_mpjpe
from motionfield.steps.evaluate.posed import Placing, pose_of, posed_points, vertex_error
from motionfield.steps.evaluate.score import Score
from motionfield.steps.evaluate.smoothness import acceleration_error
from motionfield.steps.evaluate.world import clip_alignment

ON_OUR_BODY: Final = (
    "truth given as SMPL parameters is shown on the body {body} in its mean shape, and so is the "
    "prediction: joints and vertices are those of {body}, not of SMPL; the papers' are SMPL's"
)
HIPS: Final = (1, 2)
"""Of the 24 joints: their middle is the root of camera-frame errors (WHAM, GVHMR, MEVA's code)."""


class BodyScores(NamedTuple):
    """The same error over the 24 joints and over all vertices, mm."""

    joints: Score
    vertices: Score


class PointScores(NamedTuple):
    """MEVA's three."""

    mpjpe: Score
    pa_mpjpe: Score
    acceleration: Score


def true_motion(sequence: DatasetSequence, body: Body) -> Motion:
    """The sequence's SMPL parameters on our body, mean shape; the root joint where SMPL's is.

    Raises:
        OptionError: the sequence has none.
    """
    motion = sequence.motion
    if motion is None:
        raise OptionError(f"{sequence.dataset} {sequence.name}: no body parameters in its truth")
    betas = torch.zeros(body.num_betas)
    shift = torch.tensor(SMPL_PELVIS_M) - body.rest_joints(betas)[0]
    return motion.replace(
        transl=motion.transl + shift.numpy().astype(np.float32),
        betas=betas.numpy(),
        body_model=body.name,
        observed=sequence.good,
    )


def mean_shape(motion: Motion, body: Body) -> Motion:
    """The same motion on the mean shape, with the root joint where it was."""
    scale = None if motion.bone_scale is None else tensor_of(motion.bone_scale)
    betas = torch.zeros_like(tensor_of(motion.betas))
    before = body.rest_joints(tensor_of(motion.betas), scale)[0]
    shift = before - body.rest_joints(betas)[0]
    return motion.replace(
        transl=motion.transl + shift.numpy().astype(np.float32),
        betas=betas.numpy(),
        bone_scale=None,
    )


def camera_scores(
    predicted: Motion,
    predicted_camera: CameraPath,
    truth: Motion,
    true_camera: CameraPath,
    body: Body,
) -> BodyScores:
    """MPJPE and PVE of all 24 joints and all vertices, mm, as seen by each frame's camera.

    Both bodies are turned into their own camera's axes and moved so that the middle of the hips
    is the origin: errors of orientation relative to the camera count, those of place do not.
    """
    ours, theirs = pose_of(predicted, body), pose_of(truth, body)
    R_ours, R_theirs = (
        tensor_of(predicted_camera.R_camera_world),
        tensor_of(true_camera.R_camera_world),
    )
    R = (R_theirs.mT @ R_ours).double()
    joints, true_joints = (posed_points(pose, body).joints for pose in (ours, theirs))
    hips, true_hips = (points[:, list(HIPS)].mean(1) for points in (joints, true_joints))
    t = true_hips - (R @ hips.unsqueeze(-1)).squeeze(-1)
    placing = Placing(R, t)
    good = torch.tensor(truth.observed)
    joint_score = mpjpe(placing.apply(joints), true_joints)
    vertices = vertex_error(ours, theirs, body, placing, "render")
    return BodyScores(joint_score.only(good), vertices.only(good))


def clip_scores(predicted: Motion, truth: Motion, body: Body) -> BodyScores:
    """Errors after one rigid motion (no scale), fitted to the joints of all trusted frames, mm."""
    ours, theirs = pose_of(predicted, body), pose_of(truth, body)
    joints, true_joints = (posed_points(pose, body).joints for pose in (ours, theirs))
    good = torch.tensor(truth.observed)
    motion = clip_alignment(joints[good], true_joints[good])
    frames = len(joints)
    placing = Placing(motion.R_b_a.expand(frames, 3, 3), motion.t_b_a.expand(frames, 3))
    joint_score = mpjpe(placing.apply(joints), true_joints)
    vertices = vertex_error(ours, theirs, body, placing, "render")
    return BodyScores(joint_score.only(good), vertices.only(good))


def point_scores(
    predicted: Motion,
    predicted_camera: CameraPath,
    sequence: DatasetSequence,
    body: Body,
    points: "PointChoice",
) -> PointScores:
    """MEVA's metrics against true joints, in the camera's axes, hips at the origin, mm.

    The prediction keeps its own shape: true joints have the person's.

    Raises:
        OptionError: the sequence has no joints or no camera.
    """
    joints, camera = sequence.joints, sequence.camera
    if joints is None or camera is None:
        raise OptionError(f"{sequence.dataset} {sequence.name}: no joints and camera in its truth")
    names = KEYPOINT_SETS[points.keypoint_set].keypoint_names
    posed = posed_points(pose_of(predicted, body), body, points.keypoint_set).keypoints
    ours = posed[:, [names.index(name) for name in points.names]]
    columns = [joints.joint_names.index(name) for name in points.names_of_truth]
    theirs = tensor_of(joints.joints_world[:, columns]).double()
    a = _centred(ours, predicted_camera, points.names)
    b = _centred(theirs, camera, points.names)
    b = torch.where(torch.tensor(sequence.good)[:, None, None], b, torch.nan)
    return PointScores(mpjpe(a, b), pa_mpjpe(a, b), acceleration_error(a, b))


class PointChoice(NamedTuple):
    """Which points are compared."""

    keypoint_set: str
    """The set of our body's keypoints whose definition is nearest to the truth's."""
    names: tuple[str, ...]
    """In that set; must hold both hips."""
    names_of_truth: tuple[str, ...]
    """The same points as the truth calls them."""


def _centred(
    points_world: Float[Tensor, "frames points 3"], camera: CameraPath, names: Sequence[str]
) -> Float[Tensor, "frames points 3"]:
    R = tensor_of(camera.R_camera_world).to(points_world)
    t = tensor_of(camera.t_camera_world).to(points_world)
    there = world_to_camera(points_world, R, t)
    hips = [names.index("left_hip"), names.index("right_hip")]
    return there - there[:, hips].mean(1, keepdim=True)


def resampled(sequence: DatasetSequence, count: int) -> tuple[DatasetSequence, float]:
    """The sequence thinned to ``count`` frames from its beginning to its end, as NeMo does.

    Returns:
        The sequence with the frame rate that it now has, and the number of source frames per
        frame. A ``count`` beyond the length repeats no frame: it is cut to the length.
    """
    frames = sequence.num_frames
    count = min(count, frames)
    few = sequence.at_frames(evenly(0, frames, count))
    step = frames / count
    fps = sequence.fps / step

    def slower(record):  # type: ignore[no-untyped-def]
        return None if record is None else record.replace(fps=fps)

    few = replace(
        few,
        fps=fps,
        keypoints=slower(few.keypoints),
        labels=slower(few.labels),
        motion=slower(few.motion),
        joints=slower(few.joints),
    )
    return few, step


def over_frames(scores: Sequence[Score]) -> float:
    """Mean over all frames of all sequences together."""
    total = sum(score.mean * score.frames_used for score in scores if score.frames_used)
    used = sum(score.frames_used for score in scores)
    return total / used if used else float("nan")
