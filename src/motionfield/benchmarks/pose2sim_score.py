"""Scores of one take against the reference: the rows of the pose2sim table."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from scipy.signal import savgol_filter
from torch import Tensor

from motionfield.benchmarks.pose2sim_reference import Reference
from motionfield.body.base import Body
from motionfield.core.errors import OptionError
from motionfield.core.keypoint_sets import BLAZEPOSE_33, LIMB_JOINTS
from motionfield.data.camera_path import CameraPath
from motionfield.data.keypoints import Keypoints
from motionfield.data.motion import Motion
from motionfield.steps.evaluate.biomechanics import angle_rmse, flexion_deg
from motionfield.steps.evaluate.pose import joint_errors, pa_mpjpe, procrustes
from motionfield.steps.evaluate.score import Score
from motionfield.steps.evaluate.world import align_clip, g_mpjpe, up_axis_error_deg, wa_mpjpe

_ACCELERATION_FRAMES = 9
_LIMBS = [BLAZEPOSE_33.index(name) for name in LIMB_JOINTS]


@dataclass(frozen=True)
class Row:
    """One method on one take. Millimetres and degrees; NaN: not defined or no frame to score."""

    name: str
    pa_mpjpe: Score
    """12 limb joints in BlazePose's definition, each frame aligned by a similarity."""
    s_mpjpe: Score | None = None
    """One similarity for the clip; None for points without a world."""
    g_mpjpe: Score | None = None
    """One rigid motion for the clip, no scale; None for points without a world."""
    acceleration: Score | None = None
    """Error of acceleration after that rigid motion, m/s^2: see ``_acceleration_error``."""
    up_axis_deg: float = float("nan")
    angle_rmse_deg: dict[str, float] = field(default_factory=dict)
    """Root mean square over frames of both sides together: knee, hip, elbow."""
    by_joint_mm: dict[str, float] = field(default_factory=dict)
    """Mean distance of each joint after the alignment of PA-MPJPE."""

    def summary(self) -> dict[str, Any]:
        """Plain numbers for a file."""
        values: dict[str, Any] = {
            "name": self.name,
            "frames_used": self.pa_mpjpe.frames_used,
            "frames_total": self.pa_mpjpe.frames_total,
            "up_axis_deg": self.up_axis_deg,
            "angle_rmse_deg": self.angle_rmse_deg,
            "by_joint_mm": self.by_joint_mm,
            "pa_mpjpe_by_frame_mm": self.pa_mpjpe.per_frame.tolist(),
        }
        scores = {
            "pa_mpjpe": self.pa_mpjpe,
            "s_mpjpe": self.s_mpjpe,
            "g_mpjpe": self.g_mpjpe,
            "acc": self.acceleration,
        }
        for name, score in scores.items():
            if score is not None:
                values[f"{name}_median"], values[f"{name}_mean"] = score.median, score.mean
        return _finite(values)


def score_points(
    name: str, points: Float[Tensor, "frames 12 3"], truth: Float[Tensor, "frames 12 3"]
) -> Row:
    """Scores that need no world: the points may be in any axes, metres, ``LIMB_JOINTS`` order."""
    aligned = procrustes(points, truth)
    errors = joint_errors(aligned, truth)
    by_joint = errors.nanmean(0).tolist()
    return Row(
        name,
        pa_mpjpe(points, truth),
        angle_rmse_deg=_angles(points, truth),
        by_joint_mm=dict(zip(LIMB_JOINTS, by_joint, strict=True)),
    )


def score_motion(
    name: str,
    motion: Motion,
    camera: CameraPath,
    body: Body,
    reference: Reference,
    view: int,
) -> Row:
    """All scores of a motion. ``view`` is the number of the camera that saw it, from 0."""
    points = limb_points(motion, body).double()
    truth = _truth(reference, motion.frame_index)
    row = score_points(name, points, truth)
    up = torch.from_numpy(np.array(camera.R_camera_world[..., 2])).double()
    true_up = torch.from_numpy(np.array(reference.up_camera[view])).double()
    aligned = align_clip(points, truth)
    return dataclasses.replace(
        row,
        s_mpjpe=wa_mpjpe(points, truth, chunk_frames=None),
        g_mpjpe=g_mpjpe(points, truth),
        acceleration=_acceleration_error(aligned, truth, motion.fps),
        up_axis_deg=up_axis_error_deg(up, true_up.expand_as(up)).mean,
    )


def score_landmarks(keypoints: Keypoints, reference: Reference) -> Row:
    """The landmark network's own 3D: no world, so only what alignment leaves."""
    if keypoints.coarse_camera is None:
        raise OptionError("these keypoints have no coarse 3D to score")
    at = [keypoints.keypoint_names.index(name) for name in LIMB_JOINTS]
    points = torch.from_numpy(keypoints.coarse_camera[:, at]).double()
    return score_points("landmarks", points, _truth(reference, keypoints.frame_index))


def evaluate_take(
    motion: Motion,
    camera: CameraPath,
    keypoints: Keypoints,
    body: Body,
    reference: Reference,
    view: int = 0,
) -> list[Row]:
    """Rows "landmarks" (where the keypoints have coarse 3D) and "motion" of one take.

    Args:
        view: number of the camera from 0; it matters for the error of the up axis alone.
    """
    rows = [] if keypoints.coarse_camera is None else [score_landmarks(keypoints, reference)]
    return [*rows, score_motion("motion", motion, camera, body, reference, view)]


def limb_points(motion: Motion, body: Body) -> Float[Tensor, "frames 12 3"]:
    """The 12 limb joints of the posed body as the detector defines them, world, metres."""
    scale = motion.bone_scale
    posed = body.pose(
        _tensor(motion.global_orient),
        _tensor(motion.body_pose),
        _tensor(motion.transl),
        _tensor(motion.betas),
        keypoint_set=BLAZEPOSE_33.name,
        bone_scale=None if scale is None else _tensor(scale),
    )
    return posed.keypoints[:, _LIMBS]


def format_rows(rows: list[Row]) -> str:
    """A text table."""
    lines = [
        f"{'':24}{'PA-MPJPE':>14}{'G-MPJPE':>14}{'acc':>7}{'up':>6}"
        f"{'knee':>7}{'hip':>7}{'elbow':>7}{'frames':>9}",
        f"{'':24}{'median/mean':>14}{'median/mean':>14}{'m/s²':>7}{'deg':>6}{'RMSE, degrees':>21}",
    ]
    for row in rows:
        angles = "".join(f"{row.angle_rmse_deg[n]:7.1f}" for n in ("knee", "hip", "elbow"))
        lines.append(
            f"{row.name:24}{_pair(row.pa_mpjpe):>14}{_pair(row.g_mpjpe):>14}"
            f"{_number(row.acceleration):>7}{row.up_axis_deg:6.1f}{angles}"
            f"{row.pa_mpjpe.frames_used:5d}/{row.pa_mpjpe.frames_total}"
        )
    return "\n".join(lines)


def _pair(score: Score | None) -> str:
    return "–" if score is None else f"{score.median:.1f}/{score.mean:.1f}"


def _number(score: Score | None) -> str:
    return "–" if score is None else f"{score.mean:.1f}"


def _angles(points: Tensor, truth: Tensor) -> dict[str, float]:
    ours, theirs = (flexion_deg(p, LIMB_JOINTS) for p in (points, truth))
    found = {}
    for joint in ("knee", "hip", "elbow"):
        sides = (f"left_{joint}", f"right_{joint}")
        a, b = (torch.cat([angles[side] for side in sides]) for angles in (ours, theirs))
        found[joint] = angle_rmse(a, b)[0]
    return found


def _acceleration_error(points: Tensor, truth: Tensor, fps: float) -> Score:
    """Mean distance over joints of accelerations, m/s^2.

    The motion's is the second difference, with all its jitter; the truth's is that of a parabola
    through 9 frames, because second differences of single triangulated frames are noise of some
    30 m/s^2. The first and last 4 frames have none.
    """
    error = torch.full_like(points[:, 0, 0], torch.nan)
    if len(points) >= _ACCELERATION_FRAMES:
        smooth = savgol_filter(truth.numpy(), _ACCELERATION_FRAMES, 2, 2, 1 / fps, axis=0)
        ours = torch.diff(points, n=2, dim=0) * fps**2
        inner = slice(_ACCELERATION_FRAMES // 2, -(_ACCELERATION_FRAMES // 2))
        theirs = torch.from_numpy(smooth)[inner]
        ends = _ACCELERATION_FRAMES // 2 - 1
        error[inner] = (ours[ends:-ends] - theirs).norm(dim=-1).mean(-1)
    return Score(error, "m/s^2")


def _truth(reference: Reference, frame_index: np.ndarray) -> Tensor:
    if frame_index.min() < 0 or frame_index.max() >= reference.num_frames:
        last = reference.num_frames - 1
        raise OptionError(f"the take has frames outside the reference's 0 to {last}")
    return reference.limb_points.double()[torch.from_numpy(np.array(frame_index))]


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(array)).float()


def _finite(value: Any) -> Any:
    """NaN is no JSON: it becomes None."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
