"""What sports science asks: joint angles, speeds, times of contact."""

import math
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motionfield.body.joint_angles import ANGLES, joint_angles
from motionfield.steps.evaluate.score import check_same_shape

MIN_PEAK_M_S: Final = 1.0
"""Joints whose true peak is below this have no relative error of speed."""
MATCH_S: Final = 0.2
"""Events of contact further apart than this are not the same event."""
_WORLD_ANGLE: Final = "pelvis_rotation"

_FLEXED: Final = {
    "knee": ("hip", "ankle"),
    "hip": ("shoulder", "knee"),
    "elbow": ("shoulder", "wrist"),
}
"""Joints with the two points beside them."""


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


def joint_angle_rmse(
    predicted: tuple[Float[Tensor, "frames 3 3"], Float[Tensor, "frames 23 3 3"]],
    truth: tuple[Float[Tensor, "frames 3 3"], Float[Tensor, "frames 23 3 3"]],
    frames: Bool[Tensor, "frames"],
) -> dict[str, float]:
    """Root mean square difference over frames of each clinical angle, degrees.

    The angles are those of ``body.joint_angles``, after the ISB. The pelvis' rotation about the
    vertical has no zero that two worlds share: its mean difference is taken off first. Tilt and
    obliquity are against each world's own vertical.

    Args:
        predicted, truth: root orientation (world, Z up, from body) and body pose.
        frames: those that count.

    Source: RMSE per angle as OpenCap (Uhlrich et al., PLOS Comput. Biol. 2023) and its like
    report it.
    """
    ours, theirs = (joint_angles(*pose) for pose in (predicted, truth))
    found = {}
    for name in ANGLES:
        a, b = ours[name][frames].rad2deg().double(), theirs[name][frames].rad2deg().double()
        if name == _WORLD_ANGLE:
            a = a - _mean_angle_deg(a - b)
        found[name] = angle_rmse(a, b)[0]
    return found


def angle_groups(rmse_deg: Mapping[str, float]) -> dict[str, float]:
    """Mean over the angles of each joint, both sides: "hip", "knee", …, "pelvis", "trunk", "neck".

    ``forearm_pronation`` belongs to the wrist.
    """
    groups: dict[str, list[float]] = {}
    for name, value in rmse_deg.items():
        joint = name.removeprefix("left_").removeprefix("right_").split("_")[0]
        groups.setdefault("wrist" if joint == "forearm" else joint, []).append(value)
    return {joint: sum(values) / len(values) for joint, values in groups.items()}


def _mean_angle_deg(difference: Tensor) -> Tensor:
    turn = difference.deg2rad()
    return torch.atan2(torch.sin(turn).mean(), torch.cos(turn).mean()).rad2deg()


def joint_speeds(
    points: Float[Tensor, "frames joints 3"], fps: float
) -> Float[Tensor, "frames joints"]:
    """Speed in m/s from the frames before and after (central differences); NaN at both ends."""
    speed = torch.full_like(points[..., 0], torch.nan)
    if len(points) > 2:
        speed[1:-1] = (points[2:] - points[:-2]).norm(dim=-1) * fps / 2
    return speed


class PeakSpeed(NamedTuple):
    """How peak speeds compare; NaN with no joint fast enough."""

    error_percent: float
    """Mean over joints of the absolute error, relative to the true peak."""
    bias_percent: float
    """Mean over joints of the signed error: negative where peaks are flattened."""
    joints_used: int
    frames_used: int


def peak_speed_error(
    predicted: Float[Tensor, "frames joints 3"],
    truth: Float[Tensor, "frames joints 3"],
    fps: float,
) -> PeakSpeed:
    """Error of each joint's greatest speed in the clip, %, over joints that reach 1 m/s.

    Speeds are central differences in the world, the same for any choice of its axes, and only
    over frames that both have. A jittery prediction has peaks that are too high.
    """
    check_same_shape(predicted, truth)
    ours, theirs = joint_speeds(predicted, fps), joint_speeds(truth, fps)
    known = torch.isfinite(ours) & torch.isfinite(theirs)
    peaks = [torch.where(known, speed, 0.0).amax(0) for speed in (ours, theirs)]
    fast = peaks[1] >= MIN_PEAK_M_S
    frames_used = int(known.any(-1).sum())
    if not fast.any():
        return PeakSpeed(math.nan, math.nan, 0, frames_used)
    relative = (peaks[0] / peaks[1] - 1)[fast].double() * 100
    return PeakSpeed(
        float(relative.abs().mean()), float(relative.mean()), int(fast.sum()), frames_used
    )


class ContactTiming(NamedTuple):
    """How touch-downs and lift-offs of both feet compare."""

    error_ms: float
    """Mean absolute difference over matched events; NaN without any."""
    matched: int
    missed: int
    """True events without a predicted one."""
    invented: int
    """Predicted events without a true one."""


def contact_timing(
    predicted: Float[Tensor, "frames 2"],
    truth: Float[Tensor, "frames 2"],
    fps: float,
    window_s: float = MATCH_S,
) -> ContactTiming:
    """Touch-down and lift-off events against the true ones, each foot and kind by itself.

    An event is where contact (in [0, 1]) passes one half, between two frames linearly. The nearest
    pairs are matched first, each event once, and none further apart than ``window_s``.
    """
    check_same_shape(predicted, truth)
    errors: list[float] = []
    missed = invented = 0
    for foot in range(predicted.shape[1]):
        for down in (True, False):
            ours, theirs = (_event_times(c[:, foot], fps, down) for c in (predicted, truth))
            gaps = _match(ours, theirs, window_s)
            errors += gaps
            missed += len(theirs) - len(gaps)
            invented += len(ours) - len(gaps)
    mean_ms = 1000 * sum(errors) / len(errors) if errors else math.nan
    return ContactTiming(mean_ms, len(errors), missed, invented)


def _event_times(contact: Tensor, fps: float, down: bool) -> Tensor:
    """Seconds at which contact passes one half upwards (touch-down) or downwards (lift-off)."""
    level = (contact - 0.5).double() * (1 if down else -1)
    before, after = level[:-1], level[1:]
    at = (
        torch.nonzero((before < 0) & (after >= 0))[:, 0]
        if down
        else (torch.nonzero((before <= 0) & (after > 0))[:, 0])
    )
    return (at + before[at] / (before[at] - after[at])) / fps


def _match(ours: Tensor, theirs: Tensor, window_s: float) -> list[float]:
    """Gaps of matched events, the smallest first."""
    gap = (ours[:, None] - theirs[None, :]).abs()
    found = []
    while gap.numel() and float(gap.min()) <= window_s:
        found.append(float(gap.min()))
        row, column = divmod(int(gap.argmin()), gap.shape[1])
        gap[row], gap[:, column] = torch.inf, torch.inf
    return found
