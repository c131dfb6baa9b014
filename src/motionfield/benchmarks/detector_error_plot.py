"""A picture of the made detector against the real one: bars by part, two per person."""

from pathlib import Path
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from motionfield.benchmarks.detector_error import DetectorErrorReport
from motionfield.core.errors import OutputError
from motionfield.rendering.drawing import Colour, draw_text, text_width
from motionfield.worlds.detector_error_model import PARTS

_PANEL: Final = (620, 190)
"""Width and height in pixels."""
_MARGIN: Final = 40
_REAL: Final[Colour] = (70, 70, 70)
_MADE: Final[Colour] = (235, 120, 40)
_INK: Final[Colour] = (40, 40, 40)
_PALE: Final[Colour] = (225, 225, 225)
_PANELS: Final = (
    ("bias", "constant of a clip, % of the person's size", 4.0),
    ("noise", "noise, median, %", 5.0),
    ("p90", "whole error, 90th percentile, %", 20.0),
    ("lag", "correlation from frame to frame (1/60 s)", 1.0),
    ("confidence", "share with confidence above 0.5", 1.0),
    ("coarse_mm", "coarse 3D after alignment, mean, mm", 200.0),
)


def draw_report(report: DetectorErrorReport, path: Path) -> None:
    """Write the PNG: observed in grey, predicted in orange.

    Raises:
        OutputError: it cannot be written.
    """
    rows = []
    for person, (real, made) in report.rows.items():
        panels = [
            _panel(f"{person}: {title}", getattr(real, key), getattr(made, key), top)
            for key, title, top in _PANELS
        ]
        rows += [np.hstack(panels[at : at + 2]) for at in range(0, len(panels), 2)]
    legend = np.full((24, rows[0].shape[1], 3), 255, np.uint8)
    end = draw_text(legend, (_MARGIN, 2), "grey: real detector", 14, _REAL)
    draw_text(legend, (end + 20, 2), f"orange: made detector, fitted on {report.source}", 14, _MADE)
    picture = np.vstack([legend, *rows])
    turned = np.ascontiguousarray(picture[..., ::-1])
    if not cv2.imwrite(str(path), turned, [cv2.IMWRITE_PNG_COMPRESSION, 9]):
        raise OutputError(path, "cannot be written", "check the folder and the ending .png")


def _panel(
    title: str, real: Float[ndarray, "parts"], made: Float[ndarray, "parts"], top: float
) -> UInt8[ndarray, "height width 3"]:
    width, height = _PANEL
    panel = np.full((height, width, 3), 255, np.uint8)
    for share in (0.0, 0.5, 1.0):
        y = _y(share)
        cv2.line(panel, (_MARGIN, y), (width - 8, y), _PALE, 1)
        draw_text(panel, (4, y - 8), f"{share * top:g}", 12, _INK)
    draw_text(panel, (_MARGIN, 2), title, 14, _INK)
    step = (width - _MARGIN - 8) / len(PARTS)
    for part, name in enumerate(PARTS):
        left = _MARGIN + part * step
        for index, (value, colour) in enumerate(((real[part], _REAL), (made[part], _MADE))):
            x = round(left + index * step * 0.4)
            if np.isfinite(value):
                corner = (round(x + step * 0.4) - 1, _y(0.0))
                cv2.rectangle(panel, (x, _y(min(value / top, 1.05))), corner, colour, -1)
        short = name.replace("foot_index", "toe").replace("shoulder", "should.").replace("eye_", "")
        place = round(left + step * 0.4 - text_width(short, 10) / 2)
        draw_text(panel, (place, height - 16), short, 10, _INK)
    return panel


def _y(share: float) -> int:
    height = _PANEL[1]
    return round(height - 20 - share * (height - 46))
