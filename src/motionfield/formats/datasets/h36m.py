"""Human3.6M: indoor actions, four cameras, marker-based joints.

Two prepared forms are read, as the public code of VideoPose3D makes or expects them
(data/prepare_data_h36m.py, common/h36m_dataset.py); the original ``.cdf`` files are not read:

- ``S9/MyPoseFeatures/D3_Positions/<action>.cdf.mat`` (MATLAB 5: ``data``, a cell of (T, 96) mm,
  world), converted from the ``.cdf`` files by the MATLAB script of VideoPose3D;
- ``data_3d_h36m.npz`` (``positions_3d``: subject → action → (T, 32, 3) metres, world).

Videos, where there are any, as ``S9/Videos/<action>.60457274.mp4``. Never seen on the real files
here: unverified. World Z up; 50 frames per second.

The frontal camera's numbers are those of the data set's calibration, as VideoPose3D lists them.
"""

import tempfile
import zipfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import roma
import torch
from jaxtyping import Float
from numpy import ndarray

from motionfield.core.keypoint_sets import H36M_17
from motionfield.data.camera_path import CameraPath
from motionfield.formats.datasets.mat_file import load_mat
from motionfield.formats.datasets.origins import need, need_any, wrong
from motionfield.formats.datasets.parts import camera_of, joints_of
from motionfield.formats.datasets.sequence import DatasetSequence, Pictures
from motionfield.formats.safe_pickle import load_pickle

FPS: Final = 50.0
TEST_SUBJECTS: Final = ("S9", "S11")
TRAIN_SUBJECTS: Final = ("S1", "S5", "S6", "S7", "S8")
FRONTAL: Final = "60457274"
_CORRUPT = ("S11", "Directions")
"""A take whose video is damaged; every published table leaves it out."""
_COLUMNS: Final = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)
"""Of the 32 joints, in the order of ``H36M_17``."""

_K = ((1145.5113525390625, 0, 514.9682006835938), (0, 1144.77392578125, 501.88201904296875))
_DISTORTION = (
    *(-0.198384091258049, 0.21832367777824402),
    *(-0.0005872055771760643, -0.0018133620033040643),
    -0.008947807364165783,
)
_IMAGE_SIZE = (1000, 1002)
# Orientation (w, x, y, z; world from camera) and place in the world, mm.
_PLACED: Final = {
    "S1": (
        (0.5834008455276489, -0.7853162288665771, 0.14548823237419128, -0.14749594032764435),
        (-1794.7896728515625, -3722.698974609375, 1574.8927001953125),
    ),
    "S5": (
        (0.5920479893684387, -0.7814217805862427, 0.1274748593568802, -0.15036417543888092),
        (-1637.1737060546875, -3867.3173828125, 1547.033203125),
    ),
    "S6": (
        (0.5916101336479187, -0.7804774045944214, 0.12832270562648773, -0.1561593860387802),
        (-1721.668701171875, -3884.13134765625, 1540.4879150390625),
    ),
    "S7": (
        (0.5912848114967346, -0.7821764349937439, 0.12445473670959473, -0.15196487307548523),
        (-1734.7105712890625, -3832.42138671875, 1548.5830078125),
    ),
    "S8": (
        (0.5927824378013611, -0.7825870513916016, 0.12147816270589828, -0.14631995558738708),
        (-1476.913330078125, -3896.7412109375, 1547.97216796875),
    ),
    "S9": (
        (0.5879399180412292, -0.7823407053947449, 0.1427614390850067, -0.14794869720935822),
        (-1696.04345703125, -3827.099853515625, 1591.4127197265625),
    ),
    "S11": (
        (0.5894251465797424, -0.7818877100944519, 0.13991211354732513, -0.14715361595153809),
        (-1590.738037109375, -3854.1689453125, 1578.017578125),
    ),
}


def read_h36m(folder: Path, subjects: tuple[str, ...] = TEST_SUBJECTS) -> list[DatasetSequence]:
    """All takes of some subjects (the test's) before the frontal camera.

    Raises:
        InputError: neither prepared form is there, or a file has another form.
    """
    need(folder, "h36m")
    npz = folder / "data_3d_h36m.npz"
    takes = _of_npz(npz, subjects) if npz.is_file() else _of_mat(folder, subjects)
    return [
        _sequence(folder, subject, action, positions)
        for subject, action, positions in takes
        if (subject, action) != _CORRUPT
    ]


def _of_mat(folder: Path, subjects: tuple[str, ...]) -> list[tuple[str, str, ndarray]]:
    takes = []
    for subject in subjects:
        features = folder / subject / "MyPoseFeatures" / "D3_Positions"
        if (
            features.is_dir()
            and not list(features.glob("*.cdf.mat"))
            and list(features.glob("*.cdf"))
        ):
            fault = "holds .cdf files, which are not read (prepare them with VideoPose3D)"
            raise wrong(features, fault, "h36m")
        for path in need_any(features, ("*.cdf.mat",), "h36m"):
            data = np.asarray(load_mat(path, ("data",))["data"])
            while data.dtype == object:
                data = np.asarray(data.flat[0])
            if data.size == 0 or data.size % 96:
                raise wrong(path, f"data has shape {data.shape}, not (frames, 96)", "h36m")
            positions = data.reshape(-1, 32, 3).astype(np.float64) / 1000
            takes.append((subject, path.name.removesuffix(".cdf.mat"), positions))
    return takes


def _of_npz(path: Path, subjects: tuple[str, ...]) -> list[tuple[str, str, ndarray]]:
    try:
        with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
            member = Path(archive.extract("positions_3d.npy", folder))
            content: dict[str, Any] = load_pickle(member)
        return [
            (subject, action, np.asarray(positions, np.float64).reshape(-1, 32, 3))
            for subject in subjects
            for action, positions in sorted(content[subject].items())
        ]
    except (KeyError, ValueError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise wrong(
            path, f"holds no positions_3d of {' and '.join(subjects)} ({error})", "h36m"
        ) from error


def _sequence(
    folder: Path, subject: str, action: str, positions: Float[ndarray, "frames 32 3"]
) -> DatasetSequence:
    frames = len(positions)
    video = _video(folder / subject / "Videos", action)
    joints = positions[:, list(_COLUMNS)]
    return DatasetSequence(
        dataset="h36m",
        name=f"{subject}_{action}",
        subject=subject,
        action=action.split(" ")[0],
        fps=FPS,
        good=np.isfinite(joints).all((1, 2)),
        pictures=None if video is None else Pictures(video, np.arange(frames)),
        camera=_camera(subject, frames),
        joints=joints_of(joints, H36M_17.keypoint_names, FPS),
    )


def _video(folder: Path, action: str) -> Path | None:
    """The video of an action; VideoPose3D renames two of the fifteen."""
    whole = action.replace("WalkDog", "WalkingDog")
    if "TakingPhoto" not in whole:
        whole = whole.replace("Photo", "TakingPhoto")
    found = (folder / f"{name}.{FRONTAL}.mp4" for name in (action, whole))
    return next((path for path in found if path.is_file()), None)


def _camera(subject: str, frames: int) -> CameraPath:
    (w, x, y, z), place_mm = _PLACED[subject]
    quat = torch.tensor([x, y, z, w], dtype=torch.float64)
    R = roma.unitquat_to_rotmat(quat / quat.norm()).numpy().T
    t = -R @ (np.asarray(place_mm) / 1000)
    K = np.array([*_K, (0, 0, 1)], np.float64)
    Rs, ts = np.tile(R, (frames, 1, 1)), np.tile(t, (frames, 1))
    return camera_of(K, Rs, ts, _IMAGE_SIZE, _DISTORTION)
