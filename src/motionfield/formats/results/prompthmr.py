"""PromptHMR: ``results.pkl`` (joblib), SMPL-X by person under ``people`` (pipeline.py, 2025)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from motionfield.formats.results.base import Result
from motionfield.formats.results.smpl_files import (
    R_WORLD_CAMERA,
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
    with_hands,
)

SOURCE: Final = "PromptHMR"


def is_prompthmr(content: Any) -> bool:
    """Whether a pickle's content looks like it."""
    return isinstance(content, Mapping) and isinstance(content.get("people"), Mapping)


def read_prompthmr(path: Path, content: Any, person: str | None) -> Result:
    """``people[id]``: ``frames`` and ``smplx_world`` (``pose`` (T, 165), ``shape``, ``trans``).

    The world is Y up. Where the file was saved before that stage, ``smplx_cam`` (``rotmat``
    (T, 55, 3, 3), ``shape``, ``trans``) is read, in the camera's axes.

    Raises:
        InputError: keys or shapes that do not fit, or several persons and none chosen.
    """
    people = content["people"]
    key = choose_person(path, people, person, "frames")
    one = table_of(path, people[key], f"person {key}", SOURCE)
    frames = frame_numbers(path, one, "frames", None)
    persons = tuple(str(k) for k in people)
    if "smplx_world" in one:
        stage = table_of(path, one["smplx_world"], "smplx_world", SOURCE)
        rotations = rotations_of(numbers(path, stage, "pose", (165,), len(frames)))
        origin, axes = Origin(SOURCE, persons, str(key), "world"), R_WORLD_YUP
    else:
        if "smplx_cam" not in one:
            numbers(path, one, "smplx_world", (), None)  # names the keys that are there
        stage = table_of(path, one["smplx_cam"], "smplx_cam", SOURCE)
        rotations = with_hands(numbers(path, stage, "rotmat", (55, 3, 3), len(frames)))
        note = "smplx_world was not in the file: motion in the camera's axes"
        origin, axes = Origin(SOURCE, persons, str(key), "camera", notes=(note,)), R_WORLD_CAMERA
    root = numbers(path, stage, "trans", (3,), len(frames)) + REST_ROOT["smplx"]
    return smpl_result(path, origin, Pose(rotations, root), axes, frames, stage.get("shape"))
