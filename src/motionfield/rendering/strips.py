"""Motions as rows of skeletons side by side: truth, coarse and final under one another."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from motionfield.core.conventions import JOINT_INDEX
from motionfield.rendering.drawing import draw_skeleton, draw_text

_GROUND: Final = (34, 36, 42)
_INK: Final = (235, 236, 240)
_HIPS: Final = [JOINT_INDEX["left_hip"], JOINT_INDEX["right_hip"]]
_MARGIN: Final = 0.12
"""Room round a skeleton, as a share of a cell."""
_NARROWEST: Final = 0.45
"""Width of a cell by its height, at least."""


def draw_strips(
    rows: Mapping[str, Float[ndarray, "frames 24 3"]], count: int = 10, cell_px: int = 150
) -> UInt8[ndarray, "height width 3"]:
    """One row of skeletons per motion, at the same moments and in one scale.

    MEVA's Fig. 4 (coarse against fine motion), without a mesh.

    Args:
        rows: name → joints in camera axes (x right, y down), metres, any origin; equally many
            frames. Seen without perspective, the hips of each in the middle.
        count: skeletons per row, evenly over the frames.
        cell_px: height of each skeleton's cell.

    Raises:
        ValueError: no rows, or of different lengths.
    """
    lengths = {len(joints) for joints in rows.values()}
    if len(lengths) != 1:
        raise ValueError(f"rows of {sorted(lengths)} frames; give motions of equal length")
    (frames,) = lengths
    at = np.linspace(0, frames - 1, min(count, frames)).round().astype(int)
    flat = {name: _centred(joints[at]) for name, joints in rows.items()}
    spread = np.nanmax([np.abs(points).max((0, 1)) for points in flat.values()], axis=0)
    tall = max(float(spread.max()), 1e-6)
    scale = (0.5 - _MARGIN) * cell_px / tall
    wide_px = round(cell_px * max(_NARROWEST, float(spread[0]) / tall))
    picture = np.full((cell_px * len(rows), wide_px * len(at), 3), _GROUND, np.uint8)
    for row, (name, points) in enumerate(flat.items()):
        for column, joints in enumerate(points):
            middle = (np.array([column, row]) + 0.5) * (wide_px, cell_px)
            draw_skeleton(picture, joints * scale + middle, max(2, cell_px // 60), outline=None)
        draw_text(picture, (6, row * cell_px + 4), name, max(12, cell_px // 10), _INK)
    return picture


def _centred(joints: Float[ndarray, "frames 24 3"]) -> Float[ndarray, "frames 24 2"]:
    return (joints - joints[:, _HIPS].mean(1, keepdims=True))[..., :2]
