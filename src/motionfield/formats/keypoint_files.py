"""Keypoint files: our own npz, and OpenPose's JSON (one file per frame).

Our npz: ``keypoints_2d`` (T, K, 3: x, y in pixels, confidence), ``keypoint_names`` (K,),
``image_size`` (width, height), ``fps``; NaN where not seen. Optional: ``time_s`` (T,).
"""

import json
import zipfile
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from motionfield.core.errors import InputError
from motionfield.core.history import step
from motionfield.core.keypoint_sets import OPENPOSE_25
from motionfield.data.keypoints import Keypoints
from motionfield.data.record import write_npz
from motionfield.data.tracks import boxes_of

OPENPOSE_FPS = 30.0
"""OpenPose's files carry neither rate nor image size; these are taken where none is given."""
OPENPOSE_IMAGE_SIZE = (1920, 1080)


def read_keypoints(
    path: Path, fps: float | None = None, image_size: tuple[int, int] | None = None
) -> Keypoints:
    """Read one person's 2D keypoints: our ``.npz``, or a folder of OpenPose JSON files.

    Args:
        path: the file or folder.
        fps: capture rate, for files that carry none (wins over the file's own).
        image_size: width and height in pixels, likewise.

    Raises:
        InputError: missing, damaged, or of an unknown form.
    """
    if not path.exists():
        raise InputError(path, "does not exist", "check the path")
    if path.is_dir():
        return _read_openpose(path, sorted(path.glob("*.json")), fps, image_size)
    if path.suffix == ".json":
        return _read_openpose(path, [path], fps, image_size)
    return _read_npz(path, fps, image_size)


def write_keypoints(path: Path, keypoints: Keypoints) -> None:
    """Write our npz form."""
    write_npz(
        path,
        keypoints_2d=keypoints.keypoints_2d,
        keypoint_names=np.array(keypoints.keypoint_names),
        image_size=np.array(keypoints.image_size),
        fps=np.array(keypoints.fps),
        time_s=keypoints.time_s,
    )


def _read_npz(path: Path, fps: float | None, image_size: tuple[int, int] | None) -> Keypoints:
    cure = "write keypoints_2d (T, K, 3), keypoint_names (K,), image_size (2,) and fps with numpy"
    try:
        with np.load(path, allow_pickle=False) as file:
            content = {key: file[key] for key in file.files}
        points = content["keypoints_2d"].astype(np.float32)
        names = tuple(str(name) for name in content["keypoint_names"])
        width, height = image_size or tuple(int(side) for side in content["image_size"])
        rate = fps or float(content["fps"])
    except KeyError as error:
        raise InputError(path, f"holds no array {error}", cure) from error
    except (OSError, ValueError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(path, f"is not a keypoint file ({error})", cure) from error
    if points.ndim != 3 or points.shape[2] != 3 or len(points) == 0:
        raise InputError(path, f"keypoints_2d has shape {points.shape}, not (T, K, 3)", cure)
    if len(names) != points.shape[1]:
        fault = f"has {len(names)} keypoint_names for {points.shape[1]} keypoints"
        raise InputError(path, fault, "give one name per keypoint")
    if not (np.isfinite(rate) and rate > 0):
        raise InputError(path, f"has fps {rate}", "give frames per second, above 0")
    time_s = content.get("time_s")
    return _keypoints(path, points, names, rate, (width, height), time_s)


def _read_openpose(
    path: Path,
    files: list[Path],
    fps: float | None,
    image_size: tuple[int, int] | None,
) -> Keypoints:
    if not files:
        raise InputError(path, "holds no OpenPose JSON files", "give the --write_json folder")
    frames = [_openpose_person(file) for file in files]
    size = image_size or OPENPOSE_IMAGE_SIZE
    names = OPENPOSE_25.keypoint_names
    return _keypoints(path, np.stack(frames), names, fps or OPENPOSE_FPS, size, None)


def _openpose_person(file: Path) -> Float[ndarray, "25 3"]:
    """The most confident person of one frame; NaN where OpenPose wrote zeros or saw nobody."""
    try:
        people = json.loads(file.read_text(encoding="utf-8"))["people"]
        persons = [np.asarray(p["pose_keypoints_2d"], np.float32).reshape(-1, 3) for p in people]
    except (OSError, ValueError, KeyError, TypeError, UnicodeDecodeError) as error:
        cure = "give OpenPose's BODY_25 output (--write_json)"
        raise InputError(file, f"is not OpenPose JSON ({error})", cure) from error
    if any(person.shape != (25, 3) for person in persons):
        count = next(len(p) for p in persons if p.shape != (25, 3))
        raise InputError(file, f"has {count} keypoints", "run OpenPose with --model_pose BODY_25")
    nothing = np.full((25, 3), np.nan, np.float32)
    if not persons:
        return nothing
    best = max(persons, key=lambda person: float(person[:, 2].sum()))
    # OpenPose writes x = y = confidence = 0 for a point that it did not find.
    return np.where(best[:, 2:] > 0, best, nothing)


def _keypoints(
    path: Path,
    points: Float[ndarray, "frames keypoints 3"],
    names: tuple[str, ...],
    fps: float,
    image_size: tuple[int, int],
    time_s: ndarray | None,
) -> Keypoints:
    seen = np.isfinite(points).all(-1)
    points = np.where(seen[..., None], points, np.float32(np.nan))
    points[..., 2] = points[..., 2].clip(0, 1)
    if not seen.any():
        raise InputError(path, "holds no observed keypoint", "check how it was written")
    return Keypoints(
        keypoints_2d=points,
        keypoint_names=names,
        image_width=image_size[0],
        image_height=image_size[1],
        fps=fps,
        time_s=np.arange(len(points)) / fps if time_s is None else time_s.astype(np.float64),
        frame_index=np.arange(len(points)),
        bbox_xyxy=boxes_of(points),
        observed=seen.any(-1),
        history=(step("read keypoints", path=path.name),),
    )
