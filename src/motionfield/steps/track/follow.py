"""One pass over the frames: search, follow, lose, find again."""

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from motionfield.steps.track.associate import contested
from motionfield.steps.track.config import TrackConfig
from motionfield.steps.track.detector import Detection, PersonDetector, Window
from motionfield.steps.track.landmarks import LandmarkEstimator, PoseEstimate
from motionfield.steps.track.regions import Roi
from motionfield.steps.track.subject import prominence
from motionfield.steps.track.tiles import coarse_windows, sweep_windows
from motionfield.steps.track.tracklet import (
    Tracklet,
    box_size,
    break_of,
    coincide,
    fault_of,
    same_place,
    torso_colours,
)

_AUDITION_SHARE = 0.5
"""Who is less than this share as prominent as the best does not stand for subject."""
_AUDITION_MAX = 3
_RETRY_EACH_FRAME = 3
_RETRY_EVERY = 4
_LEARN_EVERY = 10
_LOOK_AGAIN = 1.6
"""Side of the window in which a lost person is searched, of the last region's."""


class Follower:
    """Follows persons from frame to frame; ``advance`` takes the frames in order."""

    def __init__(
        self,
        config: TrackConfig,
        detector: PersonDetector,
        landmarks: LandmarkEstimator,
        image_size: tuple[int, int],
        fps: float,
    ) -> None:
        self._config = config
        self._detector = detector
        self._landmarks = landmarks
        self._image_size = image_size
        self._fps = fps
        self._active: list[Tracklet] = []
        self._closed: list[Tracklet] = []
        self._next_sweep = 0
        self._audition_end: int | None = None
        self._chosen = False

    @property
    def tracklets(self) -> list[Tracklet]:
        """Everyone seen so far, in the order of the first sight."""
        return sorted(self._closed + self._active, key=lambda t: next(iter(t.estimates)))

    def advance(self, number: int, frame: UInt8[ndarray, "height width 3"]) -> None:
        """Take the next frame."""
        self._follow(number, frame)
        self._find_lost(number, frame)
        self._close_lost(number)
        if number >= self._next_sweep:
            self._sweep(number, frame)
        if self._config.person == "auto":
            self._choose(number)
        for track in self._active:
            if track.lost_at is None and len(track.estimates) % _LEARN_EVERY == 1:
                colours = torso_colours(frame, track.last.keypoints)
                if colours is not None:
                    track.learn_appearance(colours)

    def _follow(self, number: int, frame: ndarray) -> None:
        tracks = [t for t in self._active if t.lost_at is None]
        estimates = self._landmarks.estimate(frame, [t.last.next_roi for t in tracks])
        proposals = []
        for track, estimate in zip(tracks, estimates, strict=True):
            if self._fits(track, number, estimate):
                proposals.append((track, estimate))
            else:
                track.lost_at = number
        refused = contested(proposals, number, self._config)
        for index, (track, estimate) in enumerate(proposals):
            if index in refused:
                track.lost_at = number
            else:
                track.add(number, estimate)

    def _fits(self, track: Tracklet, number: int, estimate: PoseEstimate) -> bool:
        return (
            fault_of(estimate, self._image_size, self._config) is None
            and break_of(track, number, estimate, self._fps, self._config) is None
        )

    def _find_lost(self, number: int, frame: ndarray) -> None:
        """Look for lost persons near their last place; the detector works only here and in sweeps.

        A detector that may overrule a good track moves it onto bystanders.
        """
        for track in self._active:
            if track.lost_at is None:
                continue
            since = number - track.lost_at
            if since >= _RETRY_EACH_FRAME and since % _RETRY_EVERY:
                continue
            last = track.last.next_roi
            side = _LOOK_AGAIN * last.side
            window = Window(last.x - side / 2, last.y - side / 2, side)
            found = self._detector.detect(frame, [window])
            rois = [d.roi for d in found if not self._taken(number, d.roi)]
            good = [
                e for e in self._verified(frame, rois)
                if self._fits(track, number, e) and self._is_new(number, e)
            ]
            if good:
                track.add(number, min(good, key=lambda e: track.departure(number, e)))

    def _close_lost(self, number: int) -> None:
        limit = self._config.keep_lost_s * self._fps
        gone = [t for t in self._active if t.lost_at is not None and number - t.lost_at > limit]
        self._closed += gone
        self._active = [t for t in self._active if t not in gone]
        if gone and not self._active:
            self._chosen, self._audition_end, self._next_sweep = False, None, number

    def _sweep(self, number: int, frame: ndarray) -> None:
        """Search the frame for newcomers."""
        width, height = self._image_size
        followed = any(t.lost_at is None for t in self._active)
        wait_s = self._config.sweep_every_s if followed else self._config.search_every_s
        self._next_sweep = number + max(1, round(wait_s * self._fps))
        if self._chosen:
            return
        smallest = self._config.smallest_share * height
        windows = sweep_windows(width, height, smallest)
        if self._config.person == "auto" and followed:
            windows = coarse_windows(width, height)
        found = self._detector.detect(frame, windows)
        rois = _distinct([d for d in found if not self._taken(number, d.roi)])
        if self._config.person == "auto":
            rois = self._worth_following(rois)
        estimates = self._verified(frame, rois[: 3 * self._config.max_persons])
        for estimate in sorted(estimates, key=lambda e: -prominence(e.next_roi, self._image_size)):
            here = sum(t.lost_at is None for t in self._active)
            if here < 2 * self._config.max_persons and self._is_new(number, estimate):
                self._active.append(Tracklet({number: estimate}))

    def _verified(self, frame: ndarray, rois: list[Roi]) -> list[PoseEstimate]:
        """Landmarks of candidate regions, looked at twice: the first look corrects the region."""
        first = self._landmarks.estimate(frame, rois)
        again = [e.next_roi for e in first if fault_of(e, self._image_size, self._config) is None]
        second = self._landmarks.estimate(frame, again)
        return [e for e in second if fault_of(e, self._image_size, self._config) is None]

    def _taken(self, number: int, roi: Roi) -> bool:
        here = [t for t in self._active if t.last_frame == number]
        return any(same_place(roi, t.last.next_roi) for t in here)

    def _is_new(self, number: int, estimate: PoseEstimate) -> bool:
        limit = self._config.coincide_max * 1.5
        here = [t for t in self._active if t.last_frame == number]
        return not any(coincide(estimate.keypoints, t.last.keypoints, limit) for t in here)

    def _worth_following(self, rois: list[Roi]) -> list[Roi]:
        """Only those regions that could be the subject's."""
        places = [t.last.next_roi for t in self._active if t.lost_at is None]
        best = max((prominence(r, self._image_size) for r in rois + places), default=0.0)
        least = _AUDITION_SHARE * best
        return [r for r in rois if prominence(r, self._image_size) >= least]

    def _choose(self, number: int) -> None:
        """Keep the possible subjects; after the audition only the best of them."""
        present = [t for t in self._active if t.lost_at is None]
        if self._chosen or not present:
            return
        if self._audition_end is None:
            self._audition_end = number + round(self._config.audition_s * self._fps)
        present.sort(key=self._merit, reverse=True)
        keep = _AUDITION_MAX if number < self._audition_end else 1
        best = self._merit(present[0])
        kept = [t for t in present[:keep] if self._merit(t) >= _AUDITION_SHARE * best]
        dropped = [t for t in present if t not in kept]
        self._closed += dropped
        self._active = [t for t in self._active if t not in dropped]
        self._chosen = number >= self._audition_end

    def _merit(self, track: Tracklet) -> float:
        """Prominence over the frames seen, more for those who move."""
        estimates = list(track.estimates.values())
        prominent = np.mean([prominence(e.next_roi, self._image_size) for e in estimates])
        if len(estimates) < 2:
            return float(prominent)
        xy = np.stack([e.keypoints[:, :2] for e in estimates])
        frames = np.diff(list(track.estimates))
        steps = np.linalg.norm(np.diff(xy, axis=0), axis=-1).mean(-1) / frames
        speed = float(np.median(steps)) * self._fps / max(box_size(estimates[-1].keypoints), 1.0)
        return float(prominent) * (0.5 + speed / (speed + 0.5))


def _distinct(detections: list[Detection]) -> list[Roi]:
    """Regions of detections without repeats from overlapping windows, the surest first."""
    rois: list[Roi] = []
    for detection in sorted(detections, key=lambda d: -d.score):
        if not any(same_place(detection.roi, roi) for roi in rois):
            rois.append(detection.roi)
    return rois
