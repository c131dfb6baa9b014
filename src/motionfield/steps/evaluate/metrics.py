"""How far a motion is from the truth, and how calm it is: the field's metrics, each defined here.

Points are metres, arrays are (frames, joints, 3). A value that is missing (NaN) in the prediction
or in the truth takes its frame out of the score; ``Score`` says how many frames were used, and a
score over no frame is NaN. Which joints are compared is the caller's choice: pass those alone, in
one order (``core.keypoint_sets.LIMB_JOINTS`` for the tables of this project).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motionfield.core.errors import OptionError
from motionfield.geometry.alignment import align_points

_MM = 1000.0
SLIDE_INTERVAL_S: Final = 1 / 30
"""Foot slide is the way during this time, whatever the frame rate."""


@dataclass(frozen=True)
class Score:
    """A metric, frame by frame.

    ``per_frame`` is NaN in frames that could not be scored; mean and median are over the others,
    and NaN where there are none.
    """

    per_frame: Float[Tensor, "frames"]
    unit: str

    @property
    def frames_used(self) -> int:
        return int(torch.isfinite(self.per_frame).sum())

    @property
    def frames_total(self) -> int:
        return len(self.per_frame)

    @property
    def mean(self) -> float:
        return float(self._used.mean()) if self.frames_used else float("nan")

    @property
    def median(self) -> float:
        return float(self._used.quantile(0.5)) if self.frames_used else float("nan")

    @property
    def _used(self) -> Tensor:
        return self.per_frame[torch.isfinite(self.per_frame)].double()


def joint_errors(
    predicted: Float[Tensor, "frames joints 3"], truth: Float[Tensor, "frames joints 3"]
) -> Float[Tensor, "frames joints"]:
    """Distance of each joint in millimetres; NaN where either is missing."""
    return (predicted - truth).norm(dim=-1) * _MM


def mpjpe(
    predicted: Float[Tensor, "frames joints 3"],
    truth: Float[Tensor, "frames joints 3"],
    root: Sequence[int] = (),
) -> Score:
    """Mean per joint position error, mm: mean distance over the joints of a frame.

    Args:
        root: joints whose mean is moved onto the origin in both (13 and 14 of LSP, the pelvis of
            SMPL …). Empty: no alignment at all.

    Source: Ionescu et al., Human3.6M, PAMI 2014, eq. 8 (there after moving the root).
    """
    check_same_shape(predicted, truth)
    if root:
        at = list(root)
        predicted = predicted - predicted[:, at].mean(1, keepdim=True)
        truth = truth - truth[:, at].mean(1, keepdim=True)
    return Score(joint_errors(predicted, truth).mean(-1), "mm")


def procrustes(
    predicted: Float[Tensor, "frames joints 3"], truth: Float[Tensor, "frames joints 3"]
) -> Float[Tensor, "frames joints 3"]:
    """``predicted``, each frame turned, moved and scaled onto the truth; incomplete frames NaN."""
    check_same_shape(predicted, truth)
    aligned = torch.full_like(predicted, float("nan"))
    whole = _whole(predicted) & _whole(truth)
    if whole.any():
        a, b = predicted[whole], truth[whole]
        aligned[whole] = align_points(a, b, with_scale=True).apply(a)
    return aligned


def pa_mpjpe(
    predicted: Float[Tensor, "frames joints 3"], truth: Float[Tensor, "frames joints 3"]
) -> Score:
    """MPJPE after the best similarity (rotation, translation, scale) of each frame by itself, mm.

    Blind to where the person is, to heading and to size. A frame counts when all its joints are
    there in both.

    Source: Zhou et al., MonoCap, PAMI 2018 ("reconstruction error"); alignment Umeyama 1991.
    """
    return mpjpe(procrustes(predicted, truth), truth)


def g_mpjpe(
    predicted: Float[Tensor, "frames joints 3"], truth: Float[Tensor, "frames joints 3"]
) -> Score:
    """MPJPE after one rigid motion (no scale) for the whole clip, mm.

    The motion is the least squares one over all joints of all whole frames. Sees the path, the
    heading and the size of the person; blind only to the choice of the world's axes.

    Source: the assumption made here for the "global" error of DiffOpt, which does not say.
    """
    return mpjpe(align_clip(predicted, truth), truth)


def align_clip(
    predicted: Float[Tensor, "frames joints 3"],
    truth: Float[Tensor, "frames joints 3"],
    with_scale: bool = False,
) -> Float[Tensor, "frames joints 3"]:
    """``predicted`` moved onto the truth by one rigid motion (or similarity) for all frames.

    Fitted to the frames that are whole in both; incomplete frames are moved too. All NaN where
    no frame is whole.
    """
    check_same_shape(predicted, truth)
    whole = _whole(predicted) & _whole(truth)
    if not whole.any():
        return torch.full_like(predicted, float("nan"))
    a, b = predicted[whole].flatten(0, 1), truth[whole].flatten(0, 1)
    return align_points(a, b, with_scale=with_scale).apply(predicted.flatten(0, 1)).view_as(truth)


def flexion_deg(
    points: Float[Tensor, "frames joints 3"], names: Sequence[str]
) -> dict[str, Float[Tensor, "frames"]]:
    """Flexion of knees, hips and elbows from three points each, degrees; 0 is a straight limb.

    Knee: hip, knee, ankle. Hip: shoulder, hip, knee of one side (so that a bent back counts as
    flexed hips, and abduction is not told from flexion). Elbow: shoulder, elbow, wrist. The angle
    is 180 degrees minus the angle at the middle point: never negative, blind to bending the wrong
    way.
    """
    at = {name: index for index, name in enumerate(names)}
    angles = {}
    for joint, (upper, lower) in _FLEXED.items():
        for side in ("left", "right"):
            triple = [at[f"{side}_{part}"] for part in (upper, joint, lower)]
            angles[f"{side}_{joint}"] = _bend_deg(*points[:, triple].unbind(1))
    return angles


_FLEXED: Final = {
    "knee": ("hip", "ankle"),
    "hip": ("shoulder", "knee"),
    "elbow": ("shoulder", "wrist"),
}


def _bend_deg(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    into, out = b - a, c - b
    # atan2 of sine and cosine is exact near 0 and 180 degrees, where acos is not.
    sine = torch.linalg.cross(into, out).norm(dim=-1)
    return torch.atan2(sine, (into * out).sum(-1)).rad2deg()


def angle_rmse(
    predicted_deg: Float[Tensor, "frames"], truth_deg: Float[Tensor, "frames"]
) -> tuple[float, int]:
    """Root mean square difference of two angles in degrees, and the number of frames used.

    Differences are taken the short way round (359 and 1 differ by 2). NaN over no frame.
    """
    difference = (predicted_deg - truth_deg + 180) % 360 - 180
    used = difference[torch.isfinite(difference)].double()
    return (float(used.square().mean().sqrt()) if len(used) else float("nan")), len(used)


def acceleration_error(
    predicted: Float[Tensor, "frames joints 3"],
    truth: Float[Tensor, "frames joints 3"],
    fps: float | None = None,
) -> Score:
    """Mean norm over joints of the difference of accelerations (second differences).

    mm/frame^2 as published tables; with ``fps``, m/s^2, which compares over frame rates. No
    alignment: bring both into one frame first (``align_clip``). The first and the last frame have
    no acceleration.

    Source: Kanazawa et al., HMMR, CVPR 2019 (mm/frame^2 as evaluated by VIBE, CVPR 2020).
    """
    check_same_shape(predicted, truth)
    error = torch.full_like(predicted[:, 0, 0], float("nan"))
    if len(predicted) > 2:
        difference = torch.diff(predicted - truth, n=2, dim=0)
        error[1:-1] = difference.norm(dim=-1).mean(-1)
    return Score(error * _MM, "mm/frame^2") if fps is None else Score(error * fps**2, "m/s^2")


def jitter(points: Float[Tensor, "frames joints 3"], fps: float) -> Score:
    """Mean norm over joints of the third derivative, m/s^3. Tables often show tenths of it.

    From third differences, given to the second of their four frames; the first and the last two
    frames have none.

    Source: Yi et al., TransPose, SIGGRAPH 2021.
    """
    jerk = torch.full_like(points[:, 0, 0], float("nan"))
    if len(points) > 3:
        jerk[1:-2] = torch.diff(points, n=3, dim=0).norm(dim=-1).mean(-1) * fps**3
    return Score(jerk, "m/s^3")


def slide_way(
    points_world: Float[Tensor, "frames points 3"],
    contact: Bool[Tensor, "frames points"],
    fps: float,
) -> Float[Tensor, "frames points"]:
    """Horizontal way in metres of each point during the 1/30 s that follows each frame.

    Between frames the place is interpolated; below 30 fps the way to the next frame is taken in
    proportion. NaN where the point is not in contact during the whole time.
    """
    frames = len(points_world)
    way = torch.full_like(points_world[..., 0], float("nan"))
    ahead = SLIDE_INTERVAL_S * fps
    reach = max(1, int(-(-ahead // 1)))  # frames that the interval touches, rounded up
    if frames <= reach:
        return way
    at = min(ahead, float(reach))
    share = at - (reach - 1)
    later = torch.lerp(points_world[reach - 1 : frames - 1], points_world[reach:], share)
    moved = (later - points_world[: frames - reach])[..., :2].norm(dim=-1)
    held = contact.unfold(0, reach + 1, 1).all(-1)
    way[: frames - reach] = torch.where(held, moved, way[: frames - reach])
    return way


def foot_slide(
    points_world: Float[Tensor, "frames points 3"],
    contact: Bool[Tensor, "frames points"],
    fps: float,
) -> Score:
    """Mean horizontal way of the points in contact during 1/30 s, mm; NaN with none in contact.

    The frames are those with at least one point in contact for the whole interval. Contact comes
    from the truth, or from the picture (``contact.seen_contact``), never from the judged method.

    Source: foot sliding as in GLAMR, CVPR 2022 and WHAM, CVPR 2024, there per frame of 30 fps.
    """
    return Score(slide_way(points_world, contact, fps).nanmean(-1) * _MM, "mm per 1/30 s")


def up_axis_error_deg(
    up_estimated: Float[Tensor, "frames 3"], up_true: Float[Tensor, "frames 3"]
) -> Score:
    """Angle between the estimated and the true up in one frame's axes, degrees.

    The camera's, where both worlds are Z up: ``R_camera_world[..., 2]``; headings do not matter.
    """
    sine = torch.linalg.cross(up_estimated, up_true).norm(dim=-1)
    cosine = (up_estimated * up_true).sum(-1)
    return Score(torch.atan2(sine, cosine).rad2deg(), "degrees")


def _whole(points: Tensor) -> Tensor:
    return torch.isfinite(points).all(-1).all(-1)


def check_same_shape(predicted: Tensor, truth: Tensor) -> None:
    """Raises ``OptionError`` where the frames or the joints differ in number."""
    if predicted.shape != truth.shape:
        raise OptionError(
            f"metrics: the prediction has shape {tuple(predicted.shape)}, the truth "
            f"{tuple(truth.shape)}; resample one to the frames of the other"
        )
