"""3DPW: 60 outdoor sequences before a moving phone, one or two people with inertial truth.

Layout as its readme and VIBE's loader (lib/data_utils/threedpw_utils.py) have it:
``sequenceFiles/{train,validation,test}/<name>.pkl`` (Python 2: ``poses``, ``trans``, ``betas``,
``jointPositions`` (T, 72), ``poses2d`` (T, 3, 18), ``genders``, ``campose_valid``: one entry per
person; ``cam_poses`` (T, 4, 4) world to camera, ``cam_intrinsics``) and
``imageFiles/<name>/image_00000.jpg``. Never seen on the real files here: unverified. 30 frames
per second; what is up is taken from the motion.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np

from motionfield.core.conventions import JOINT_NAMES
from motionfield.core.keypoint_sets import COCO_17
from motionfield.data.keypoints import Keypoints
from motionfield.formats.datasets.origins import need_any, wrong
from motionfield.formats.datasets.parts import (
    camera_of,
    joints_of,
    keypoints_of,
    mask_of,
    pictures_in,
    size_from_centre,
    size_of_pictures,
)
from motionfield.formats.datasets.sequence import DatasetSequence
from motionfield.formats.datasets.smpl import smpl_motion, z_up
from motionfield.formats.safe_pickle import load_pickle

FPS: Final = 30.0
_LIMBS = ("shoulder", "elbow", "wrist")
_LEGS = ("hip", "knee", "ankle")
_OPENPOSE_18: Final = (
    *("nose", "neck"),
    *(f"{side}_{part}" for side in ("right", "left") for part in _LIMBS),
    *(f"{side}_{part}" for side in ("right", "left") for part in _LEGS),
    *("right_eye", "left_eye", "right_ear", "left_ear"),
)


def list_3dpw(folder: Path, split: str) -> list[Path]:
    """The sequence files of a split ("train", "validation", "test").

    Raises:
        InputError: the folder is missing or holds none.
    """
    return need_any(folder / "sequenceFiles" / split, ("*.pkl",), "3dpw")


def read_3dpw(path: Path) -> list[DatasetSequence]:
    """The persons of one sequence file.

    Raises:
        InputError: the file has another form.
    """
    content = load_pickle(path)
    try:
        return [z_up(_person(path, content, k)) for k in range(len(content["poses"]))]
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise wrong(path, f"is no 3DPW sequence ({error})", "3dpw") from error


def _person(path: Path, content: dict[str, Any], person: int) -> DatasetSequence:
    extrinsics = np.asarray(content["cam_poses"], np.float64)
    frames = len(extrinsics)
    images = path.parents[2] / "imageFiles" / path.stem
    pictures = pictures_in(images, frames)
    K = np.asarray(content["cam_intrinsics"], np.float64)
    size = size_of_pictures(pictures, size_from_centre(K))
    good = mask_of(content["campose_valid"][person], frames)
    joints = np.asarray(content["jointPositions"][person], np.float64).reshape(frames, 24, 3)
    poses = np.asarray(content["poses"][person], np.float64).reshape(frames, 24, 3)
    name = f"{path.stem}_{person}"
    return DatasetSequence(
        dataset="3dpw",
        name=name,
        subject=name,
        action=path.stem,
        fps=FPS,
        good=good,
        pictures=pictures,
        keypoints=_coco(content["poses2d"][person], size, name),
        camera=camera_of(K, extrinsics[:, :3, :3], extrinsics[:, :3, 3], size),
        motion=smpl_motion(
            poses, content["trans"][person], content["betas"][person][:10], FPS, good
        ),
        joints=joints_of(joints, JOINT_NAMES, FPS),
    )


def _coco(poses2d: Any, size: tuple[int, int], name: str) -> Keypoints:
    """COCO's 17 of the 18 that the files have (all but the neck); zeros were not found."""
    found = np.asarray(poses2d, np.float64).transpose(0, 2, 1)
    found = np.where(found[..., 2:] > 0, found + np.array((0.5, 0.5, 0)), np.nan)
    found[..., 2] = found[..., 2].clip(0, 1)
    columns = [_OPENPOSE_18.index(keypoint) for keypoint in COCO_17.keypoint_names]
    return keypoints_of(found[:, columns], COCO_17.keypoint_names, size, FPS, f"3DPW {name}")
