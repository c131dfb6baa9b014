"""``--method fit``: the whole sequence at once, all frames batched.

Pose, root orientation, translation and one shape are fitted to the 2D keypoints and to what is
known of bodies and grounds (``terms``).
"""

from dataclasses import dataclass
from typing import NamedTuple, final

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.arrays import tensor_of
from motionfield.core.history import Step, step
from motionfield.core.progress import Progress, silent
from motionfield.data.camera_path import CameraPath
from motionfield.data.keypoints import Keypoints
from motionfield.data.motion import Motion
from motionfield.geometry.rotations import rot6d_to_rotmat, rotmat_to_rot6d
from motionfield.priors.base import PosePrior
from motionfield.steps.fit.base import FitResult, Fitter
from motionfield.steps.fit.terms import Clip, FitTerms, FitWeights


@dataclass(frozen=True)
class SequenceFitConfig(FitWeights):
    """Schedule, and the weights of the terms."""

    iterations: int = 300
    learning_rate: float = 0.02
    free_betas: int = 10
    wide_scale: float = 0.2
    """Of ``reprojection_scale`` in the beginning; it comes down."""


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
        problem = _Problem(config, self._body, self._prior, Clip(keypoints, camera, initial))
        variables = problem.start()
        optimiser = torch.optim.Adam(list(variables), lr=config.learning_rate)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, config.learning_rate, total_steps=config.iterations, pct_start=0.1
        )
        with progress("fit", config.iterations, "step") as bar:
            for index in range(config.iterations):
                weights = config.narrowing(config.wide_scale, index / config.iterations)
                optimiser.zero_grad(set_to_none=True)
                problem.loss(variables, weights).backward()
                optimiser.step()
                schedule.step()
                bar.advance()
        return FitResult(problem.motion(variables, step("fit", config)), camera)


class _Problem:
    """The loss of one clip as a function of its variables."""

    def __init__(
        self, config: SequenceFitConfig, body: Body, prior: PosePrior | None, clip: Clip
    ) -> None:
        self._config, self._body = config, body
        self._initial = clip.initial
        self._terms = FitTerms(body, prior, [clip])
        self._cameras = self._terms.cameras()
        self._betas = tensor_of(clip.initial.betas)
        self._fixed_height = clip.camera.scale_source == "given"

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

    def loss(self, variables: _Variables, weights: FitWeights) -> Float[Tensor, ""]:
        """All terms, summed over frames (a negative log posterior)."""
        config = self._config
        rotations = rot6d_to_rotmat(variables.rot6d)
        posed = self._body.pose(
            rotations[:, 0],
            rotations[:, 1:],
            variables.transl,
            self._all_betas(variables.betas),
            self._terms.seen.keypoint_set.name,
        )
        shape, frames = variables.betas.square(), len(variables.transl)
        return self._terms.loss(posed, rotations, self._cameras, weights) + frames * (
            config.stature * shape[:1].sum() + config.betas * shape[1:].sum()
        )

    def motion(self, variables: _Variables, made_by: Step) -> Motion:
        rotations = rot6d_to_rotmat(variables.rot6d.detach())
        return self._initial.replace(
            made_by,
            global_orient=rotations[:, 0].numpy(),
            body_pose=rotations[:, 1:].numpy(),
            transl=variables.transl.detach().numpy(),
            betas=self._all_betas(variables.betas.detach()).numpy(),
            contacts=self._terms.foot_contacts(),
        )

    def _all_betas(self, free: Tensor) -> Float[Tensor, "betas"]:
        betas = torch.cat((free, self._betas[len(free) :]))
        if self._fixed_height:
            betas = torch.cat((self._betas[:1], betas[1:]))
        return betas
