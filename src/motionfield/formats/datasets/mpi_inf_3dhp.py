"""MPI-INF-3DHP, test set: six sequences, indoors and outdoors, markerless multi-view truth.

Layout as VIBE's loader (lib/data_utils/mpii3d_utils.py) has it:
``mpi_inf_3dhp_test_set/TS1/annot_data.mat`` (MATLAB 7.3: ``annot2`` (T, 1, 17, 2) pixels,
``annot3`` and ``univ_annot3`` (T, 1, 17, 3) mm in camera axes, ``valid_frame``) and
``TS1/imageSequence/img_000001.jpg``. Published tables take ``univ_annot3`` (all subjects scaled
to one height). Never seen on the real files here: unverified. 25 frames per second assumed.
"""

from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from motionfield.formats.datasets.mat_file import load_mat
from motionfield.formats.datasets.origins import need, need_any, wrong
from motionfield.formats.datasets.parts import (
    camera_of,
    joints_of,
    keypoints_of,
    mask_of,
    pictures_in,
    size_of_pictures,
    still_camera,
)
from motionfield.formats.datasets.sequence import DatasetSequence

FPS: Final = 25.0
_ARM, _LEG = ("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")
TEST_17: Final = (
    *("head_top", "neck"),
    *(f"{side}_{part}" for side in ("right", "left") for part in _ARM),
    *(f"{side}_{part}" for side in ("right", "left") for part in _LEG),
    *("pelvis", "spine", "head"),
)
# Focal length in pixels (as the loader of ROMP lists it) and image size.
_STUDIO, _OUTDOORS = (1499.2054687744, (2048, 2048)), (1683.98345952, (1920, 1080))
_LENS: Final = {"TS5": _OUTDOORS, "TS6": _OUTDOORS}


def list_3dhp(folder: Path) -> list[Path]:
    """The test sequences' annotation files.

    Raises:
        InputError: the folder is missing or holds none.
    """
    need(folder, "mpi-inf-3dhp")
    patterns = ("mpi_inf_3dhp_test_set/TS*/annot_data.mat", "TS*/annot_data.mat")
    return need_any(folder, patterns, "mpi-inf-3dhp")


def read_3dhp(path: Path, universal: bool = True) -> DatasetSequence:
    """One test sequence; the world is the camera's axes (what is up is not known).

    Args:
        universal: take ``univ_annot3``, as published tables do, not ``annot3`` (true size).

    Raises:
        InputError: the file has another form, or is HDF5 and h5py is not installed.
    """
    truth = "univ_annot3" if universal else "annot3"
    content = load_mat(path, ("annot2", truth, "valid_frame"))
    name = path.parent.name
    shown = _frames_first(content["annot2"], 2, path)
    joints = _frames_first(content[truth], 3, path) / 1000
    frames = len(joints)
    focal, size = _LENS.get(name, _STUDIO)
    pictures = pictures_in(path.parent / "imageSequence", frames)
    size = size_of_pictures(pictures, size)
    K = np.array([[focal, 0, size[0] / 2], [0, focal, size[1] / 2], [0, 0, 1]])
    points = np.concatenate((shown - 0.5, np.ones((frames, 17, 1))), axis=-1)
    return DatasetSequence(
        dataset="mpi-inf-3dhp",
        name=name,
        subject=name,
        action=name,
        fps=FPS,
        good=mask_of(content["valid_frame"], frames),
        pictures=pictures,
        labels=keypoints_of(points, TEST_17, size, FPS, f"MPI-INF-3DHP {name}"),
        camera=camera_of(K, *still_camera(frames), size),
        joints=joints_of(joints, TEST_17, FPS),
        notes=("frame rate not in the files: 25 assumed",),
    )


def _frames_first(array: object, axes: int, path: Path) -> Float[ndarray, "frames 17 axes"]:
    """(T, 17, axes) from either order of MATLAB's axes (axes, 17, 1, T)."""
    values = np.asarray(array, np.float64)
    if values.ndim == 4 and values.shape[0] == axes and values.shape[3] != axes:
        values = values.T
    if values.ndim != 4 or values.shape[1:] != (1, 17, axes):
        raise wrong(path, f"holds an array of shape {values.shape}", "mpi-inf-3dhp")
    return values[:, 0]
