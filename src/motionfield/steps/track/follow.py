"""One pass over the frames: search, follow, lose, find again."""

from collections import deque

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from motionfield.steps.track.associate import contested
from motionfield.steps.track.config import TrackConfig
from motionfield.steps.track.detector import PersonDetector
from motionfield.steps.track.landmarks import LandmarkEstimator, PoseEstimate
from motionfield.steps.track.search import AUDITION_SHARE, Searcher, is_new, sureness
from motionfield.steps.track.subject import prominence
from motionfield.steps.track.tracklet import (
    RESTLESS_FRAMES,
    Tracklet,
    box_size,
    break_of,
    fault_of,
    likeness,
    torso_colours,
    touching,
)

_AUDITION_MAX = 3
_RETRY_EACH_FRAME = 3
_RETRY_EVERY = 4
_LEARN_EVERY = 10
_DOUBT = 1.5
"""A stretch may be so much more restless than a whole track before it is taken back."""
_RECENT_BYTES = 256 << 20
"""Frames kept for looking back at newcomers: at most so many bytes, at most one search interval."""
_SETTLED = 5
"""A newcomer seen in so many frames is traced back to before the search that found it."""
_ALIKE_MIN = 0.5
"""Least likeness of clothes for a lost person to count as found again."""
_STRANGE = 0.2
"""By so much more like somebody near than like itself, and a track has slipped onto them."""
_ACTIVITY_S = 0.3
"""A person's activity is how far the points come in this time."""
_CROWD = 2
"""So many times the persons wanted are followed at most; the best are kept in the end."""


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
        self._searcher = Searcher(config, detector, landmarks, image_size)
        self._landmarks = landmarks
        self._image_size = image_size
        self._fps = fps
        self._recent: deque[tuple[int, UInt8[ndarray, "height width 3"]]] = deque()
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
        self._remember(number, frame)
        self._follow(number, frame)
        self._doubt_restless()
        self._find_lost(number, frame)
        self._close_lost(number)
        if number >= self._next_sweep:
            self._sweep(number, frame)
        if self._config.person == "auto":
            self._choose(number)
        for track in self._present():
            if len(track.estimates) == _SETTLED and not track.traced:
                self._trace_back(track, next(iter(track.estimates)), 0)
                track.traced = True
            if len(track.estimates) % _LEARN_EVERY == 1 and not self._near(track):
                colours = torso_colours(frame, track.last.keypoints)
                if colours is not None:
                    track.learn_appearance(colours)

    def _present(self) -> list[Tracklet]:
        return [t for t in self._active if t.lost_at is None]

    def _seen(self, number: int) -> list[PoseEstimate]:
        return [t.estimates[number] for t in self._active if number in t.estimates]

    def _remember(self, number: int, frame: ndarray) -> None:
        frames = round(self._config.sweep_every_s * self._fps) + _SETTLED
        most = min(frames, _RECENT_BYTES // frame.nbytes)
        self._recent.append((number, frame))
        while len(self._recent) > max(most, 1):
            self._recent.popleft()

    def _near(self, track: Tracklet) -> list[Tracklet]:
        """Others whom this track could be mistaken for at its last place."""
        place = track.last.next_roi
        return [
            other
            for other in self._present()
            if other is not track and touching(place, other.last.next_roi)
        ]

    def _follow(self, number: int, frame: ndarray) -> None:
        tracks = self._present()
        estimates = self._landmarks.estimate(frame, [t.last.next_roi for t in tracks])
        proposals = []
        for track, estimate in zip(tracks, estimates, strict=True):
            if self._fits(track, number, estimate) and not self._strange(track, frame, estimate):
                proposals.append((track, estimate))
            else:
                track.lost_at = number
        refused = contested(proposals, number, frame, self._config)
        for index, (track, estimate) in enumerate(proposals):
            if index in refused:
                track.lost_at = number
            else:
                track.add(number, estimate)
        for track in tracks:
            if track.lost_at is not None and len(track.estimates) < _SETTLED:
                self._active.remove(track)  # seen by one search and not confirmed
            elif track.lost_at is not None:
                behind = self._look_behind(track, number, frame)
                if behind is not None:
                    track.add(number, behind)

    def _look_behind(self, track: Tracklet, number: int, frame: ndarray) -> PoseEstimate | None:
        """The next estimate of a person whom others hide in part: with those painted over."""
        known = self._seen(number)
        place = track.last.next_roi
        hiding = [e for e in known if touching(place, e.next_roi)]
        if not hiding:
            return None
        painted = self._searcher.paint_over(frame, hiding)
        estimate = self._landmarks.estimate(painted, [place])[0]
        fits = self._fits(track, number, estimate) and self._looks_like(track, painted, estimate)
        return estimate if fits and is_new(estimate, known, self._config) else None

    def _fits(self, track: Tracklet, number: int, estimate: PoseEstimate) -> bool:
        return (
            fault_of(estimate, self._image_size, self._config) is None
            and break_of(track, number, estimate, self._fps, self._config) is None
        )

    def _strange(self, track: Tracklet, frame: ndarray, estimate: PoseEstimate) -> bool:
        """Whether the estimate wears the clothes of somebody who is near, not its own."""
        others = [t.appearance for t in self._near(track) if t.appearance is not None]
        if track.appearance is None or not others:
            return False
        colours = torso_colours(frame, estimate.keypoints)
        if colours is None:
            return False
        own = likeness(colours, track.appearance)
        return max(likeness(colours, other) for other in others) > own + _STRANGE

    def _doubt_restless(self) -> None:
        """Take back what jumps about: the landmark network makes up people where nobody is."""
        for track in self._present():
            if track.unrest(RESTLESS_FRAMES) > _DOUBT * self._config.unrest_max:
                if len(track.estimates) < 2 * RESTLESS_FRAMES:
                    self._active.remove(track)
                else:
                    track.forget(RESTLESS_FRAMES)

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
            place, known = track.last.next_roi, self._seen(number)
            good = [
                e
                for e in self._searcher.find_near(frame, place, known)
                if self._fits(track, number, e) and self._looks_like(track, frame, e)
            ]
            if not good:
                behind = self._look_behind(track, number, frame)
                good = [] if behind is None else [behind]
            if good:
                before = track.last_frame
                track.add(number, min(good, key=lambda e: track.departure(number, e)))
                self._trace_back(track, number, before + 1)

    def _looks_like(self, track: Tracklet, frame: ndarray, estimate: PoseEstimate) -> bool:
        colours = torso_colours(frame, estimate.keypoints)
        if track.appearance is None or colours is None:
            return True
        return likeness(colours, track.appearance) >= _ALIKE_MIN and not self._strange(
            track, frame, estimate
        )

    def _trace_back(self, track: Tracklet, number: int, oldest: int) -> None:
        """Follow a person backwards through the frames kept, from ``number`` to ``oldest``."""
        back = Tracklet({number: track.estimates[number]})
        for earlier, frame in reversed(self._recent):
            if earlier >= number:
                continue
            if earlier < oldest:
                break
            estimate: PoseEstimate | None
            estimate = self._landmarks.estimate(frame, [back.last.next_roi])[0]
            known = self._seen(earlier)
            if not (self._fits(back, earlier, estimate) and is_new(estimate, known, self._config)):
                estimate = self._look_behind(back, earlier, frame)
            if estimate is None:
                break
            back.add(earlier, estimate)
        track.estimates = dict(sorted((back.estimates | track.estimates).items()))

    def _close_lost(self, number: int) -> None:
        limit = self._config.keep_lost_s * self._fps
        gone = [t for t in self._active if t.lost_at is not None and number - t.lost_at > limit]
        self._closed += gone
        self._active = [t for t in self._active if t not in gone]
        if gone and not self._active:
            self._chosen, self._audition_end, self._next_sweep = False, None, number

    def _sweep(self, number: int, frame: ndarray) -> None:
        """Search the frame for newcomers."""
        followed = bool(self._present())
        if not (self._chosen and followed):
            self._find_newcomers(number, frame, followed)
        wait_s = self._config.sweep_every_s if self._present() else self._config.search_every_s
        self._next_sweep = number + max(1, round(wait_s * self._fps))

    def _find_newcomers(self, number: int, frame: ndarray, followed: bool) -> None:
        known = self._seen(number)
        if self._config.person == "auto":
            found = self._searcher.find_prominent(frame, known, everywhere=not followed)
        else:
            found = self._searcher.find_everyone(frame, known)
        for estimate in found:
            if len(self._present()) < _CROWD * self._config.max_persons:
                self._active.append(Tracklet({number: estimate}))

    def _choose(self, number: int) -> None:
        """Keep the possible subjects; after the audition only the best of them."""
        present = self._present()
        if self._chosen or not present:
            return
        if self._audition_end is None:
            self._audition_end = number + round(self._config.audition_s * self._fps)
        present.sort(key=self._merit, reverse=True)
        keep = _AUDITION_MAX if number < self._audition_end else 1
        best = self._merit(present[0])
        kept = [t for t in present[:keep] if self._merit(t) >= AUDITION_SHARE * best]
        dropped = [t for t in present if t not in kept]
        self._closed += dropped
        self._active = [t for t in self._active if t not in dropped]
        self._chosen = number >= self._audition_end

    def _merit(self, track: Tracklet) -> float:
        """Prominence over the frames seen, more for those who move, less for unsure ones."""
        estimates = list(track.estimates.values())
        prominent = np.mean(
            [prominence(e.next_roi, self._image_size) * sureness(e) for e in estimates]
        )
        if len(estimates) < 2:
            return float(prominent)
        xy = np.stack([e.keypoints[:, :2] for e in estimates])
        # Over a while, not from frame to frame: landmarks that jitter are no activity.
        lag = min(len(xy) - 1, max(1, round(_ACTIVITY_S * self._fps)))
        numbers = np.array(list(track.estimates))
        frames = numbers[lag:] - numbers[:-lag]
        steps = np.linalg.norm(xy[lag:] - xy[:-lag], axis=-1).mean(-1) / frames
        speed = float(np.median(steps)) * self._fps / max(box_size(estimates[-1].keypoints), 1.0)
        if lag < round(_ACTIVITY_S * self._fps):
            speed = 0.0
        return float(prominent) * (0.5 + speed / (speed + 0.5))
