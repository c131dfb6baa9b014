"""The standard row: a motion against the truth, by every measure that its data allow."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.arrays import tensor_of
from motionfield.core.conventions import JOINT_INDEX
from motionfield.core.errors import OptionError
from motionfield.core.keypoint_sets import LIMB_JOINTS, LSP_14, OPENPOSE_25, known_keypoint_set
from motionfield.data.camera_path import CameraPath
from motionfield.data.keypoints import Keypoints
from motionfield.data.motion import Motion
from motionfield.steps.evaluate import biomechanics, feet, image, nemo, pose, smoothness, world
from motionfield.steps.evaluate.catalogue import CAMERA_AXES, CLIP_AXES
from motionfield.steps.evaluate.compare_points import compare_joints, peak_scores
from motionfield.steps.evaluate.comparison import Comparison, NamedScore, named, named_value
from motionfield.steps.evaluate.coverage import coverage
from motionfield.steps.evaluate.posed import (
    Placing,
    Pose,
    VertexPairs,
    pose_of,
    posed_points,
    whole_clip,
)
from motionfield.steps.evaluate.score import Score, check_same_clock
from motionfield.steps.evaluate.stroke import Stroke, compare_stroke

__all__ = ["Comparison", "NamedScore", "compare_joints", "compare_motions"]

_HIPS = (JOINT_INDEX["left_hip"], JOINT_INDEX["right_hip"])
_LIMBS = [JOINT_INDEX[name] for name in LIMB_JOINTS]
STROKE_JOINTS = ("left_wrist", "right_wrist", "left_ankle", "right_ankle")
_ENDS = [JOINT_INDEX[name] for name in STROKE_JOINTS]
_SOLES = [
    OPENPOSE_25.index(f"{side}_{part}")
    for side in ("left", "right")
    for part in ("big_toe", "heel")
]


def compare_motions(
    predicted: Motion,
    truth: Motion,
    body: Body,
    predicted_camera: CameraPath | None = None,
    truth_camera: CameraPath | None = None,
    keypoints: Keypoints | None = None,
) -> Comparison:
    """A motion against the truth, frame by frame: both drive ``body``, each in a world of its own.

    Frames that the truth did not observe are left out; those that the prediction did not observe
    count. Figures that lack their data are left out: without both cameras those of the picture and
    of the up axis, without contacts of the truth foot slide, without contacts of both contact
    timing, without stated deviations coverage, without keypoints and the predicted camera the
    reprojection. With cameras, local errors
    are in camera axes; without, in axes turned by one fit of the clip.

    A motion of 1,300 frames takes a few seconds; vertices are in memory block by block.

    Raises:
        OptionError: lengths, frame rates or bodies differ.
    """
    frames = (predicted.num_frames, truth.num_frames)
    check_same_clock(frames, (predicted.fps, truth.fps))
    for what in (predicted_camera, truth_camera, keypoints):
        if what is not None and what.num_frames != truth.num_frames:
            raise OptionError(
                f"metrics: {type(what).__name__} has {what.num_frames} frames, the motions "
                f"{truth.num_frames}; cut it to the motions' frames"
            )
    pair = _pair(predicted, truth, body, predicted_camera, truth_camera)
    scores = {
        **_pose_scores(pair),
        **_nemo_scores(pair, predicted, truth, body),
        **_world_scores(pair),
        **_smoothness_scores(pair),
        **_feet_scores(pair, truth),
        **_biomechanics_scores(pair, predicted, truth),
        **_doubt_scores(pair, predicted),
    }
    if predicted_camera is not None and truth_camera is not None:
        scores |= _camera_scores(pair, predicted_camera, truth_camera)
    if predicted_camera is not None and keypoints is not None:
        scores["reprojection_px"] = _reprojection(pair.poses[0], body, predicted_camera, keypoints)
    return Comparison(scores)


@dataclass(frozen=True)
class _Pair:
    """Prediction and truth, posed. The truth is NaN in frames that it did not observe."""

    poses: tuple[Pose, Pose]
    vertices: VertexPairs
    observed: Bool[Tensor, "frames"]
    fps: float
    joints: tuple[Float[Tensor, "frames 24 3"], Float[Tensor, "frames 24 3"]]
    lsp: tuple[Float[Tensor, "frames 14 3"], Float[Tensor, "frames 14 3"]]
    openpose: tuple[Float[Tensor, "frames 25 3"], Float[Tensor, "frames 25 3"]]
    placing: Placing
    """Carries the predicted hips onto the true ones and one camera's (or the clip's) axes onto
    the other's."""
    alignment: str
    """What ``placing`` is, in words."""

    @property
    def placed(self) -> tuple[Tensor, Tensor]:
        """Predicted joints placed by ``placing``, and the true ones."""
        return self.placing.apply(self.joints[0]), self.joints[1]

    @property
    def placed_lsp(self) -> tuple[Tensor, Tensor]:
        """LSP's points with their own hips at the origin, predicted ones turned by ``placing``."""
        hips = [LSP_14.index("left_hip"), LSP_14.index("right_hip")]
        ours, theirs = (points - points[:, hips].mean(1, keepdim=True) for points in self.lsp)
        return ours @ self.placing.R.mT, theirs

    @property
    def roots(self) -> tuple[Tensor, Tensor]:
        return self.joints[0][:, 0], self.joints[1][:, 0]


def _pair(
    predicted: Motion,
    truth: Motion,
    body: Body,
    predicted_camera: CameraPath | None,
    truth_camera: CameraPath | None,
) -> _Pair:
    ours, theirs = pose_of(predicted, body), pose_of(truth, body)
    observed = torch.tensor(truth.observed)

    def both(keypoint_set: str) -> tuple[Tensor, Tensor]:
        a, b = (posed_points(p, body, keypoint_set).keypoints for p in (ours, theirs))
        return a, _where(observed, b)

    joints = posed_points(ours, body).joints, _where(observed, posed_points(theirs, body).joints)
    if predicted_camera is not None and truth_camera is not None:
        alignment = CAMERA_AXES
        cameras = (truth_camera.R_camera_world, predicted_camera.R_camera_world)
        R_true, R_ours = (tensor_of(R).double() for R in cameras)
        R = R_true.mT @ R_ours
    else:
        alignment = CLIP_AXES
        R = world.clip_alignment(*joints).R_b_a.expand(len(observed), 3, 3)
    hips = [points[:, _HIPS].mean(1) for points in joints]
    t = hips[1] - (R @ hips[0].unsqueeze(-1)).squeeze(-1)
    return _Pair(
        poses=(ours, theirs),
        vertices=VertexPairs(ours, theirs, body),
        observed=observed,
        fps=truth.fps,
        joints=joints,
        lsp=both(LSP_14.name),
        openpose=both(OPENPOSE_25.name),
        placing=Placing(R, t),
        alignment=alignment,
    )


def _where(frames: Bool[Tensor, "frames"], points: Tensor) -> Tensor:
    return torch.where(frames[:, None, None], points, torch.nan)


def _all_named(scores: Mapping[str, Score], alignment: str | None = None) -> dict[str, NamedScore]:
    return {name: named(name, score, alignment=alignment) for name, score in scores.items()}


def _pose_scores(pair: _Pair) -> dict[str, NamedScore]:
    local = {
        "mpjpe_mm": pose.mpjpe(*pair.placed),
        "pve_mm": pair.vertices.error(pair.placing).only(pair.observed),
    }
    aligned = {
        "pa_mpjpe_mm": pose.pa_mpjpe(*pair.joints),
        "pck150_percent": pose.pck_3d(*pair.lsp),
        "auc200_percent": pose.auc_3d(*pair.lsp),
    }
    return _all_named(local, pair.alignment) | _all_named(aligned)


def _nemo_scores(
    pair: _Pair, predicted: Motion, truth: Motion, body: Body
) -> dict[str, NamedScore]:
    local = nemo.nemo_local(predicted, truth, body)
    own = nemo.own_shape_errors(*pair.poses, body, pair.vertices, pair.observed)
    in_world = nemo.global_errors(*pair.poses, body, pair.vertices, pair.observed)
    fast = torch.zeros(truth.num_frames, dtype=torch.bool)
    fast[nemo.motion_dynamic_range(truth, body)] = True
    return _all_named(
        {
            "nemo_local_mpjpe_mm": local.joints,
            "nemo_local_mpvpe_mm": local.vertices,
            "nemo_local_own_mpjpe_mm": own.joints,
            "nemo_local_own_mpvpe_mm": own.vertices,
            "nemo_dynamic_mpjpe_mm": local.joints.only(fast),
            "nemo_dynamic_mpvpe_mm": local.vertices.only(fast),
            "nemo_global_mpjpe_mm": in_world.joints,
            "nemo_global_mpvpe_mm": in_world.vertices,
        }
    )


def _world_scores(pair: _Pair) -> dict[str, NamedScore]:
    joints, lsp = pair.joints, pair.lsp
    placing = whole_clip(world.clip_alignment(*joints), len(pair.observed))
    with_root = (_beside(lsp[0], joints[0][:, :1]), _beside(lsp[1], joints[1][:, :1]))
    root = (lsp[0].shape[1],)
    return _all_named(
        {
            "g_mpjpe_mm": world.g_mpjpe(*joints),
            "g_mpvpe_mm": pair.vertices.error(placing).only(pair.observed),
            "wa_mpjpe100_mm": world.wa_mpjpe(*joints),
            "w_mpjpe100_mm": world.w_mpjpe(*joints),
            "wa_mpjpe100_rigid_mm": world.wa_mpjpe(*joints, with_scale=False),
            "w_mpjpe100_rigid_mm": world.w_mpjpe(*joints, with_scale=False),
            "rte_percent": world.rte(*pair.roots),
            "glamr_g_mpjpe_mm": world.glamr_g_mpjpe(*lsp, *_turned_roots(pair)),
            "egobody_ga_mm": world.egobody_ga(*with_root, root),
            "egobody_fa_mm": world.egobody_fa(*with_root, root),
        }
    )


def _beside(points: Tensor, more: Tensor) -> Tensor:
    return torch.cat((points, more), dim=1)


def _turned_roots(pair: _Pair) -> tuple[world.Root, world.Root]:
    ours, theirs = (pose.global_orient.double() for pose in pair.poses)
    return world.Root(pair.roots[0], ours), world.Root(pair.roots[1], theirs)


def _smoothness_scores(pair: _Pair) -> dict[str, NamedScore]:
    fps = pair.fps
    in_clip = world.align_clip(*pair.joints), pair.joints[1]
    local = {
        "accel_m_s2": smoothness.acceleration_error(*pair.placed, fps),
        "accel_mm_frame2": smoothness.acceleration_error(*pair.placed_lsp),
        "vel_mm_frame": smoothness.velocity_error(*pair.placed_lsp),
        "vel_m_s": smoothness.velocity_error(*pair.placed_lsp, fps),
    }
    rest = {
        "g_accel_m_s2": smoothness.acceleration_error(*in_clip, fps),
        "egobody_accel_mm_frame2": smoothness.egobody_acceleration_error(*pair.lsp),
        "jitter": smoothness.tenths(smoothness.jitter(pair.joints[0], fps)).only(pair.observed),
        "jitter_truth": smoothness.tenths(smoothness.jitter(pair.joints[1], fps)),
    }
    return _all_named(local, pair.alignment) | _all_named(rest)


def _feet_scores(pair: _Pair, truth: Motion) -> dict[str, NamedScore]:
    ours, theirs = (points[:, _SOLES] for points in pair.openpose)
    scores = {"foot_slide_wham_mm": feet.wham_foot_slide(ours, theirs, pair.fps)}
    if truth.contacts is not None:
        bears = tensor_of(truth.contacts).ge(0.5).repeat_interleave(2, dim=1)
        resting = feet.resting_points(theirs, bears, pair.fps)
        scores["foot_slide_mm"] = feet.foot_slide(ours, resting, pair.fps)
        scores["foot_slide_truth_mm"] = feet.foot_slide(theirs, resting, pair.fps)
    return _all_named(scores)


def _biomechanics_scores(pair: _Pair, predicted: Motion, truth: Motion) -> dict[str, NamedScore]:
    total = truth.num_frames
    angles = [(p.global_orient, p.body_pose) for p in pair.poses]
    rmse = biomechanics.joint_angle_rmse(angles[0], angles[1], pair.observed)
    observed = (int(pair.observed.sum()), total)
    figures = {"angle_rmse_deg": sum(rmse.values()) / len(rmse)}
    groups = biomechanics.angle_groups(rmse)
    figures |= {f"angle_rmse_{joint}_deg": value for joint, value in groups.items()}
    scores = {name: named_value(name, value, observed) for name, value in figures.items()}
    limbs = [points[:, _LIMBS] for points in pair.joints]
    scores |= peak_scores(biomechanics.peak_speed_error(limbs[0], limbs[1], pair.fps), total)
    ends = [points[:, _ENDS] for points in pair.joints]
    scores |= _stroke_scores(compare_stroke(ends[0], ends[1], pair.fps), total)
    if predicted.contacts is not None and truth.contacts is not None:
        gone = ~pair.observed[:, None]  # NaN is no event
        ours, theirs = (
            tensor_of(contacts).masked_fill(gone, torch.nan)
            for contacts in (predicted.contacts, truth.contacts)
        )
        scores |= _timing_scores(biomechanics.contact_timing(ours, theirs, pair.fps), observed)
    return scores


def _stroke_scores(found: Stroke, total: int) -> dict[str, NamedScore]:
    figures = {
        "stroke_speed_error_percent": found.error_percent,
        "stroke_speed_bias_percent": found.bias_percent,
        "stroke_time_ms": found.time_ms,
    }
    joints = f"{STROKE_JOINTS[found.point]}, the fastest" if found.point >= 0 else None
    frames = (found.frames_used, total)
    return {name: named_value(name, value, frames, joints) for name, value in figures.items()}


def _doubt_scores(pair: _Pair, predicted: Motion) -> dict[str, NamedScore]:
    if predicted.joints_std is None:
        return {}
    found = coverage(*pair.joints, tensor_of(predicted.joints_std).double())
    figures = {
        "std_within_1_percent": 100 * found.one,
        "std_within_2_percent": 100 * found.two,
        "std_factor": found.factor,
    }
    frames = (found.frames_used, len(pair.observed))
    return {name: named_value(name, value, frames) for name, value in figures.items()}


def _timing_scores(
    timing: biomechanics.ContactTiming, frames: tuple[int, int]
) -> dict[str, NamedScore]:
    true, ours = timing.matched + timing.missed, timing.matched + timing.invented
    figures = {
        "contact_timing_ms": timing.error_ms,
        "contact_missed_percent": 100 * timing.missed / true if true else math.nan,
        "contact_invented_percent": 100 * timing.invented / ours if ours else math.nan,
    }
    return {name: named_value(name, value, frames) for name, value in figures.items()}


def _camera_scores(
    pair: _Pair, predicted_camera: CameraPath, truth_camera: CameraPath
) -> dict[str, NamedScore]:
    cameras = (predicted_camera, truth_camera)
    seen = [image.project_path(p, c) for p, c in zip(pair.openpose, cameras, strict=True)]
    ours, theirs = (points[:, : len(nemo.NEMO_JOINTS)] for points in seen)
    ups = [tensor_of(camera.R_camera_world)[..., 2].double() for camera in cameras]
    return _all_named(
        {
            "up_axis_error_deg": world.up_axis_error_deg(ups[0], ups[1]),
            "image_error_px": image.image_error(ours, theirs),
            "nemo_image_error_px": image.nemo_image_error(ours, theirs),
            "pck10_percent": image.pck(ours, theirs, image.box_size(theirs)),
            "nemo_pck_percent": image.nemo_pck(ours, theirs, seen[1]),
        }
    )


def _reprojection(pose: Pose, body: Body, camera: CameraPath, keypoints: Keypoints) -> NamedScore:
    known = known_keypoint_set(keypoints.keypoint_names)
    projected = image.project_path(posed_points(pose, body, known.name).keypoints, camera)
    seen = tensor_of(keypoints.keypoints_2d).double()
    joints = f"{len(known.keypoint_names)} of {known.name}"
    return named("reprojection_px", image.reprojection_error(projected, seen), joints)
