"""ZJU-MoCap: nine people in a dome of cameras, SMPL fitted to all views.

Layout as the loader of Neural Body (lib/datasets/light_stage/multi_view_dataset.py of
github.com/zju3dv/neuralbody) has it: ``CoreView_393/annots.npy`` (pickled: ``cams`` with lists
``K``, ``R``, ``T`` in mm, ``D``; ``ims``: per frame ``ims``, the picture of each camera),
``new_params/<i>.npy`` or ``params/<i>.npy`` (pickled: ``poses`` (1, 72), ``Rh``, ``Th``,
``shapes``). Joints of the multi-view detector, where they come along, as EasyMocap writes them:
``keypoints3d/000000.json`` (25 OpenPose joints, metres). Never seen on the real files here:
unverified. 50 frames per second assumed; what is up is taken from the motion.

``Rh`` and ``Th`` turn and move the posed body about the origin, not about its root joint.
"""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import roma
import torch
from jaxtyping import Float
from numpy import ndarray

from motionfield.core.keypoint_sets import OPENPOSE_25
from motionfield.data.joint_track import JointTrack
from motionfield.formats.datasets.origins import need, need_any, wrong
from motionfield.formats.datasets.parts import (
    camera_of,
    joints_of,
    size_of_pictures,
)
from motionfield.formats.datasets.sequence import DatasetSequence, Pictures
from motionfield.formats.datasets.smpl import SMPL_PELVIS_M, smpl_motion, z_up
from motionfield.formats.image_folder import list_images
from motionfield.formats.safe_pickle import load_pickle

FPS: Final = 50.0
SUBJECTS: Final = ("313", "315", "377", "386", "387", "390", "392", "393", "394")
_IMAGE_SIZE = (1024, 1024)


def read_zju(folder: Path, subject: str, camera: int = 0) -> DatasetSequence:
    """One person before one camera (0: the first).

    Raises:
        InputError: a file is missing or has another form.
    """
    root = need(need(folder, "zju") / f"CoreView_{subject}", "zju")
    path = need(root / "annots.npy", "zju")
    annots = load_pickle(path)
    params = _params(root)
    try:
        cams = annots["cams"]
        shown = [str(entry["ims"][camera]) for entry in annots["ims"][: len(params)]]
        numbers = [np.asarray(cams[key][camera], np.float64) for key in ("K", "R", "T", "D")]
        rotvecs, transl, betas = _smpl(params[: len(shown)])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise wrong(path, f"is no annotation of ZJU-MoCap ({error})", "zju") from error
    K, R, T_mm, D = numbers
    frames = len(shown)
    pictures = _pictures(root, shown)
    size = size_of_pictures(pictures, _IMAGE_SIZE)
    Rs, ts = np.tile(R, (frames, 1, 1)), np.tile(T_mm.reshape(3) / 1000, (frames, 1))
    good = np.ones(frames, bool)
    sequence = DatasetSequence(
        dataset="zju",
        name=f"CoreView_{subject}_camera_{camera + 1}",
        subject=subject,
        action=subject,
        fps=FPS,
        good=good,
        pictures=pictures,
        camera=camera_of(K, Rs, ts, size, D.ravel().tolist()),
        motion=smpl_motion(rotvecs, transl, betas, FPS, good),
        joints=_joints(root / "keypoints3d", frames),
        notes=("frame rate not in the files: 50 assumed",),
    )
    return z_up(sequence)


def _params(root: Path) -> list[dict[str, Any]]:
    """The parameters of all frames: the newer fit where there are two."""
    paths = need_any(root, ("new_params/*.npy", "params/*.npy"), "zju")
    ordered = sorted(paths, key=lambda path: int(path.stem))
    return [load_pickle(path) for path in ordered]


def _smpl(
    params: list[dict[str, Any]],
) -> tuple[Float[ndarray, "frames 24 3"], Float[ndarray, "frames 3"], Float[ndarray, "betas"]]:
    """Poses and translation as SMPL means them: the root turns about itself."""
    poses = np.stack([np.reshape(p["poses"], (24, 3)) for p in params]).astype(np.float64)
    Rh = torch.tensor(np.stack([np.reshape(p["Rh"], 3) for p in params]), dtype=torch.float64)
    Th = np.stack([np.reshape(p["Th"], 3) for p in params])
    turn = roma.rotvec_to_rotmat(Rh)
    root = turn @ roma.rotvec_to_rotmat(torch.tensor(poses[:, 0]))
    poses[:, 0] = roma.rotmat_to_rotvec(root).numpy()
    rest = np.asarray(SMPL_PELVIS_M)
    transl = Th + turn.numpy() @ rest - rest
    return poses, transl, np.ravel(params[0]["shapes"])


def _pictures(root: Path, shown: list[str]) -> Pictures | None:
    folder = (root / shown[0]).parent
    if not folder.is_dir():
        return None
    place = {path.name: index for index, path in enumerate(list_images(folder))}
    names = [Path(name).name for name in shown]
    if any(name not in place for name in names):
        return None
    return Pictures(folder, np.array([place[name] for name in names]))


def _joints(folder: Path, frames: int) -> JointTrack | None:
    files = sorted(folder.glob("*.json"))[:frames] if folder.is_dir() else []
    if len(files) < frames:
        return None
    points = np.full((frames, 25, 3), np.nan)
    for frame, path in enumerate(files):
        try:
            people = json.loads(path.read_text(encoding="utf-8"))
            found = np.asarray(people[0]["keypoints3d"], np.float64)[:25]
            points[frame] = np.where(found[:, 3:] > 0, found[:, :3], np.nan)
        except (ValueError, KeyError, TypeError, IndexError, OSError) as error:
            raise wrong(path, f"holds no keypoints3d ({error})", "zju") from error
    return joints_of(points, OPENPOSE_25.keypoint_names, FPS)
