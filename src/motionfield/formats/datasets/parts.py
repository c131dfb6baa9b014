"""Records from the arrays of foreign files: keypoints, cameras, joint tracks."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from motionfield.core.errors import InputError
from motionfield.core.history import step
from motionfield.data.camera_path import CameraPath
from motionfield.data.joint_track import JointTrack
from motionfield.data.keypoints import Keypoints
from motionfield.data.tracks import boxes_of
from motionfield.formats.datasets.sequence import Pictures
from motionfield.formats.image_folder import list_images, probe_images
from motionfield.formats.keypoint_files import read_keypoints

_RIGID = 1e-3


def keypoints_of(
    points: Float[ndarray, "frames keypoints 3"],
    names: Sequence[str],
    image_size: tuple[int, int],
    fps: float,
    source: str,
) -> Keypoints:
    """Keypoints from x, y, confidence; points that are not finite become NaN."""
    points = points.astype(np.float32)
    seen = np.isfinite(points).all(-1)
    points = np.where(seen[..., None], points, np.float32(np.nan))
    return Keypoints(
        keypoints_2d=points,
        keypoint_names=tuple(names),
        image_width=image_size[0],
        image_height=image_size[1],
        fps=fps,
        time_s=np.arange(len(points)) / fps,
        frame_index=np.arange(len(points)),
        bbox_xyxy=boxes_of(points),
        observed=seen.any(-1),
        history=(step("read data set", source=source),),
    )


def openpose_in(
    folder: Path, frames: int, image_size: tuple[int, int], fps: float
) -> Keypoints | None:
    """The first ``frames`` of OpenPose's files in a folder; None where it is not there.

    Raises:
        InputError: too few files, or another form.
    """
    if not folder.is_dir():
        return None
    keypoints = read_keypoints(folder, fps, image_size)
    if keypoints.num_frames < frames:
        fault = f"has {keypoints.num_frames} files for {frames} frames"
        raise InputError(folder, fault, "run OpenPose on all frames again")
    return keypoints.at_frames(np.arange(frames))


def joints_of(
    points_world: Float[ndarray, "frames joints 3"], names: Sequence[str], fps: float
) -> JointTrack:
    """A joint track from metres."""
    return JointTrack(
        joints_world=points_world.astype(np.float32),
        joint_names=tuple(names),
        fps=fps,
        time_s=np.arange(len(points_world)) / fps,
        frame_index=np.arange(len(points_world)),
    )


def camera_of(
    K: Float[ndarray, "3 3"],
    R_camera_world: Float[ndarray, "frames 3 3"],
    t_camera_world: Float[ndarray, "frames 3"],
    image_size: tuple[int, int],
    distortion: Sequence[float] = (0.0,) * 5,
) -> CameraPath:
    """A given camera from OpenCV's numbers (there the first pixel's centre is at (0, 0)).

    Frames whose extrinsics are no rigid motion (lost by the data set) keep the last ones that are.
    """
    frames = len(R_camera_world)
    lens = np.asarray(K, np.float64)[:3, :3].copy()
    lens[:2, 2] += 0.5
    known = _last_known(R_camera_world, t_camera_world)
    five = np.zeros(5, np.float32)
    five[: len(distortion)] = np.asarray(distortion, np.float32).ravel()[:5]
    focal = float(lens[0, 0])
    R = np.asarray(R_camera_world, np.float32)[known]
    t = np.asarray(t_camera_world, np.float32)[known]
    still = np.allclose(R, R[:1], atol=1e-5) and np.allclose(t, t[:1], atol=1e-4)
    return CameraPath(
        K=np.tile(lens.astype(np.float32), (frames, 1, 1)),
        distortion=five,
        R_camera_world=R,
        t_camera_world=t,
        image_width=image_size[0],
        image_height=image_size[1],
        moving=not still,
        focal_source="given",
        focal_range_px=(focal, focal),
        gravity_source="given",
        gravity_doubt_deg=0.0,
        scale_source="given",
        scale_range=(1.0, 1.0),
    )


def _last_known(R: ndarray, t: ndarray) -> Int[ndarray, "frames"]:
    """Per frame, the last frame so far (or the first at all) with a rotation and a place."""
    whole = np.isfinite(R).all((1, 2)) & np.isfinite(t).all(-1)
    whole &= np.abs(np.linalg.det(np.nan_to_num(R)) - 1) < _RIGID
    if not whole.any():
        raise ValueError("no frame has a camera pose")
    last = np.maximum.accumulate(np.where(whole, np.arange(len(whole)), -1))
    return np.where(last < 0, int(whole.argmax()), last)


def still_camera(frames: int) -> tuple[Float[ndarray, "frames 3 3"], Float[ndarray, "frames 3"]]:
    """Extrinsics of a camera that is the world: for truth given in camera axes."""
    eye = np.tile(np.eye(3, dtype=np.float32), (frames, 1, 1))
    return eye, np.zeros((frames, 3), np.float32)


def pictures_in(folder: Path, frames: int) -> Pictures | None:
    """The first ``frames`` images of a folder; None where the folder or enough images are not."""
    if not folder.is_dir() or len(list_images(folder)) < frames:
        return None
    return Pictures(folder, np.arange(frames))


def size_of_pictures(pictures: Pictures | None, otherwise: tuple[int, int]) -> tuple[int, int]:
    """Width and height of a folder's images."""
    if pictures is None or not pictures.path.is_dir():
        return otherwise
    probed = probe_images(pictures.path)
    return probed.width, probed.height


def size_from_centre(K: Float[ndarray, "3 3"]) -> tuple[int, int]:
    """Width and height if the principal point lies in the middle, to the nearest 10 pixels."""
    return round(float(K[0, 2]) / 5) * 10, round(float(K[1, 2]) / 5) * 10


def evenly(start: int, stop: int, count: int) -> Int[ndarray, "count"]:
    """``floor(i / count * length)``: the sampling of the public code of NeMo."""
    return start + np.floor(np.arange(count) / count * (stop - start)).astype(int)


def mask_of(flags: object, frames: int) -> Bool[ndarray, "frames"]:
    """A mask of any kind of flags, one per frame."""
    return np.asarray(flags).reshape(frames).astype(bool)
