"""The data sets that MEVA trains on, as the user has them: raw files or prepared ones.

In the folder that ``motionfield train meva_images --data DIR`` gets, each data set is

- a prepared file of VIBE's or MEVA's code (``3dpw_train_db.pt`` …), which holds features and
  labels, or
- a folder of the data set as it is distributed, with ``features/<sequence>.npz`` inside
  (``formats.features``); sequences without such a file are left out.

Unverified: no file of these data sets was ever at hand.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple

import numpy as np
import roma
import torch
from jaxtyping import Float
from numpy import ndarray

from motionfield.core.errors import InputError
from motionfield.core.keypoint_sets import COCO_17, LSP_14, SMPL_24
from motionfield.core.progress import Progress, silent, tracked
from motionfield.data.keypoints import Keypoints
from motionfield.data.tracks import boxes_of
from motionfield.formats.datasets.h36m import TRAIN_SUBJECTS, read_h36m
from motionfield.formats.datasets.mpi_inf_3dhp_train import list_3dhp_train, read_3dhp_train
from motionfield.formats.datasets.origins import ORIGINS
from motionfield.formats.datasets.penn import list_penn, read_penn
from motionfield.formats.datasets.posetrack import list_posetrack, read_posetrack
from motionfield.formats.datasets.prepared import PreparedVideo, read_prepared
from motionfield.formats.datasets.sequence import DatasetSequence
from motionfield.formats.datasets.threedpw import list_3dpw, read_3dpw
from motionfield.formats.features import on_frames, read_features
from motionfield.geometry.cameras import project, world_to_camera
from motionfield.training.meva_images_data import JOINT_NAMES, NUM_BETAS, POINT_NAMES, ImageVideo

Split = Literal["train", "validation"]
_CURE: Final = "lay the data sets out as docs/papers/meva.md shows"
_BOX_SCALE: Final = 1.2
"""Where the features file has no boxes: side of the crop in longer sides of the labels' box."""
_H36M_STEP: Final = 2
"""50 to 25 frames per second, as the public code."""
_LSP_NAMES: Final = {name: f"lsp14.{name}" for name in LSP_14.keypoint_names}
_SUFFIXES: Final = (".npz", ".npy", ".pkl", ".pt", ".pth")


@dataclass(frozen=True)
class ImageSource:
    """One data set."""

    name: str
    """Its folder, and its name in ``ORIGINS``."""
    prepared: tuple[tuple[Split, str], ...]
    read: Callable[[Path, Split], Iterator[DatasetSequence]] | None
    """None: the data set itself is not read."""
    points: dict[str, str]
    """Names of its 2D points → ``POINT_NAMES``."""
    joints: dict[str, str]
    """Names of its 3D points → ``JOINT_NAMES``."""


class FoundVideos(NamedTuple):
    """What a folder holds."""

    train: list[ImageVideo]
    validation: list[ImageVideo]
    notes: list[str]
    """For people: what was found, and what was left out."""
    datasets: tuple[str, ...]


def find_videos(folder: Path, progress: Progress = silent) -> FoundVideos:
    """All videos of all data sets that lie in a folder.

    Raises:
        InputError: there are none, or a file is damaged or of another form.
    """
    train: list[ImageVideo] = []
    validation: list[ImageVideo] = []
    notes: list[str] = []
    found: list[str] = []
    for source in SOURCES:
        before = len(train)
        train += _videos(folder, source, "train", notes, progress)
        validation += _videos(folder, source, "validation", notes, progress)
        title = ORIGINS[source.name].title
        if len(train) > before:
            found.append(source.name)
            notes.append(f"{title}: {len(train) - before} videos to train on")
        else:
            notes.append(f"{title}: left out, no videos with features")
    if not train:
        names = ", ".join(source.name for source in SOURCES)
        raise InputError(folder, f"holds no features of any of {names}", _CURE)
    widths = {int(video.features.shape[1]) for video in (*train, *validation)}
    if len(widths) > 1:
        fault = f"holds features of different widths ({', '.join(map(str, sorted(widths)))})"
        raise InputError(folder, fault, "make all of them with one network")
    return FoundVideos(train, validation, notes, tuple(found))


def _videos(
    folder: Path, source: ImageSource, split: Split, notes: list[str], progress: Progress
) -> Iterator[ImageVideo]:
    prepared = folder / dict(source.prepared).get(split, "none")
    if prepared.is_file():
        for video in tracked(read_prepared(prepared), progress, prepared.name, None, "video"):
            yield of_prepared(source.name, video)
        return
    root = folder / source.name
    if source.read is None or not (root / "features").is_dir():
        return
    without = 0
    for sequence in tracked(source.read(root, split), progress, source.name, None, "sequence"):
        path = features_of(root, sequence.name)
        if path is None:
            without += 1
            continue
        yield of_sequence(source, sequence, path)
    if without:
        notes.append(f"{source.name} ({split}): {without} sequences have no features")


def features_of(root: Path, name: str) -> Path | None:
    """The features file of a sequence."""
    options = (root / "features" / f"{name}{suffix}" for suffix in _SUFFIXES)
    return next((path for path in options if path.is_file()), None)


def of_prepared(dataset: str, video: PreparedVideo) -> ImageVideo:
    """A video of a prepared data set. Its shapes are SMPL's, which no body here has."""
    frames = len(video.points)
    points = _named(video.points, video.point_names, POINT_NAMES, 0.0)
    joints = _unknown(frames, len(JOINT_NAMES), 3)
    if video.joints is not None:
        joints = _named(video.joints, video.joint_names, JOINT_NAMES, np.nan)
    pose = _unknown(frames, 24, 3, 3)
    if video.rotvecs is not None:
        turns = roma.rotvec_to_rotmat(torch.tensor(video.rotvecs)).numpy()
        pose = np.where(video.has_pose[:, None, None, None], turns, np.float32(np.nan))
    betas = _unknown(frames, NUM_BETAS)
    return ImageVideo(dataset, video.name, video.features, points, joints, pose, betas)


def of_sequence(source: ImageSource, sequence: DatasetSequence, path: Path) -> ImageVideo:
    """A sequence with its features; frames without features are left out.

    Raises:
        InputError: features of another count of frames, or damaged.
    """
    clip = on_frames(read_features(path, width=None), np.arange(sequence.num_frames), path)
    kept = np.flatnonzero(np.isfinite(clip.features).all(1))
    labels, joints = _seen(sequence)
    boxes = clip.bbox_xyxy if clip.bbox_xyxy is not None else _own_boxes(labels)
    known = sequence.good[:, None, None]
    points = np.zeros((sequence.num_frames, len(POINT_NAMES), 3), np.float32)
    if labels is not None:
        names = tuple(source.points.get(name, "") for name in labels.keypoint_names)
        points = _named(labels.keypoints_2d, names, POINT_NAMES, 0.0)
        half = np.maximum((boxes[:, None, 2:] - boxes[:, None, :2]) / 2, 1e-6)
        middle = (boxes[:, None, 2:] + boxes[:, None, :2]) / 2
        xy = np.nan_to_num((points[..., :2] - middle) / half)
        points = np.concatenate((xy, points[..., 2:] * known), axis=-1).astype(np.float32)
    deep = _unknown(sequence.num_frames, len(JOINT_NAMES), 3)
    if joints is not None and sequence.joints is not None:
        names = tuple(source.joints.get(name, "") for name in sequence.joints.joint_names)
        deep = np.where(known, _named(joints, names, JOINT_NAMES, np.nan), np.float32(np.nan))
    pose = np.where(known[..., None], _pose(sequence), np.float32(np.nan))
    step = _H36M_STEP if source.name == "h36m" and len(kept) == sequence.num_frames else 1
    kept = kept[::step]
    return ImageVideo(
        source.name,
        sequence.name,
        clip.features[kept],
        points[kept],
        deep[kept],
        pose[kept],
        _unknown(len(kept), NUM_BETAS),
    )


def _seen(sequence: DatasetSequence) -> tuple[Keypoints | None, ndarray | None]:
    """2D points, and 3D joints in camera axes; where only 3D is given, 2D by its camera."""
    labels = sequence.labels if sequence.labels is not None else sequence.keypoints
    if sequence.joints is None:
        return labels, None
    camera, joints = sequence.camera, sequence.joints.joints_world
    if camera is None:
        return labels, joints
    seen = world_to_camera(
        torch.tensor(joints),
        torch.tensor(camera.R_camera_world),
        torch.tensor(camera.t_camera_world),
    )
    if labels is None:
        pixels = project(seen, torch.tensor(camera.K), torch.tensor(camera.distortion)).numpy()
        points = np.concatenate((pixels, np.ones((*pixels.shape[:2], 1), np.float32)), axis=-1)
        labels = Keypoints(
            keypoints_2d=points,
            keypoint_names=sequence.joints.joint_names,
            image_width=camera.image_width,
            image_height=camera.image_height,
            fps=sequence.fps,
            time_s=sequence.joints.time_s,
            frame_index=sequence.joints.frame_index,
            observed=np.isfinite(points).all(-1).any(-1),
        )
    return labels, seen.numpy()


def _pose(sequence: DatasetSequence) -> Float[ndarray, "frames 24 3 3"]:
    """Rotations with the root in camera axes; NaN where the data set has none."""
    motion, camera = sequence.motion, sequence.camera
    if motion is None or camera is None:
        return _unknown(sequence.num_frames, 24, 3, 3)
    root = camera.R_camera_world @ motion.global_orient
    return np.concatenate((root[:, None], motion.body_pose), axis=1)


def _own_boxes(labels: Keypoints | None) -> Float[ndarray, "frames 4"]:
    """Squares round the labels."""
    if labels is None:
        return np.zeros((0, 4), np.float32)
    boxes = boxes_of(labels.keypoints_2d)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = 0.5 * _BOX_SCALE * (boxes[:, 2:] - boxes[:, :2]).max(1, keepdims=True)
    return np.concatenate((middle - half, middle + half), axis=1).astype(np.float32)


def _named(
    values: Float[ndarray, "frames points 3"],
    names: tuple[str, ...],
    wanted: tuple[str, ...],
    otherwise: float,
) -> Float[ndarray, "frames wanted 3"]:
    """The columns of some names; others, and values that are not finite, ``otherwise``."""
    out = np.full((len(values), len(wanted), 3), np.float32(otherwise), np.float32)
    for column, name in enumerate(wanted):
        if name in names:
            found = values[:, names.index(name)]
            whole = np.isfinite(found).all(-1, keepdims=True)
            out[:, column] = np.where(whole, found, np.float32(otherwise))
    return out


def _unknown(*shape: int) -> ndarray:
    """NaN without memory: InstaVariety alone has two million frames."""
    return np.broadcast_to(np.float32(np.nan), shape)


def _read_3dpw(root: Path, split: Split) -> Iterator[DatasetSequence]:
    for path in list_3dpw(root, split):
        yield from read_3dpw(path)


def _read_3dhp(root: Path, split: Split) -> Iterator[DatasetSequence]:
    for path in list_3dhp_train(root) if split == "train" else ():
        yield from read_3dhp_train(path)


def _read_h36m(root: Path, split: Split) -> Iterator[DatasetSequence]:
    if split == "train":
        there = [s for s in TRAIN_SUBJECTS if (root / s).is_dir()]
        yield from read_h36m(root, tuple(there) or TRAIN_SUBJECTS)


def _read_penn(root: Path, split: Split) -> Iterator[DatasetSequence]:
    for number in list_penn(root) if split == "train" else ():
        yield read_penn(root, number)


def _read_posetrack(root: Path, split: Split) -> Iterator[DatasetSequence]:
    for path in list_posetrack(root) if split == "train" else ():
        yield from read_posetrack(path)


_H36M: Final = {name: to for name, to in _LSP_NAMES.items() if name != "neck"} | {
    "thorax": "lsp14.neck"
}
SOURCES: Final = (
    ImageSource(
        "3dpw",
        (("train", "3dpw_train_db.pt"), ("validation", "3dpw_val_db.pt")),
        _read_3dpw,
        {name: f"openpose25.{name}" for name in COCO_17.keypoint_names},
        {name: f"smpl24.{name}" for name in SMPL_24.keypoint_names},
    ),
    ImageSource(
        "mpi-inf-3dhp", (("train", "mpii3d_train_db.pt"),), _read_3dhp, _LSP_NAMES, _LSP_NAMES
    ),
    ImageSource("h36m", (("train", "h36m_train_db.pt"),), _read_h36m, _H36M, _H36M),
    ImageSource(
        "penn",
        (("train", "pennaction_train_db.pt"),),
        _read_penn,
        _LSP_NAMES | {"head": "lsp14.head_top"},
        {},
    ),
    ImageSource(
        "posetrack",
        (("train", "posetrack_train_db.pt"),),
        _read_posetrack,
        _LSP_NAMES | {name: f"openpose25.{name}" for name in ("nose", "left_ear", "right_ear")},
        {},
    ),
    ImageSource("instavariety", (("train", "insta_train_db.h5"),), None, {}, {}),
)
"""In the order in which they are looked for."""
