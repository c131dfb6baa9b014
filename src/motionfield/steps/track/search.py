"""Finding people in a frame: windows, candidates, looking twice, and behind those found."""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from motionfield.steps.track.config import TrackConfig
from motionfield.steps.track.detector import PersonDetector, Window
from motionfield.steps.track.landmarks import LandmarkEstimator, PoseEstimate
from motionfield.steps.track.regions import Roi
from motionfield.steps.track.subject import prominence
from motionfield.steps.track.tiles import coarse_windows, sweep_windows
from motionfield.steps.track.tracklet import coincide, fault_of, same_place

AUDITION_SHARE = 0.5
"""Who is less than this share as prominent as the best does not stand for subject."""
_SURE_FLAG, _SURE_CONFIDENCE = 0.95, 0.6
"""Only who is found this surely is painted over."""
_BLUR_SHARE = 1 / 8
"""Painting over means blurring by this share of the frame's shorter side."""
_LOOKS_MAX = 6
_SETTLED_TURN = 0.2
"""Radians by which a settled region turns from one look to the next, at most."""
_SAME_PLACE = 0.08
"""Candidate regions nearer than this, of their side, are one."""
_SURE_SCORE = 0.8
"""What the detector finds this surely tells how prominent others must be to be looked at."""
_GHOST_CONFIDENCE, _GHOST_PLACE = 0.85, 0.3
"""Less sure by this factor and nearer than this share of the side is no person of its own."""
_LOOK_AGAIN = 1.6
"""Side of the window in which a lost person is searched, of the last region's."""


class Searcher:
    """Runs the detector and has every candidate confirmed by the landmark network."""

    def __init__(
        self,
        config: TrackConfig,
        detector: PersonDetector,
        landmarks: LandmarkEstimator,
        image_size: tuple[int, int],
    ) -> None:
        self._config = config
        self._detector = detector
        self._landmarks = landmarks
        self._image_size = image_size
        self._coarse = coarse_windows(*image_size)
        self._all = sweep_windows(*image_size, config.smallest_share * image_size[1])

    def find_everyone(
        self, frame: UInt8[ndarray, "height width 3"], known: Sequence[PoseEstimate]
    ) -> list[PoseEstimate]:
        """Everyone who is not among ``known``, the surest first.

        The search is repeated with those found painted over: the networks, shown two people
        who overlap, see only the one in front.
        """
        found = self._find(frame, known, self._all)
        known = [*known, *found]
        return found + self._find(self.paint_over(frame, known), known, self._all, behind=True)

    def find_prominent(
        self,
        frame: UInt8[ndarray, "height width 3"],
        known: Sequence[PoseEstimate],
        everywhere: bool,
    ) -> list[PoseEstimate]:
        """Those who are not among ``known`` and could be the subject, the surest first."""
        windows = self._all if everywhere else self._coarse
        return self._find(frame, known, windows, AUDITION_SHARE)

    def find_near(
        self,
        frame: UInt8[ndarray, "height width 3"],
        place: Roi,
        known: Sequence[PoseEstimate],
    ) -> list[PoseEstimate]:
        """Everyone round a place who is not among ``known``, the surest first."""
        side = _LOOK_AGAIN * place.side
        return self._find(frame, known, [Window(place.x - side / 2, place.y - side / 2, side)])

    def _find(
        self,
        frame: UInt8[ndarray, "height width 3"],
        known: Sequence[PoseEstimate],
        windows: Sequence[Window],
        least_prominence: float = 0.0,
        behind: bool = False,
    ) -> list[PoseEstimate]:
        places = [e.next_roi for e in known]
        rois: list[Roi] = []
        standing = [prominence(place, self._image_size) for place in places]
        for detection in sorted(self._detector.detect(frame, windows), key=lambda d: -d.score):
            taken = rois if behind else places + rois
            if not any(same_place(detection.roi, roi, _SAME_PLACE) for roi in taken):
                rois.append(detection.roi)
                if detection.score > _SURE_SCORE:  # doubtful ones may be huge
                    standing.append(prominence(detection.roi, self._image_size))
        least = least_prominence * max(standing, default=0.0)
        rois = [r for r in rois if prominence(r, self._image_size) >= least]
        estimates = self._look(frame, rois)
        fresh: list[PoseEstimate] = []
        for estimate in sorted(estimates, key=sureness, reverse=True):
            seen = [*known, *fresh]
            # Whoever stands behind another is no subject, but a person all the same.
            if is_new(estimate, seen, self._config) and not (
                least_prominence and _is_ghost(estimate, seen)
            ):
                fresh.append(estimate)
        return fresh

    def _look(
        self, frame: UInt8[ndarray, "height width 3"], rois: Sequence[Roi]
    ) -> list[PoseEstimate]:
        """Estimates of regions that have settled: each look corrects the region.

        The detector may see a person upside down; such a region needs several looks to turn.
        """
        settled: list[PoseEstimate] = []
        for _ in range(_LOOKS_MAX):
            estimates = self._sound(self._landmarks.estimate(frame, list(rois)))
            settled += [e for e in estimates if _is_settled(e)]
            moving = [e for e in estimates if not _is_settled(e)]
            rois = [e.next_roi for e in moving]
            if not rois:
                return settled
        return settled + moving

    def _sound(self, estimates: Sequence[PoseEstimate]) -> list[PoseEstimate]:
        return [e for e in estimates if fault_of(e, self._image_size, self._config) is None]

    def paint_over(
        self, frame: UInt8[ndarray, "height width 3"], persons: Sequence[PoseEstimate]
    ) -> UInt8[ndarray, "height width 3"]:
        """The frame with the surely found persons blurred into what surrounds them."""
        sure = [
            e.next_roi
            for e in persons
            if e.flag > _SURE_FLAG and e.keypoints[:, 2].mean() > _SURE_CONFIDENCE
        ]
        if not sure:
            return frame
        size = int(min(self._image_size) * _BLUR_SHARE)
        painted = cv2.blur(frame, (size, size))
        covered = np.zeros(frame.shape[:2], bool)
        for mask in self._landmarks.masks(frame, sure):
            covered |= cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        return np.where(covered[..., None], painted, frame)


def _is_settled(estimate: PoseEstimate) -> bool:
    """Whether another look would be at the same region."""
    turn = estimate.next_roi.angle - estimate.roi.angle
    turn = abs((turn + np.pi) % (2 * np.pi) - np.pi)
    return bool(turn < _SETTLED_TURN) and same_place(estimate.roi, estimate.next_roi, _SAME_PLACE)


def _is_ghost(estimate: PoseEstimate, known: Sequence[PoseEstimate]) -> bool:
    """Whether a clearly surer person stands in the same place: part of a body taken for one."""
    confidence = estimate.keypoints[:, 2].mean()
    return any(
        confidence < _GHOST_CONFIDENCE * other.keypoints[:, 2].mean()
        and same_place(estimate.next_roi, other.next_roi, _GHOST_PLACE)
        for other in known
    )


def sureness(estimate: PoseEstimate) -> float:
    """How much an estimate looks like a person: the flag times the mean confidence."""
    return estimate.flag * float(estimate.keypoints[:, 2].mean())


def is_new(estimate: PoseEstimate, known: Sequence[PoseEstimate], config: TrackConfig) -> bool:
    """Whether an estimate shows none of the known persons."""
    limit = 1.5 * config.coincide_max
    return not any(coincide(estimate.keypoints, other.keypoints, limit) for other in known)
