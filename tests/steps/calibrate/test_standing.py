"""A camera that moves is seen on the background; persons who move are not taken for it."""

import cv2
import numpy as np
import pytest
from jaxtyping import Float, UInt8
from numpy import ndarray

from motionfield.steps.calibrate import BackgroundWatch

WIDTH, HEIGHT, FRAMES, FPS = 480, 270, 31, 30.0


def background() -> UInt8[ndarray, "height width 3"]:
    """A picture with corners everywhere, larger than the camera's view."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 255, (60, 100, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (1000, 600), interpolation=cv2.INTER_CUBIC), np.uint8)


def film(
    shift_px: float = 0.0, zoom: float = 1.0, person: bool = True
) -> tuple[list[UInt8[ndarray, "height width 3"]], Float[ndarray, "1 frames 4"]]:
    """Frames of a camera that pans and zooms evenly, and the boxes of who walks through."""
    scene, frames, boxes = background(), [], []
    for index in range(FRAMES):
        share = index / (FRAMES - 1)
        scale = zoom**share
        to_picture = np.array([[scale, 0, -200 - shift_px * share], [0, scale, -150]], float)
        frame = cv2.warpAffine(scene, to_picture, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
        x = 40 + 6 * index
        if person:
            texture = scene[:220, :90][::-1, ::-1]
            frame[40:260, x : x + 90] = texture
        frames.append(np.asarray(frame, np.uint8))
        boxes.append([x, 40, x + 90, 260])
    return frames, np.asarray(boxes, np.float32)[None]


def shift_of(frames: list[ndarray], boxes: ndarray) -> float | None:
    watch = BackgroundWatch(FPS)
    passed = list(watch.watched(frames))
    assert all(a is b for a, b in zip(passed, frames, strict=True))
    return watch.shift(boxes)


def test_a_standing_camera_stands_while_someone_walks() -> None:
    frames, boxes = film()
    assert shift_of(frames, boxes) == pytest.approx(0, abs=0.002)
    watch = BackgroundWatch(FPS)
    list(watch.watched(frames))
    assert watch.warning(boxes) is None


@pytest.mark.parametrize("shift_px", [24.0, 120.0, -120.0])
def test_a_pan_is_measured(shift_px: float) -> None:
    frames, boxes = film(shift_px)
    assert shift_of(frames, boxes) == pytest.approx(abs(shift_px) / WIDTH, rel=0.1)


def test_a_zoom_moves_the_corners() -> None:
    frames, boxes = film(zoom=1.2)
    found = shift_of(frames, boxes)
    assert found is not None
    assert found > 0.1


def test_what_is_told() -> None:
    frames, boxes = film(120.0)
    watch = BackgroundWatch(FPS)
    list(watch.watched(frames))
    assert "the camera moves (the background wanders by 25 %" in str(watch.warning(boxes))


def test_nothing_is_said_of_a_blank_wall() -> None:
    frames = [np.full((HEIGHT, WIDTH, 3), 128, np.uint8)] * FRAMES
    boxes = np.full((1, FRAMES, 4), np.nan, np.float32)
    assert shift_of(frames, boxes) is None
    assert BackgroundWatch(FPS).shift(boxes) is None


def test_whoever_fills_half_the_picture_is_told_by_the_box() -> None:
    """Without the box the walker would be taken for the background."""
    scene = background()
    frames, boxes = [], []
    for index in range(FRAMES):
        frame = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
        frame[:, :90] = scene[100:370, :90]
        frame[:, 390:] = scene[100:370, 300:390]
        frame[:, 120 + index : 320 + index] = scene[200:470, 600:800]
        frames.append(frame)
        boxes.append([120 + index, 0, 320 + index, HEIGHT])
    told = np.asarray(boxes, np.float32)[None]
    assert shift_of(frames, told) == pytest.approx(0, abs=0.003)
    assert shift_of(frames, np.full_like(told, np.nan)) == pytest.approx(30 / WIDTH, rel=0.2)
