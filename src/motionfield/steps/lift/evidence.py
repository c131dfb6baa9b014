"""One person's keypoints as the lift needs them: viewing rays, weights, coarse 3D of true size."""

from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motionfield.body.base import Body
from motionfield.body.joint_limits import standing_pose
from motionfield.core.arrays import tensor_of
from motionfield.core.errors import NoPersonError, OptionError
from motionfield.core.keypoint_sets import KeypointSet, known_keypoint_set
from motionfield.data.camera_path import CameraPath
from motionfield.data.keypoints import Keypoints
from motionfield.geometry.cameras import back_project
from motionfield.geometry.placement import mean_ray, turn_to_ray

_PART_WEIGHTS = (
    (("nose", "eye", "ear", "mouth", "head"), 0.3),
    (("pinky", "index", "thumb"), 0.3),
)
"""Points of the face say little of the limbs; those of the hand are noisy on a rigid hand."""
LEAST_POINTS = 4
"""A frame with fewer is not seen."""
_GLITCH_FRAMES = 5
"""A point that leaves the median of so many frames for a moment is a fault of the detector."""
_GLITCH_SHARE = 0.1
"""By how much of the person's size."""
_GLITCH_MAX_S = 0.2
"""Where so many frames last longer than this, real movements look alike: nothing is judged."""


class Evidence(NamedTuple):
    """Everything in the camera's axes; distortion is taken out."""

    keypoint_set: KeypointSet
    rays: Float[Tensor, "frames keypoints 3"]
    """Viewing rays with z = 1; 0 in x and y where not seen."""
    weights: Float[Tensor, "frames keypoints"]
    """Confidence times the part's weight; 0 where not seen."""
    coarse: Float[Tensor, "frames keypoints 3"] | None
    """The detector's 3D in the true camera's axes, as large as the body; NaN where not seen."""
    R_camera_world: Float[Tensor, "frames 3 3"]
    seen: Bool[Tensor, "frames"]
    """Frames with enough points to lift."""
    time_s: Float[Tensor, "frames"]
    """Seconds from the first frame."""

    def frames(self, chosen: Tensor) -> "Evidence":
        """Some of the frames."""
        return Evidence(
            self.keypoint_set,
            self.rays[chosen],
            self.weights[chosen],
            None if self.coarse is None else self.coarse[chosen],
            self.R_camera_world[chosen],
            self.seen[chosen],
            self.time_s[chosen],
        )


def gather(
    keypoints: Keypoints, camera: CameraPath, body: Body, betas: Float[Tensor, "betas"]
) -> Evidence:
    """Collect, undistort, turn and scale.

    Raises:
        OptionError: unknown keypoints, or records of different lengths.
        NoPersonError: no frame has enough keypoints.
    """
    keypoint_set = known_keypoint_set(keypoints.keypoint_names)
    rays, weights = viewing_rays(keypoints, camera)
    seen = seen_frames(weights)
    coarse = None
    if keypoints.coarse_camera is not None:
        coarse = tensor_of(keypoints.coarse_camera)
        coarse = coarse * _size_ratio(coarse, keypoint_set, body, betas)
        coarse = coarse @ turn_to_ray(mean_ray(rays, weights)).mT
        has_coarse = (torch.isfinite(coarse).all(-1) & (weights > 0)).sum(-1) >= LEAST_POINTS
        seen = seen & has_coarse if (seen & has_coarse).any() else seen
        coarse = coarse if has_coarse.any() else None
    time_s = tensor_of(keypoints.time_s - keypoints.time_s[0])
    R_camera_world = tensor_of(camera.R_camera_world)
    return Evidence(keypoint_set, rays, weights, coarse, R_camera_world, seen, time_s)


def viewing_rays(
    keypoints: Keypoints, camera: CameraPath
) -> tuple[Float[Tensor, "frames keypoints 3"], Float[Tensor, "frames keypoints"]]:
    """``Evidence.rays`` and ``Evidence.weights``.

    Raises:
        OptionError: unknown keypoints, or records of different lengths.
    """
    keypoint_set = known_keypoint_set(keypoints.keypoint_names)
    if keypoints.num_frames != camera.num_frames:
        counts = f"{keypoints.num_frames} frames of keypoints, {camera.num_frames} of camera"
        raise OptionError(f"{counts}: give both for the same frames")
    points = tensor_of(keypoints.keypoints_2d)
    known = torch.isfinite(points).all(-1)
    confidence = torch.where(known, points[..., 2], 0.0).clamp(0, 1)
    weights = confidence * part_weights(keypoint_set)
    pixels = torch.where(known.unsqueeze(-1), points[..., :2], 0.0)
    rays = back_project(pixels, tensor_of(camera.K), tensor_of(camera.distortion))
    return rays, weights * ~glitches(rays[..., :2], weights > 0, keypoints.fps)


def seen_frames(weights: Float[Tensor, "frames keypoints"]) -> Bool[Tensor, "frames"]:
    """Frames with enough points to lift.

    Raises:
        NoPersonError: there is none.
    """
    seen = (weights > 0).sum(-1) >= LEAST_POINTS
    if not seen.any():
        raise NoPersonError(
            f"no frame has {LEAST_POINTS} keypoints with confidence; "
            "give a video that shows the person, or other keypoints"
        )
    return seen


def glitches(
    xy: Float[Tensor, "frames keypoints 2"], seen: Bool[Tensor, "frames keypoints"], fps: float
) -> Bool[Tensor, "frames keypoints"]:
    """Points that jump away and back within a few frames."""
    frames = len(xy)
    if frames < _GLITCH_FRAMES or _GLITCH_FRAMES / fps > _GLITCH_MAX_S:
        return torch.zeros_like(seen)
    known = torch.where(seen.unsqueeze(-1), xy, torch.nan)
    reach = _GLITCH_FRAMES // 2
    # At the ends the window is one-sided: a moving point is no glitch there, so none is judged.
    median = known.unfold(0, _GLITCH_FRAMES, 1).nanmedian(-1).values
    off = (known[reach : frames - reach] - median).norm(dim=-1)
    jumped = torch.zeros_like(seen)
    jumped[reach : frames - reach] = off > _GLITCH_SHARE * person_size(xy, seen).median()
    return jumped


def person_size(
    xy: Float[Tensor, "frames keypoints 2"], seen: Bool[Tensor, "frames keypoints"]
) -> Float[Tensor, "frames"]:
    """The longer side of the person's box; at least half of the clip's largest."""
    known = seen.unsqueeze(-1)
    high = torch.where(known, xy, -torch.inf).amax(1)
    low = torch.where(known, xy, torch.inf).amin(1)
    size = (high - low).amax(-1)
    return size.clamp_min(0.5 * float(size.max())).clamp_min(1e-3)


def part_weights(keypoint_set: KeypointSet) -> Float[Tensor, "keypoints"]:
    """How much each keypoint says of the pose."""

    def weight(name: str) -> float:
        if name.endswith("foot_index"):
            return 1.0
        return next((w for words, w in _PART_WEIGHTS if any(word in name for word in words)), 1.0)

    return torch.tensor([weight(name) for name in keypoint_set.keypoint_names])


def _size_ratio(
    coarse: Float[Tensor, "frames keypoints 3"],
    keypoint_set: KeypointSet,
    body: Body,
    betas: Float[Tensor, "betas"],
) -> Float[Tensor, ""]:
    """The body's size by that of the coarse 3D, over the clip."""
    eye = torch.eye(3)[None]
    pose = standing_pose()[None]
    own = body.pose(eye, pose, torch.zeros(1, 3), betas, keypoint_set.name).keypoints
    lengths = _limb_length(coarse, keypoint_set)
    lengths = lengths[torch.isfinite(lengths) & (lengths > 0)]
    if len(lengths) == 0:
        return torch.ones(())
    return _limb_length(own, keypoint_set)[0] / lengths.median()


def _limb_length(
    points: Float[Tensor, "frames keypoints 3"], keypoint_set: KeypointSet
) -> Float[Tensor, "frames"]:
    """Both legs and both sides of the trunk, metres."""
    total = torch.zeros(len(points))
    for upper, lower in pairwise(("shoulder", "hip", "knee", "ankle")):
        for side in ("left", "right"):
            a = points[:, keypoint_set.index(f"{side}_{upper}")]
            b = points[:, keypoint_set.index(f"{side}_{lower}")]
            total = total + (a - b).norm(dim=-1)
    return total
