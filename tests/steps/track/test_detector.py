"""The detector's decoding on hand-made tensors, suppression, and the windows that cover a frame."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motionfield.steps.track.detector import (
    INPUT_SIZE,
    NUM_ANCHORS,
    Detection,
    Window,
    anchors,
    cut_window,
    decode,
    overlap,
    suppress,
)
from motionfield.steps.track.tiles import full_window, grid, sweep_windows


def _detection(x: float, y: float, size: float, score: float) -> Detection:
    box = np.array([x - size / 2, y - size / 2, x + size / 2, y + size / 2])
    points = np.array([[x, y], [x, y - size], [x, y], [x, y]])
    return Detection(score, box, points)


def test_anchors_by_a_naive_loop() -> None:
    expected = []
    for stride, per_cell in ((8, 2), (16, 2), (32, 6)):
        cells = INPUT_SIZE // stride
        for row in range(cells):
            for column in range(cells):
                expected += [((column + 0.5) / cells, (row + 0.5) / cells)] * per_cell
    assert len(expected) == NUM_ANCHORS
    assert np.allclose(anchors(), expected)


def test_decode_gives_pixels_of_the_image() -> None:
    raw = np.zeros((NUM_ANCHORS, 12), np.float32)
    logits = np.full(NUM_ANCHORS, -10, np.float32)
    chosen = 700
    logits[chosen] = 2.0
    # centre 11.2 right of the anchor, 22.4 wide and 44.8 high, circle point 67.2 above
    raw[chosen] = [11.2, 0, 22.4, 44.8, 0, 0, 0, -67.2, 0, 0, 0, 0]
    window = Window(-100, 50, 448)
    (found,) = decode(raw, logits, window, 0.5)
    anchor = anchors()[chosen] * 448 + np.array([-100, 50])
    assert found.score == pytest.approx(1 / (1 + math.exp(-2)))
    center = anchor + np.array([22.4, 0])
    assert np.allclose(found.box_xyxy[:2], center - np.array([22.4, 44.8]), atol=1e-3)
    assert np.allclose(found.box_xyxy[2:], center + np.array([22.4, 44.8]), atol=1e-3)
    assert np.allclose(found.points[1], anchor + np.array([0, -134.4]), atol=1e-3)
    assert found.roi.side == pytest.approx(2.5 * 134.4, rel=1e-5)
    assert found.roi.angle == pytest.approx(0, abs=1e-6)


def test_decode_keeps_only_sure_anchors() -> None:
    raw = np.zeros((NUM_ANCHORS, 12), np.float32)
    logits = np.zeros(NUM_ANCHORS, np.float32)
    logits[5] = -0.1
    assert len(decode(raw, logits, Window(0, 0, 224), 0.5)) == NUM_ANCHORS - 1


def test_overlap_of_known_boxes() -> None:
    a = np.array([0.0, 0.0, 2.0, 2.0])
    others = np.array([[0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6]], float)
    assert np.allclose(overlap(a, others), [1, 1 / 3, 0])


_detections = st.lists(
    st.builds(
        _detection,
        st.floats(0, 500),
        st.floats(0, 500),
        st.floats(10, 200),
        st.floats(0.5, 1),
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(_detections)
def test_suppression_laws(detections: list[Detection]) -> None:
    kept = suppress(detections)
    assert len(kept) <= len(detections)
    assert bool(kept) == bool(detections)
    if detections:
        assert kept[0].score == max(d.score for d in detections)
    scores = [d.score for d in kept]
    assert scores == sorted(scores, reverse=True)


def test_suppression_averages_by_score_and_keeps_the_distant() -> None:
    a, b = _detection(100, 100, 50, 0.9), _detection(104, 100, 50, 0.6)
    far = _detection(400, 100, 50, 0.7)
    kept = suppress([b, far, a])
    assert [d.score for d in kept] == [0.9, 0.7]
    assert kept[0].points[0, 0] == pytest.approx((0.9 * 100 + 0.6 * 104) / 1.5)
    assert np.allclose(kept[1].box_xyxy, far.box_xyxy)


def test_suppression_survives_empty_boxes() -> None:
    assert len(suppress([_detection(5, 5, 0, 0.9), _detection(5, 5, 0, 0.8)])) == 2


def test_window_is_letterboxed_with_black() -> None:
    frame = np.full((90, 160, 3), 200, np.uint8)
    image = cut_window(frame, full_window(160, 90))
    assert image.shape == (224, 224, 3)
    filled = image[:, 112, 0] == 200
    assert filled.sum() == 126  # 90 of 160, scaled to 224
    assert filled[49:175].all()


def test_window_inside_shows_its_part() -> None:
    frame = np.zeros((300, 300, 3), np.uint8)
    frame[100:200, 50:150] = 255
    assert cut_window(frame, Window(50, 100, 100)).min() == 255
    assert cut_window(frame, Window(400, 400, 100)).max() == 0


@settings(max_examples=60)
@given(
    st.integers(64, 4000), st.integers(64, 4000), st.floats(64, 2000), st.sampled_from([0.3, 0.5])
)
def test_grid_covers_the_frame_and_overlaps(
    width: int, height: int, side: float, least: float
) -> None:
    windows = grid(width, height, side, least)
    for length, starts in (
        (width, sorted({w.x0 for w in windows})),
        (height, sorted({w.y0 for w in windows})),
    ):
        assert starts[0] <= 1e-6
        assert starts[-1] + side >= length - 1e-6
        assert (np.diff(starts) <= side * (1 - least) + 1e-6).all()


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1080, 1920), (640, 640)])
def test_a_person_of_a_sixth_fills_enough_of_some_window(width: int, height: int) -> None:
    smallest = height / 6
    windows = sweep_windows(width, height, smallest)
    assert max(smallest / w.side for w in windows) >= 0.3
    # and someone as tall as the frame still fits into one
    assert max(w.side for w in windows) >= height
