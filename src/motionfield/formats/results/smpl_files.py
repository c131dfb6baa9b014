"""What the files of SMPL's family share: persons, checked arrays, rotations, axes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import roma
import torch
from jaxtyping import Float, Int
from numpy import ndarray

from motionfield.core.errors import InputError, RecordError
from motionfield.formats.animation import R_YUP_WORLD
from motionfield.formats.datasets.smpl import SMPL_PELVIS_M
from motionfield.formats.results.base import FrameName, Result

REST_ROOT: Final = {"smpl": SMPL_PELVIS_M, "smplx": (0.003, -0.351, 0.012)}
"""Where the root joint of the mean shape rests, metres: ``transl`` is counted from there. A
person's own shape moves it by up to a few centimetres, always by the same ones."""
R_WORLD_YUP: Final[ndarray] = R_YUP_WORLD.numpy().T
"""(x, y, z) of a Y-up world is (x, -z, y) here."""
R_WORLD_CAMERA: Final[ndarray] = np.array(((1.0, 0, 0), (0, 0, 1), (0, -1, 0)))
"""A level camera that looks along +Y: (x, y, z) of its axes is (x, z, -y) here."""
R_WORLD_ZUP: Final[ndarray] = np.eye(3)
_ASSUMED_FPS: Final = 30.0
BODY_JOINTS: Final = 22
"""SMPL's joints before its hands: SMPL-H and SMPL-X have fingers in place of these."""


class Pose(NamedTuple):
    """One person's parameters in the axes of their file."""

    rotations: Float[ndarray, "frames 24 3 3"]
    root: Float[ndarray, "frames 3"] | None
    """Place of the root joint; None: unknown."""


class Origin(NamedTuple):
    """Where a result comes from."""

    source: str
    persons: tuple[str, ...]
    person: str
    frame: FrameName
    fps: float | None = None
    notes: tuple[str, ...] = ()


def choose_person(path: Path, people: Mapping[Any, Any], person: str | None, rows: str) -> Any:
    """The key of the person that was asked for, or of the only one.

    Args:
        path: the file, for the message.
        people: what the file holds of each.
        person: the key as text, or None.
        rows: a key of each person's content with one row a frame.

    Raises:
        InputError: nobody, not the one, or several and none asked for.
    """
    if not people:
        raise InputError(path, "holds no person", "run the program again on the video")
    keys = {str(key): key for key in people}
    if person is not None:
        if person not in keys:
            fault = f"holds no person {person}, but {', '.join(keys)}"
            raise InputError(path, fault, "choose one of these with --person")
        return keys[person]
    if len(keys) > 1:
        each = (f"{key} with {_rows(people[k], rows)} frames" for key, k in list(keys.items())[:9])
        fault = f"holds {len(keys)} persons ({', '.join(each)}{', …' if len(keys) > 9 else ''})"
        raise InputError(path, fault, "choose one with --person")
    return next(iter(keys.values()))


def _rows(content: Any, key: str) -> str:
    try:
        return str(len(content[key]))
    except (KeyError, TypeError, IndexError):
        return "?"


def table_of(path: Path, content: Any, what: str, source: str) -> Mapping[Any, Any]:
    """``content``, where it is a dictionary.

    Raises:
        InputError: it is not.
    """
    if not isinstance(content, Mapping):
        fault = f"has a {type(content).__name__} for {what} instead of a dictionary"
        raise InputError(path, fault, f"give a file that {source} wrote")
    return content


def numbers(
    path: Path, content: Mapping[Any, Any], key: str, shape: tuple[int, ...], frames: int | None
) -> Float[ndarray, "frames ..."]:
    """``content[key]`` as float64 of shape (frames, *shape), however it was flattened.

    Raises:
        InputError: missing, not of numbers, or of another shape.
    """
    if key not in content:
        known = ", ".join(str(k) for k in list(content)[:12])
        raise InputError(path, f"holds no {key}, but {known}", "give the whole result file")
    try:
        array = np.asarray(content[key], np.float64)
        wanted = (len(array) if frames is None else frames, *shape)
        if array.size != np.prod(wanted) or array.ndim == 0 or len(array) != wanted[0]:
            raise ValueError
        return array.reshape(wanted)
    except (ValueError, TypeError) as error:
        found = np.shape(content[key]) if isinstance(content[key], ndarray) else "not of numbers"
        sides = ", ".join(("T" if frames is None else str(frames), *(str(n) for n in shape)))
        fault = f"{key} is {found}, not ({sides})"
        raise InputError(path, fault, "check which program wrote it") from error


def frame_numbers(
    path: Path, content: Mapping[Any, Any], key: str, count: int | None
) -> Int[ndarray, "frames"]:
    """The frame of the video of each row.

    Raises:
        InputError: missing, of another length, or no whole numbers.
    """
    found = numbers(path, content, key, (), count)
    if not (np.isfinite(found) & (found == np.round(found))).all():
        raise InputError(path, f"{key} holds values that are no frame numbers", "check the file")
    return found.astype(np.int64)


def rotations_of(poses: Float[ndarray, "frames numbers"]) -> Float[ndarray, "frames 24 3 3"]:
    """Axis-angle poses of SMPL (72 numbers), or the 22 body joints of a longer pose.

    SMPL's hand joints are fingers' in SMPL-H and SMPL-X: they become the identity.
    """
    joints = 24 if poses.shape[1] == 72 else BODY_JOINTS
    rotvec = torch.from_numpy(np.array(poses[:, : 3 * joints], np.float64)).reshape(-1, joints, 3)
    return with_hands(roma.rotvec_to_rotmat(rotvec).numpy())


def with_hands(
    rotations: Float[ndarray, "frames given 3 3"],
) -> Float[ndarray, "frames 24 3 3"]:
    """The first 24 of SMPL's rotations, or 22 of a model with fingers and identities."""
    if rotations.shape[1] == 24:
        return rotations
    whole = np.broadcast_to(np.eye(3), (len(rotations), 24, 3, 3)).copy()
    whole[:, :BODY_JOINTS] = rotations[:, :BODY_JOINTS]
    return whole


def smpl_result(
    path: Path,
    origin: Origin,
    pose: Pose,
    axes: Float[ndarray, "3 3"],
    frame_index: Sequence[int] | ndarray | None,
    betas: Any = None,
) -> Result:
    """A result in our axes.

    Args:
        path: the file, for the message.
        origin: where it comes from.
        pose: rotations and root in the file's axes.
        axes: ours from the file's.
        frame_index: the frame of each row; None: rows are counted.
        betas: as in the file: one shape, or one for each frame.

    Raises:
        InputError: arrays that contradict each other, or values that are not finite.
    """
    rotations = pose.rotations.copy()
    rotations[:, 0] = axes @ rotations[:, 0]
    root = None if pose.root is None else pose.root @ axes.T
    frames = np.arange(len(rotations)) if frame_index is None else np.asarray(frame_index)
    order = np.argsort(frames, kind="stable")
    try:
        return Result(
            path=path,
            source=origin.source,
            persons=origin.persons,
            person=origin.person,
            frame=origin.frame,
            fps=origin.fps,
            time_s=(frames[order] / (origin.fps or _ASSUMED_FPS)).astype(np.float64),
            frame_index=frames[order].astype(np.int64),
            numbered=frame_index is not None,
            rotations=rotations[order],
            root=None if root is None else root[order],
            betas=_one_shape(betas),
            notes=origin.notes,
        )
    except (RecordError, TypeError, IndexError) as error:
        raise InputError(path, f"holds arrays that do not fit ({error})", "check it") from error


def _one_shape(betas: Any) -> Float[ndarray, "betas"] | None:
    """The mean over frames; None where there is nothing like a shape (nothing needs it)."""
    try:
        shape = np.asarray(betas, np.float64)
    except (TypeError, ValueError):
        return None
    shape = shape.reshape(-1, shape.shape[-1]).mean(0) if shape.ndim else shape
    return shape if shape.ndim == 1 else None
