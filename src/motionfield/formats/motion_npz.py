"""``motion.npz``: one person's result, readable by numpy alone and by what reads AMASS.

``KEYS`` names every array. ``poses``, ``trans``, ``betas``, ``gender`` and ``mocap_framerate``
are AMASS's: axis-angle rotations of the 24 joints in SMPL's order, root first, in a Z-up world in
metres; the root joint is at ``rest_pelvis`` + ``trans`` (as in SMPL, where the root's rest place
depends on the body). ``joints[:, 0]`` is the root joint itself, whatever the body.
"""

import json
import zipfile
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import roma
import torch
from jaxtyping import Float
from numpy import ndarray

from motionfield.body.base import Body
from motionfield.core.conventions import JOINT_NAMES, NUM_JOINTS
from motionfield.core.errors import InputError, RecordError
from motionfield.core.history import history_from_json, history_to_json
from motionfield.core.keypoint_sets import find_keypoint_set
from motionfield.data.camera_path import CameraPath
from motionfield.data.keypoints import Keypoints
from motionfield.data.motion import Motion
from motionfield.data.record import write_npz
from motionfield.data.take import Take
from motionfield.data.tracks import boxes_of
from motionfield.formats.animation import bone_scale_of, tensor


class Key(NamedTuple):
    """One array of the file."""

    shape: tuple[int | str, ...]
    """T frames, K keypoints, B betas."""
    meaning: str


KEYS: Final[dict[str, Key]] = {
    "poses": Key(("T", 72), "axis-angle, radians: root in the Z-up world, 1-23 in their parents"),
    "trans": Key(("T", 3), "metres: the root joint is at rest_pelvis + trans"),
    "betas": Key(("B",), "shape of body_model (SMPL's only where body_model is an SMPL file)"),
    "gender": Key((), "neutral"),
    "mocap_framerate": Key((), "frames per second of capture"),
    "joints": Key(("T", 24, 3), "world, metres"),
    "joint_names": Key((24,), "SMPL's order"),
    "body_model": Key((), "the body that poses, trans and betas drive"),
    "camera_R": Key(("T", 3, 3), "world to camera (x right, y down, z forward)"),
    "camera_t": Key(("T", 3), "metres: p_camera = camera_R @ p_world + camera_t"),
    "camera_K": Key(("T", 3, 3), "pixels, the first pixel's centre at (0.5, 0.5)"),
    "frame_index": Key(("T",), "frame of the video, from 0"),
    "time_s": Key(("T",), "capture time, seconds"),
    "keypoints_2d": Key(("T", "K", 3), "x, y in pixels, confidence; NaN where not seen"),
    "keypoints_world": Key(("T", "K", 3), "the same points on the fitted body, metres"),
    "keypoint_names": Key(("K",), "names of the keypoints"),
    "joints_std": Key(("T", 24, 3), "standard deviation of joints in metres, where known"),
    "phase": Key(("T",), "how far the action has come, 0 to 1, for one of several takes"),
    "focal_source": Key((), "how it is known: given, exif, estimated or assumed"),
    "scale_source": Key((), "likewise"),
    "gravity_source": Key((), "likewise"),
    "history": Key((), "JSON: the steps and options that made the file"),
    "observed": Key(("T",), "False where nothing was seen and the motion was carried over"),
    "contacts": Key(("T", 2), "how much left and right foot bear on the ground, where known"),
    "bone_scale": Key((24,), "factor on each joint's offset from its parent, where used"),
    "rest_pelvis": Key((3,), "the root joint of body_model at trans = 0, metres"),
    "image_size": Key((2,), "width, height in pixels"),
    "camera_distortion": Key((5,), "OpenCV's k1, k2, p1, p2, k3"),
    "camera_info": Key((), "JSON: what else is known of the camera"),
}
"""Every array that a file may hold."""

_CAMERA_INFO: Final = (
    "moving",
    "focal_range_px",
    "gravity_doubt_deg",
    "scale_range",
    "warnings",
)
_CURE: Final = "give a motion.npz that motionfield wrote (docs/formats.md lists its keys)"


class MotionFile(NamedTuple):
    """What a ``motion.npz`` holds."""

    motion: Motion
    joints: Float[ndarray, "frames 24 3"] | None
    """As stored: world, metres; no body is needed to use them."""
    camera: CameraPath | None
    keypoints: Keypoints | None


def write_motion_npz(path: Path, take: Take, body: Body) -> None:
    """Write one person's result.

    Raises:
        OutputError: the file cannot be written.
    """
    write_motion_file(path, take.motion, body, take.camera, take.keypoints, take.phase)


def write_motion_file(
    path: Path,
    motion: Motion,
    body: Body,
    camera: CameraPath | None = None,
    keypoints: Keypoints | None = None,
    phase: Float[ndarray, "frames"] | None = None,
) -> None:
    """Write a motion with what else is known of it.

    Raises:
        OutputError: the file cannot be written.
    """
    arrays = _motion_arrays(motion)
    names = None if keypoints is None else keypoints.keypoint_names
    arrays |= _body_arrays(motion, body, names)
    if phase is not None:
        arrays["phase"] = phase.astype(np.float32)
    if camera is not None:
        arrays |= _camera_arrays(camera)
    if keypoints is not None:
        arrays |= {
            "keypoints_2d": keypoints.keypoints_2d.astype(np.float32),
            "keypoint_names": np.array(keypoints.keypoint_names),
            "image_size": np.array(keypoints.image_size),
        }
    write_npz(path, **{key: arrays[key] for key in KEYS if key in arrays})


def _motion_arrays(motion: Motion) -> dict[str, ndarray]:
    rotations = torch.cat(
        (tensor(motion.global_orient).unsqueeze(1), tensor(motion.body_pose)), dim=1
    )
    arrays = {
        "poses": roma.rotmat_to_rotvec(rotations).flatten(1).numpy().astype(np.float32),
        "trans": motion.transl.astype(np.float32),
        "betas": motion.betas.astype(np.float32),
        "gender": np.array("neutral"),
        "mocap_framerate": np.array(float(motion.fps)),
        "joint_names": np.array(JOINT_NAMES),
        "body_model": np.array(motion.body_model),
        "frame_index": motion.frame_index,
        "time_s": motion.time_s,
        "observed": motion.observed,
        "history": np.array(history_to_json(motion.history)),
    }
    for key in ("bone_scale", "contacts", "joints_std"):
        if getattr(motion, key) is not None:
            arrays[key] = getattr(motion, key).astype(np.float32)
    return arrays


def _body_arrays(
    motion: Motion, body: Body, keypoint_names: tuple[str, ...] | None
) -> dict[str, ndarray]:
    """The joints in the world, and the named keypoints on the body (NaN for an unknown set)."""
    known = None if keypoint_names is None else find_keypoint_set(keypoint_names)
    betas, scale = tensor(motion.betas), bone_scale_of(motion)
    posed = body.pose(
        tensor(motion.global_orient),
        tensor(motion.body_pose),
        tensor(motion.transl),
        betas,
        None if known is None else known.name,
        scale,
    )
    arrays = {
        "joints": posed.joints.numpy().astype(np.float32),
        "rest_pelvis": body.rest_joints(betas, scale)[0].numpy().astype(np.float32),
    }
    if keypoint_names is not None:
        shape = (motion.num_frames, len(keypoint_names), 3)
        points = np.full(shape, np.nan) if known is None else posed.keypoints.numpy()
        arrays["keypoints_world"] = points.astype(np.float32)
    return arrays


def _camera_arrays(camera: CameraPath) -> dict[str, ndarray]:
    info = {name: getattr(camera, name) for name in _CAMERA_INFO}
    return {
        "camera_R": camera.R_camera_world.astype(np.float32),
        "camera_t": camera.t_camera_world.astype(np.float32),
        "camera_K": camera.K.astype(np.float32),
        "camera_distortion": camera.distortion.astype(np.float32),
        "image_size": np.array(camera.image_size),
        "focal_source": np.array(camera.focal_source),
        "scale_source": np.array(camera.scale_source),
        "gravity_source": np.array(camera.gravity_source),
        "camera_info": np.array(json.dumps(info)),
    }


def read_motion_npz(path: Path) -> MotionFile:
    """Read what ``write_motion_npz`` wrote. Camera and keypoints are None where absent.

    Raises:
        InputError: missing, damaged, or not such a file.
    """
    if not path.exists():
        raise InputError(path, "does not exist", "check the path")
    if not zipfile.is_zipfile(path):
        # numpy would speak of pickles, and of how to read them unsafely.
        raise InputError(path, "is not an npz file", _CURE)
    try:
        with np.load(path, allow_pickle=False) as file:
            content = {key: file[key] for key in file.files}
        return _restored(content)
    except KeyError as error:
        raise InputError(path, f"holds no array {error}", _CURE) from error
    except RecordError as error:
        raise InputError(path, f"holds arrays that do not fit ({error})", _CURE) from error
    except (OSError, ValueError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(path, f"is not a motion file ({error})", _CURE) from error


def _restored(content: dict[str, ndarray]) -> MotionFile:
    _check_shapes(content)
    motion = _restored_motion(content)
    joints = content.get("joints")
    camera = _restored_camera(content) if "camera_K" in content else None
    keypoints = _restored_keypoints(content, motion) if "keypoints_2d" in content else None
    return MotionFile(motion, joints, camera, keypoints)


def _check_shapes(content: dict[str, ndarray]) -> None:
    """Every array against its shape in ``KEYS``.

    Raises:
        ValueError: one does not fit.
    """
    lengths = {"T": len(np.atleast_1d(content["poses"]))}
    for key, (wanted, _) in KEYS.items():
        if key not in content:
            continue
        shape = content[key].shape
        for axis, length in zip(wanted, shape, strict=False):
            if isinstance(axis, str):
                lengths.setdefault(axis, length)
        if shape != tuple(lengths.get(str(axis), axis) for axis in wanted) or 0 in shape[:1]:
            axes = ", ".join(str(axis) for axis in wanted)
            raise ValueError(f"{key} has shape {shape}, not ({axes}) with T = {lengths['T']}")


def _restored_motion(content: dict[str, ndarray]) -> Motion:
    poses = content["poses"]
    rotvec = tensor(poses).reshape(-1, NUM_JOINTS, 3)
    rotations = roma.rotvec_to_rotmat(rotvec).numpy().astype(np.float32)
    fps = float(content["mocap_framerate"])
    if not (np.isfinite(fps) and fps > 0):
        raise ValueError(f"mocap_framerate is {fps}")
    frames = np.arange(len(poses))
    return Motion(
        global_orient=rotations[:, 0],
        body_pose=rotations[:, 1:],
        transl=content["trans"].astype(np.float32),
        betas=content["betas"].astype(np.float32),
        bone_scale=content.get("bone_scale"),
        body_model=str(content["body_model"]),
        fps=fps,
        time_s=content.get("time_s", frames / fps).astype(np.float64),
        frame_index=content.get("frame_index", frames),
        observed=content.get("observed", np.ones(len(poses), bool)),
        contacts=content.get("contacts"),
        joints_std=content.get("joints_std"),
        history=history_from_json(str(content.get("history", "[]"))),
    )


def _restored_camera(content: dict[str, ndarray]) -> CameraPath:
    info: dict[str, Any] = json.loads(str(content["camera_info"]))
    width, height = (int(side) for side in content["image_size"])
    return CameraPath(
        K=content["camera_K"],
        distortion=content["camera_distortion"],
        R_camera_world=content["camera_R"],
        t_camera_world=content["camera_t"],
        image_width=width,
        image_height=height,
        moving=bool(info["moving"]),
        focal_source=str(content["focal_source"]),
        focal_range_px=_pair(info["focal_range_px"]),
        gravity_source=str(content["gravity_source"]),
        gravity_doubt_deg=float(info["gravity_doubt_deg"]),
        scale_source=str(content["scale_source"]),
        scale_range=_pair(info["scale_range"]),
        warnings=tuple(info["warnings"]),
    )


def _pair(values: list[float]) -> tuple[float, float]:
    low, high = values
    return float(low), float(high)


def _restored_keypoints(content: dict[str, ndarray], motion: Motion) -> Keypoints:
    points = content["keypoints_2d"]
    width, height = (int(side) for side in content["image_size"])
    return Keypoints(
        keypoints_2d=points,
        keypoint_names=tuple(str(name) for name in content["keypoint_names"]),
        image_width=width,
        image_height=height,
        fps=motion.fps,
        time_s=motion.time_s,
        frame_index=motion.frame_index,
        bbox_xyxy=boxes_of(points),
        observed=np.isfinite(points).all(-1).any(-1),
        history=motion.history,
    )
