"""A picture of a training: each loss term over the steps, on a logarithmic axis."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from motionfield.core.errors import OutputError
from motionfield.rendering.drawing import Colour, draw_lines, draw_text

_SIZE: Final = (900, 420)
"""Width and height in pixels."""
_LEFT: Final = 70
_TOP: Final = 34
_BOTTOM: Final = 30
_INK: Final[Colour] = (40, 40, 40)
_PALE: Final[Colour] = (225, 225, 225)
_COLOURS: Final[tuple[Colour, ...]] = (
    *((40, 90, 200), (210, 80, 30), (40, 140, 60), (150, 60, 160)),
    *((120, 120, 40), (30, 150, 160), (200, 60, 110), (90, 90, 90)),
)
_POINTS: Final = 400
"""Longer curves are averaged to so many points."""


def draw_curve(names: Sequence[str], rows: Sequence[Sequence[float]], path: Path) -> None:
    """Write the PNG; nothing where there are no rows.

    Args:
        names: of the loss terms.
        rows: step, then the terms.
        path: of the picture.

    Raises:
        OutputError: it cannot be written.
    """
    if not rows:
        return
    table = _averaged(np.array(rows, dtype=np.float64))
    terms = np.abs(table[:, 1:])
    shown = terms[np.isfinite(terms) & (terms > 0)]
    low, high = (shown.min(), shown.max()) if len(shown) else (1.0, 1.0)
    decades = math.floor(math.log10(low)), math.ceil(math.log10(high) + 1e-9)
    decades = decades[0], max(decades[1], decades[0] + 1)
    picture = _axes(decades, float(table[-1, 0]))
    width, height = _SIZE
    x = _LEFT + (width - _LEFT - 16) * table[:, 0] / table[-1, 0]
    across = _LEFT
    for index, name in enumerate(names):
        colour = _COLOURS[index % len(_COLOURS)]
        value = np.where(terms[:, index] > 0, terms[:, index], np.nan)
        share = (np.log10(value) - decades[0]) / (decades[1] - decades[0])
        y = height - _BOTTOM - (height - _TOP - _BOTTOM) * share
        draw_lines(picture, np.stack((x, y), axis=-1), colour)
        last = f"{name} {table[-1, index + 1]:.3g}"
        across = draw_text(picture, (across, 8), last, 14, colour) + 18
    turned = np.ascontiguousarray(picture[..., ::-1])
    if not cv2.imwrite(str(path), turned, [cv2.IMWRITE_PNG_COMPRESSION, 9]):
        raise OutputError(path, "cannot be written", "check the folder")


def _averaged(table: ndarray) -> ndarray:
    size = math.ceil(len(table) / _POINTS)
    return np.stack([part.mean(0) for part in np.array_split(table, math.ceil(len(table) / size))])


def _axes(decades: tuple[int, int], steps: float) -> UInt8[ndarray, "height width 3"]:
    width, height = _SIZE
    picture = np.full((height, width, 3), 255, np.uint8)
    for decade in range(decades[0], decades[1] + 1):
        share = (decade - decades[0]) / (decades[1] - decades[0])
        y = height - _BOTTOM - (height - _TOP - _BOTTOM) * share
        draw_lines(picture, np.array([[_LEFT, y], [width - 16.0, y]]), _PALE, 1)
        draw_text(picture, (8, round(y) - 8), f"{10.0**decade:g}", 13, _INK)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = _LEFT + (width - _LEFT - 16) * share
        draw_text(picture, (round(x) - 14, height - 22), f"{steps * share:.0f}", 13, _INK)
    return picture
