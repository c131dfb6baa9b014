"""The standard row of points alone: what needs no body."""

import math
from collections.abc import Sequence

import numpy as np
from torch import Tensor

from motionfield.core.arrays import tensor_of
from motionfield.core.conventions import JOINT_NAMES
from motionfield.core.errors import OptionError
from motionfield.core.keypoint_sets import LIMB_JOINTS
from motionfield.data.joint_track import JointTrack
from motionfield.steps.evaluate import biomechanics, pose, smoothness, world
from motionfield.steps.evaluate.catalogue import CLIP_AXES
from motionfield.steps.evaluate.comparison import Comparison, NamedScore, named, named_value
from motionfield.steps.evaluate.score import Score, check_same_clock

_ROOTS = (("left_hip", "right_hip"), ("pelvis",), ("mid_hip",))
"""What is moved onto the origin: the first that both have."""


def compare_joints(predicted: JointTrack, truth: JointTrack) -> Comparison:
    """Points alone against the truth, frame by frame: those that both have by name.

    Each may be in a world of its own: local errors are in axes turned by one rigid fit of the
    clip. Points that are missing (NaN) take their frame out; a point that either never has is not
    compared at all. Without hips, pelvis or mid hip there are no local errors and no root
    translation error.

    Raises:
        OptionError: lengths or frame rates differ, or fewer than three points are shared.
    """
    check_same_clock((predicted.num_frames, truth.num_frames), (predicted.fps, truth.fps))
    had = _names_with_values(predicted)
    names = tuple(name for name in _names_with_values(truth) if name in had)
    if len(names) < 3:
        raise OptionError(
            f"metrics: prediction and truth share {len(names)} joints by name; three are needed: "
            f"name them as core.conventions does ({', '.join(JOINT_NAMES[:3])}, …)"
        )
    ours, theirs = (
        tensor_of(track.joints_world[:, [track.joint_names.index(n) for n in names]]).double()
        for track in (predicted, truth)
    )
    scores = _world_scores(ours, theirs, truth.fps)
    root = next(([names.index(n) for n in r] for r in _ROOTS if set(r) <= set(names)), None)
    if root is not None:
        scores |= _local_scores(ours, theirs, root, truth.fps)
    text = f"{len(names)} shared: {', '.join(names)}"
    found = {
        name: named(name, score, text, CLIP_AXES if name in _LOCAL else None)
        for name, score in scores.items()
    }
    if root is not None:
        path_error = world.rte(ours[:, root].mean(1), theirs[:, root].mean(1))
        where = " and ".join(names[n] for n in root)
        found["rte_percent"] = named("rte_percent", path_error, where)
    if set(LIMB_JOINTS) <= set(names):
        limbs = [points[:, [names.index(n) for n in LIMB_JOINTS]] for points in (ours, theirs)]
        found |= _limb_scores(limbs[0], limbs[1], truth.fps)
    return Comparison(found)


def _names_with_values(track: JointTrack) -> list[str]:
    """Names of the points that are there in some frame; all of them where nothing ever is."""
    there = np.isfinite(track.joints_world).all(-1).any(0)
    if not there.any():
        return list(track.joint_names)
    return [name for name, known in zip(track.joint_names, there, strict=True) if known]


_LOCAL = ("mpjpe_mm", "accel_m_s2", "accel_mm_frame2", "vel_mm_frame", "vel_m_s")


def _local_scores(
    ours: Tensor, theirs: Tensor, root: Sequence[int], fps: float
) -> dict[str, Score]:
    turned = world.align_clip(ours, theirs)
    at = list(root)
    centred = (
        turned - turned[:, at].mean(1, keepdim=True),
        theirs - theirs[:, at].mean(1, keepdim=True),
    )
    return {
        "mpjpe_mm": pose.mpjpe(*centred),
        "accel_m_s2": smoothness.acceleration_error(*centred, fps),
        "accel_mm_frame2": smoothness.acceleration_error(*centred),
        "vel_mm_frame": smoothness.velocity_error(*centred),
        "vel_m_s": smoothness.velocity_error(*centred, fps),
    }


def _world_scores(ours: Tensor, theirs: Tensor, fps: float) -> dict[str, Score]:
    return {
        "pa_mpjpe_mm": pose.pa_mpjpe(ours, theirs),
        "pck150_percent": pose.pck_3d(ours, theirs),
        "auc200_percent": pose.auc_3d(ours, theirs),
        "g_mpjpe_mm": world.g_mpjpe(ours, theirs),
        "wa_mpjpe100_mm": world.wa_mpjpe(ours, theirs),
        "w_mpjpe100_mm": world.w_mpjpe(ours, theirs),
        "wa_mpjpe100_rigid_mm": world.wa_mpjpe(ours, theirs, with_scale=False),
        "w_mpjpe100_rigid_mm": world.w_mpjpe(ours, theirs, with_scale=False),
        "g_accel_m_s2": smoothness.acceleration_error(world.align_clip(ours, theirs), theirs, fps),
        "jitter": smoothness.tenths(smoothness.jitter(ours, fps)),
        "jitter_truth": smoothness.tenths(smoothness.jitter(theirs, fps)),
    }


def _limb_scores(ours: Tensor, theirs: Tensor, fps: float) -> dict[str, NamedScore]:
    angles = [biomechanics.flexion_deg(points, LIMB_JOINTS) for points in (ours, theirs)]
    found = [biomechanics.angle_rmse(angles[0][name], angles[1][name]) for name in angles[0]]
    known = [value for value, _ in found if not math.isnan(value)]
    rmse = sum(known) / len(known) if len(known) == len(found) else math.nan
    frames = min(used for _, used in found)
    peak = biomechanics.peak_speed_error(ours, theirs, fps)
    scores = {"flexion_rmse_deg": named_value("flexion_rmse_deg", rmse, (frames, len(ours)))}
    return scores | peak_scores(peak, len(ours))


def peak_scores(peak: biomechanics.PeakSpeed, frames_total: int) -> dict[str, NamedScore]:
    """Both figures of the peak speeds, with the number of joints that were fast enough."""
    joints = f"{peak.joints_used} of 12 limb joints"
    figures = {
        "peak_speed_error_percent": peak.error_percent,
        "peak_speed_bias_percent": peak.bias_percent,
    }
    return {
        name: named_value(name, value, (peak.frames_used, frames_total), joints)
        for name, value in figures.items()
    }
