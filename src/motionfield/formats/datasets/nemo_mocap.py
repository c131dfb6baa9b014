"""NeMo-MoCap: five sports actions, eight takes each, with marker-based truth.

Layout as the README and nemo/multi_view_sequence.py of github.com/wangkua1/nemo-cvpr2023 have it,
below ``data``: ``mocap/<action>.<i>.pkl`` (joblib: ``fullpose`` (T, >= 66) axis-angle, ``trans``,
``betas``), and below ``exps/mymocap_<action>/``: ``<action>.<i>.mp4/000001.png`` …,
``<action>.<i>.mp4_gt_new/`` or ``_gt/`` (``000001_keypoints.pkl``: (1, >= 15, 2) OpenPose joints
projected from the truth), ``<action>.<i>.mp4_openpose/000001_keypoints.json``; or the videos as
``videos/<action>.<i>.mp4``. Never seen on the real files here: unverified.

Mocap and video have the same frames at 30 per second. What is up is taken from the motion.
"""

from pathlib import Path
from typing import Final

import numpy as np

from motionfield.core.keypoint_sets import OPENPOSE_25
from motionfield.data.keypoints import Keypoints
from motionfield.formats.datasets.origins import need, wrong
from motionfield.formats.datasets.parts import (
    keypoints_of,
    openpose_in,
    pictures_in,
    size_of_pictures,
)
from motionfield.formats.datasets.sequence import DatasetSequence, Pictures
from motionfield.formats.datasets.smpl import smpl_motion, z_up
from motionfield.formats.safe_pickle import load_pickle

ACTIONS: Final = ("baseball_pitch", "baseball_swing", "tennis_serve", "tennis_swing", "golf_swing")
TAKES: Final = 8
FPS: Final = 30.0
"""Nose, neck, shoulders, elbows, wrists, middle of the hips, hips, knees, ankles."""
_IMAGE_SIZE = (1920, 1080)


def read_nemo_mocap(folder: Path, action: str, take: int) -> DatasetSequence:
    """One take.

    Args:
        folder: what holds ``mocap`` and ``exps`` (or a folder ``data`` with them).

    Raises:
        InputError: a file is missing or has another form.
    """
    folder = folder / "data" if (folder / "data" / "mocap").is_dir() else folder
    path = need(need(folder / "mocap", "nemo-mocap") / f"{action}.{take}.pkl", "nemo-mocap")
    content = load_pickle(path)
    try:
        pose = np.asarray(content["fullpose"], np.float64)
        transl = np.asarray(content["trans"], np.float64)
        betas = np.asarray(content["betas"], np.float64)
        rotvecs = pose[:, :66].reshape(len(pose), 22, 3)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise wrong(path, f"holds no fullpose, trans and betas ({error})", "nemo-mocap") from error
    frames = len(rotvecs)
    name = f"{action}.{take}.mp4"
    base = folder / "exps" / f"mymocap_{action}"
    pictures = _pictures(base / name, folder / "videos" / name, frames)
    size = size_of_pictures(pictures, _IMAGE_SIZE)
    good = np.ones(frames, bool)
    sequence = DatasetSequence(
        dataset="nemo-mocap",
        name=f"{action}.{take}",
        subject="actor",
        action=action,
        fps=FPS,
        good=good,
        pictures=pictures,
        keypoints=openpose_in(base / f"{name}_openpose", frames, size, FPS),
        labels=_labels(base, name, frames, size),
        motion=smpl_motion(rotvecs, transl, betas, FPS, good),
    )
    return z_up(sequence)


def _pictures(folder: Path, video: Path, frames: int) -> Pictures | None:
    found = pictures_in(folder, frames)
    return Pictures(video, np.arange(frames)) if found is None and video.is_file() else found


def _labels(base: Path, name: str, frames: int, image_size: tuple[int, int]) -> Keypoints | None:
    folder = next((f for f in (base / f"{name}_gt_new", base / f"{name}_gt") if f.is_dir()), None)
    if folder is None:
        return None
    points = np.full((frames, len(OPENPOSE_25.keypoint_names), 3), np.nan)
    for frame in range(frames):
        path = need(folder / f"{frame + 1:06d}_keypoints.pkl", "nemo-mocap")
        shown = np.asarray(load_pickle(path), np.float64)
        if shown.ndim != 3 or shown.shape[1] < 15 or shown.shape[2] < 2:
            raise wrong(path, f"has shape {shown.shape}, not (1, 15 or more, 2)", "nemo-mocap")
        points[frame, :15, :2] = shown[0, :15, :2] + 0.5
        points[frame, :15, 2] = 1
    names = OPENPOSE_25.keypoint_names
    return keypoints_of(points, names, image_size, FPS, f"NeMo-MoCap {name}")
