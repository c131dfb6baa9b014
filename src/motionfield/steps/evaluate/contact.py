"""When feet rest on the ground, judged by the picture: the measure that no fit can flatter."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motionfield.core.arrays import tensor_of
from motionfield.data.camera_path import CameraPath
from motionfield.data.keypoints import Keypoints
from motionfield.data.tracks import boxes_of
from motionfield.geometry.cameras import project, world_to_camera
from motionfield.losses.contact import windowed_slope

_FOOT_PARTS: Final = (("heel", "foot_index"), ("heel", "big_toe"), ("foot",), ("ankle",))
"""Points of a foot as keypoint sets have them; the first pair that a set knows is taken."""


@dataclass(frozen=True)
class ContactConfig:
    """Thresholds in body heights: the height of the person's box, its median over a second."""

    still_per_s: float = 0.3
    """A resting point moves slower than this in the picture (0.5 m/s for an adult: the detector's
    slow error alone reaches it; a swinging foot has 1 to 3)."""
    window_s: float = 0.07
    """Speed is the slope of a line over this time on either side, which calms the detector."""
    gap_s: float = 0.05
    """Interruptions up to this long do not end a rest."""
    least_s: float = 0.1
    """Shorter rests are turning points of a swing, not contact."""
    above_other: float = 0.2
    """A point this much higher in the picture than the lowest of both feet hangs in the air."""
    confidence: float = 0.5
    """Points below this confidence are not judged: no contact."""


class FootPoints(NamedTuple):
    """The points of both feet within a keypoint set: left ones first."""

    columns: tuple[int, ...]
    per_foot: int

    @classmethod
    def of(cls, names: tuple[str, ...]) -> "FootPoints | None":
        """None where the set has no feet."""
        for parts in _FOOT_PARTS:
            wanted = [f"{side}_{part}" for side in ("left", "right") for part in parts]
            if all(name in names for name in wanted):
                return cls(tuple(names.index(name) for name in wanted), len(parts))
        return None


def seen_contact(
    keypoints: Keypoints,
    feet: FootPoints,
    camera: CameraPath,
    points_world: Float[Tensor, "frames points 3"],
    config: ContactConfig,
) -> Bool[Tensor, "frames points"]:
    """Which foot points rest: still in the picture for a while, and not above the other foot.

    With a moving camera the flow that a fixed point at the same place would show is taken off;
    only there does the 3D estimate (``points_world``) enter, by its depth.
    """
    foot = tensor_of(keypoints.keypoints_2d[:, list(feet.columns)])
    time_s = torch.tensor(keypoints.time_s, dtype=torch.float64)
    height = body_height_px(keypoints)
    pixels = foot[..., :2]
    half = max(1, round(config.window_s * keypoints.fps))
    velocity = windowed_slope(pixels, time_s, half)
    if camera.moving:
        velocity = velocity - _fixed_point_flow(points_world, camera, time_s, half)
    speed = velocity.norm(dim=-1) / height[:, None]
    up = _up_in_picture(points_world, camera)
    raised = (pixels * up).sum(-1)
    lowest = raised.nan_to_num(torch.inf).amin(-1, keepdim=True)
    low = (raised - lowest) / height[:, None] < config.above_other
    trusted = foot[..., 2] >= config.confidence
    resting = (speed < config.still_per_s) & low & trusted  # NaN compares false: no contact
    bridged = ~_lasting(~resting, int(config.gap_s * keypoints.fps) + 1)
    return _lasting(bridged & trusted, max(2, round(config.least_s * keypoints.fps)))


def body_height_px(keypoints: Keypoints) -> Float[Tensor, "frames"]:
    """Height of the box round the keypoints in pixels, its running median over a second.

    Frames without a person take the median of all; NaN where nobody is ever seen.
    """
    boxes = boxes_of(keypoints.keypoints_2d)
    height = boxes[:, 3] - boxes[:, 1]
    known = np.isfinite(height)
    if not known.any():
        return torch.full((len(height),), torch.nan)
    filled = np.where(known, height, np.median(height[known]))
    half = max(1, round(keypoints.fps / 2))
    padded = np.pad(filled, half, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
    return torch.tensor(np.median(windows, axis=-1), dtype=torch.float32)


def _fixed_point_flow(
    points_world: Tensor, camera: CameraPath, time_s: Tensor, half: int
) -> Tensor:
    """Pixel velocity of a point that stays where each foot point is now."""
    frames = len(points_world)
    ahead = torch.arange(frames).add(half).clamp_max(frames - 1)
    back = torch.arange(frames).sub(half).clamp_min(0)
    later, earlier = (_pixels(points_world, camera, at) for at in (ahead, back))
    span = (time_s[ahead] - time_s[back]).clamp_min(1e-9).to(later.dtype)
    return (later - earlier) / span[:, None, None]


def _pixels(points_world: Tensor, camera: CameraPath, at: Tensor) -> Tensor:
    """Where the points of each frame appear in the camera of frame ``at``."""
    K, R, t = (
        tensor_of(part)[at] for part in (camera.K, camera.R_camera_world, camera.t_camera_world)
    )
    return project(world_to_camera(points_world, R, t), K, tensor_of(camera.distortion))


def _up_in_picture(points_world: Tensor, camera: CameraPath) -> Tensor:
    """Unit direction in the picture in which things rise at the feet, (frames, 1, 2)."""
    R = tensor_of(camera.R_camera_world)
    middle = points_world.mean(1, keepdim=True)
    there = world_to_camera(middle, R, tensor_of(camera.t_camera_world))
    # A camera that looks straight down sees no rise; the picture's own up is as good there.
    up = R[:, None, :2, 2] - there[..., :2] / there[..., 2:].clamp_min(0.1) * R[:, None, 2:, 2]
    length = up.norm(dim=-1, keepdim=True)
    return torch.where(length > 0.2, up / length.clamp_min(1e-9), torch.tensor([0.0, -1.0]))


def _lasting(resting: Bool[Tensor, "frames points"], least: int) -> Bool[Tensor, "frames points"]:
    """Drop runs shorter than ``least`` frames (an opening in the sense of morphology)."""
    least = min(least, len(resting))
    held = resting.unfold(0, least, 1).all(-1)  # run of ``least`` starting here
    edge = torch.zeros((least - 1, resting.shape[1]), dtype=torch.bool)
    return torch.cat((edge, held, edge)).unfold(0, least, 1).any(-1)
