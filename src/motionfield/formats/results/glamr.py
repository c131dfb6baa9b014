"""GLAMR: ``grecon/<video>_seed<n>.pkl`` (pickle), persons under ``person_data`` (run_demo.py)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from motionfield.core.errors import InputError
from motionfield.formats.results.base import Result
from motionfield.formats.results.smpl_files import (
    R_WORLD_ZUP,
    Origin,
    Pose,
    choose_person,
    frame_numbers,
    numbers,
    rotations_of,
    smpl_result,
    table_of,
)

SOURCE: Final = "GLAMR"
_FPS: Final = 30.0
"""GLAMR takes the frames of a video at this rate."""


def is_glamr(content: Any) -> bool:
    """Whether a pickle's content looks like it."""
    return isinstance(content, Mapping) and isinstance(content.get("person_data"), Mapping)


def read_glamr(path: Path, content: Any, person: str | None) -> Result:
    """``smpl_pose`` (T, 69), ``smpl_orient_world`` and ``root_trans_world`` (T, 3); Z up.

    ``root_trans_world`` is the root joint itself. Rows outside ``exist_frames`` are left out.

    Raises:
        InputError: keys or shapes that do not fit, or several persons and none chosen.
    """
    people = content["person_data"]
    key = choose_person(path, people, person, "smpl_pose")
    one = table_of(path, people[key], f"person {key}", SOURCE)
    body = numbers(path, one, "smpl_pose", (69,), None)
    orient = numbers(path, one, "smpl_orient_world", (3,), len(body))
    root = numbers(path, one, "root_trans_world", (3,), len(body))
    exists = np.ones(len(body), bool)
    if "exist_frames" in one:
        exists = numbers(path, one, "exist_frames", (), len(body)) > 0
    if not exists.any():
        raise InputError(path, f"person {key} exists in no frame", "choose another with --person")
    frames = np.arange(len(body))
    if "frames" in one:
        frames = frame_numbers(path, one, "frames", len(body))
    rotations = rotations_of(np.concatenate((orient, body), 1))
    pose = Pose(rotations[exists], root[exists])
    origin = Origin(SOURCE, tuple(str(k) for k in people), str(key), "world", fps=_FPS)
    return smpl_result(path, origin, pose, R_WORLD_ZUP, frames[exists], one.get("smpl_beta"))
