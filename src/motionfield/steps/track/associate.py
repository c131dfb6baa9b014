"""Who is who between people and over gaps: no two tracks on one person, stretches joined."""

import itertools
from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from motionfield.steps.track.config import TrackConfig
from motionfield.steps.track.landmarks import PoseEstimate
from motionfield.steps.track.tracklet import Tracklet, coincide, likeness, torso_colours

_LIKENESS_MIN = 0.6
_SHORT_GAP_S = 0.5
_ENDS = 5
_STRETCH_MIN = 3
"""Shorter stretches are no evidence of anybody."""
_CLEAR_LEAD = 0.1
_SPEED_MAX = 4.0
"""Regions per second that a lost person may have moved at most."""
_REACH_MAX = 1.5
_SIZE_RATIO_MAX = 2.0
"""Over a gap a body may have curled up or stretched."""


def contested(
    proposals: Sequence[tuple[Tracklet, PoseEstimate]],
    frame_number: int,
    frame: UInt8[ndarray, "height width 3"],
    config: TrackConfig,
) -> list[int]:
    """Indices of proposals to refuse because another track has the better claim to that person.

    Of two coinciding skeletons the track that looks more like the person there keeps it; where
    clothes do not decide, the one that departs less from its own past.
    """
    refused: set[int] = set()
    for i, j in itertools.combinations(range(len(proposals)), 2):
        if i in refused or j in refused:
            continue
        a, b = proposals[i], proposals[j]
        if coincide(a[1].keypoints, b[1].keypoints, config.coincide_max):
            lead = _alike(a, frame) - _alike(b, frame)
            if abs(lead) < _CLEAR_LEAD:
                lead = b[0].departure(frame_number, b[1]) - a[0].departure(frame_number, a[1])
            refused.add(j if lead > 0 else i)
    return sorted(refused)


def _alike(proposal: tuple[Tracklet, PoseEstimate], frame: ndarray) -> float:
    track, estimate = proposal
    colours = torso_colours(frame, estimate.keypoints)
    if colours is None or track.appearance is None:
        return 0.0
    return likeness(colours, track.appearance)


def join_tracklets(
    tracklets: Sequence[Tracklet], fps: float, config: TrackConfig
) -> list[Tracklet]:
    """Join stretches of the same person: one ends, the other begins later, near, alike.

    The best fitting pairs are joined first. Nothing is filled in: the gap stays unobserved.
    """
    longest = max((len(t.estimates) for t in tracklets), default=0)
    # In a clip of one or two frames nothing is longer.
    left = [t for t in tracklets if len(t.estimates) >= min(_STRETCH_MIN, longest)]
    while True:
        costs = [
            (cost, i, j)
            for i, early in enumerate(left)
            for j, late in enumerate(left)
            if i != j and (cost := _join_cost(early, late, fps, config)) is not None
        ]
        if not costs:
            return left
        _, i, j = min(costs)
        early, late = left[i], left[j]
        joined = Tracklet({**early.estimates, **late.estimates}, early.appearance)
        if joined.appearance is None:
            joined.appearance = late.appearance
        left = [t for k, t in enumerate(left) if k not in (i, j)] + [joined]


def _join_cost(early: Tracklet, late: Tracklet, fps: float, config: TrackConfig) -> float | None:
    """How badly two stretches fit together (0 is best), or None where they cannot be one."""
    first = next(iter(late.estimates))
    gap_s = (first - early.last_frame) / fps
    if gap_s <= 0 or gap_s > config.join_gap_s:
        return None
    # The ends of a stretch are its worst frames: several are compared.
    ends = [e.next_roi for e in list(early.estimates.values())[-_ENDS:]]
    starts = [e.next_roi for e in list(late.estimates.values())[:_ENDS]]
    sides = [float(np.median([roi.side for roi in rois])) for rois in (ends, starts)]
    if not 1 / _SIZE_RATIO_MAX < sides[1] / sides[0] < _SIZE_RATIO_MAX:
        return None
    # The velocity at the end is trusted for a fifth of a second only.
    ahead = early.velocity() * min(first - early.last_frame, fps / 5)
    places = np.array([[(b.x - a.x, b.y - a.y) for b in starts] for a in ends])
    off = np.minimum(np.linalg.norm(places, axis=-1), np.linalg.norm(places - ahead, axis=-1))
    distance = float(off.min()) / max(sides)
    reach = min(0.3 + _SPEED_MAX * gap_s / 4, _REACH_MAX)
    if distance > reach:
        return None
    alike = 1.0
    if early.appearance is not None and late.appearance is not None:
        alike = likeness(early.appearance, late.appearance)
    # Light changes what clothes look like, but over a short gap the place says enough.
    if alike < _LIKENESS_MIN * min(gap_s / _SHORT_GAP_S, 1):
        return None
    return float(distance + (1 - alike) + gap_s)
