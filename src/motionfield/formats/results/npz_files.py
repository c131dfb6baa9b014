"""npz files as results: our own motions, joints alone, and AMASS."""

import zipfile
from pathlib import Path
from typing import Final

import numpy as np
from numpy import ndarray

from motionfield.core.errors import InputError
from motionfield.data.motion import Motion
from motionfield.formats.datasets.amass import read_amass
from motionfield.formats.datasets.smpl import SMPL_PELVIS_M
from motionfield.formats.joint_words import our_names
from motionfield.formats.motion_npz import read_motion_npz
from motionfield.formats.results.base import Result

_CURE: Final = (
    "give a motion.npz, an AMASS file, or joints (T, J, 3) in metres, Z up, with joint_names (J,)"
)
_ASSUMED_FPS: Final = 30.0


def read_npz_file(path: Path) -> Result:
    """A ``motion.npz``, AMASS's ``*_poses.npz`` or ``*_stageii.npz``, or joints with names.

    Raises:
        InputError: damaged, or none of these.
    """
    if not zipfile.is_zipfile(path):
        raise InputError(path, "is not a motion: no npz file", _CURE)
    try:
        with np.load(path, allow_pickle=False) as file:
            keys = set(file.files)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(path, f"is not a motion ({error})", _CURE) from error
    if {"poses", "body_model"} <= keys:
        return _own(path)
    if {"joints", "joint_names"} <= keys:
        return _joints(path)
    if "poses" in keys or "root_orient" in keys:
        return _amass(path)
    shown = ", ".join(sorted(keys)[:12]) or "nothing"
    raise InputError(path, f"is not a motion: it holds {shown}", _CURE)


def _own(path: Path) -> Result:
    file = read_motion_npz(path)
    return _of_motion(path, file.motion, "motionfield").replace(
        motion=file.motion, camera=file.camera
    )


def _of_motion(path: Path, motion: Motion, source: str) -> Result:
    rotations = np.concatenate((motion.global_orient[:, None], motion.body_pose), axis=1)
    return Result(
        path=path,
        source=source,
        persons=("0",),
        person="0",
        frame="world",
        fps=motion.fps,
        time_s=motion.time_s,
        frame_index=motion.frame_index,
        numbered=True,
        rotations=rotations,
        betas=motion.betas,
    )


def _amass(path: Path) -> Result:
    motion = read_amass(path).motion
    if motion is None:
        raise InputError(path, "holds no motion", _CURE)
    result = _of_motion(path, motion, "AMASS")
    return result.replace(root=motion.transl + np.array(SMPL_PELVIS_M), numbered=False)


def _joints(path: Path) -> Result:
    try:
        with np.load(path, allow_pickle=False) as file:
            content = {key: file[key] for key in file.files}
        joints = content["joints"].astype(np.float64)
        given = tuple(str(name) for name in content["joint_names"])
        names, _ = our_names(given)
        fps = _rate(content)
        frames = content.get("frame_index", np.arange(len(joints))).astype(np.int64)
        return Result(
            path=path,
            source="joints",
            persons=("0",),
            person="0",
            frame="world",
            fps=fps,
            time_s=content.get("time_s", frames / (fps or _ASSUMED_FPS)).astype(np.float64),
            frame_index=frames,
            numbered="frame_index" in content,
            joints=joints,
            joint_names=names,
            renamed=tuple((a, b) for a, b in zip(given, names, strict=True) if a != b),
        )
    except Exception as error:  # shapes, kinds and numbers that do not fit
        raise InputError(path, f"is not a motion ({error})", _CURE) from error


def _rate(content: dict[str, ndarray]) -> float | None:
    for key in ("mocap_framerate", "fps"):
        if key in content:
            return float(content[key])
    return None
