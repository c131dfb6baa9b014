"""Reading the landmark network's tensors, made by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy import ndarray

from motionfield.steps.track.landmarks import read_outputs, refine, turn_back
from motionfield.steps.track.regions import Roi


def _outputs(xy: ndarray, heatmap: ndarray, visibility: float, presence: float) -> dict:
    landmarks = np.zeros((39, 5), np.float32)
    landmarks[:, :2] = xy
    landmarks[:, 3], landmarks[:, 4] = visibility, presence
    world = np.tile(np.array([0.1, -0.2, 0.3], np.float32), (39, 1))
    return {
        195: landmarks.reshape(-1),
        1: np.array([0.9], np.float32),
        64 * 64 * 39: heatmap.reshape(-1),
        117: world.reshape(-1),
        256 * 256: np.zeros(256 * 256, np.float32),
    }


_FLAT = np.full((64, 64, 39), -20, np.float32)


def test_outputs_become_image_pixels_and_probabilities() -> None:
    xy = np.full((39, 2), 128.0)
    xy[0], xy[34] = (0, 256), (128, 64)
    roi = Roi(300, 200, 512, 0.0)
    pose = read_outputs(_outputs(xy, _FLAT, 1.0, 2.0), roi)
    assert np.allclose(pose.keypoints[0, :2], (300 - 256, 200 + 256))
    expected = 1 / (1 + math.exp(-1)) / (1 + math.exp(-2))
    assert np.allclose(pose.keypoints[:, 2], expected)
    assert pose.flag == pytest.approx(0.9)
    assert pose.next_roi.side == pytest.approx(2.5 * 128)
    assert (pose.next_roi.x, pose.next_roi.y) == pytest.approx((300, 200))
    assert np.allclose(pose.coarse_camera, (0.1, -0.2, 0.3))


def test_a_picture_turned_with_its_region_gives_turned_points() -> None:
    xy = np.random.default_rng(0).uniform(50, 200, (39, 2))
    upright = read_outputs(_outputs(xy, _FLAT, 0, 0), Roi(0, 0, 256, 0.0))
    turned = read_outputs(_outputs(xy, _FLAT, 0, 0), Roi(0, 0, 256, 0.7))
    rotation = np.array([[math.cos(0.7), -math.sin(0.7)], [math.sin(0.7), math.cos(0.7)]])
    assert np.allclose(turned.keypoints[:, :2], upright.keypoints[:, :2] @ rotation.T, atol=1e-3)
    coarse = upright.coarse_camera.copy()
    coarse[:, :2] = coarse[:, :2] @ rotation.T
    assert np.allclose(turned.coarse_camera, coarse, atol=1e-6)


@given(st.floats(-math.pi, math.pi))
def test_turning_back_keeps_lengths_and_depth(angle: float) -> None:
    points = np.random.default_rng(1).normal(size=(33, 3))
    turned = turn_back(points, angle)
    assert np.allclose(np.linalg.norm(turned, axis=-1), np.linalg.norm(points, axis=-1))
    assert np.array_equal(turned[:, 2], points[:, 2])
    assert np.allclose(turn_back(turned, -angle), points)


def test_refinement_moves_to_the_peak_within_seven_cells() -> None:
    heatmap = _FLAT.copy()
    heatmap[20, 32, 0] = 20  # row, column: 2 cells to the right of point 0
    heatmap[20, 50, 1] = 20  # too far from point 1
    heatmap[20, 31, 2] = -1  # not clear enough for point 2
    points = np.full((39, 2), (121.0, 81.0))
    points[3] = (-5, 300)  # outside
    refined = refine(points, heatmap)
    assert np.allclose(refined[0], (128, 80), atol=1e-3)
    assert np.array_equal(refined[1:], points[1:])


def test_refinement_by_a_naive_loop() -> None:
    rng = np.random.default_rng(2)
    heatmap = rng.normal(0, 3, (64, 64, 39)).astype(np.float32)
    points = rng.uniform(-5, 261, (39, 2))
    refined = refine(points, heatmap)
    for i, (x, y) in enumerate(points):
        column, row = math.floor(x / 4), math.floor(y / 4)
        if not (0 <= column < 64 and 0 <= row < 64):
            assert np.array_equal(refined[i], points[i])
            continue
        total = np.zeros(3)
        for r in range(max(row - 3, 0), min(row + 4, 64)):
            for c in range(max(column - 3, 0), min(column + 4, 64)):
                weight = 1 / (1 + math.exp(-float(heatmap[r, c, i])))
                total += weight * np.array([c, r, 1])
        assert np.allclose(refined[i], 4 * total[:2] / total[2], atol=1e-4)
