"""A picture of a pose2sim report: errors by frame (left) and by joint (right), a row per take."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from motionfield.benchmarks.pose2sim_score import Row
from motionfield.core.errors import OutputError

_COLOURS: Final = ((90, 90, 90), (60, 160, 60), (40, 60, 220), (160, 200, 60), (220, 120, 60))
_PANEL: Final = (640, 220)
"""Width and height in pixels."""
_TOP_MM: Final = 200.0
_MARGIN: Final = 36
_INK: Final = (40, 40, 40)


def draw_report(rows: Mapping[str, Sequence[Row]], path: Path) -> None:
    """Write the PNG.

    Raises:
        OutputError: it cannot be written.
    """
    lines = [np.hstack((_by_frame(name, takes), _by_joint(takes))) for name, takes in rows.items()]
    if not cv2.imwrite(str(path), np.vstack(lines)):
        raise OutputError(path, "cannot be written", "check the folder and the ending .png")


def _blank(title: str) -> UInt8[ndarray, "height width 3"]:
    width, height = _PANEL
    panel = np.full((height, width, 3), 255, np.uint8)
    for value in range(0, int(_TOP_MM) + 1, 50):
        y = _y(value)
        cv2.line(panel, (_MARGIN, y), (width, y), (225, 225, 225), 1)
        _write(panel, f"{value}", (4, y + 4), _INK)
    _write(panel, title, (_MARGIN + 4, 12), _INK)
    return panel


def _y(value: float) -> int:
    height = _PANEL[1]
    share = min(value, _TOP_MM) / _TOP_MM
    return round(height - 18 - share * (height - 36))


def _write(panel: ndarray, text: str, at: tuple[int, int], colour: tuple[int, ...]) -> None:
    cv2.putText(panel, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.38, colour, 1, cv2.LINE_AA)


def _by_frame(name: str, takes: Sequence[Row]) -> UInt8[ndarray, "height width 3"]:
    panel = _blank(f"{name}: PA-MPJPE by frame, mm")
    for index, row in enumerate(takes):
        colour = _COLOURS[index % len(_COLOURS)]
        errors = row.pa_mpjpe.per_frame.tolist()
        step = (_PANEL[0] - _MARGIN - 8) / max(1, len(errors) - 1)
        for frame in range(len(errors) - 1):
            if np.isfinite(errors[frame : frame + 2]).all():
                ends = [(round(_MARGIN + step * at), _y(errors[at])) for at in (frame, frame + 1)]
                cv2.line(panel, ends[0], ends[1], colour, 1, cv2.LINE_AA)
        _write(panel, row.name, (_MARGIN + 230 + 130 * (index % 3), 12 + 13 * (index // 3)), colour)
    return panel


def _by_joint(takes: Sequence[Row]) -> UInt8[ndarray, "height width 3"]:
    panel = _blank("by joint, mm")
    joints = list(takes[0].by_joint_mm)
    step = (_PANEL[0] - _MARGIN - 8) / len(joints)
    bar = step / (len(takes) + 1)
    for at, joint in enumerate(joints):
        left = _MARGIN + at * step
        side, part = joint.split("_", 1)
        _write(panel, f"{side[0]} {part}", (round(left), _PANEL[1] - 5), _INK)
        for index, row in enumerate(takes):
            x = left + index * bar
            corners = (round(x), _y(row.by_joint_mm[joint])), (round(x + bar) - 1, _y(0))
            cv2.rectangle(panel, *corners, _COLOURS[index % len(_COLOURS)], -1)
    return panel
