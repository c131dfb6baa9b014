"""What several methods start from is made once, and its time is counted for each of them."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from motionfield.benchmarks.open.case import Given
from motionfield.steps.fit.base import FitResult

_MOST = 64
"""Takes that are remembered."""


class Seconds(NamedTuple):
    """Time of the clock and of the processor."""

    wall: float = 0.0
    processor: float = 0.0

    def plus(self, other: "Seconds") -> "Seconds":
        return Seconds(self.wall + other.wall, self.processor + other.processor)

    def minus(self, other: "Seconds") -> "Seconds":
        return Seconds(self.wall - other.wall, self.processor - other.processor)


def now() -> Seconds:
    """Of this process."""
    return Seconds(time.perf_counter(), time.process_time())


class FirstMotions:
    """First motions of the last takes, by all that they are made of."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[FitResult, Seconds]] = OrderedDict()
        self.spared = Seconds()
        """Time that would have passed, had nothing been remembered."""

    def get(self, given: Given, make: Callable[[], FitResult]) -> FitResult:
        """What ``make`` gives, or gave for the same take."""
        key = _key(given)
        if key in self._known:
            result, took = self._known[key]
            self._known.move_to_end(key)
            self.spared = self.spared.plus(took)
            return result
        started = now()
        result = make()
        self._known[key] = result, now().minus(started)
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
        return result


def _key(given: Given) -> str:
    """A hash of all that a method is shown of a take."""
    seen, path = given.keypoints, given.camera_motion
    content = hashlib.sha256(
        repr((given.intrinsics, seen.keypoint_names, seen.image_size, seen.fps)).encode()
    )
    arrays = [seen.keypoints_2d, seen.coarse_camera, seen.bbox_xyxy, seen.time_s, seen.frame_index]
    if path is not None:
        arrays += [path.K, path.R_camera_world, path.t_camera_world]
    for array in arrays:
        content.update(b"|" if array is None else np.ascontiguousarray(array).tobytes())
    return content.hexdigest()
