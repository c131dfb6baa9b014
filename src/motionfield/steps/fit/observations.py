"""What a fit is held against: one person's keypoints as tensors, ready for the loss."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.core.arrays import tensor_of
from motionfield.core.errors import OptionError
from motionfield.core.keypoint_sets import KeypointSet, known_keypoint_set
from motionfield.data.camera_path import CameraPath
from motionfield.data.keypoints import Keypoints
from motionfield.data.tracks import boxes_of
from motionfield.geometry.cameras import back_project, project
from motionfield.geometry.placement import mean_ray, turn_to_ray

FACE_WEIGHT = 0.3
"""Points of the face are many, close together and say nothing of the limbs."""
HAND_WEIGHT = 0.5
"""Finger points are noisy, and the body's hand is rigid."""
_APART_S: Final = 1e4
_PER_FRAME: Final = (
    *("pixels", "weight", "height_px", "K"),
    *("R_camera_world", "t_camera_world"),
)
_FACE = ("nose", "eye", "ear", "mouth", "head")
_HAND = ("pinky", "index", "thumb")


class Observations(NamedTuple):
    """One person's keypoints with the camera that saw them; distortion is taken out."""

    keypoint_set: KeypointSet
    pixels: Float[Tensor, "frames keypoints 2"]
    """Undistorted pixels; zero where the weight is zero."""
    weight: Float[Tensor, "frames keypoints"]
    """Confidence times the part's weight; 0 where not observed."""
    coarse: Float[Tensor, "frames keypoints 3"] | None
    """The detector's 3D in camera axes, metres, hips at zero; zero where the weight is zero."""
    height_px: Float[Tensor, "frames"]
    """The person's height in the picture: residuals are shares of it."""
    K: Float[Tensor, "frames 3 3"]
    R_camera_world: Float[Tensor, "frames 3 3"]
    t_camera_world: Float[Tensor, "frames 3"]
    time_s: Float[Tensor, "frames"]
    """Seconds from the first frame (float64)."""

    @classmethod
    def of(cls, keypoints: Keypoints, camera: CameraPath) -> "Observations":
        """Collect and undistort.

        Raises:
            OptionError: unknown keypoints, or records of different lengths.
        """
        keypoint_set = known_keypoint_set(keypoints.keypoint_names)
        if keypoints.num_frames != camera.num_frames:
            counts = f"{keypoints.num_frames} frames of keypoints, {camera.num_frames} of camera"
            raise OptionError(f"{counts}: give both for the same frames")
        points = tensor_of(keypoints.keypoints_2d)
        seen = torch.isfinite(points).all(-1)
        points = torch.where(seen.unsqueeze(-1), points, 0.0)
        K = tensor_of(camera.K)
        rays = back_project(points[..., :2], K, tensor_of(camera.distortion))
        coarse = None
        if keypoints.coarse_camera is not None:
            turn = turn_to_ray(mean_ray(rays, points[..., 2] * seen))
            coarse = tensor_of(keypoints.coarse_camera).nan_to_num() @ turn.mT
        return cls(
            keypoint_set=keypoint_set,
            pixels=project(rays, K),
            weight=points[..., 2] * seen * _part_weights(keypoint_set),
            coarse=coarse,
            height_px=tensor_of(person_height_px(keypoints)),
            K=K,
            R_camera_world=tensor_of(camera.R_camera_world),
            t_camera_world=tensor_of(camera.t_camera_world),
            time_s=torch.tensor(keypoints.time_s - keypoints.time_s[0], dtype=torch.float64),
        )

    @classmethod
    def joined(cls, parts: Sequence["Observations"]) -> "Observations":
        """Frames of several clips, one clip after another, hours apart: nothing moves fast from
        one to the next.

        Raises:
            OptionError: their keypoints differ.
        """
        sets = {part.keypoint_set.name for part in parts}
        if len(sets) > 1:
            raise OptionError(f"keypoints {', '.join(sorted(sets))}: give all takes the same ones")
        coarse = [part.coarse for part in parts if part.coarse is not None]
        return cls(
            keypoint_set=parts[0].keypoint_set,
            coarse=torch.cat(coarse) if len(coarse) == len(parts) else None,
            time_s=torch.cat([part.time_s + _APART_S * k for k, part in enumerate(parts)]),
            **{name: torch.cat([getattr(part, name) for part in parts]) for name in _PER_FRAME},
        )


def _part_weights(keypoint_set: KeypointSet) -> Float[Tensor, "keypoints"]:
    def weight(name: str) -> float:
        if name.endswith("foot_index"):
            return 1.0
        if any(part in name for part in _FACE):
            return FACE_WEIGHT
        return HAND_WEIGHT if any(part in name for part in _HAND) else 1.0

    return torch.tensor([weight(name) for name in keypoint_set.keypoint_names])


def person_height_px(keypoints: Keypoints, window_s: float = 1.0) -> np.ndarray:
    """The person's size in the picture per frame: the largest box side of the time around it.

    A crouching or turned body has a small box but is no smaller; the maximum over
    ``window_s`` to both sides keeps the size of the standing one. (frames,) pixels.
    """
    box = boxes_of(keypoints.keypoints_2d)
    side = np.maximum(box[:, 2] - box[:, 0], box[:, 3] - box[:, 1])
    reach = max(1, round(window_s * keypoints.fps))
    padded = np.pad(side, reach, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    height = np.where(np.isnan(windows), -np.inf, windows).max(axis=1)
    typical = float(np.nanmedian(side)) if np.isfinite(side).any() else 1.0
    return np.where(np.isfinite(height), height, typical).clip(min=1.0)
