"""AMASS: thousands of marker-based motions as SMPL parameters.

Layout as it is downloaded: ``<set>/<subject>/<motion>_poses.npz`` (``poses`` (T, 156) axis-angle,
``trans``, ``betas`` (16,), ``gender``, ``mocap_framerate``) or ``<motion>_stageii.npz``
(``root_orient``, ``pose_body``, ``mocap_frame_rate``). Public loader: VIBE's
lib/data_utils/amass_utils.py. Z up; the ground at about z = 0. Never seen on the real files here:
unverified.
"""

import zipfile
from pathlib import Path

import numpy as np

from motionfield.formats.datasets.origins import need, need_any, wrong
from motionfield.formats.datasets.sequence import DatasetSequence
from motionfield.formats.datasets.smpl import smpl_motion

_DAMAGE = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile)


def list_amass(folder: Path) -> list[Path]:
    """All motions below a folder (``shape.npz`` and the like are none).

    Raises:
        InputError: the folder is missing or holds none.
    """
    need(folder, "amass")
    return need_any(folder, ("**/*_poses.npz", "**/*_stageii.npz"), "amass")


def read_amass(path: Path) -> DatasetSequence:
    """One motion.

    Raises:
        InputError: the file has another form.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            rate = "mocap_framerate" if "mocap_framerate" in file.files else "mocap_frame_rate"
            fps = float(file[rate])
            if "poses" in file.files:
                poses = np.asarray(file["poses"], np.float64)
            else:
                poses = np.concatenate((file["root_orient"], file["pose_body"]), axis=1)
            transl = np.asarray(file["trans"], np.float64)
            betas = np.asarray(file["betas"], np.float64).ravel()[:16]
        rotvecs = poses[:, :66].reshape(len(poses), 22, 3)
    except _DAMAGE as error:
        raise wrong(path, f"is no AMASS motion ({error})", "amass") from error
    good = np.ones(len(rotvecs), bool)
    return DatasetSequence(
        dataset="amass",
        name=path.stem,
        subject=path.parent.name,
        action=path.stem,
        fps=fps,
        good=good,
        motion=smpl_motion(rotvecs, transl, betas, fps, good),
    )
