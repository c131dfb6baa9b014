"""Penn Action: 2,326 sports clips with 13 hand-marked keypoints per frame.

Layout as read by the public code of NeMo (hmr/penn_action.py, nemo/multi_view_sequence.py):
``frames/0001/000001.jpg``, ``labels/0001.mat`` (MATLAB 5: ``x``, ``y``, ``visibility`` (T, 13),
``action``, ``train``, ``dimensions`` = height, width, frames), and, where the user ran OpenPose,
``openpose/0001/000001_keypoints.json``. Never seen on the real files here: unverified.

The labels' left and right are exchanged (their left is the subject's right): corrected here.
Coordinates count pixels from 1. The files carry no frame rate: 30 is assumed.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np

from motionfield.core.conventions import mirrored_name
from motionfield.formats.datasets.mat_file import load_mat
from motionfield.formats.datasets.origins import need, need_any, wrong
from motionfield.formats.datasets.parts import keypoints_of, openpose_in, pictures_in
from motionfield.formats.datasets.sequence import DatasetSequence

FPS: Final = 30.0
_SIDED = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
_FILE_NAMES: Final = ("head", *(f"{side}_{part}" for part in _SIDED for side in ("left", "right")))
PENN_13: Final = tuple(mirrored_name(name) for name in _FILE_NAMES)
"""The columns of the files under the names that they should have."""


def list_penn(folder: Path) -> list[str]:
    """Numbers of all clips.

    Raises:
        InputError: the folder is not Penn Action.
    """
    need(folder, "penn")
    return [path.stem for path in need_any(folder, ("labels/*.mat",), "penn")]


def read_penn(folder: Path, number: str) -> DatasetSequence:
    """One clip: its labels, its pictures, and OpenPose's keypoints if they lie beside.

    Raises:
        InputError: a file is missing or has another form.
    """
    path = need(folder / "labels" / f"{number}.mat", "penn")
    content = load_mat(path, ("x", "y", "visibility", "action", "dimensions"))
    x, y, visible = (np.asarray(content[k], np.float64) for k in ("x", "y", "visibility"))
    if x.ndim != 2 or x.shape[1] != len(PENN_13) or not x.shape == y.shape == visible.shape:
        raise wrong(path, f"x has shape {x.shape}, not (frames, 13)", "penn")
    height, width = (int(side) for side in np.ravel(content["dimensions"])[:2])
    points = np.stack((x - 0.5, y - 0.5, visible > 0.5), axis=-1)
    frames = len(points)
    labels = keypoints_of(points, PENN_13, (width, height), FPS, f"Penn Action {number}")
    return DatasetSequence(
        dataset="penn",
        name=number,
        subject=number,
        action=_text(content["action"]),
        fps=FPS,
        good=labels.observed,
        pictures=pictures_in(folder / "frames" / number, frames),
        keypoints=openpose_in(folder / "openpose" / number, frames, (width, height), FPS),
        labels=labels,
        notes=("frame rate not in the files: 30 assumed",),
    )


def _text(value: Any) -> str:
    return str(np.ravel(value)[0])
