"""The camera of a video: intrinsics from the user or the file, the rest from persons."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from motionfield.body.base import Body
from motionfield.body.centre_of_mass import centre_of_mass, middle
from motionfield.body.stature import betas_of_height, stature_m
from motionfield.core.arrays import tensor_of
from motionfield.core.errors import OptionError
from motionfield.core.history import step
from motionfield.core.keypoint_sets import KeypointSet, known_keypoint_set
from motionfield.data.camera_path import CameraPath
from motionfield.data.keypoints import Keypoints
from motionfield.data.tracks import Tracks, boxes_of
from motionfield.formats.calib_file import Intrinsics
from motionfield.geometry.cameras import back_project
from motionfield.geometry.placement import mean_ray, place_in_camera, turn_to_ray
from motionfield.losses.contact import resting_flow, resting_share
from motionfield.steps.calibrate.camera_motion import (
    CameraMotionConfig,
    FirstCameraPath,
    estimate_scale,
    path_of,
)
from motionfield.steps.calibrate.gravity import (
    Gravity,
    GravityConfig,
    PersonEvidence,
    estimate_gravity,
)
from motionfield.steps.calibrate.intrinsics import choose_intrinsics, matrix_of

STATURE_RANGE = (0.89, 1.11)
"""Two standard deviations of adult stature around its mean."""


MIN_STANDING = 0.42
"""A person stands while the centre of mass is this share of the stature away from the feet."""


@dataclass(frozen=True)
class CalibrateConfig:
    """What is known of the camera and the person, and how evidence is weighed."""

    intrinsics: Intrinsics | None = None
    focal_px: float | None = None
    height_m: float | None = None
    """The subject's height, which fixes the scale."""
    gravity: GravityConfig = field(default_factory=GravityConfig)
    motion: CameraMotionConfig = field(default_factory=CameraMotionConfig)


class _Person(NamedTuple):
    """One person's keypoints and a first 3D of them, in camera axes."""

    keypoints: Keypoints
    keypoint_set: KeypointSet
    points: Float[Tensor, "frames keypoints 3"]
    """Placed 3D keypoints, metres; NaN where not seen."""
    rays: Float[Tensor, "frames keypoints 3"]
    """Viewing rays with z = 1."""

    def soles(self) -> tuple[Float[Tensor, "frames soles 3"], Float[Tensor, "frames soles"]]:
        """Places and confidences of heels and toes: where the picture has them, at the distance
        of the first 3D, which errs by far more across the viewing rays."""
        columns = _sole_points(self.keypoint_set)
        confidence = tensor_of(self.keypoints.keypoints_2d)[:, columns, 2]
        return self.rays[:, columns] * self.points[:, columns, 2:], confidence.nan_to_num()

    def time_s(self) -> Float[Tensor, "frames"]:
        """Seconds from the first frame."""
        return tensor_of(self.keypoints.time_s - self.keypoints.time_s[0])


class Calibrator:
    """The camera from the persons in view."""

    def __init__(self, config: CalibrateConfig, body: Body) -> None:
        self._config = config
        self._body = body

    def calibrate(
        self,
        tracks: Tracks,
        exif_focal_px: float | None = None,
        camera_motion: CameraPath | None = None,
    ) -> CameraPath:
        """The camera of all frames, in a world with Z up and the ground at z = 0.

        The world's origin lies on the ground below the subject's first seen hips; its Y axis
        points away from the (first frame's) camera.

        Args:
            camera_motion: the path of a camera that moves, in any axes and unit of length; the
                persons turn it upright and give it its scale. Its lens is not used.

        Raises:
            OptionError: unknown keypoints, an impossible height, or a path of other frames.
        """
        config = self._config
        known = choose_intrinsics(
            tracks.image_size, config.intrinsics, config.focal_px, exif_focal_px
        )
        K = matrix_of(known.intrinsics, tracks.num_frames)
        distortion = np.asarray(known.intrinsics.distortion, np.float32)
        persons = [
            self._place(tracks.person(index), tensor_of(K), tensor_of(distortion))
            for index in range(tracks.num_persons)
        ]
        path = path_of(camera_motion, tracks.num_frames)
        scale = estimate_scale(*persons[0].soles(), path, persons[0].time_s(), config.motion)
        path = path.scaled(scale.metres)
        lens = tensor_of(K), tensor_of(distortion)
        evidence = [self._evidence(person, path, lens) for person in persons]
        sole_height = self._sole_height(self._betas(), persons[0].keypoint_set)
        turns = path.R_first_camera.double().numpy() if camera_motion is not None else None
        gravity = estimate_gravity(evidence, tracks.fps, sole_height, config.gravity, turns)
        below = _first_hips(persons[0], path)
        R_camera_world, t_camera_world = _in_world(path, *_world_of(gravity, below))
        given = config.height_m is not None
        warnings = (scale.warning, gravity.warning)
        return CameraPath(
            K=K,
            distortion=distortion,
            R_camera_world=R_camera_world.astype(np.float32),
            t_camera_world=t_camera_world.astype(np.float32),
            image_width=tracks.image_width,
            image_height=tracks.image_height,
            moving=camera_motion is not None,
            focal_source=known.source,
            focal_range_px=known.focal_range_px,
            gravity_source=gravity.source,
            gravity_doubt_deg=gravity.doubt_deg,
            scale_source="given" if given else "assumed",
            scale_range=(1.0, 1.0) if given else STATURE_RANGE,
            warnings=tuple(warning for warning in warnings if warning is not None),
            history=(*tracks.history, step("calibrate", config)),
        )

    def _place(self, keypoints: Keypoints, K: Tensor, distortion: Tensor) -> _Person:
        keypoint_set = known_keypoint_set(keypoints.keypoint_names)
        points_2d = tensor_of(keypoints.keypoints_2d)
        seen = torch.isfinite(points_2d).all(-1)
        rays = back_project(points_2d[..., :2].nan_to_num(), K, distortion)
        weights = torch.where(seen, points_2d[..., 2], 0.0)
        shape = self._shape_points(keypoints, keypoint_set)
        shape = shape @ turn_to_ray(mean_ray(rays, weights)).mT
        placed = shape + place_in_camera(shape, rays, weights).unsqueeze(-2)
        placed = torch.where(seen[..., None], placed, torch.nan)
        return _Person(keypoints, keypoint_set, placed, rays)

    def _shape_points(self, keypoints: Keypoints, keypoint_set: KeypointSet) -> Tensor:
        """The person's 3D shape in camera axes, sized as the body; unplaced."""
        standing = self._standing(self._betas(), keypoint_set)
        if keypoints.coarse_camera is None:
            # Facing the camera: only heights matter for what is read off it.
            facing = torch.tensor([[-1.0, 0, 0], [0, -1, 0], [0, 0, 1]])
            return (standing @ facing.mT).expand(keypoints.num_frames, -1, -1)
        coarse = tensor_of(keypoints.coarse_camera).nan_to_num()
        size = _limb_length(coarse, keypoint_set)
        ratio = _limb_length(standing[None], keypoint_set) / size[size > 0].median()
        return coarse * ratio

    def _betas(self) -> Float[Tensor, "betas"]:
        if self._config.height_m is None:
            return torch.zeros(self._body.num_betas)
        return betas_of_height(self._body, self._config.height_m)

    def _stature(self) -> float:
        return stature_m(self._body, self._betas())

    def _standing(self, betas: Tensor, keypoint_set: KeypointSet) -> Float[Tensor, "keypoints 3"]:
        """Keypoints of the T-posed body, body axes."""
        eye = torch.eye(3)
        posed = self._body.pose(
            eye[None], eye.expand(1, 23, 3, 3), torch.zeros(1, 3), betas, keypoint_set.name
        )
        return posed.keypoints[0]

    def _evidence(
        self, person: _Person, path: FirstCameraPath, lens: tuple[Tensor, Tensor]
    ) -> PersonEvidence:
        """In the first camera's axes."""
        keypoints, names = person.keypoints, person.keypoint_set
        points = person.points
        feet = _sole_points(names)
        soles = points[:, feet]
        in_first = path.to_first(soles)
        flow = None
        if path.moves():
            flow = resting_flow(in_first, lens, *path.extrinsics(), person.time_s())
        share = resting_share(
            tensor_of(keypoints.keypoints_2d)[:, feet],
            person.time_s(),
            _height_px(keypoints),
            flow=flow,
        )
        known = torch.isfinite(soles).all(-1)
        held = torch.where(known, share, 0.0)
        support = (held.unsqueeze(-1) * soles.nan_to_num()).sum(1) / held.sum(1, keepdim=True)
        leg = centre_of_mass(points, names) - support
        length = leg.norm(dim=-1)
        standing = (held.amax(1) > 0.5) & (length > MIN_STANDING * self._stature())
        upright = standing & (-leg[:, 1] > 0.5 * length)
        if keypoints.coarse_camera is None:
            # The frontal stand-in tells heights, not which way a body leans in depth.
            upright = torch.zeros_like(upright)
        # Every seen sole counts a little, so that there is a ground even where no foot rests.
        weight = share[known].clamp_min(1e-2) / len(feet)
        body_up = (leg / length.unsqueeze(-1)).unsqueeze(1) @ path.R_first_camera.mT
        return PersonEvidence(
            body_up[:, 0].double().numpy(),
            upright.numpy(),
            in_first[known].double().numpy(),
            weight.double().numpy(),
            (keypoints.time_s - keypoints.time_s[0])[known.nonzero()[:, 0].numpy()],
        )

    def _sole_height(self, betas: Tensor, keypoint_set: KeypointSet) -> float:
        """Mean height of the set's sole points above the ground when standing, metres."""
        lowest = float(self._body.skin(betas).rest_vertices[:, 1].min())
        standing = self._standing(betas, keypoint_set)
        return float(standing[_sole_points(keypoint_set), 1].mean()) - lowest


def _sole_points(keypoint_set: KeypointSet) -> list[int]:
    """Indices of heels and toes, or of the ankles where the set has neither."""
    for words in (("heel", "toe", "foot"), ("ankle",)):
        found = [i for i, n in enumerate(keypoint_set.keypoint_names) if any(w in n for w in words)]
        if found:
            return found
    raise OptionError(f"keypoints {keypoint_set.name}: no feet or ankles among them")


def _limb_length(
    points: Float[Tensor, "frames keypoints 3"], keypoint_set: KeypointSet
) -> Float[Tensor, "frames"]:
    """Length of both legs and the trunk together, metres: the person's size."""
    parts = ("shoulder", "hip", "knee", "ankle")
    total = torch.zeros(len(points))
    for upper, lower in pairwise(parts):
        for side in ("left", "right"):
            a = points[:, keypoint_set.index(f"{side}_{upper}")]
            b = points[:, keypoint_set.index(f"{side}_{lower}")]
            total = total + (a - b).norm(dim=-1)
    return total


def _height_px(keypoints: Keypoints) -> Float[Tensor, "frames"]:
    """Height of the person in the picture, taken as one value: the largest common one."""
    box = boxes_of(keypoints.keypoints_2d)
    height = np.nanpercentile(box[:, 3] - box[:, 1], 75)
    return torch.full((keypoints.num_frames,), float(height))


def _first_hips(person: _Person, path: FirstCameraPath) -> Float[ndarray, "3"]:
    """The first seen middle of the hips in the first camera's axes."""
    hips = middle(path.to_first(person.points), person.keypoint_set, "hip")
    seen = torch.isfinite(hips).all(-1).nonzero()
    if len(seen) == 0:
        return np.array([0.0, 0.0, 4.0])
    return hips[int(seen[0])].double().numpy()


def _world_of(
    gravity: Gravity, below: Float[ndarray, "3"]
) -> tuple[Float[ndarray, "3 3"], Float[ndarray, "3"]]:
    """R_world_camera and t_world_camera: Z along up, the ground at 0, the origin under a point."""
    z = gravity.up
    x = np.array([1.0, 0, 0]) - z[0] * z
    x /= np.linalg.norm(x)
    R = np.stack((x, np.cross(z, x), z))
    origin = R @ below
    return R, np.array([-origin[0], -origin[1], -gravity.ground])


def _in_world(
    path: FirstCameraPath, R_world_first: Float[ndarray, "3 3"], t_world_first: Float[ndarray, "3"]
) -> tuple[Float[ndarray, "frames 3 3"], Float[ndarray, "frames 3"]]:
    """R_camera_world and t_camera_world of every frame."""
    R = (R_world_first @ path.R_first_camera.double().numpy()).transpose(0, 2, 1)
    place = path.place.double().numpy() @ R_world_first.T + t_world_first
    return R, -np.einsum("tij,tj->ti", R, place)
