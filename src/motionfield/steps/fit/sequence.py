"""``--method fit``: the whole sequence at once, all frames batched.

Pose, root orientation, translation and one shape are fitted to the 2D keypoints with a robust
reprojection term (Geman-McClure, SMPLify eq. 2), the detector's coarse 3D (weak: its depth is
biased), a pose prior, joint limits, smoothness that keeps fast hits, and feet that rest on the
ground without sliding. Weights are inverse variances of what each term measures, in SI units.
"""

from dataclasses import dataclass
from typing import NamedTuple, final

import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from motionfield.body.base import Body, Posed
from motionfield.body.joint_limits import limit_penalty
from motionfield.core.arrays import tensor_of
from motionfield.core.history import Step, step
from motionfield.core.progress import Progress, silent
from motionfield.data.camera_path import CameraPath
from motionfield.data.keypoints import Keypoints
from motionfield.data.motion import Motion
from motionfield.geometry.cameras import project, world_to_camera
from motionfield.geometry.rotations import rot6d_to_rotmat, rotmat_to_rot6d
from motionfield.losses.contact import resting_flow, resting_share
from motionfield.losses.robust import charbonnier, geman_mcclure
from motionfield.losses.smoothness import acceleration, angular_velocity_squared, velocity
from motionfield.priors.base import PosePrior
from motionfield.steps.fit.base import FitResult, Fitter
from motionfield.steps.fit.observations import Observations

_LEAST_SD_M = 0.01


@dataclass(frozen=True)
class SequenceFitConfig:
    """Weights are per frame; residuals in body heights, metres, m/s, m/s², radians."""

    iterations: int = 300
    learning_rate: float = 0.05
    free_betas: int = 10
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


class _Variables(NamedTuple):
    rot6d: Float[Tensor, "frames 24 6"]
    transl: Float[Tensor, "frames 3"]
    betas: Float[Tensor, "free"]


@final
class SequenceFitter(Fitter):
    """The default fit of one person's whole clip."""

    def __init__(self, config: SequenceFitConfig, body: Body, prior: PosePrior | None) -> None:
        self._config = config
        self._body = body
        self._prior = prior

    def fit(
        self,
        keypoints: Keypoints,
        camera: CameraPath,
        initial: Motion,
        progress: Progress = silent,
    ) -> FitResult:
        config = self._config
        problem = _Problem(config, self._body, self._prior, keypoints, camera, initial)
        variables = problem.start()
        optimiser = torch.optim.Adam(list(variables), lr=config.learning_rate)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, config.learning_rate, total_steps=config.iterations, pct_start=0.1
        )
        with progress("fit", config.iterations, "step") as bar:
            for _ in range(config.iterations):
                optimiser.zero_grad(set_to_none=True)
                problem.loss(variables).backward()
                optimiser.step()
                schedule.step()
                bar.advance()
        return FitResult(problem.motion(variables, step("fit", config)), camera)


class _Problem:
    """The loss of one clip as a function of its variables."""

    def __init__(
        self,
        config: SequenceFitConfig,
        body: Body,
        prior: PosePrior | None,
        keypoints: Keypoints,
        camera: CameraPath,
        initial: Motion,
    ) -> None:
        self._config, self._body, self._prior = config, body, prior
        self._initial = initial
        self._seen = Observations.of(keypoints, camera)
        self._betas = tensor_of(initial.betas)
        self._fixed_height = camera.scale_source == "given"
        names = self._seen.keypoint_set.keypoint_names
        self._feet = [
            i for i, n in enumerate(names) if any(w in n for w in ("heel", "toe", "foot"))
        ]
        self._resting = self._resting_shares(keypoints, camera)
        self._standing_height = self._heights_when_standing()
        self._start = self._start_shape()
        hips = ("left_hip", "right_hip")
        self._hips = [names.index(hip) for hip in hips]

    def start(self) -> _Variables:
        rotations = tensor_of(self._initial.global_orient).unsqueeze(1)
        rotations = torch.cat((rotations, tensor_of(self._initial.body_pose)), 1)
        free = min(self._config.free_betas, len(self._betas))
        variables = _Variables(
            rotmat_to_rot6d(rotations),
            tensor_of(self._initial.transl).clone(),
            self._betas[:free].clone(),
        )
        for tensor in variables:
            tensor.requires_grad_()
        return variables

    def loss(self, variables: _Variables) -> Float[Tensor, ""]:
        """All terms, summed over frames (a negative log posterior)."""
        config = self._config
        rotations = rot6d_to_rotmat(variables.rot6d)
        body_pose = rotations[:, 1:]
        posed = self._body.pose(
            rotations[:, 0],
            body_pose,
            variables.transl,
            self._all_betas(variables.betas),
            self._seen.keypoint_set.name,
        )
        total = self._reprojection(posed) + self._ground(posed) + self._smoothness(posed, rotations)
        total = total + config.limits * limit_penalty(body_pose).sum() + self._from_start(posed)
        frames = len(variables.transl)
        shape = variables.betas.square()
        total = total + frames * (config.stature * shape[:1].sum() + config.betas * shape[1:].sum())
        if self._prior is not None:
            total = total + config.pose_prior * self._prior.energy(body_pose).sum()
        return total

    def motion(self, variables: _Variables, made_by: Step) -> Motion:
        rotations = rot6d_to_rotmat(variables.rot6d.detach())
        return self._initial.replace(
            made_by,
            global_orient=rotations[:, 0].numpy(),
            body_pose=rotations[:, 1:].numpy(),
            transl=variables.transl.detach().numpy(),
            betas=self._all_betas(variables.betas.detach()).numpy(),
            contacts=self._foot_contacts(),
        )

    # --- terms --------------------------------------------------------------------------------

    def _reprojection(self, posed: Posed) -> Float[Tensor, ""]:
        config, seen = self._config, self._seen
        camera = world_to_camera(posed.keypoints, seen.R_camera_world, seen.t_camera_world)
        residual = (project(camera, seen.K) - seen.pixels) / seen.height_px[:, None, None]
        squared = residual.square().sum(-1)
        total = (
            config.reprojection
            * (seen.weight * geman_mcclure(squared, config.reprojection_scale)).sum()
        )
        if seen.coarse is not None and config.coarse > 0:
            relative = camera - camera[:, self._hips].mean(1, keepdim=True)
            off = (relative - seen.coarse).square().sum(-1)
            total = (
                total
                + config.coarse * (seen.weight * geman_mcclure(off, config.coarse_scale)).sum()
            )
        return total

    def _from_start(self, posed: Posed) -> Float[Tensor, ""]:
        """How far the pose has gone from one that came with its doubts."""
        if self._start is None or self._config.start == 0:
            return posed.joints.new_zeros(())
        relative, deviation = self._start
        off = (posed.joints - posed.joints[:, :1] - relative)[:, 1:] / deviation
        scale = self._config.start_scale
        return self._config.start * geman_mcclure(off.square().sum(-1), scale).sum()

    def _ground(self, posed: Posed) -> Float[Tensor, ""]:
        config = self._config
        below = (-posed.keypoints[..., 2]).clamp_min(0)
        # Robust: somebody may stand on another level than the ground, lower or higher.
        total = config.penetration * geman_mcclure(below.square(), config.ground_scale).sum()
        if not self._feet:
            return total
        feet = posed.keypoints[:, self._feet]
        off_ground = feet[..., 2] - self._standing_height
        total = (
            total
            + config.contact_height
            * (self._resting * geman_mcclure(off_ground.square(), config.ground_scale)).sum()
        )
        if len(feet) > 1:
            both = torch.minimum(self._resting[1:], self._resting[:-1])
            speed = velocity(feet, self._seen.time_s).square().sum(-1)
            total = total + config.contact_speed * (both * charbonnier(speed, 0.2)).sum()
        return total

    def _smoothness(self, posed: Posed, rotations: Tensor) -> Float[Tensor, ""]:
        config, time_s = self._config, self._seen.time_s
        if len(time_s) < 2:
            return posed.joints.new_zeros(())
        turning = angular_velocity_squared(rotations, time_s)
        bumps = acceleration(posed.joints, time_s).square().sum(-1)
        return config.joint_speed * turning.sum() + config.acceleration * (
            charbonnier(bumps, config.acceleration_scale).sum()
        )

    # --- constants ----------------------------------------------------------------------------

    def _all_betas(self, free: Tensor) -> Float[Tensor, "betas"]:
        betas = torch.cat((free, self._betas[len(free) :]))
        if self._fixed_height:
            betas = torch.cat((self._betas[:1], betas[1:]))
        return betas

    def _resting_shares(
        self, keypoints: Keypoints, camera: CameraPath
    ) -> Float[Tensor, "frames feet"]:
        seen = self._seen
        foot_2d = tensor_of(keypoints.keypoints_2d)[:, self._feet]
        flow = None
        if camera.moving:
            feet = self._posed_start().keypoints[:, self._feet]
            lens = seen.K, tensor_of(camera.distortion)
            flow = resting_flow(feet, lens, seen.R_camera_world, seen.t_camera_world, seen.time_s)
        return resting_share(foot_2d, seen.time_s, seen.height_px, flow=flow)

    def _start_shape(
        self,
    ) -> tuple[Float[Tensor, "frames 24 3"], Float[Tensor, "frames 23 1"]] | None:
        """Joints of the start from its root joint, and the deviations of joints 1 to 23."""
        if self._initial.joints_std is None:
            return None
        joints = self._posed_start().joints
        variance = tensor_of(self._initial.joints_std).square()
        # What is stated includes the doubt about the root joint's place.
        own = (variance[:, 1:] - variance[:, :1]).mean(-1, keepdim=True)
        return joints - joints[:, :1], own.clamp_min(_LEAST_SD_M**2).sqrt()

    def _posed_start(self) -> Posed:
        """The motion that the fit starts from, world."""
        initial = self._initial
        return self._body.pose(
            tensor_of(initial.global_orient),
            tensor_of(initial.body_pose),
            tensor_of(initial.transl),
            self._betas,
            self._seen.keypoint_set.name,
        )

    def _foot_contacts(self) -> Float[ndarray, "frames 2"] | None:
        names = self._seen.keypoint_set.keypoint_names
        sides = []
        for side in ("left", "right"):
            columns = [k for k, i in enumerate(self._feet) if names[i].startswith(side)]
            if not columns:
                return None
            sides.append(self._resting[:, columns].amax(1))
        return torch.stack(sides, dim=-1).numpy()

    def _heights_when_standing(self) -> Float[Tensor, "feet"]:
        """Height of each foot point above the ground in the T-pose."""
        eye = torch.eye(3)
        posed = self._body.pose(
            eye[None],
            eye.expand(1, 23, 3, 3),
            torch.zeros(1, 3),
            self._betas,
            self._seen.keypoint_set.name,
        )
        ground = self._body.skin(self._betas).rest_vertices[:, 1].min()
        return posed.keypoints[0, self._feet, 1] - ground
