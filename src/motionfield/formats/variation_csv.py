"""How takes vary, as a table: one row per point of phase, for spreadsheets and statistics."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from motionfield.core.conventions import JOINT_NAMES
from motionfield.data.record import write_whole
from motionfield.data.variation import Variation

_DIGITS: Final = 4


def write_variation_csv(path: Path, variation: Variation) -> None:
    """Write ``variation.csv``; docs/variation.md says what each column is.

    ``phase_percent``, ``takes`` (how many cover the point), then for every signal its mean,
    spread, the canonical motion's value and each take's (``left_knee_flexion_deg:mean``,
    ``:sd``, ``:measured_sd`` where known, ``:canonical``, ``:take <name>``), then for every
    joint its spread. An empty cell: not covered, or unknown.

    Raises:
        OutputError: the file cannot be written.
    """
    columns = list(_columns(variation))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["phase_percent", "takes", *(name for name, _ in columns)])
    counts = variation.covered.sum(0)
    for point, phase in enumerate(variation.phase):
        cells = [_cell(values[point]) for _, values in columns]
        writer.writerow([_cell(100 * phase), int(counts[point]), *cells])
    write_whole(path, text.getvalue().encode("utf-8"))


def _columns(variation: Variation) -> Iterator[tuple[str, Float[ndarray, "points"]]]:
    for index, signal in enumerate(variation.signal_names):
        yield f"{signal}:mean", variation.mean[:, index]
        yield f"{signal}:sd", variation.sd[:, index]
        if np.isfinite(variation.measured_sd[:, index]).any():
            yield f"{signal}:measured_sd", variation.measured_sd[:, index]
        yield f"{signal}:canonical", variation.canonical[:, index]
        for take, name in enumerate(variation.take_names):
            yield f"{signal}:take {name}", variation.values[take, :, index]
    known = bool(np.isfinite(variation.measured_mm).any())
    for index, joint in enumerate(JOINT_NAMES):
        yield f"{joint}_spread_mm", variation.spread_mm[:, index]
        yield f"{joint}_world_spread_mm", variation.spread_world_mm[:, index]
        if known:
            yield f"{joint}_measured_mm", variation.measured_mm[:, index]
            yield f"{joint}_world_measured_mm", variation.measured_world_mm[:, index]


def _cell(value: float) -> str:
    """A number without a needless tail; NaN is an empty cell."""
    if not np.isfinite(value):
        return ""
    # Rounded first, so that nothing is written as -0.0000.
    return f"{np.round(value, _DIGITS) + 0.0:.{_DIGITS}f}".rstrip("0").rstrip(".")
