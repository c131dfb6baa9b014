"""What the detector's errors depend on: how large, fast, hidden and turned the person appears."""

from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.ndimage import gaussian_filter1d

from motionfield.core.arrays import tensor_of
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.geometry.placement import turn_to_ray
from motionfield.worlds.self_occlusion import self_occlusion

_CALM_S: Final = 0.3
"""The person's size is calmed over this time, as a tracker's crop is."""
_LEANS_DEG: Final = 30.0
_HIPS: Final = [BLAZEPOSE_33.index("left_hip"), BLAZEPOSE_33.index("right_hip")]
_SHOULDERS: Final = [BLAZEPOSE_33.index("left_shoulder"), BLAZEPOSE_33.index("right_shoulder")]
_EARS: Final = [BLAZEPOSE_33.index("left_ear"), BLAZEPOSE_33.index("right_ear")]
_NOSE: Final = BLAZEPOSE_33.index("nose")
_LEGS: Final = [
    [BLAZEPOSE_33.index(f"{side}_{part}") for part in ("hip", "knee", "ankle")]
    for side in ("left", "right")
]
_HEAD_END: Final = BLAZEPOSE_33.index("left_shoulder")
_BONES: Final = (
    ("shoulder", "elbow"),
    ("elbow", "wrist"),
    ("wrist", "index"),
    ("wrist", "pinky"),
    ("wrist", "thumb"),
    ("hip", "knee"),
    ("knee", "ankle"),
    ("ankle", "heel"),
    ("heel", "foot_index"),
)
_ONWARD: Final = {"wrist": "index", "ankle": "foot_index", "heel": "foot_index"}


class View(NamedTuple):
    """One person before one camera."""

    size_px: Float[ndarray, "frames"]
    """Larger side of the box round the points, calmed."""
    speed: Float[ndarray, "frames 33"]
    """In the picture, sizes per second."""
    occlusion: Float[ndarray, "frames 33"]
    """How much the own body hides each point, in [0, 1]."""
    tilt: Float[ndarray, "frames"]
    """0 up to 30 degrees between trunk and upright, then rising to 1: lying, or seen from straight
    above or below."""
    basis: Float[ndarray, "frames 33 5 3"]
    """The directions of ``detector_error_model.BASIS``, unit vectors in crop axes (0: none)."""
    crop_points: Float[ndarray, "frames 33 3"]
    """Metres from the middle of the hips, in the axes of a camera that looks at the person."""
    R_camera_crop: Float[ndarray, "frames 3 3"]


def view_person(
    pixels: Float[ndarray, "frames 33 2"],
    points_camera: Float[ndarray, "frames 33 3"],
    fps: float,
) -> View:
    """All that the errors of BlazePose's points depend on, from their true places."""
    size = (pixels.max(1) - pixels.min(1)).max(-1).astype(np.float64)
    size = gaussian_filter1d(size, _CALM_S * fps, mode="nearest")
    speed = np.zeros(pixels.shape[:2])
    if len(pixels) > 1:
        moved = np.gradient(pixels.astype(np.float64), 1 / fps, axis=0)
        speed = np.linalg.norm(moved, axis=-1) / size[:, None]
    points = points_camera.astype(np.float64)
    ray = (points / np.maximum(points[..., 2:], 1e-2)).mean(1)
    turn = turn_to_ray(tensor_of(ray)).numpy().astype(np.float64)
    crop = np.einsum("tji,tkj->tki", turn, points - points[:, _HIPS].mean(1, keepdims=True))
    return View(size, speed, self_occlusion(points), _tilt(crop), _basis(crop), crop, turn)


def leg_length(points: Float[ndarray, "frames 33 3"]) -> float:
    """Thigh and shin, mean over sides and frames, metres."""
    bones = np.linalg.norm(np.diff(points[:, _LEGS], axis=2), axis=-1)
    return float(bones.sum(2).mean())


def _tilt(points: Float[ndarray, "frames 33 3"]) -> Float[ndarray, "frames"]:
    trunk = _unit(points[:, _SHOULDERS].mean(1) - points[:, _HIPS].mean(1))
    lean = np.degrees(np.arccos(np.clip(-trunk[:, 1], -1.0, 1.0)))
    return np.clip((lean - _LEANS_DEG) / (90 - _LEANS_DEG), 0.0, 1.0)


def _basis(points: Float[ndarray, "frames 33 3"]) -> Float[ndarray, "frames 33 5 3"]:
    across = _unit(points[:, _SHOULDERS[0]] - points[:, _SHOULDERS[1]])
    across = across + _unit(points[:, _HIPS[0]] - points[:, _HIPS[1]])
    upward = points[:, _SHOULDERS].mean(1) - points[:, _HIPS].mean(1)
    left = _unit(across)
    ahead = _unit(np.cross(left, upward))
    trunk = np.stack((left, np.cross(ahead, left), ahead), axis=1)
    left = _unit(points[:, _EARS[0]] - points[:, _EARS[1]])
    up = _unit(np.cross(points[:, _NOSE] - points[:, _EARS].mean(1), left))
    head = np.stack((left, up, np.cross(left, up)), axis=1)
    basis = np.zeros((*points.shape[:2], 5, 3))
    basis[:, :_HEAD_END, :3] = head[:, None]
    basis[:, _HEAD_END:, :3] = trunk[:, None]
    for index, name in enumerate(BLAZEPOSE_33.keypoint_names):
        if name.startswith("right_"):
            basis[:, index, 0] *= -1
        elif not name.startswith("left_"):
            basis[:, index, 0] = 0  # the nose lies in the plane of symmetry
    for side in ("left", "right"):
        for a, b in _BONES:
            start, end = (BLAZEPOSE_33.index(f"{side}_{part}") for part in (a, b))
            bone = _unit(points[:, end] - points[:, start])
            basis[:, end, 3] = bone
            if _ONWARD.get(a, b) == b:
                basis[:, start, 4] = bone
        ankle, toe = (BLAZEPOSE_33.index(f"{side}_{part}") for part in ("ankle", "foot_index"))
        basis[:, ankle, 4] = _unit(points[:, toe] - points[:, ankle])
    return basis


def _unit(vector: Float[ndarray, "*batch 3"]) -> Float[ndarray, "*batch 3"]:
    return vector / np.maximum(np.linalg.norm(vector, axis=-1, keepdims=True), 1e-9)
