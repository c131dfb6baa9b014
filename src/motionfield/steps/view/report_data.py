"""What the report's pictures are drawn from: compact plain data of each take."""

import json
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from markupsafe import Markup
from numpy import ndarray

from motionfield.body.joint_angles import joint_angles
from motionfield.core.arrays import tensor_of
from motionfield.data import CameraPath, Quality, Take


def take_data(
    take: Take, joints_world: Float[ndarray, "frames 24 3"], clip: int, max_frames: int
) -> dict[str, Any]:
    """One take as plain data: lengths in millimetres, angles in tenths of degrees, whole numbers.

    Long takes keep every n-th frame (``stride``); quality keeps the worst value of each n.
    """
    motion, quality = take.motion, take.quality
    stride = -(-motion.num_frames // max_frames)
    kept = slice(None, None, stride)
    angles = joint_angles(tensor_of(motion.global_orient), tensor_of(motion.body_pose))
    data = {
        "name": take.name,
        "clip": clip,
        "stride": stride,
        "frames": motion.num_frames,
        "time": decimals(motion.time_s[kept], 4),
        "frame_index": motion.frame_index[kept].tolist(),
        "observed": _worst(~motion.observed, stride).astype(int).tolist(),
        "joints_mm": whole(1000 * joints_world[kept].reshape(-1)),
        "angles": {
            name: decimals(np.degrees(_array(angle))[kept], 1) for name, angle in angles.items()
        },
        "spans": [[round(a, 4), round(b, 4), reason] for a, b, reason in quality.spans],
        "quality": _quality(quality, stride),
        "camera": _camera(take.camera, kept),
    }
    data["observed"] = [1 - unseen for unseen in data["observed"]]
    if motion.joints_std is not None:
        spread = np.linalg.norm(motion.joints_std, axis=-1)
        data["std_mm"] = whole(1000 * spread[kept].reshape(-1))
        data["doubt_mm"] = decimals(_worst(1000 * spread.mean(-1), stride), 1)
    if motion.contacts is not None:
        data["rest_percent"] = [whole(100 * side[kept]) for side in motion.contacts.T]
    return data


def inline_json(data: Any) -> Markup:
    """JSON that may stand inside a script element: it cannot end the element."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False, ensure_ascii=True)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _quality(quality: Quality, stride: int) -> dict[str, Any]:
    slide_mm = 1000 * quality.foot_slide_m
    return {
        "reprojection_px": decimals(_worst(quality.reprojection_px, stride), 2),
        "slide_left_mm": decimals(_worst(slide_mm[:, 0], stride), 1),
        "slide_right_mm": decimals(_worst(slide_mm[:, 1], stride), 1),
        "penetration_mm": decimals(_worst(1000 * quality.penetration_m, stride), 1),
        "jitter_m_s3": decimals(_worst(quality.jitter_m_s3, stride), 1),
        "contact_left": quality.contact_seen[::stride, 0].astype(int).tolist(),
        "contact_right": quality.contact_seen[::stride, 1].astype(int).tolist(),
    }


def _camera(camera: CameraPath, kept: slice) -> dict[str, Any]:
    """Place and axes of the camera (one entry where it stands still) and its half angles."""
    part = kept if camera.moving else slice(0, 1)
    half = [
        camera.image_width / 2 / float(camera.K[0, 0, 0]),
        camera.image_height / 2 / float(camera.K[0, 1, 1]),
    ]
    return {
        "place_mm": whole(1000 * camera.position_world[part].reshape(-1)),
        "axes": decimals(camera.R_camera_world[part].reshape(-1), 4),
        "half_view": decimals(np.array(half), 4),
    }


def _worst(values: ndarray, stride: int) -> ndarray:
    """The greatest value of each ``stride`` frames; NaN only where all are."""
    if stride == 1:
        return values
    kind = values.astype(float)
    short = -len(kind) % stride
    blocks = np.pad(kind, (0, short), constant_values=np.nan).reshape(-1, stride)
    filled = np.where(np.isnan(blocks), -np.inf, blocks).max(-1)
    return np.where(np.isinf(filled), np.nan, filled)


def _array(values: torch.Tensor) -> ndarray:
    return values.detach().numpy()


def whole(values: ndarray) -> list[int]:
    """Rounded to whole numbers; all must be finite."""
    return np.round(values).astype(int).tolist()


def decimals(values: ndarray, digits: int) -> list[float | None]:
    """Rounded to so many digits; not finite becomes null."""
    rounded = np.round(values.astype(float), digits)
    return [value if np.isfinite(value) else None for value in rounded.tolist()]
