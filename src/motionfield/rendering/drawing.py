"""Lines, dots and words drawn into pictures, in place; places are pixels as ``View`` gives them."""

import functools
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8
from numpy import ndarray
from PIL import Image, ImageDraw, ImageFont

from motionfield.core.conventions import JOINT_NAMES, JOINT_PARENTS

Colour = tuple[int, int, int]
"""Red, green, blue, 0 to 255."""

LEFT_COLOUR: Final[Colour] = (46, 134, 255)
RIGHT_COLOUR: Final[Colour] = (255, 122, 48)
MIDDLE_COLOUR: Final[Colour] = (240, 240, 244)
_SHIFT: Final = 4
_FAR: Final = 20_000.0
"""Pixels beyond this do not fit OpenCV's fixed-point numbers."""


def side_colour(name: str) -> Colour:
    """Blue for the left side of the body, orange for the right, light grey between."""
    if name.startswith("left_"):
        return LEFT_COLOUR
    return RIGHT_COLOUR if name.startswith("right_") else MIDDLE_COLOUR


def draw_lines(
    picture: UInt8[ndarray, "height width 3"],
    pixels: Float[ndarray, "points 2"],
    colour: Colour,
    thickness: int = 2,
) -> None:
    """A line through the points, smooth to a sixteenth of a pixel; broken at NaN."""
    good = np.isfinite(pixels).all(-1) & (np.abs(pixels) < _FAR).all(-1)
    for run in _runs(good):
        line = _fixed_point(pixels[run])[:, None]
        cv2.polylines(picture, [line], False, colour, thickness, cv2.LINE_AA, _SHIFT)


def draw_dots(
    picture: UInt8[ndarray, "height width 3"],
    pixels: Float[ndarray, "points 2"],
    colour: Colour,
    radius: float,
    rim: Colour | None = None,
) -> None:
    """A filled circle at each point that is not NaN, with a thin rim if wanted."""
    good = np.isfinite(pixels).all(-1) & (np.abs(pixels) < _FAR).all(-1)
    size = round(radius * 2**_SHIFT)
    for centre in _fixed_point(pixels[good]):
        place = (int(centre[0]), int(centre[1]))
        cv2.circle(picture, place, size, colour, cv2.FILLED, cv2.LINE_AA, _SHIFT)
        if rim is not None:
            cv2.circle(picture, place, size, rim, 1, cv2.LINE_AA, _SHIFT)


def draw_skeleton(
    picture: UInt8[ndarray, "height width 3"],
    joint_pixels: Float[ndarray, "24 2"],
    thickness: int = 3,
    outline: Colour | None = (28, 30, 34),
) -> None:
    """The 24 joints' bones: blue to the left, orange to the right of the body."""
    bones = [(child, parent) for child, parent in enumerate(JOINT_PARENTS) if parent >= 0]
    if outline is not None:
        for child, parent in bones:
            draw_lines(picture, joint_pixels[[parent, child]], outline, thickness + 2)
    for child, parent in bones:
        colour = side_colour(JOINT_NAMES[child])
        draw_lines(picture, joint_pixels[[parent, child]], colour, thickness)
    for side in (LEFT_COLOUR, RIGHT_COLOUR, MIDDLE_COLOUR):
        mine = [i for i, name in enumerate(JOINT_NAMES) if side_colour(name) == side]
        draw_dots(picture, joint_pixels[mine], side, 0.75 * thickness, outline)


def draw_border(
    picture: UInt8[ndarray, "height width 3"], colour: Colour, thickness: int = 6
) -> None:
    """A frame round the whole picture."""
    for edge in (picture[:thickness], picture[-thickness:]):
        edge[:] = colour
    for edge in (picture[:, :thickness], picture[:, -thickness:]):
        edge[:] = colour


def draw_text(
    picture: UInt8[ndarray, "height width 3"],
    place: tuple[int, int],
    text: str,
    size: int = 18,
    colour: Colour = (255, 255, 255),
    plate: Colour | None = None,
) -> int:
    """Words with their upper left corner at a place (x, y); returns the x where they end.

    ``plate`` is the colour of a half transparent plate behind them.
    """
    alpha = _word(text, size)
    x, y = place
    height, width = alpha.shape
    pad = size // 3 if plate is not None else 0
    if plate is not None:
        back = picture[max(0, y) : y + height + 2 * pad, max(0, x) : x + width + 2 * pad]
        np.copyto(back, (0.3 * back + 0.7 * np.array(plate)).astype(np.uint8))
    part = picture[max(0, y + pad) : y + pad + height, max(0, x + pad) : x + pad + width]
    seen = alpha[: part.shape[0], : part.shape[1], None]
    np.copyto(part, (part * (1 - seen) + seen * np.array(colour)).astype(np.uint8))
    return x + width + 2 * pad


def text_width(text: str, size: int) -> int:
    """Width of words in pixels."""
    return int(_word(text, size).shape[1])


@functools.lru_cache(maxsize=4096)
def _word(text: str, size: int) -> Float[ndarray, "height width"]:
    font = _font(size)
    width = max(1, int(font.getlength(text)) + 2)
    image = Image.new("L", (width, round(1.3 * size)))
    ImageDraw.Draw(image).text((1, 0), text, fill=255, font=font)
    return np.asarray(image, dtype=np.float32) / 255


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _fixed_point(pixels: Float[ndarray, "points 2"]) -> ndarray:
    """OpenCV counts from the first pixel's centre, in sixteenths."""
    return np.round((pixels - 0.5) * 2**_SHIFT).astype(np.int32)


def _runs(good: Bool[ndarray, "points"]) -> Sequence[slice]:
    """Stretches of true values of at least two points."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], good, [False])).astype(np.int8)))
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [slice(int(a), int(b)) for a, b in pairs if b - a > 1]
