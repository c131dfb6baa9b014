"""MPI-INF-3DHP, training set: eight subjects, two sequences each, fourteen cameras.

Layout as VIBE's loader (lib/data_utils/mpii3d_utils.py) has it: ``S1/Seq1/annot.mat`` (MATLAB 5:
``annot2`` and ``annot3``, cells by camera of (T, 56) pixels and (T, 84) mm in camera axes) and
``S1/Seq1/video_0/*.jpg``. Cameras 0, 1, 2, 4, …, 8 are at chest height; the others are left out,
as there. Never seen on the real files here: unverified. 25 frames per second assumed.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from motionfield.formats.datasets.mat_file import load_mat
from motionfield.formats.datasets.mpi_inf_3dhp import FPS
from motionfield.formats.datasets.origins import need_any, wrong
from motionfield.formats.datasets.parts import joints_of, keypoints_of, pictures_in
from motionfield.formats.datasets.sequence import DatasetSequence

VIDEOS: Final = (0, 1, 2, 4, 5, 6, 7, 8)
IMAGE_SIZE: Final = (2048, 2048)
_ARM, _LEG = (
    ("clavicle", "shoulder", "elbow", "wrist", "hand"),
    (*("hip", "knee", "ankle", "foot", "toe"),),
)
TRAIN_28: Final = (
    *("spine3", "spine4", "spine2", "spine", "pelvis", "neck", "head", "head_top"),
    *(f"{side}_{part}" for side in ("left", "right") for part in _ARM),
    *(f"{side}_{part}" for side in ("left", "right") for part in _LEG),
)


def list_3dhp_train(folder: Path) -> list[Path]:
    """The annotation files of the training sequences.

    Raises:
        InputError: the folder is missing or holds none.
    """
    return need_any(folder, ("S*/Seq*/annot.mat",), "mpi-inf-3dhp")


def read_3dhp_train(path: Path) -> list[DatasetSequence]:
    """One sequence before each camera at chest height; the world is the camera's axes.

    A frame is good where all joints lie in the picture, as VIBE's data.

    Raises:
        InputError: the file has another form.
    """
    content = load_mat(path, ("annot2", "annot3"))
    seen, deep = np.ravel(content["annot2"]), np.ravel(content["annot3"])
    if seen.dtype != object or min(len(seen), len(deep)) <= max(VIDEOS):
        raise wrong(path, f"has annotations of {len(seen)} cameras, not 14", "mpi-inf-3dhp")
    return [_video(path, video, seen[video], deep[video]) for video in VIDEOS]


def _video(path: Path, video: int, seen: Any, deep: Any) -> DatasetSequence:
    pixels, joints = _rows(seen, 2, path), _rows(deep, 3, path) / 1000
    frames = len(joints)
    if len(pixels) != frames:
        raise wrong(path, f"has {len(pixels)} rows of 2D and {frames} of 3D", "mpi-inf-3dhp")
    subject, sequence = path.parts[-3:-1]
    name = f"{subject}_{sequence}_{video}"
    points = np.concatenate((pixels + 0.5, np.ones((frames, len(TRAIN_28), 1))), axis=-1)
    within = np.asarray((pixels >= -0.5) & (pixels < np.array(IMAGE_SIZE) - 0.5)).all((1, 2))
    return DatasetSequence(
        dataset="mpi-inf-3dhp",
        name=name,
        subject=subject,
        action=sequence,
        fps=FPS,
        good=np.asarray(within),
        pictures=pictures_in(path.parent / f"video_{video}", frames),
        labels=keypoints_of(points, TRAIN_28, IMAGE_SIZE, FPS, f"MPI-INF-3DHP {name}"),
        joints=joints_of(joints, TRAIN_28, FPS),
        notes=("frame rate not in the files: 25 assumed",),
    )


def _rows(array: Any, axes: int, path: Path) -> Float[ndarray, "frames 28 axes"]:
    values = np.asarray(array, np.float64)
    if values.ndim != 2 or values.shape[1] != len(TRAIN_28) * axes:
        raise wrong(path, f"holds an array of shape {values.shape}", "mpi-inf-3dhp")
    return values.reshape(-1, len(TRAIN_28), axes)
