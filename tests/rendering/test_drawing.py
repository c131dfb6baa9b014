"""Lines, dots and words land where they are told, and nowhere for NaN."""

import numpy as np
import pytest

from motionfield.core.conventions import JOINT_INDEX
from motionfield.rendering.drawing import (
    LEFT_COLOUR,
    RIGHT_COLOUR,
    draw_border,
    draw_dots,
    draw_lines,
    draw_skeleton,
    draw_text,
    text_width,
)

WHITE = (255, 255, 255)


def black(width: int = 60, height: int = 40) -> np.ndarray:
    return np.zeros((height, width, 3), np.uint8)


def test_a_dot_is_centred_on_its_place():
    picture = black()
    # (20.5, 10.5) is the centre of the pixel in column 20 and row 10.
    draw_dots(picture, np.array([(20.5, 10.5)]), WHITE, 3)
    rows, columns = np.nonzero(picture[..., 0] > 128)
    assert rows.mean() == pytest.approx(10, abs=0.1)
    assert columns.mean() == pytest.approx(20, abs=0.1)


def test_lines_break_where_a_point_is_missing():
    picture = black()
    gap = np.array([(5.5, 20.5), (15.5, 20.5), (np.nan, np.nan), (40.5, 20.5), (50.5, 20.5)])
    draw_lines(picture, gap, WHITE, 1)
    lit = picture[20, :, 0] > 128
    assert lit[5:16].all()
    assert not lit[18:38].any()
    assert lit[40:51].all()


@pytest.mark.parametrize("place", [(np.nan, np.nan), (1e9, 1e9), (-500.0, 3.0)])
def test_points_that_cannot_be_seen_draw_nothing(place):
    picture = black()
    draw_dots(picture, np.array([place]), WHITE, 3)
    draw_lines(picture, np.array([place, place]), WHITE)
    assert not picture.any()


def test_left_is_blue_and_right_is_orange():
    pixels = np.full((24, 2), np.nan)
    for side, column in (("left", 15.5), ("right", 45.5)):
        pixels[JOINT_INDEX[f"{side}_knee"]] = (column, 5.5)
        pixels[JOINT_INDEX[f"{side}_ankle"]] = (column, 35.5)
    picture = black()
    draw_skeleton(picture, pixels)
    assert tuple(picture[20, 15]) == LEFT_COLOUR
    assert tuple(picture[20, 45]) == RIGHT_COLOUR


def test_words_take_the_width_they_say_and_may_leave_the_picture():
    picture = black(200, 40)
    end = draw_text(picture, (10, 5), "12.3 s <b>", 16)
    assert end == 10 + text_width("12.3 s <b>", 16)
    columns = np.nonzero(picture.any((0, 2)))[0]
    assert columns.min() >= 10
    assert columns.max() < end
    draw_text(picture, (190, 35), "over the edge 🏃", 16, plate=(9, 9, 9))
    assert picture.shape == (40, 200, 3)


def test_a_border_leaves_the_inside():
    picture = black()
    draw_border(picture, (9, 8, 7), 3)
    assert (picture[:3] == (9, 8, 7)).all()
    assert (picture[:, -3:] == (9, 8, 7)).all()
    assert not picture[3:-3, 3:-3].any()
