"""The stroke of a take: how fast its fastest hand or foot gets, and when."""

import math
from typing import Final, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.steps.evaluate.biomechanics import joint_speeds
from motionfield.steps.evaluate.score import check_same_shape

STROKE_M_S: Final = 3.0
"""Takes whose fastest point stays below this have no stroke."""
MATCH_S: Final = 0.25
"""A peak further from the true one than this is not the same stroke."""


class Stroke(NamedTuple):
    """How the stroke compares; NaN where the truth has none."""

    point: int
    """The fastest of the points in the truth."""
    true_speed_m_s: float
    error_percent: float
    """Absolute error of the peak speed of that point."""
    bias_percent: float
    """The same signed: negative where the peak is flattened."""
    time_ms: float
    """How far apart in time the two peaks are: at most ``MATCH_S``."""
    frames_used: int


def compare_stroke(
    predicted: Float[Tensor, "frames points 3"],
    truth: Float[Tensor, "frames points 3"],
    fps: float,
) -> Stroke:
    """The greatest speed of the truth's fastest point, and the prediction's nearest in time.

    The prediction's peak is its greatest speed within ``MATCH_S`` of the true peak: a racket meets
    the ball, and a foot its target, close to it. Speeds are central differences in the world, the
    same for any choice of its axes; a parabola through a peak and its neighbours gives time and
    height between frames.

    Args:
        predicted: points that may be the fastest (wrists and ankles), in the truth's order.
    """
    check_same_shape(predicted, truth)
    ours, theirs = (joint_speeds(points, fps).double() for points in (predicted, truth))
    known = torch.isfinite(ours) & torch.isfinite(theirs)
    ours, theirs = (torch.where(known, speed, -1.0) for speed in (ours, theirs))
    used = int(known.any(-1).sum())
    peak = theirs.amax(0)
    if not len(peak) or float(peak.max()) < STROKE_M_S:
        return Stroke(-1, math.nan, math.nan, math.nan, math.nan, used)
    point = int(peak.argmax())
    true_at, true_speed = _peak(theirs[:, point], int(theirs[:, point].argmax()))
    frame = torch.arange(len(ours))
    near = (frame - true_at).abs() <= MATCH_S * fps
    at, speed = _peak(ours[:, point], int(torch.where(near, ours[:, point], -2.0).argmax()))
    bias = 100 * (speed / true_speed - 1)
    apart_ms = 1000 * min(abs(at - true_at) / fps, MATCH_S)
    return Stroke(point, true_speed, abs(bias), bias, apart_ms, used)


def _peak(speed: Float[Tensor, "frames"], at: int) -> tuple[float, float]:
    """Frame and height of the top of the parabola through a frame and its neighbours."""
    top = float(speed[at])
    if at in (0, len(speed) - 1):
        return float(at), top
    before, after = float(speed[at - 1]), float(speed[at + 1])
    bend = before - 2 * top + after
    if bend >= 0 or min(before, after) < 0 or max(before, after) > top:
        return float(at), top  # no peak here, or a neighbour without a speed
    shift = (before - after) / (2 * bend)
    return at + shift, top - (before - after) * shift / 4
