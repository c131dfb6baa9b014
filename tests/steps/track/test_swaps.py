"""Exchanges of left and right: injected ones are found exactly, fast crossings are left alone."""

import math

import numpy as np
import pytest
from numpy import ndarray

from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.steps.track.swaps import find_swaps, repair_swaps
from steps.track.walkers import walker

_MIRROR = list(BLAZEPOSE_33.mirror)
_LOWER_START = BLAZEPOSE_33.index("left_hip")
_HEADINGS = [0.0, 0.6, math.pi / 2 - 0.3, math.pi / 2, math.pi, -2.0]


def _exchange(array: ndarray, frames: list[int], points: slice = slice(None)) -> ndarray:
    array = array.copy()
    for frame in frames:
        array[frame, points] = array[frame, _MIRROR][points]
    return array


def _look_away(coarse: ndarray, frames: list[int]) -> ndarray:
    """The face's depth mirrored at the shoulders, as the network does in exchanged frames."""
    coarse = coarse.copy()
    shoulders = coarse[frames][:, 11:13, 2].mean(1, keepdims=True)
    coarse[frames, :11, 2] = 2 * shoulders - coarse[frames, :11, 2]
    return coarse


@pytest.mark.parametrize("heading", _HEADINGS)
@pytest.mark.parametrize("fps", [25.0, 60.0])
def test_clean_walks_are_left_alone(heading: float, fps: float) -> None:
    keypoints, coarse, time_s = walker(150, fps, heading)
    fixed = repair_swaps(keypoints, coarse, time_s)
    assert not fixed.swapped.any()
    assert np.array_equal(fixed.keypoints_2d, keypoints)
    assert np.array_equal(fixed.coarse_camera, coarse)
    assert fixed.warnings(time_s) == []


def test_a_sprint_from_the_side_is_left_alone() -> None:
    keypoints, coarse, time_s = walker(120, 60.0, math.pi / 2, speed=8.0, steps_hz=2.2)
    assert not find_swaps(keypoints, coarse, time_s).any()


@pytest.mark.parametrize("turn_s", [0.5, 0.8, 2.0])
def test_a_spin_is_left_alone(turn_s: float) -> None:
    heading = 2 * math.pi * np.clip(np.arange(90) / 30 - 1, 0, 1.3) / turn_s
    keypoints, coarse, time_s = walker(90, 30.0, heading, speed=0.0)
    assert not find_swaps(keypoints, coarse, time_s).any()


@pytest.mark.parametrize("heading", [0.0, 0.6, math.pi / 2 - 0.5, math.pi, -2.0])
def test_injected_bursts_are_found_exactly(heading: float) -> None:
    keypoints, coarse, time_s = walker(150, 60.0, heading)
    bursts = [*range(20, 43), 55, *range(70, 77), 90]
    seen = _look_away(_exchange(coarse, bursts), bursts)
    fixed = repair_swaps(_exchange(keypoints, bursts), seen, time_s)
    for half in (0, 1):
        assert np.flatnonzero(fixed.swapped[:, half]).tolist() == bursts
    assert np.array_equal(fixed.keypoints_2d, keypoints)
    assert np.allclose(fixed.coarse_camera, coarse, atol=1e-6)
    (text,) = fixed.warnings(time_s)
    assert f"{len(bursts)} frames" in text


@pytest.mark.parametrize("half", [0, 1])
def test_one_half_of_the_body_alone(half: int) -> None:
    keypoints, coarse, time_s = walker(100, 30.0, 0.3)
    points = slice(_LOWER_START, None) if half else slice(0, _LOWER_START)
    bursts = [*range(30, 45), 60]
    swapped = find_swaps(
        _exchange(keypoints, bursts, points), _exchange(coarse, bursts, points), time_s
    )
    assert np.flatnonzero(swapped[:, half]).tolist() == bursts
    assert not swapped[:, 1 - half].any()


@pytest.mark.parametrize("bursts", [range(30, 100), range(70)])
def test_labels_that_hold_most_of_the_time_win(bursts: range) -> None:
    keypoints, coarse, time_s = walker(100, 30.0)
    swapped = find_swaps(_exchange(keypoints, [*bursts]), _exchange(coarse, [*bursts]), time_s)
    # 70 of 100 frames say otherwise: the other 30 are taken as exchanged.
    assert np.flatnonzero(~swapped[:, 0]).tolist() == list(bursts)


@pytest.mark.parametrize("fps", [30.0, 60.0])
def test_2d_alone_tells_a_fast_crossing_from_an_exchange(fps: float) -> None:
    keypoints, coarse, time_s = walker(90, fps, 1.2, speed=3.0, steps_hz=1.5)
    nothing = np.zeros_like(coarse)
    assert not find_swaps(keypoints, nothing, time_s).any()
    bursts = [20, 21, 22, 50]
    swapped = find_swaps(_exchange(keypoints, bursts), nothing, time_s)
    assert np.flatnonzero(swapped[:, 1]).tolist() == bursts


def test_repair_does_not_depend_on_the_size_of_the_picture() -> None:
    keypoints, coarse, time_s = walker(100, 30.0, 0.3)
    bursts = list(range(40, 50))
    keypoints, coarse = _exchange(keypoints, bursts), _exchange(coarse, bursts)
    small = keypoints * np.array([0.1, 0.1, 1], np.float32)
    assert np.array_equal(find_swaps(keypoints, coarse, time_s), find_swaps(small, coarse, time_s))


def test_gaps_and_short_clips() -> None:
    keypoints, coarse, time_s = walker(60, 30.0)
    bursts = [10, 11, 50]
    keypoints, coarse = _exchange(keypoints, bursts), _exchange(coarse, bursts)
    keypoints[25:35] = np.nan
    coarse[25:35] = np.nan
    swapped = find_swaps(keypoints, coarse, time_s)
    assert np.flatnonzero(swapped.all(-1)).tolist() == bursts
    for length in (1, 2):
        assert not find_swaps(keypoints[:length], coarse[:length], time_s[:length]).any()
    nothing = np.full_like(keypoints, np.nan)
    assert not find_swaps(nothing, nothing, time_s).any()
