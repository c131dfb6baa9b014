"""Who is who between people and over gaps: no two tracks on one person, stretches joined."""

from collections.abc import Sequence

import numpy as np

from motionfield.steps.track.config import TrackConfig
from motionfield.steps.track.landmarks import PoseEstimate
from motionfield.steps.track.tracklet import Tracklet, coincide, likeness

_LIKENESS_MIN = 0.6
_SPEED_MAX = 4.0
"""Regions per second that a lost person may have moved at most."""
_REACH_MAX = 1.5


def contested(
    proposals: Sequence[tuple[Tracklet, PoseEstimate]], frame_number: int, config: TrackConfig
) -> list[int]:
    """Indices of proposals to refuse because another track has the better claim to that person.

    Of two coinciding skeletons the one that departs less from its own past keeps the person.
    """
    departures = [track.departure(frame_number, estimate) for track, estimate in proposals]
    refused: set[int] = set()
    for i in range(len(proposals)):
        for j in range(i + 1, len(proposals)):
            if i in refused or j in refused:
                continue
            a, b = proposals[i][1].keypoints, proposals[j][1].keypoints
            if coincide(a, b, config.coincide_max):
                refused.add(i if departures[i] > departures[j] else j)
    return sorted(refused)


def join_tracklets(
    tracklets: Sequence[Tracklet], fps: float, config: TrackConfig
) -> list[Tracklet]:
    """Join stretches of the same person: one ends, the other begins later, near, alike.

    The best fitting pairs are joined first. Nothing is filled in: the gap stays unobserved.
    """
    left = list(tracklets)
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
    a, b = early.last.next_roi, late.estimates[first].next_roi
    ratio = b.side / a.side
    if not 1 / config.size_ratio_max < ratio < config.size_ratio_max:
        return None
    # The velocity at the end is trusted for a fifth of a second only.
    ahead = early.velocity() * min(first - early.last_frame, fps / 5)
    place = np.array([b.x - a.x, b.y - a.y])
    distance = min(np.linalg.norm(place), np.linalg.norm(place - ahead)) / max(a.side, b.side)
    reach = min(0.3 + _SPEED_MAX * gap_s / 4, _REACH_MAX)
    if distance > reach:
        return None
    alike = 1.0
    if early.appearance is not None and late.appearance is not None:
        alike = likeness(early.appearance, late.appearance)
    if alike < _LIKENESS_MIN:
        return None
    return float(distance + (1 - alike) + gap_s)
