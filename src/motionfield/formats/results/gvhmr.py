"""GVHMR: ``hmr4d_results.pt`` (torch), one person of SMPL-X (tools/demo/demo.py, 2024)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from motionfield.formats.results.base import Result
from motionfield.formats.results.smpl_files import (
    R_WORLD_YUP,
    REST_ROOT,
    Origin,
    Pose,
    choose_person,
    numbers,
    rotations_of,
    smpl_result,
    table_of,
)

SOURCE: Final = "GVHMR"
_PARAMETERS: Final = "smpl_params_global"


def is_gvhmr(content: Any) -> bool:
    """Whether a torch file's content looks like it."""
    return isinstance(content, Mapping) and _PARAMETERS in content


def read_gvhmr(path: Path, content: Any, person: str | None) -> Result:
    """``smpl_params_global``: ``body_pose`` (T, 63), ``global_orient``, ``transl``; Y up.

    Raises:
        InputError: keys or shapes that do not fit.
    """
    one = table_of(path, content[_PARAMETERS], _PARAMETERS, SOURCE)
    choose_person(path, {0: one}, person, "global_orient")
    orient = numbers(path, one, "global_orient", (3,), None)
    body = numbers(path, one, "body_pose", (63,), len(orient))
    transl = numbers(path, one, "transl", (3,), len(orient))
    pose = Pose(rotations_of(np.concatenate((orient, body), 1)), transl + REST_ROOT["smplx"])
    # One row for every frame of the video.
    frames = np.arange(len(orient))
    origin = Origin(SOURCE, ("0",), "0", "world")
    return smpl_result(path, origin, pose, R_WORLD_YUP, frames, one.get("betas"))
