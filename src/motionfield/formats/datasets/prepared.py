"""Data sets as VIBE's and MEVA's public code prepares them: features and labels, row by row.

``3dpw_train_db.pt``, ``mpii3d_train_db.pt``, ``h36m_train_db.pt``, ``pennaction_train_db.pt``,
``posetrack_train_db.pt`` (joblib) and ``insta_train_db.h5`` hold the frames of all videos one
after the other: ``vid_name`` (N,), ``features`` (N, 2048), ``joints2D`` (N, K, 3), ``bbox`` (N, 4:
centre x, centre y, width, height; not in InstaVariety's, whose points are pixels of the crop of
224), and where there is such truth ``joints3D`` (N, 49, 3), ``pose`` (N, 72: camera axes),
``shape`` (N, 10), ``has_smpl`` (N,). Unverified: keys and shapes are those of the code that writes
them (lib/data_utils of VIBE); no such file was at hand.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from motionfield.core.errors import InputError
from motionfield.core.keypoint_sets import LSP_14, OPENPOSE_25
from motionfield.formats.datasets.penn import PENN_13
from motionfield.formats.safe_pickle import load_pickle

CROP_PX: Final = 224
SPIN_49: Final = (
    *(f"openpose25.{name}" for name in OPENPOSE_25.keypoint_names),
    *(f"lsp14.{name}" for name in LSP_14.keypoint_names),
    *("hip", "thorax", "spine", "jaw", "head", "nose", "left_eye", "right_eye"),
    *("left_ear", "right_ear"),
)
"""SPIN's 49 points; the first 39 as ``set.name`` of ours."""
_INSTA_NAMES: Final = (
    *("right_heel", "right_knee", "right_hip", "left_hip", "left_knee", "left_heel"),
    *("right_wrist", "right_elbow", "right_shoulder"),
    *("left_shoulder", "left_elbow", "left_wrist", "neck", "head_top"),
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear"),
    *("left_big_toe", "right_big_toe", "left_small_toe", "right_small_toe"),
    *("left_ankle", "right_ankle"),
)
INSTA_25: Final = tuple(
    f"{'lsp14' if name == 'head_top' else 'openpose25'}.{name}" for name in _INSTA_NAMES
)
_LSP: Final = tuple(f"lsp14.{name}" for name in LSP_14.keypoint_names)
_PENN: Final = tuple(f"lsp14.{'head_top' if name == 'head' else name}" for name in PENN_13)
_COLUMNS: Final = {49: SPIN_49, 14: _LSP, 13: _PENN, 25: INSTA_25}
"""Names by how many points there are."""
_CURE: Final = "prepare the data set with VIBE's or MEVA's code again"


class PreparedVideo(NamedTuple):
    """The rows of one video."""

    name: str
    features: Any
    """(frames, width): an array, or a part of a file that is read when rows of it are taken."""
    points: Float[ndarray, "frames points 3"]
    """x, y in the crop (its sides at -1 and 1), confidence."""
    point_names: tuple[str, ...]
    """``set.name`` of ``core.keypoint_sets`` where it is a point of ours."""
    joints: Float[ndarray, "frames points 3"] | None
    """Metres, camera axes, under ``joint_names``."""
    joint_names: tuple[str, ...]
    rotvecs: Float[ndarray, "frames 24 3"] | None
    """SMPL's pose in camera axes."""
    betas: Float[ndarray, "frames 10"] | None
    """SMPL's."""
    has_pose: Bool[ndarray, "frames"]


def read_prepared(path: Path) -> Iterator[PreparedVideo]:
    """The videos of a prepared data set, in the order of the file.

    Raises:
        InputError: damaged, of another form, or HDF5 and h5py is not installed.
    """
    table = _load_hdf5(path) if path.suffix == ".h5" else load_pickle(path)
    if not isinstance(table, Mapping):
        raise InputError(path, "holds no table of rows", _CURE)
    missing = [key for key in ("vid_name", "features", "joints2D") if table.get(key) is None]
    if missing:
        raise InputError(path, f"holds no {', '.join(missing)}", _CURE)
    videos = np.ravel(np.asarray(table["vid_name"]))
    lengths = {key: len(value) for key, value in table.items() if hasattr(value, "__len__")}
    if not len(videos) or set(lengths.values()) != {len(videos)}:
        raise InputError(path, f"holds columns of different lengths: {lengths}", _CURE)
    ends = np.flatnonzero(videos[1:] != videos[:-1]) + 1
    for start, end in zip((0, *ends), (*ends, len(videos)), strict=True):
        yield _video(path, table, _text(videos[start]), slice(int(start), int(end)))


def _video(path: Path, table: Mapping[str, Any], name: str, rows: slice) -> PreparedVideo:
    try:
        points = np.asarray(table["joints2D"][rows], np.float32)
        if points.ndim != 3 or points.shape[1] not in _COLUMNS or points.shape[2] != 3:
            raise ValueError(f"joints2D of shape {points.shape}")
        boxes = None if table.get("bbox") is None else np.asarray(table["bbox"][rows], np.float32)
        joints = None if table.get("joints3D") is None else np.asarray(table["joints3D"][rows])
        pose = None if table.get("pose") is None else np.asarray(table["pose"][rows])
        betas = None if table.get("shape") is None else np.asarray(table["shape"][rows])
        flags = table.get("has_smpl")
        frames = len(points)
        has_pose = np.full(frames, pose is not None)
        if flags is not None:
            has_pose &= np.asarray(flags[rows]).reshape(frames).astype(bool)
        return PreparedVideo(
            name=name,
            features=_Rows(table["features"], rows),
            points=in_box(points, boxes),
            point_names=_COLUMNS[points.shape[1]],
            joints=None if joints is None else joints.astype(np.float32)[..., :3],
            joint_names=() if joints is None else _COLUMNS[joints.shape[1]],
            rotvecs=None if pose is None else pose.reshape(frames, 24, 3).astype(np.float32),
            betas=None if betas is None else betas.reshape(frames, 10).astype(np.float32),
            has_pose=has_pose,
        )
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(path, f"is no prepared data set ({error})", _CURE) from error


def in_box(
    points: Float[ndarray, "frames points 3"], boxes: Float[ndarray, "frames 4"] | None
) -> Float[ndarray, "frames points 3"]:
    """Pixels in a crop whose sides are at -1 and 1; the crop of 224 pixels where no box is given.

    Args:
        points: x, y in pixels, confidence.
        boxes: centre x, centre y, width, height.
    """
    if boxes is None:
        boxes = np.tile([CROP_PX / 2, CROP_PX / 2, CROP_PX, CROP_PX], (len(points), 1))
    half = np.maximum(boxes[:, None, 2:] / 2, 1e-6)
    xy = (points[..., :2] - boxes[:, None, :2]) / half
    return np.concatenate((xy, points[..., 2:]), axis=-1).astype(np.float32)


class _Rows:
    """Some rows of a table's column, which stays where it is."""

    def __init__(self, column: Any, rows: slice) -> None:
        self._column, self._start, self._stop = column, rows.start, rows.stop
        self.shape = (rows.stop - rows.start, *column.shape[1:])

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, rows: slice) -> ndarray:
        start, stop, _ = rows.indices(len(self))
        return np.asarray(self._column[self._start + start : self._start + stop], np.float32)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _load_hdf5(path: Path) -> dict[str, Any]:
    """Open datasets: InstaVariety's features are larger than a machine's memory."""
    if not path.is_file():
        raise InputError(path, "does not exist", "check the path")
    try:
        import h5py
    except ImportError as error:
        fault = "is an HDF5 file, and h5py is not installed"
        raise InputError(path, fault, "pip install h5py") from error
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise InputError(path, f"is damaged or no HDF5 file ({error})", _CURE) from error
    return {key: file[key] for key in file}
