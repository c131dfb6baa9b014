"""What a method is told of a moving camera's path on real data."""

from pathlib import Path
from typing import Final

import numpy as np
import roma
import torch

from motionfield.core.errors import InputError
from motionfield.data.camera_path import CameraPath
from motionfield.formats.datasets.sequence import DatasetSequence
from motionfield.worlds.camera_drift import EXACT, drifted

TRACKED: Final = "camera paths are those of a tracker, read from camera_paths/ of the data folder"
ORACLE: Final = (
    "no camera_paths/<sequence>.txt: methods see the data set's own camera path (in the first "
    "camera's axes), which no tracker gives; the papers take DROID-SLAM's"
)


def camera_motion(data: Path, sequence: DatasetSequence) -> tuple[CameraPath | None, str]:
    """The path of a sequence's camera in the axes of its first camera, and where it comes from.

    A tracker's path, as DROID-SLAM and DPVO write it (TUM: a line per frame, time, place and
    quaternion x y z w, world from camera), lies in ``camera_paths/<sequence>.txt``; without it the
    true path is taken.

    Raises:
        InputError: a file has another form.
    """
    camera = sequence.camera
    if camera is None or not camera.moving:
        return None, ""
    path = data / "camera_paths" / f"{sequence.name}.txt"
    if path.is_file():
        return _read_tum(path, camera), TRACKED
    return drifted(camera, sequence.fps, np.random.default_rng(0), EXACT), ORACLE


def _read_tum(path: Path, camera: CameraPath) -> CameraPath:
    cure = "write a line per frame: time x y z qx qy qz qw (world from camera)"
    try:
        rows = np.loadtxt(path, ndmin=2)
    except (OSError, ValueError) as error:
        raise InputError(path, f"is no camera path ({error})", cure) from error
    if rows.shape != (camera.num_frames, 8):
        fault = f"has {rows.shape[0]} rows of {rows.shape[1]}, not {camera.num_frames} of 8"
        raise InputError(path, fault, cure)
    quat = torch.nn.functional.normalize(torch.tensor(rows[:, 4:]), dim=-1)
    R = roma.unitquat_to_rotmat(quat).numpy().transpose(0, 2, 1)
    t = -np.einsum("tij,tj->ti", R, rows[:, 1:4])
    tracked = camera.replace(
        R_camera_world=R.astype(np.float32),
        t_camera_world=t.astype(np.float32),
        gravity_source="assumed",
        scale_source="assumed",
    )
    first_R, first_t = tracked.R_camera_world[0], tracked.t_camera_world[0]
    return tracked.moved(first_R, first_t)
