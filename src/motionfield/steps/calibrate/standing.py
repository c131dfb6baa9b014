"""Does the camera stand still? Points of the background, followed from sample to sample.

Every fit here takes the camera to stand. This sees where that is wrong, and says so; it measures
no path that a fit could use.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray


@dataclass(frozen=True)
class StandingConfig:
    """How closely the background is looked at."""

    samples_per_s: float = 10.0
    side_px: int = 480
    """Longer side of the pictures that are compared."""
    corners: int = 300
    least_points: int = 20
    """Fewer background points that agree tell nothing of a step."""
    least_known: float = 0.5
    """Share of the steps that have to be known; the others count as no motion."""
    margin: float = 0.15
    """Of a person's box: what is so near to it may be the person."""
    told_shift: float = 0.02
    """Shift of the picture's corners, of its longer side, that is told."""


class _Step(NamedTuple):
    """Points seen in two samples, in pixels of the small pictures."""

    frames: tuple[int, int]
    before: Float[ndarray, "points 2"]
    after: Float[ndarray, "points 2"]


class BackgroundWatch:
    """Looks at the frames of one video as they pass by to whom they are meant for."""

    def __init__(self, fps: float, config: StandingConfig = StandingConfig()) -> None:
        """``fps``: of the file, as it plays."""
        self._config = config
        self._stride = max(1, round(fps / config.samples_per_s))
        self._steps: list[_Step] = []
        self._last: tuple[int, UInt8[ndarray, "height width"]] | None = None
        self._scale = 1.0

    def watched(
        self, frames: Iterable[UInt8[ndarray, "height width 3"]]
    ) -> Iterator[UInt8[ndarray, "height width 3"]]:
        """The same frames; some are looked at."""
        for index, frame in enumerate(frames):
            if index % self._stride == 0:
                self._look(index, frame)
            yield frame

    def shift(self, boxes_xyxy: Float[ndarray, "persons frames 4"]) -> float | None:
        """How far the picture's corners wander over the video, of its longer side.

        Args:
            boxes_xyxy: everybody's boxes in pixels; NaN where not seen.

        Returns:
            None where the background shows too little to tell.
        """
        if self._last is None:
            return None
        height, width = self._last[1].shape
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
        path, places = np.eye(3), [corners]
        steps = [self._moved(step, boxes_xyxy * self._scale) for step in self._steps]
        known = [step for step in steps if step is not None]
        if len(known) < self._config.least_known * len(steps):
            return None
        for moved in known:
            path = moved @ path
            places.append(corners @ path[:2, :2].T + path[:2, 2])
        wander = np.ptp(np.array(places), axis=0)
        return float(np.linalg.norm(wander, axis=-1).max() / max(width, height))

    def warning(self, boxes_xyxy: Float[ndarray, "persons frames 4"]) -> str | None:
        """One sentence where the camera moves."""
        shift = self.shift(boxes_xyxy)
        if shift is None or shift < self._config.told_shift:
            return None
        return (
            f"the camera moves (the background wanders by {100 * shift:.0f} % of the picture's "
            "longer side): the motion is measured as if it stood still"
        )

    def _look(self, index: int, frame: UInt8[ndarray, "height width 3"]) -> None:
        config = self._config
        self._scale = min(1.0, config.side_px / max(frame.shape[:2]))
        size = tuple(max(1, round(self._scale * side)) for side in frame.shape[1::-1])
        grey = cv2.cvtColor(
            cv2.resize(frame, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY
        )
        if self._last is not None:
            before_index, before = self._last
            points = cv2.goodFeaturesToTrack(before, config.corners, 0.01, 7)
            if points is None:
                points = np.zeros((0, 1, 2), np.float32)
            self._steps.append(_Step((before_index, index), *_followed(before, grey, points)))
        self._last = index, np.asarray(grey, np.uint8)

    def _moved(
        self, step: _Step, boxes: Float[ndarray, "persons frames 4"]
    ) -> Float[ndarray, "3 3"] | None:
        """The background's turn, scale and shift between two samples."""
        config = self._config
        free = np.ones(len(step.before), bool)
        for frame, points in zip(step.frames, (step.before, step.after), strict=True):
            for x0, y0, x1, y1 in boxes[:, min(frame, boxes.shape[1] - 1)]:
                x, y = config.margin * (x1 - x0), config.margin * (y1 - y0)
                inside = (points > (x0 - x, y0 - y)) & (points < (x1 + x, y1 + y))
                free &= ~inside.all(-1)  # a box of NaN holds nothing
        if free.sum() < config.least_points:
            return None
        found, agree = cv2.estimateAffinePartial2D(
            step.before[free], step.after[free], ransacReprojThreshold=1.5
        )
        if found is None or int(agree.sum()) < config.least_points:
            return None
        return np.vstack((found, [0, 0, 1]))


def _followed(
    before: UInt8[ndarray, "height width"],
    after: UInt8[ndarray, "height width"],
    points: Float[ndarray, "points 1 2"],
) -> tuple[Float[ndarray, "kept 2"], Float[ndarray, "kept 2"]]:
    """Points and where they went; without those that do not come back."""
    if len(points) == 0:
        return points[:, 0], points[:, 0]
    empty = np.empty_like(points)
    there, seen, _ = cv2.calcOpticalFlowPyrLK(before, after, points, empty.copy(), maxLevel=4)
    back, seen_back, _ = cv2.calcOpticalFlowPyrLK(after, before, there, empty, maxLevel=4)
    returned = np.linalg.norm(back - points, axis=-1)[:, 0] < 0.5
    kept = returned & (seen[:, 0] == 1) & (seen_back[:, 0] == 1)
    return points[kept, 0], there[kept, 0]
