"""The standard row: a motion, or joints alone, against the truth."""

import math
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.arrays import tensor_of
from motionfield.core.conventions import JOINT_NAMES
from motionfield.core.errors import OptionError
from motionfield.data.camera_path import CameraPath
from motionfield.data.joint_track import JointTrack
from motionfield.data.keypoints import Keypoints
from motionfield.data.motion import Motion
from motionfield.steps.evaluate.catalogue import METRICS
from motionfield.steps.evaluate.pose import mpjpe, pa_mpjpe
from motionfield.steps.evaluate.posed import check_body, pose_motion
from motionfield.steps.evaluate.score import Score, check_same_clock
from motionfield.steps.evaluate.smoothness import acceleration_error, jitter
from motionfield.steps.evaluate.world import align_clip, g_mpjpe


@dataclass(frozen=True)
class NamedScore:
    """One figure with all that one needs to know to compare it with another's."""

    value: float
    """Mean over the frames that could be scored; NaN where there are none."""
    unit: str
    frames_used: int
    frames_total: int
    joints: str
    alignment: str
    source: str


@dataclass(frozen=True)
class Comparison:
    """The figures of one prediction, by their names in ``catalogue.METRICS``."""

    scores: dict[str, NamedScore]

    def table(self) -> str:
        """Text, one figure a line."""
        width = max((len(name) for name in self.scores), default=0)
        lines = []
        for name, score in self.scores.items():
            value = "–" if math.isnan(score.value) else f"{score.value:.2f}"
            frames = f"{score.frames_used}/{score.frames_total}"
            lines.append(
                f"{name:{width}} {value:>10} {score.unit:10} {frames:>11}  "
                f"{score.joints}; {score.alignment}; {score.source}"
            )
        return "\n".join(lines)

    def summary(self) -> dict[str, Any]:
        """Plain values for a JSON file; what is NaN here is None there."""
        return {
            name: vars(score) | {"value": None if math.isnan(score.value) else score.value}
            for name, score in self.scores.items()
        }


def compare_motions(
    predicted: Motion,
    truth: Motion,
    body: Body,
    predicted_camera: CameraPath | None = None,
    truth_camera: CameraPath | None = None,
    keypoints: Keypoints | None = None,
) -> Comparison:
    """A motion against the truth, frame by frame: both drive ``body``.

    Raises:
        OptionError: lengths, frame rates or bodies differ.
    """
    for motion in (predicted, truth):
        check_body(motion, body)
    check_same_clock((predicted.num_frames, truth.num_frames), (predicted.fps, truth.fps))
    ours, theirs = (pose_motion(motion, body).joints.double() for motion in (predicted, truth))
    return Comparison(_point_scores(ours, theirs, JOINT_NAMES, truth.fps))


def compare_joints(predicted: JointTrack, truth: JointTrack) -> Comparison:
    """Points alone against the truth, frame by frame: those that both have by name.

    Raises:
        OptionError: lengths or frame rates differ, or fewer than three names are shared.
    """
    check_same_clock((predicted.num_frames, truth.num_frames), (predicted.fps, truth.fps))
    names = tuple(name for name in truth.joint_names if name in predicted.joint_names)
    if len(names) < 3:
        raise OptionError(
            f"metrics: prediction and truth share {len(names)} joints by name; three are needed: "
            f"name them as core.conventions does ({', '.join(JOINT_NAMES[:3])}, …)"
        )
    ours, theirs = (
        tensor_of(track.joints_world[:, [track.joint_names.index(n) for n in names]]).double()
        for track in (predicted, truth)
    )
    return Comparison(_point_scores(ours, theirs, names, truth.fps))


def _point_scores(
    ours: Float[Tensor, "frames joints 3"],
    theirs: Float[Tensor, "frames joints 3"],
    names: tuple[str, ...],
    fps: float,
) -> dict[str, NamedScore]:
    at = {name: index for index, name in enumerate(names)}
    aligned = align_clip(ours, theirs)
    root = tuple(at[name] for name in ("left_hip", "right_hip") if name in at)
    scores = {
        "mpjpe_mm": mpjpe(aligned, theirs, root=root),
        "pa_mpjpe_mm": pa_mpjpe(ours, theirs),
        "g_mpjpe_mm": g_mpjpe(ours, theirs),
        "accel_m_s2": acceleration_error(aligned, theirs, fps),
        "accel_mm_frame2": acceleration_error(aligned, theirs),
        "jitter": _tenths(jitter(ours, fps)),
    }
    return {name: _named(name, score) for name, score in scores.items()}


def _tenths(score: Score) -> Score:
    return Score(score.per_frame / 10, "10 m/s³")


def _named(name: str, score: Score) -> NamedScore:
    metric = METRICS[name]
    return NamedScore(
        value=score.mean,
        unit=metric.unit,
        frames_used=score.frames_used,
        frames_total=score.frames_total,
        joints=metric.points,
        alignment=metric.alignment,
        source=metric.source,
    )
