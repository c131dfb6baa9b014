"""What a fit of whole clips is held against: penalties of a posed body, over one clip or several.

Keypoints in the picture (Geman-McClure, SMPLify eq. 2), the detector's coarse 3D (weak: its depth
is biased), the start with its stated deviations, a pose prior, joint limits, smoothness that keeps
fast hits, and feet that rest on the ground without sliding. Weights are inverse variances of what
each term measures, in SI units.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from motionfield.body.base import Body, Posed
from motionfield.body.joint_limits import limit_penalty
from motionfield.core.arrays import tensor_of
from motionfield.data.camera_path import CameraPath
from motionfield.data.keypoints import Keypoints
from motionfield.data.motion import Motion
from motionfield.geometry.cameras import project, world_to_camera
from motionfield.losses.contact import resting_flow, resting_share
from motionfield.losses.robust import charbonnier, geman_mcclure
from motionfield.losses.smoothness import acceleration, angular_velocity_squared, velocity
from motionfield.priors.base import PosePrior
from motionfield.steps.fit.observations import Observations

_LEAST_SD_M = 0.01
_OUTLIER = 0.15
_ANNEALED = 0.6

Weights = TypeVar("Weights", bound="FitWeights")


@dataclass(frozen=True)
class FitWeights:
    """Weights are per frame; residuals in body heights, metres, m/s, m/s², radians."""

    reprojection: float = 1200.0
    """Per (body height)²: a standard deviation of 1.2 %, its error shared by some 3 frames."""
    reprojection_scale: float = 0.04
    """Residual in body heights beyond which a keypoint is taken for an outlier."""
    coarse: float = 20.0
    """Per m²: 0.08 m, an error that lasts for some 4 frames."""
    coarse_scale: float = 0.15
    start: float = 0.1
    """Per square of a joint's distance, about the root joint, from where the start has it, in the
    deviations that the start states (none stated: 0): errors that last for some 20 frames."""
    start_scale: float = 3.0
    pose_prior: float = 0.1
    limits: float = 10.0
    acceleration: float = 0.003
    """Per (m/s²)²."""
    acceleration_scale: float = 10.0
    """Beyond it the penalty grows only linearly: hits and landings keep their edge."""
    joint_speed: float = 0.01
    """Per (rad/s)², for twists that no keypoint sees."""
    contact_speed: float = 30.0
    """Per (m/s)² of a resting foot point: 0.13 m/s."""
    contact_height: float = 20.0
    """Per m² of a resting foot point above or below its height when standing."""
    penetration: float = 500.0
    ground_scale: float = 0.1
    """Metres off the ground beyond which both let go."""
    stature: float = 1.0
    """Per frame and square of the first beta: size and distance look alike, and every penalty on
    speed would rather have a small person nearby."""
    betas: float = 0.3
    """Per frame: the detector's bias, which shape would follow, is not averaged away."""

    def narrowing(self: Weights, wide_scale: float, done: float) -> Weights:
        """With the scale beyond which a keypoint is an outlier wider at first: what starts far
        from its keypoints is drawn to them before it is given up (graduated non-convexity, Blake
        and Zisserman 1987).

        Args:
            wide_scale: of ``reprojection_scale`` in the beginning, body heights.
            done: share of the fit, in [0, 1]; from ``_ANNEALED`` on the scale is its own.
        """
        share = min(1.0, done / _ANNEALED)
        scale = wide_scale * (self.reprojection_scale / wide_scale) ** share
        return replace(self, reprojection_scale=scale)


class Clip(NamedTuple):
    """One person's keypoints with the camera that saw them and the first 3D; the same frames."""

    keypoints: Keypoints
    camera: CameraPath
    initial: Motion


class Cameras(NamedTuple):
    """Where the camera of every frame stands, and its lens."""

    R_camera_world: Float[Tensor, "frames 3 3"]
    t_camera_world: Float[Tensor, "frames 3"]
    K: Float[Tensor, "frames 3 3"]


class FitTerms:
    """The penalties of one clip, or of the frames of several, one clip after another.

    Raises:
        OptionError: unknown keypoints, or others in one clip than in the rest.
    """

    def __init__(self, body: Body, prior: PosePrior | None, clips: Sequence[Clip]) -> None:
        self._prior = prior
        parts = [_ClipParts.of(clip, body) for clip in clips]
        self.seen = Observations.joined([part.seen for part in parts])
        lengths = torch.tensor([len(part.seen.time_s) for part in parts])
        self.take = torch.arange(len(parts)).repeat_interleave(lengths)
        """Which clip each frame is of."""
        self.feet = parts[0].feet
        """Columns of the keypoints that lie on the soles."""
        self.resting = torch.cat([part.resting for part in parts])
        """How surely each of them rests."""
        self._standing_height = torch.stack([part.standing_height for part in parts])[self.take]
        self._start = _Start.joined([part.start for part in parts])
        names = self.seen.keypoint_set.keypoint_names
        self._hips = [names.index(hip) for hip in ("left_hip", "right_hip")]

    def cameras(self) -> Cameras:
        """As the clips have them."""
        return Cameras(self.seen.R_camera_world, self.seen.t_camera_world, self.seen.K)

    def loss(
        self,
        posed: Posed,
        rotations: Float[Tensor, "frames 24 3 3"],
        cameras: Cameras,
        weights: FitWeights,
    ) -> Float[Tensor, ""]:
        """All terms, summed over frames (a negative log posterior).

        Args:
            posed: joints and keypoints of the clips' set, in the cameras' world.
            rotations: of the root in that world, and of the other joints.
            cameras: of every frame.
            weights: of the terms.
        """
        total = self._reprojection(posed, cameras, weights) + self._ground(posed, weights)
        total = total + self._smoothness(posed, rotations, weights)
        total = total + self._from_start(posed, cameras, weights)
        body_pose = rotations[:, 1:]
        total = total + weights.limits * limit_penalty(body_pose).sum()
        if self._prior is not None:
            total = total + weights.pose_prior * self._prior.energy(body_pose).sum()
        return total

    @torch.no_grad()
    def residual(self, posed: Posed, cameras: Cameras) -> Float[Tensor, ""]:
        """Typical distance of keypoints from where the body shows them, in body heights: root
        mean square, outliers counted as ``_OUTLIER``."""
        seen = self.seen
        camera = world_to_camera(posed.keypoints, cameras.R_camera_world, cameras.t_camera_world)
        off = (project(camera, cameras.K) - seen.pixels).norm(dim=-1) / seen.height_px[:, None]
        squared = off.clamp_max(_OUTLIER).square()
        return ((seen.weight * squared).sum() / seen.weight.sum().clamp_min(1e-6)).sqrt()

    def foot_contacts(self) -> Float[ndarray, "frames 2"] | None:
        """How surely the left, right foot rests; None: the keypoints have no feet."""
        names = self.seen.keypoint_set.keypoint_names
        sides = []
        for side in ("left", "right"):
            columns = [k for k, i in enumerate(self.feet) if names[i].startswith(side)]
            if not columns:
                return None
            sides.append(self.resting[:, columns].amax(1))
        return torch.stack(sides, dim=-1).numpy()

    def _reprojection(
        self, posed: Posed, cameras: Cameras, weights: FitWeights
    ) -> Float[Tensor, ""]:
        seen = self.seen
        camera = world_to_camera(posed.keypoints, cameras.R_camera_world, cameras.t_camera_world)
        residual = (project(camera, cameras.K) - seen.pixels) / seen.height_px[:, None, None]
        squared = residual.square().sum(-1)
        total = (
            weights.reprojection
            * (seen.weight * geman_mcclure(squared, weights.reprojection_scale)).sum()
        )
        if seen.coarse is not None and weights.coarse > 0:
            relative = camera - camera[:, self._hips].mean(1, keepdim=True)
            off = (relative - seen.coarse).square().sum(-1)
            total = (
                total
                + weights.coarse * (seen.weight * geman_mcclure(off, weights.coarse_scale)).sum()
            )
        return total

    def _from_start(self, posed: Posed, cameras: Cameras, weights: FitWeights) -> Float[Tensor, ""]:
        """How far the pose has gone from one that came with its doubts, as the cameras see it."""
        if self._start is None or weights.start == 0:
            return posed.joints.new_zeros(())
        relative = (posed.joints - posed.joints[:, :1]) @ cameras.R_camera_world.mT
        off = (relative - self._start.joints_camera)[:, 1:] / self._start.deviation
        return weights.start * geman_mcclure(off.square().sum(-1), weights.start_scale).sum()

    def _ground(self, posed: Posed, weights: FitWeights) -> Float[Tensor, ""]:
        below = (-posed.keypoints[..., 2]).clamp_min(0)
        # Robust: somebody may stand on another level than the ground, lower or higher.
        total = weights.penetration * geman_mcclure(below.square(), weights.ground_scale).sum()
        if not self.feet:
            return total
        feet = posed.keypoints[:, self.feet]
        off_ground = feet[..., 2] - self._standing_height
        total = (
            total
            + weights.contact_height
            * (self.resting * geman_mcclure(off_ground.square(), weights.ground_scale)).sum()
        )
        if len(feet) > 1:
            both = torch.minimum(self.resting[1:], self.resting[:-1])
            speed = velocity(feet, self.seen.time_s).square().sum(-1)
            total = total + weights.contact_speed * (both * charbonnier(speed, 0.2)).sum()
        return total

    def _smoothness(
        self, posed: Posed, rotations: Tensor, weights: FitWeights
    ) -> Float[Tensor, ""]:
        time_s = self.seen.time_s
        if len(time_s) < 2:
            return posed.joints.new_zeros(())
        turning = angular_velocity_squared(rotations, time_s)
        bumps = acceleration(posed.joints, time_s).square().sum(-1)
        return weights.joint_speed * turning.sum() + weights.acceleration * (
            charbonnier(bumps, weights.acceleration_scale).sum()
        )


class _Start(NamedTuple):
    """The shape that a fit starts from, with its doubts."""

    joints_camera: Float[Tensor, "frames 24 3"]
    """From the root joint, metres."""
    deviation: Float[Tensor, "frames 23 1"]
    """Of joints 1 to 23, metres."""

    @classmethod
    def of(cls, initial: Motion, posed: Posed, seen: Observations) -> "_Start | None":
        if initial.joints_std is None:
            return None
        variance = tensor_of(initial.joints_std).square()
        # What is stated includes the doubt about the root joint's place.
        own = (variance[:, 1:] - variance[:, :1]).mean(-1, keepdim=True)
        relative = (posed.joints - posed.joints[:, :1]) @ seen.R_camera_world.mT
        return cls(relative, own.clamp_min(_LEAST_SD_M**2).sqrt())

    @classmethod
    def joined(cls, parts: Sequence["_Start | None"]) -> "_Start | None":
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        return cls(*(torch.cat(values) for values in zip(*known, strict=True)))


class _ClipParts(NamedTuple):
    """What the terms need of one clip."""

    seen: Observations
    feet: list[int]
    resting: Float[Tensor, "frames feet"]
    standing_height: Float[Tensor, "feet"]
    start: _Start | None

    @classmethod
    def of(cls, clip: Clip, body: Body) -> "_ClipParts":
        seen = Observations.of(clip.keypoints, clip.camera)
        names = seen.keypoint_set.keypoint_names
        feet = [i for i, n in enumerate(names) if any(w in n for w in ("heel", "toe", "foot"))]
        posed = posed_start(clip.initial, body, seen.keypoint_set.name)
        return cls(
            seen=seen,
            feet=feet,
            resting=_resting_shares(clip, seen, feet, posed),
            standing_height=_heights_when_standing(body, clip.initial, seen, feet),
            start=_Start.of(clip.initial, posed, seen),
        )


def posed_start(initial: Motion, body: Body, keypoint_set: str) -> Posed:
    """The motion that a fit starts from, world."""
    return body.pose(
        tensor_of(initial.global_orient),
        tensor_of(initial.body_pose),
        tensor_of(initial.transl),
        tensor_of(initial.betas),
        keypoint_set,
    )


def _resting_shares(
    clip: Clip, seen: Observations, feet: list[int], posed: Posed
) -> Float[Tensor, "frames feet"]:
    foot_2d = tensor_of(clip.keypoints.keypoints_2d)[:, feet]
    flow = None
    if clip.camera.moving:
        lens = seen.K, tensor_of(clip.camera.distortion)
        flow = resting_flow(
            posed.keypoints[:, feet], lens, seen.R_camera_world, seen.t_camera_world, seen.time_s
        )
    return resting_share(foot_2d, seen.time_s, seen.height_px, flow=flow)


def _heights_when_standing(
    body: Body, initial: Motion, seen: Observations, feet: list[int]
) -> Float[Tensor, "feet"]:
    """Height of each foot point above the ground in the T-pose."""
    eye, betas = torch.eye(3), tensor_of(initial.betas)
    posed = body.pose(
        eye[None], eye.expand(1, 23, 3, 3), torch.zeros(1, 3), betas, seen.keypoint_set.name
    )
    ground = body.skin(betas).rest_vertices[:, 1].min()
    return posed.keypoints[0, feet, 1] - ground
