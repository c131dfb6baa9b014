"""HybrIK: ``res.pk`` (pickle), arrays over the frames in which a person was found (--save-pk)."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from motionfield.formats.results.base import Result
from motionfield.formats.results.smpl_files import (
    R_WORLD_CAMERA,
    Origin,
    Pose,
    choose_person,
    numbers,
    smpl_result,
)

SOURCE: Final = "HybrIK"


def is_hybrik(content: Any) -> bool:
    """Whether a pickle's content looks like it."""
    return isinstance(content, Mapping) and "pred_thetas" in content


def read_hybrik(path: Path, content: Any, person: str | None) -> Result:
    """``pred_thetas`` (T, 24 matrices) in the camera's axes, ``pred_betas``, ``img_path``.

    ``transl`` belongs to a focal length that changes from frame to frame, so it gives no path and
    is left out. ``pred_xyz_*`` are in units that differ between versions; they are left out too.

    Raises:
        InputError: keys or shapes that do not fit.
    """
    choose_person(path, {0: content}, person, "pred_thetas")
    rotations = numbers(path, content, "pred_thetas", (24, 3, 3), None)
    note = "its translation belongs to a focal length of each frame: no path"
    origin = Origin(SOURCE, ("0",), "0", "camera", notes=(note,))
    frames = _frame_numbers(content.get("img_path"), len(rotations))
    pose = Pose(rotations, None)
    return smpl_result(path, origin, pose, R_WORLD_CAMERA, frames, content.get("pred_betas"))


def _frame_numbers(names: Any, count: int) -> Int[ndarray, "frames"] | None:
    """From the pictures' names, which ffmpeg counts from 1; None where they have no numbers."""
    if names is None or len(names) != count:
        return None
    found = [re.findall(r"\d+", Path(str(name)).stem) for name in names]
    if not all(found):
        return None
    numbered = np.array([int(digits[-1]) - 1 for digits in found])
    return numbered if (np.diff(numbered) > 0).all() else None
