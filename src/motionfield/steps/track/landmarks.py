"""The BlazePose landmark network: a turned crop of one person in, keypoints and coarse 3D out."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, UInt8
from numpy import ndarray

from motionfield.steps.track.networks import Network, NetworkPool
from motionfield.steps.track.regions import Roi, crop, paste, roi_from_points, to_image

INPUT_SIZE = 256
NUM_LANDMARKS = 39
"""33 keypoints, the hip centre, the point on the body's circle, and four that are not used."""
NUM_KEYPOINTS = 33
HEATMAP_SIZE = 64
_KERNEL = 7
_PEAK_MIN = 0.5
_MASK_MIN = 0.4


class PoseEstimate(NamedTuple):
    """What the network says of one region. Places in image pixels."""

    keypoints: Float[ndarray, "33 3"]
    """x, y, and confidence: the probability of being visible times that of being present."""
    coarse_camera: Float[ndarray, "33 3"]
    """Metres, camera axes (x right, y down, z forward), hips at the origin."""
    flag: float
    """The network's probability that the region shows a person. No proof of one."""
    roi: Roi
    """The region that was looked at."""
    next_roi: Roi
    """The region that fits these landmarks: where to look next."""


def sigmoid(x: ndarray) -> ndarray:
    """The logistic function, safe at both ends."""
    return 1 / (1 + np.exp(-np.clip(x, -60, 60)))


def refine(
    points_crop: Float[ndarray, "points 2"], heatmap_logits: Float[ndarray, "64 64 points"]
) -> Float[ndarray, "points 2"]:
    """Move each point to its heatmap's mean within 7 by 7 cells, where that has a clear peak."""
    cell = INPUT_SIZE / HEATMAP_SIZE
    half = _KERNEL // 2
    refined = points_crop.copy()
    columns, rows = np.floor(points_crop / cell).astype(int).T
    inside = (columns >= 0) & (columns < HEATMAP_SIZE) & (rows >= 0) & (rows < HEATMAP_SIZE)
    for i in np.flatnonzero(inside):
        top, left = max(rows[i] - half, 0), max(columns[i] - half, 0)
        patch = heatmap_logits[top : rows[i] + half + 1, left : columns[i] + half + 1, i]
        weights = sigmoid(patch.astype(np.float64))
        if weights.max() < _PEAK_MIN:
            continue
        total = weights.sum()
        x = left + (weights.sum(0) @ np.arange(weights.shape[1])) / total
        y = top + (weights.sum(1) @ np.arange(weights.shape[0])) / total
        refined[i] = x * cell, y * cell
    return refined


def turn_back(world_crop: Float[ndarray, "points 3"], angle: float) -> Float[ndarray, "points 3"]:
    """3D points of the upright crop in the camera's axes: turned about z by the region's angle."""
    cos, sin = math.cos(angle), math.sin(angle)
    x, y, z = world_crop.T
    return np.stack((cos * x - sin * y, sin * x + cos * y, z), axis=-1)


def read_outputs(out: dict[int, ndarray], roi: Roi) -> PoseEstimate:
    """The network's output tensors (by size) as an estimate in the image."""
    landmarks = out[NUM_LANDMARKS * 5].reshape(NUM_LANDMARKS, 5).astype(np.float64)
    heatmap = out[HEATMAP_SIZE**2 * NUM_LANDMARKS]
    heatmap = heatmap.reshape(HEATMAP_SIZE, HEATMAP_SIZE, NUM_LANDMARKS)
    xy = to_image(refine(landmarks[:, :2], heatmap), roi, INPUT_SIZE)
    confidence = sigmoid(landmarks[:, 3]) * sigmoid(landmarks[:, 4])
    world = out[NUM_LANDMARKS * 3].reshape(NUM_LANDMARKS, 3).astype(np.float64)
    keypoints = np.concatenate((xy, confidence[:, None]), axis=-1)[:NUM_KEYPOINTS]
    return PoseEstimate(
        keypoints=keypoints.astype(np.float32),
        coarse_camera=turn_back(world[:NUM_KEYPOINTS], roi.angle).astype(np.float32),
        flag=float(out[1][0]),
        roi=roi,
        next_roi=roi_from_points(xy[NUM_KEYPOINTS], xy[NUM_KEYPOINTS + 1]),
    )


class LandmarkEstimator:
    """Runs the landmark network on regions of a frame."""

    def __init__(self, pool: NetworkPool) -> None:
        self._pool = pool

    @staticmethod
    def outputs() -> frozenset[int]:
        """Sizes of the network's outputs, by which a wrong file is recognised."""
        grid = HEATMAP_SIZE**2 * NUM_LANDMARKS
        return frozenset((NUM_LANDMARKS * 5, 1, grid, NUM_LANDMARKS * 3, INPUT_SIZE**2))

    def estimate(
        self, frame: UInt8[ndarray, "height width 3"], rois: Sequence[Roi]
    ) -> list[PoseEstimate]:
        """One estimate per region."""

        def run(network: Network, roi: Roi) -> PoseEstimate:
            image = crop(frame, roi, INPUT_SIZE).astype(np.float32) / 255
            return read_outputs(network(image), roi)

        return self._pool.map(run, rois)

    def masks(
        self, frame: UInt8[ndarray, "height width 3"], rois: Sequence[Roi]
    ) -> list[Bool[ndarray, "height width"]]:
        """Which of the frame's pixels show the person of each region."""
        height, width = frame.shape[:2]

        def run(network: Network, roi: Roi) -> Bool[ndarray, "height width"]:
            out = network(crop(frame, roi, INPUT_SIZE).astype(np.float32) / 255)
            share = sigmoid(out[INPUT_SIZE**2]).reshape(INPUT_SIZE, INPUT_SIZE)
            return paste(share.astype(np.float32), roi, width, height) > _MASK_MIN

        return self._pool.map(run, rois)
