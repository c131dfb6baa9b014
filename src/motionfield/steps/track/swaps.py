"""Exchanges of left and right over time: found and undone.

The landmark network now and then takes a person seen from the front for one seen from behind:
the skeleton's places stay right and its labels are exchanged, of the whole body or of one half
of it, for one frame or for many. Nothing in a single frame betrays it (visibility, presence and
the person's flag are as high as ever), but the path of every limb does: under the right labels it
is smooth in 2D and in the coarse 3D.

Each frame gets one of four states (upper body exchanged or not, lower body exchanged or not);
dynamic programming over triples of neighbouring states finds the smoothest paths, counting
departure from steady motion (so that legs which cross quickly are not mistaken for an exchange),
change of place, and change of coarse 3D. Labels that hold most of the time are taken as right.
"""

import itertools
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.data.tracks import boxes_of


def _pairs(*joints: str) -> list[int]:
    return [BLAZEPOSE_33.index(f"{side}_{j}") for j in joints for side in ("left", "right")]


_MIRROR = np.array(BLAZEPOSE_33.mirror)
_UPPER = _pairs("shoulder", "elbow", "wrist")
_LOWER = _pairs("hip", "knee", "ankle", "foot_index")
_SHOULDERS = _pairs("shoulder")
_FACE_END = BLAZEPOSE_33.index("left_shoulder")
"""Before this come the points of the face."""
_LOWER_START = BLAZEPOSE_33.index("left_hip")
"""From here on keypoints belong to the lower body; before, to the upper."""

_SIGMA_MOVE = 0.15
"""Change of place at which a point's cost is half of the most, as a share of the body's size."""
_SIGMA_BEND = 0.03
"""Departure from steady motion, likewise."""
_SIGMA_COARSE_M = 0.2
"""Change of the coarse 3D in metres, likewise."""
_LAGS = 3
_LAG_DECAY_S = 0.025
"""Links over more than one frame lose weight with this time constant: limbs do cross."""
_COST_CHANGE = 0.25
"""For each half of the body whose state changes from one frame to the next."""
_COST_ALONE = 0.05
"""Per frame in which only one half is exchanged."""
_COST_EXCHANGED = 0.002
"""Per frame and half exchanged, so that labels which hold most of the time are taken as right."""
_GAP_MAX_S = 0.12
"""Over a longer gap nothing is inferred."""

_STATES = tuple(itertools.product((0, 1), (0, 1)))
"""(upper exchanged, lower exchanged)."""


class SwapRepair(NamedTuple):
    """What ``repair_swaps`` made of one person's keypoints."""

    keypoints_2d: Float[ndarray, "frames 33 3"]
    coarse_camera: Float[ndarray, "frames 33 3"]
    swapped: Bool[ndarray, "frames 2"]
    """Where the upper and the lower body's labels were exchanged (and now are not)."""

    def warnings(self, time_s: Float[ndarray, "frames"]) -> list[str]:
        """One sentence for what was repaired, or nothing."""
        frames = np.flatnonzero(self.swapped.any(-1))
        if len(frames) == 0:
            return []
        span = f"between {time_s[frames[0]]:.2f} s and {time_s[frames[-1]]:.2f} s"
        return [f"left and right were exchanged in {len(frames)} frames {span}: repaired"]


def repair_swaps(
    keypoints_2d: Float[ndarray, "frames 33 3"],
    coarse_camera: Float[ndarray, "frames 33 3"],
    time_s: Float[ndarray, "frames"],
) -> SwapRepair:
    """Exchange left and right back where the paths of the limbs show that they were exchanged.

    Args:
        keypoints_2d: pixels and confidence; NaN rows where not observed.
        coarse_camera: metres, camera axes. Its labels are exchanged with those in 2D: in
            exchanged frames the network's limbs keep their depth (measured: after exchanging
            the labels the limbs' depth errs by 0.11 m from the neighbours', mirrored in depth
            as well by 0.25 m), only the face looks the other way, so its depth is mirrored at the
            shoulders (its error falls from 0.37 m to 0.16 m).
        time_s: capture time of each frame.
    """
    swapped = find_swaps(keypoints_2d, coarse_camera, time_s)
    keypoints, coarse = keypoints_2d.copy(), coarse_camera.copy()
    for half, points in enumerate((slice(0, _LOWER_START), slice(_LOWER_START, None))):
        frames = np.flatnonzero(swapped[:, half])
        order = _MIRROR[points]
        keypoints[frames, points] = keypoints_2d[frames][:, order]
        coarse[frames, points] = coarse_camera[frames][:, order]
    frames = np.flatnonzero(swapped[:, 0])
    shoulders = coarse[frames][:, _SHOULDERS, 2].mean(1, keepdims=True)
    coarse[frames, :_FACE_END, 2] = 2 * shoulders - coarse[frames, :_FACE_END, 2]
    return SwapRepair(keypoints, coarse, swapped)


def find_swaps(
    keypoints_2d: Float[ndarray, "frames 33 3"],
    coarse_camera: Float[ndarray, "frames 33 3"],
    time_s: Float[ndarray, "frames"],
) -> Bool[ndarray, "frames 2"]:
    """Where the upper and the lower body's labels are exchanged."""
    swapped = np.zeros((len(time_s), 2), bool)
    seen = np.flatnonzero(np.isfinite(keypoints_2d[..., :2]).all((1, 2)))
    if len(seen) < 3:
        return swapped
    box = boxes_of(keypoints_2d[seen])
    size = np.median((box[:, 2:] - box[:, :2]).max(-1))
    breaks = np.flatnonzero(np.diff(time_s[seen]) > _GAP_MAX_S) + 1
    for frames in np.split(seen, breaks):
        if len(frames) < 3:
            continue
        xy = keypoints_2d[frames, :, :2].astype(np.float64) / max(float(size), 1e-6)
        coarse = coarse_camera[frames].astype(np.float64)
        costs = [_half_costs(xy, coarse, time_s[frames], group) for group in (_UPPER, _LOWER)]
        swapped[frames] = _smoothest(costs[0], costs[1])
    return swapped


def _half_costs(
    xy: Float[ndarray, "frames 33 2"],
    coarse: Float[ndarray, "frames 33 3"],
    time_s: Float[ndarray, "frames"],
    group: list[int],
) -> Float[ndarray, "frames 2 2 2"]:
    """Cost of each frame by whether it is exchanged against the frame 1, 2 and 3 before it.

    Costs depend on relative exchanges only, because exchanging everything changes no distance.
    The longer links bridge a frame in which the network gave something between both labels.
    """
    now = np.stack((xy[:, group], xy[:, _MIRROR[group]]))
    now_coarse = np.stack((coarse[:, group], coarse[:, _MIRROR[group]]))
    cost = np.zeros((len(xy), 2, 2, 2))
    for lag in range(1, min(_LAGS, len(xy) - 1) + 1):
        waited = (time_s[lag:] - time_s[:-lag]) - (time_s[lag:] - time_s[lag - 1 : -1])
        weight = np.exp(-waited / _LAG_DECAY_S)
        move = _saturated(now[:, lag:] - now[0, :-lag], _SIGMA_MOVE)
        turn = _saturated(now_coarse[:, lag:] - now_coarse[0, :-lag], _SIGMA_COARSE_M)
        # one axis of the cost for each lag
        shape = [-1, *(2 if axis == lag else 1 for axis in (1, 2, 3))]
        cost[lag:] += (weight * (move + turn)).T.reshape(shape)
    steps = np.diff(time_s)
    ratio = (steps[1:] / steps[:-1])[:, None, None]
    for newer, older in itertools.product((0, 1), (0, 1)):
        # exchanged against the frame before; the one before that against the newest
        before = now[newer, 1:-1]
        steady = before + (before - now[older, :-2]) * ratio
        cost[2:, newer, older] += _saturated(now[0, 2:] - steady, _SIGMA_BEND)[:, None]
    return cost


def _saturated(
    difference: Float[ndarray, "*frames points axes"], sigma: float
) -> Float[ndarray, "*frames"]:
    """Geman-McClure penalty of each point's distance, in [0, 1), averaged over the points."""
    square = (difference**2).sum(-1) / sigma**2
    return (square / (1 + square)).mean(-1)


def _smoothest(
    upper: Float[ndarray, "frames 2 2 2"], lower: Float[ndarray, "frames 2 2 2"]
) -> Bool[ndarray, "frames 2"]:
    """The cheapest history of states (Viterbi over triples of neighbouring states)."""
    states = np.array(_STATES)
    own = _COST_EXCHANGED * states.sum(-1) + _COST_ALONE * (states[:, 0] != states[:, 1])
    relative = states[:, None] ^ states[None]
    enter = own[:, None] + _COST_CHANGE * relative.sum(-1)
    # axes of a step: state now, and 1, 2, 3 frames before
    index = [
        (r[:, :, None, None], r[:, None, :, None], r[:, None, None, :])
        for r in np.moveaxis(relative, -1, 0)
    ]
    total = np.zeros((4, 4, 4))
    came_from = np.zeros((len(upper), 4, 4, 4), np.int8)
    for frame in range(len(upper)):
        step = upper[frame][index[0]] + lower[frame][index[1]] + enter[:, :, None, None]
        candidates = total[None] + step
        came_from[frame] = candidates.argmin(-1)
        total = candidates.min(-1)
    now, before, older = (int(i) for i in np.unravel_index(int(total.argmin()), total.shape))
    history = []
    for frame in range(len(upper) - 1, -1, -1):
        history.append(now)
        now, before, older = before, older, int(came_from[frame, now, before, older])
    return states[history[::-1]].astype(bool)
