"""The BlazePose person detector: square windows of the image in, candidate regions out.

Source: Bazarevsky et al., "BlazePose: On-device Real-time Body Pose tracking", 2020, and the
public configuration of its networks (anchors, box decoding, weighted suppression).
"""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from motionfield.steps.track.networks import Network, NetworkPool
from motionfield.steps.track.regions import Roi, roi_from_points

INPUT_SIZE = 224
_STRIDES = ((8, 2), (16, 2), (32, 6))
"""Pixels per cell, and anchors in each cell."""
NUM_ANCHORS = 2254
NUM_VALUES = 12
"""Per anchor: box centre and size, then four points (x, y)."""


class Window(NamedTuple):
    """A square of the image given to the detector; it may reach beyond the image."""

    x0: float
    y0: float
    side: float


class Detection(NamedTuple):
    """One candidate person, in image pixels."""

    score: float
    box_xyxy: Float[ndarray, "4"]
    """The box in the network's sense (head and trunk)."""
    points: Float[ndarray, "4 2"]
    """Hip centre, point on the whole body's circle, shoulder centre, point on its circle."""

    @property
    def roi(self) -> Roi:
        """The region in which the landmark network should look."""
        return roi_from_points(self.points[0], self.points[1])


@functools.cache
def anchors() -> Float[ndarray, "anchors 2"]:
    """Anchor centres as shares of the input's side, in the network's order."""
    centers = []
    for stride, per_cell in _STRIDES:
        cells = INPUT_SIZE // stride
        axis = (np.arange(cells) + 0.5) / cells
        y, x = np.meshgrid(axis, axis, indexing="ij")
        grid = np.stack((x, y), axis=-1).reshape(-1, 2)
        centers.append(np.repeat(grid, per_cell, axis=0))
    return np.concatenate(centers).astype(np.float32)


def decode(
    raw: Float[ndarray, "anchors 12"],
    logits: Float[ndarray, "anchors"],
    window: Window,
    score_min: float,
) -> list[Detection]:
    """The network's values as candidates in image pixels, unsorted."""
    keep = np.flatnonzero(logits >= np.log(score_min / (1 - score_min)))
    scores = 1 / (1 + np.exp(-logits[keep].astype(np.float64)))
    values = raw[keep].astype(np.float64).reshape(-1, 6, 2) / INPUT_SIZE
    centers = anchors()[keep, None].astype(np.float64)
    origin = np.array([window.x0, window.y0])
    center = (values[:, :1] + centers) * window.side + origin
    half = values[:, 1:2] * window.side / 2
    boxes = np.concatenate((center - half, center + half), axis=1).reshape(-1, 4)
    points = (values[:, 2:] + centers) * window.side + origin
    return [
        Detection(float(score), box, point)
        for score, box, point in zip(scores, boxes, points, strict=True)
    ]


def overlap(a: Float[ndarray, "4"], b: Float[ndarray, "n 4"]) -> Float[ndarray, "n"]:
    """Intersection over union of one box with each of several."""
    low, high = np.maximum(a[:2], b[:, :2]), np.minimum(a[2:], b[:, 2:])
    shared = np.clip(high - low, 0, None).prod(-1)
    area_a = np.clip(a[2:] - a[:2], 0, None).prod()
    area_b = np.clip(b[:, 2:] - b[:, :2], 0, None).prod(-1)
    return shared / np.maximum(area_a + area_b - shared, 1e-12)


def suppress(detections: Sequence[Detection], overlap_min: float = 0.3) -> list[Detection]:
    """Weighted non-maximum suppression: each cluster becomes its score-weighted mean.

    A cluster is everything that overlaps its best member by more than ``overlap_min``; the
    best member's score stays.
    """
    left = sorted(detections, key=lambda d: -d.score)
    kept = []
    while left:
        ious = overlap(left[0].box_xyxy, np.stack([d.box_xyxy for d in left]))
        ious[0] = 1  # an empty box overlaps nothing, not even itself
        cluster = [d for d, iou in zip(left, ious, strict=True) if iou > overlap_min]
        left = [d for d, iou in zip(left, ious, strict=True) if iou <= overlap_min]
        weights = np.array([d.score for d in cluster])
        weights /= weights.sum()
        box = np.einsum("n,ni->i", weights, np.stack([d.box_xyxy for d in cluster]))
        points = np.einsum("n,nij->ij", weights, np.stack([d.points for d in cluster]))
        kept.append(Detection(cluster[0].score, box, points))
    return kept


def cut_window(
    frame: UInt8[ndarray, "height width 3"], window: Window
) -> UInt8[ndarray, "224 224 3"]:
    """The window scaled to the network's input; black where it reaches beyond the frame."""
    height, width = frame.shape[:2]
    scale = INPUT_SIZE / window.side
    x0, x1 = max(window.x0, 0), min(window.x0 + window.side, width)
    y0, y1 = max(window.y0, 0), min(window.y0 + window.side, height)
    image = np.zeros((INPUT_SIZE, INPUT_SIZE, 3), np.uint8)
    if x1 - x0 < 1 or y1 - y0 < 1:
        return image
    left, right = round((x0 - window.x0) * scale), round((x1 - window.x0) * scale)
    top, bottom = round((y0 - window.y0) * scale), round((y1 - window.y0) * scale)
    part = frame[round(y0) : max(round(y1), round(y0) + 1), round(x0) : round(x1)]
    if right > left and bottom > top:
        shape = (right - left, bottom - top)
        # Averaging areas costs less than a filter and does not alias when shrinking.
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        image[top:bottom, left:right] = cv2.resize(part, shape, interpolation=how)
    return image


class PersonDetector:
    """Runs the detector network on windows of a frame."""

    def __init__(self, pool: NetworkPool, score_min: float = 0.5) -> None:
        self._pool = pool
        self._score_min = score_min

    @staticmethod
    def outputs() -> frozenset[int]:
        """Sizes of the network's outputs, by which a wrong file is recognised."""
        return frozenset((NUM_ANCHORS * NUM_VALUES, NUM_ANCHORS))

    def detect(
        self, frame: UInt8[ndarray, "height width 3"], windows: Sequence[Window]
    ) -> list[Detection]:
        """Candidates of all windows, suppressed within each window but not between them."""

        def run(network: Network, window: Window) -> list[Detection]:
            image = cut_window(frame, window).astype(np.float32) / 127.5 - 1
            out = network(image)
            raw = out[NUM_ANCHORS * NUM_VALUES].reshape(NUM_ANCHORS, NUM_VALUES)
            return suppress(decode(raw, out[NUM_ANCHORS], window, self._score_min))

        found = self._pool.map(run, windows)
        return [detection for one in found for detection in one if detection.roi.is_sound()]
