"""EMDB: 81 outdoor and indoor sequences before a moving phone, truth by body-worn sensors.

Layout as its repository describes it (dataset.md of github.com/eth-ait/emdb):
``P0/09_outdoor_walk/P0_09_outdoor_walk_data.pkl`` and ``images/00000.jpg`` beside it. The pickle:
``name``, ``gender``, ``emdb1``, ``emdb2``, ``n_frames``, ``good_frames_mask``, ``camera``
(``intrinsics`` (3, 3), ``extrinsics`` (T, 4, 4) world to camera, ``width``, ``height``), ``smpl``
(``poses_root``, ``poses_body`` (T, 69), ``trans``, ``betas`` (10,)), ``kp2d`` (T, 24, 2: the true
joints in the picture). Never seen on the real files here: unverified. What is up is taken from
the motion.
"""

from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from motionfield.core.keypoint_sets import SMPL_24
from motionfield.formats.datasets.origins import need_any, wrong
from motionfield.formats.datasets.parts import camera_of, keypoints_of, mask_of, pictures_in
from motionfield.formats.datasets.sequence import DatasetSequence
from motionfield.formats.datasets.smpl import smpl_motion, z_up
from motionfield.formats.safe_pickle import load_pickle

FPS: Final = 30.0


class EmdbFile(NamedTuple):
    """A sequence that has not been read yet."""

    path: Path
    participant: str
    sequence: str
    """"09_outdoor_walk" …"""


def list_emdb(folder: Path) -> list[EmdbFile]:
    """All sequences below ``folder`` (which holds P0 to P9), in order.

    Raises:
        InputError: the folder is missing or holds none.
    """
    paths = need_any(folder, ("P*/*/*_data.pkl", "*/P*/*/*_data.pkl"), "emdb")
    return [EmdbFile(path, path.parts[-3], path.parts[-2]) for path in paths]


def read_emdb(file: EmdbFile) -> tuple[DatasetSequence, bool]:
    """One sequence, and whether it belongs to protocol 1 (``emdb1``).

    Raises:
        InputError: the file has another form.
    """
    content = load_pickle(file.path)
    try:
        sequence, first = _sequence(file, content), bool(content["emdb1"])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise wrong(file.path, f"is no EMDB sequence ({error})", "emdb") from error
    return z_up(sequence), first


def _sequence(file: EmdbFile, content: dict[str, Any]) -> DatasetSequence:
    smpl, camera = content["smpl"], content["camera"]
    frames = int(content["n_frames"])
    rotvecs = np.concatenate((smpl["poses_root"], smpl["poses_body"]), axis=1)
    good = mask_of(content["good_frames_mask"], frames)
    size = int(camera["width"]), int(camera["height"])
    extrinsics = np.asarray(camera["extrinsics"], np.float64)
    shown = np.asarray(content["kp2d"], np.float64) + 0.5
    points = np.concatenate((shown, np.ones((frames, 24, 1))), axis=-1)
    name = f"{file.participant}_{file.sequence}"
    return DatasetSequence(
        dataset="emdb",
        name=name,
        subject=file.participant,
        action=file.sequence,
        fps=FPS,
        good=good,
        pictures=pictures_in(file.path.parent / "images", frames),
        labels=keypoints_of(points, SMPL_24.keypoint_names, size, FPS, f"EMDB {name}"),
        camera=camera_of(camera["intrinsics"], extrinsics[:, :3, :3], extrinsics[:, :3, 3], size),
        motion=smpl_motion(rotvecs.reshape(frames, 24, 3), smpl["trans"], smpl["betas"], FPS, good),
    )
