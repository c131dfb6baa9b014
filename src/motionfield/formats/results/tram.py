"""TRAM: ``hps/hps_track_<k>.npy``, one person a file, and ``camera.npy`` above it (2024-25)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from motionfield.formats.results.base import Result
from motionfield.formats.results.smpl_files import (
    R_WORLD_CAMERA,
    REST_ROOT,
    Origin,
    Pose,
    choose_person,
    frame_numbers,
    numbers,
    smpl_result,
    table_of,
)
from motionfield.formats.safe_pickle import load_pickle

SOURCE: Final = "TRAM"


def is_tram(content: Any) -> bool:
    """Whether a pickle's content looks like it."""
    return isinstance(content, Mapping) and {"pred_rotmat", "pred_trans", "frame"} <= set(content)


def read_tram(path: Path, content: Any, person: str | None) -> Result:
    """``pred_rotmat`` (T, 24, 3, 3), ``pred_trans`` (T, 3) of the camera, ``frame`` (T,).

    Where ``camera.npy`` lies in the folder above, ``pred_cam_R`` and ``pred_cam_T`` (camera to
    world) bring them to the world of the first camera, whose up is not known.

    Raises:
        InputError: keys or shapes that do not fit.
    """
    choose_person(path, {path.stem.rsplit("_", 1)[-1]: content}, person, "frame")
    rotations = numbers(path, content, "pred_rotmat", (24, 3, 3), None)
    count = len(rotations)
    root = numbers(path, content, "pred_trans", (3,), count) + REST_ROOT["smpl"]
    frames = frame_numbers(path, content, "frame", count)
    camera = path.parent.parent / "camera.npy"
    name = path.stem.rsplit("_", 1)[-1]
    if not camera.is_file():
        note = "camera.npy was not beside it: motion in the camera's axes"
        origin = Origin(SOURCE, (name,), name, "camera", notes=(note,))
    else:
        turn, place = _camera_path(camera, frames)
        rotations[:, 0] = turn @ rotations[:, 0]
        root = np.einsum("tij,tj->ti", turn, root) + place
        origin = Origin(SOURCE, (name,), name, "tilted world")
    pose = Pose(rotations, root)
    return smpl_result(path, origin, pose, R_WORLD_CAMERA, frames, content.get("pred_shape"))


def _camera_path(
    path: Path, frames: Int[ndarray, "frames"]
) -> tuple[Float[ndarray, "frames 3 3"], Float[ndarray, "frames 3"]]:
    """World from camera of the given frames of the video."""
    content = table_of(path, load_pickle(path), "the camera", SOURCE)
    count = int(frames.max()) + 1
    turn = numbers(path, content, "pred_cam_R", (3, 3), None)
    place = numbers(path, content, "pred_cam_T", (3,), len(turn))
    if len(turn) < count:
        numbers(path, content, "pred_cam_R", (3, 3), count)  # says how many it wants
    return turn[frames], place[frames]
