"""VIBE and MEVA: ``vibe_output.pkl``, ``meva_output.pkl`` (joblib), a dictionary by person."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from motionfield.formats.results.base import Result
from motionfield.formats.results.smpl_files import (
    R_WORLD_CAMERA,
    Origin,
    Pose,
    choose_person,
    frame_numbers,
    numbers,
    rotations_of,
    smpl_result,
    table_of,
)

SOURCE: Final = "VIBE"
_JOINTS: Final = {
    "neck": 1,
    "right_shoulder": 2,
    "right_elbow": 3,
    "right_wrist": 4,
    "left_shoulder": 5,
    "left_elbow": 6,
    "left_wrist": 7,
    "pelvis": 8,
    "right_hip": 9,
    "right_knee": 10,
    "right_ankle": 11,
    "left_hip": 12,
    "left_knee": 13,
    "left_ankle": 14,
}
"""Rows of ``joints3d`` that are SMPL's own joints (VIBE and SPIN give them OpenPose's names)."""


def is_vibe(content: Any) -> bool:
    """Whether a pickle's content looks like it."""
    return isinstance(content, Mapping) and any(
        isinstance(person, Mapping) and {"pose", "pred_cam", "frame_ids"} <= set(person)
        for person in content.values()
    )


def read_vibe(path: Path, content: Any, person: str | None) -> Result:
    """``pose`` (T, 72) in the camera's axes, ``betas``, ``joints3d`` (T, 49, 3), ``frame_ids``.

    There is no path: ``pred_cam`` is a weak perspective of each crop. ``joints3d`` (of the
    person's own shape, from the mesh's origin) is used where the file has it.

    Raises:
        InputError: keys or shapes that do not fit, or several persons and none chosen.
    """
    people = table_of(path, content, "the persons", SOURCE)
    key = choose_person(path, people, person, "pose")
    one = table_of(path, people[key], f"person {key}", SOURCE)
    poses = numbers(path, one, "pose", (72,), None)
    frames = frame_numbers(path, one, "frame_ids", len(poses))
    origin = Origin(
        SOURCE,
        tuple(str(k) for k in people),
        str(key),
        "camera",
        notes=("no path in the file: the person stays at one place",),
    )
    result = smpl_result(
        path, origin, Pose(rotations_of(poses), None), R_WORLD_CAMERA, frames, one.get("betas")
    )
    if one.get("joints3d") is None:
        return result
    joints = numbers(path, one, "joints3d", (49, 3), len(poses))[:, list(_JOINTS.values())]
    return result.replace(joints=joints @ R_WORLD_CAMERA.T, joint_names=tuple(_JOINTS))
