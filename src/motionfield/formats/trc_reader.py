"""Read TRC files: marker paths as text, of OpenSim, Pose2Sim, Sports2D, Cortex, or our own."""

from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from motionfield.core.errors import InputError

METRES_PER: Final = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254, "ft": 0.3048}
_CURE: Final = "give a TRC file as OpenSim reads it"


class Markers(NamedTuple):
    """Named points over time, in the axes of their file."""

    points: Float[ndarray, "frames markers 3"]
    """Metres; NaN where not seen."""
    names: tuple[str, ...]
    fps: float
    time_s: Float[ndarray, "frames"]
    frame_index: Int[ndarray, "frames"]
    up: str | None
    """"y" or "z" where the file says it."""


def read_trc(path: Path) -> Markers:
    """Markers of a TRC file. Empty cells and exact zeros are missing.

    Raises:
        InputError: missing, damaged, of unknown units, or of wrong columns.
    """
    try:
        lines = path.read_text("utf-8-sig", errors="replace").splitlines()
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", "check the path") from error
    if len(lines) < 6 or not lines[0].startswith("PathFileType"):
        raise InputError(path, "is no TRC file", _CURE)
    header = dict(zip(lines[1].split(), lines[2].split(), strict=False))
    unit, rate = header.get("Units", ""), header.get("DataRate", "")
    if unit not in METRES_PER:
        raise InputError(path, f"has the unit {unit!r}", f"use one of {', '.join(METRES_PER)}")
    names = tuple(cell.strip() for cell in lines[3].split("\t")[2:] if cell.strip())
    rows = [line.split("\t") for line in lines[5:] if line.strip()]
    try:
        table = np.array([_numbers(row, 2 + 3 * len(names)) for row in rows])
        fps = float(rate)
        if not (np.isfinite(fps) and fps > 0 and len(table) and np.isfinite(table[:, :2]).all()):
            raise ValueError(f"data rate {rate}, {len(table)} frames")
        if len(table) < int(header.get("NumFrames", 0)):
            raise ValueError(f"{len(table)} frames of {header['NumFrames']}: it was cut off")
    except ValueError as error:
        raise InputError(path, f"has a damaged table ({error})", _CURE) from error
    points = table[:, 2:].reshape(len(table), -1, 3) * METRES_PER[unit]
    points[(points == 0).all(-1)] = np.nan
    # Its frames are counted from 1.
    return Markers(points, names, fps, table[:, 1], table[:, 0].astype(int) - 1, None)


def _numbers(cells: list[str], columns: int) -> list[float]:
    """A row's numbers; NaN where a cell is empty (also where the row ends early)."""
    cells = [cell.strip() for cell in cells]
    while len(cells) > columns and not cells[-1]:
        cells.pop()
    if len(cells) > columns:
        raise ValueError(f"a row of {len(cells)} cells for {columns} columns")
    values = [float(cell) if cell else np.nan for cell in cells]
    return values + [np.nan] * (columns - len(values))
