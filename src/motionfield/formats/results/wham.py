"""WHAM: ``wham_output.pkl`` (joblib), a dictionary by person (demo.py --save_pkl, 2024)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from motionfield.formats.results.base import Result
from motionfield.formats.results.smpl_files import (
    R_WORLD_YUP,
    REST_ROOT,
    Origin,
    Pose,
    choose_person,
    frame_numbers,
    numbers,
    rotations_of,
    smpl_result,
    table_of,
)

SOURCE: Final = "WHAM"


def is_wham(content: Any) -> bool:
    """Whether a pickle's content looks like it."""
    return isinstance(content, Mapping) and any(
        isinstance(person, Mapping) and "pose_world" in person for person in content.values()
    )


def read_wham(path: Path, content: Any, person: str | None) -> Result:
    """``pose_world`` (T, 72), ``trans_world`` (T, 3) of a Y-up world, ``betas``, ``frame_ids``.

    Raises:
        InputError: keys or shapes that do not fit, or several persons and none chosen.
    """
    people = table_of(path, content, "the persons", SOURCE)
    key = choose_person(path, people, person, "pose_world")
    one = table_of(path, people[key], f"person {key}", SOURCE)
    poses = numbers(path, one, "pose_world", (72,), None)
    transl = numbers(path, one, "trans_world", (3,), len(poses))
    frames = frame_numbers(path, one, "frame_ids", len(poses))
    pose = Pose(rotations_of(poses), transl + REST_ROOT["smpl"])
    origin = Origin(SOURCE, tuple(str(k) for k in people), str(key), "world")
    return smpl_result(path, origin, pose, R_WORLD_YUP, frames, one.get("betas"))
