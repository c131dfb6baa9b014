"""One person followed over a stretch of frames, and the gates that keep it one person."""

from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.data.tracks import boxes_of
from motionfield.steps.track.config import TrackConfig
from motionfield.steps.track.detector import overlap
from motionfield.steps.track.landmarks import PoseEstimate
from motionfield.steps.track.regions import Roi, share_inside

_BODY = [
    BLAZEPOSE_33.index(f"{side}_{joint}")
    for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    for side in ("left", "right")
]
_TORSO = [
    BLAZEPOSE_33.index(n) for n in ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
]
_BODY_INSIDE_MIN = 5
"""Of the 12 limb joints, so many must lie inside the frame."""
_SIDE_MIN = 0.75
"""Smallest region, of the height of the smallest person searched (a region is 1.25 times that)."""
RESTLESS_FRAMES = 15
"""So many frames tell whether a person is made up."""
_SAME_BOX = 0.7
"""Boxes of two persons seldom overlap so much (intersection over union)."""
_HUE_BINS, _SATURATION_BINS, _VALUE_BINS = 8, 4, 4


@dataclass(eq=False)
class Tracklet:
    """What was seen of one person, by frame number; ``lost_at`` is set while it is not found."""

    estimates: dict[int, PoseEstimate] = field(default_factory=dict)
    appearance: Float[ndarray, "bins"] | None = None
    lost_at: int | None = None
    """First frame of the present loss, or None."""
    traced: bool = False
    """Whether the frames before the first sight have been looked at."""

    @property
    def last_frame(self) -> int:
        return next(reversed(self.estimates))

    @property
    def last(self) -> PoseEstimate:
        return self.estimates[self.last_frame]

    def add(self, frame_number: int, estimate: PoseEstimate) -> None:
        self.estimates[frame_number] = estimate
        self.lost_at = None

    def velocity(self) -> Float[ndarray, "2"]:
        """Pixels per frame of the region's centre, from the last two frames seen."""
        seen = list(self.estimates)[-2:]
        if len(seen) < 2 or abs(seen[1] - seen[0]) > 3:
            return np.zeros(2)
        a, b = (self.estimates[n].next_roi for n in seen)
        return np.array([b.x - a.x, b.y - a.y]) / (seen[1] - seen[0])

    def departure(self, frame_number: int, estimate: PoseEstimate) -> float:
        """How far an estimate lies from standing still or steady motion, of the region's side."""
        before = self.last.next_roi
        moved = np.array([estimate.next_roi.x - before.x, estimate.next_roi.y - before.y])
        steady = self.velocity() * np.clip(frame_number - self.last_frame, -3, 3)
        off = min(np.linalg.norm(moved), np.linalg.norm(moved - steady))
        return float(off) / before.side

    def unrest(self, frames: int) -> float:
        """How much the last so many estimates jump about, as a share of the body's size.

        The median over frames of the mean departure from steady motion, of points midway between
        left and right (so that exchanges of the two do not count). Measured: people at 24 to 60
        frames per second, fast ones too, at most 0.06; what the landmark network makes up where
        nobody is, 0.1 and more. 0 where too few were seen to tell.
        """
        last = list(self.estimates.items())[-frames:]
        if len(last) < RESTLESS_FRAMES:
            return 0.0
        xy = np.stack([e.keypoints[:, :2] for _, e in last])
        xy = (xy + xy[:, list(BLAZEPOSE_33.mirror)]) / 2
        gaps = np.diff([number for number, _ in last])
        bend = np.linalg.norm(xy[2:] - 2 * xy[1:-1] + xy[:-2], axis=-1).mean(-1)
        bend = bend[(gaps[1:] == 1) & (gaps[:-1] == 1)]
        if len(bend) == 0:
            return 0.0
        return float(np.median(bend)) / max(box_size(last[-1][1].keypoints), 1e-6)

    def flag(self) -> float:
        """The median of the network's probability that there is a person."""
        return float(np.median([e.flag for e in self.estimates.values()]))

    def forget(self, frames: int) -> None:
        """Take back the last so many estimates; the person counts as lost since then."""
        numbers = list(self.estimates)
        self.lost_at = numbers[-frames:][0]
        for number in numbers[-frames:]:
            del self.estimates[number]

    def learn_appearance(self, histogram: Float[ndarray, "bins"]) -> None:
        """Blend the torso's colours into what this person is known to look like."""
        if self.appearance is None:
            self.appearance = histogram
        else:
            self.appearance = 0.8 * self.appearance + 0.2 * histogram


def fault_of(
    estimate: PoseEstimate, image_size: tuple[int, int], config: TrackConfig
) -> str | None:
    """Why an estimate cannot be a person in the picture, or None."""
    if not (np.isfinite(estimate.keypoints).all() and estimate.next_roi.is_sound()):
        return "not finite"
    if estimate.flag < config.flag_min:
        return "flag"
    if estimate.next_roi.side < _SIDE_MIN * config.smallest_share * image_size[1]:
        return "small"
    if share_inside(estimate.next_roi, *image_size) < config.inside_min:
        return "outside"
    xy = estimate.keypoints[_BODY, :2]
    if ((xy >= 0) & (xy <= image_size)).all(-1).sum() < _BODY_INSIDE_MIN:
        return "outside"
    return None


def break_of(
    tracklet: Tracklet, frame_number: int, estimate: PoseEstimate, fps: float, config: TrackConfig
) -> str | None:
    """Why an estimate cannot be the next one of this person, or None."""
    gap = abs(frame_number - tracklet.last_frame)
    # Seen from one frame to the next a body moves little; after a gap it may have gone further.
    limit = config.jump_max_per_60hz * max(1.0, 60 / fps) * (1 + 0.5 * (gap - 1))
    if tracklet.departure(frame_number, estimate) > min(limit, 0.5):
        return "jump"
    ratio = estimate.next_roi.side / tracklet.last.next_roi.side
    if not 1 / config.size_ratio_max < ratio < config.size_ratio_max:
        return "size"
    return None


def box_size(keypoints: Float[ndarray, "33 3"]) -> float:
    """The longer side of the box round the keypoints, in pixels."""
    return float(np.ptp(keypoints[:, :2], axis=0).max())


def coincide(a: Float[ndarray, "33 3"], b: Float[ndarray, "33 3"], limit: float) -> bool:
    """Whether two skeletons are one person: left and right may be exchanged between them.

    Either their keypoints lie near each other (median, as a share of the box), or one of them
    is wrong and only their boxes agree.
    """
    boxes = boxes_of(np.stack((a, b)))
    if overlap(boxes[0], boxes[1:])[0] > _SAME_BOX:
        return True
    size = max(min(box_size(a), box_size(b)), 1e-6)
    direct = np.median(np.linalg.norm(a[:, :2] - b[:, :2], axis=-1))
    exchanged = np.median(np.linalg.norm(a[:, :2] - b[list(BLAZEPOSE_33.mirror), :2], axis=-1))
    return bool(min(direct, exchanged) / size < limit)


def same_place(a: Roi, b: Roi, limit: float) -> bool:
    """Whether two regions differ by less than ``limit``: in place of their side, in size twice."""
    distance = np.hypot(a.x - b.x, a.y - b.y)
    ratio = max(a.side / b.side, b.side / a.side)
    return bool(distance < limit * min(a.side, b.side) and ratio < 1 + 2 * limit)


def touching(a: Roi, b: Roi) -> bool:
    """Whether two persons' regions are so near that one could be taken for the other."""
    return bool(np.hypot(a.x - b.x, a.y - b.y) < 0.5 * max(a.side, b.side))


def torso_colours(
    frame: UInt8[ndarray, "height width 3"], keypoints: Float[ndarray, "33 3"]
) -> Float[ndarray, "bins"] | None:
    """Histogram (sum 1) of hue, saturation and value in the box of shoulders and hips."""
    height, width = frame.shape[:2]
    xy = keypoints[_TORSO, :2]
    x0, y0 = np.clip(xy.min(0), 0, (width, height)).astype(int)
    x1, y1 = np.clip(xy.max(0), 0, (width, height)).astype(int)
    if x1 - x0 < 3 or y1 - y0 < 3:
        return None
    step = max(1, min(x1 - x0, y1 - y0) // 24)
    patch = np.ascontiguousarray(frame[y0:y1:step, x0:x1:step])
    hsv = cv2.cvtColor(patch, cv2.COLOR_RGB2HSV)
    bins = [_HUE_BINS, _SATURATION_BINS, _VALUE_BINS]
    histogram = cv2.calcHist([hsv], [0, 1, 2], None, bins, [0, 180, 0, 256, 0, 256]).reshape(-1)
    return histogram / max(float(histogram.sum()), 1.0)


def likeness(a: Float[ndarray, "bins"], b: Float[ndarray, "bins"]) -> float:
    """Bhattacharyya coefficient of two histograms: 1 the same, 0 nothing in common."""
    return float(np.sqrt(a * b).sum())
