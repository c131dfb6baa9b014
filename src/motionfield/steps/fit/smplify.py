"""The papers' per-frame SMPLify, as the public codes of SPIN and VIBE run it.

Each frame by itself (all of them batched): first root orientation and camera translation from
hips and shoulders, then pose, root and shape. Bogo et al., ECCV 2016; weights and schedule as in
SPIN (Kolotouros et al., ICCV 2019): robust scale 100 px, squared weights, Adam 1e-2, 100 + 100
steps. No smoothness, no ground: it is the baseline of the papers' tables.
"""

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.arrays import tensor_of
from motionfield.core.conventions import JOINT_INDEX
from motionfield.core.history import step
from motionfield.core.progress import Progress, silent
from motionfield.data.camera_path import CameraPath
from motionfield.data.keypoints import Keypoints
from motionfield.data.motion import Motion
from motionfield.geometry.cameras import project, world_to_camera
from motionfield.geometry.rotations import rot6d_to_rotmat, rotmat_to_rot6d
from motionfield.losses.robust import geman_mcclure
from motionfield.priors.base import PosePrior
from motionfield.steps.fit.base import FitResult, Fitter
from motionfield.steps.fit.observations import Observations

CROP_PX = 224.0
"""The codes measure residuals in a crop of this size round the person."""


@dataclass(frozen=True)
class SmplifyConfig:
    """SPIN's figures; weights are squared when applied."""

    steps_per_stage: int = 100
    learning_rate: float = 1e-2
    robust_scale_px: float = 100.0
    depth: float = 100.0
    pose_prior: float = 4.78
    angle_prior: float = 15.2
    shape_prior: float = 5.0


@final
class SmplifyFitter(Fitter):
    """Per-frame fitting of pose, root and shape to 2D keypoints."""

    def __init__(self, config: SmplifyConfig, body: Body, prior: PosePrior) -> None:
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
        seen = Observations.of(keypoints, camera)
        root = rotmat_to_rot6d(tensor_of(initial.global_orient)).requires_grad_()
        pose = rotmat_to_rot6d(tensor_of(initial.body_pose)).requires_grad_()
        transl = tensor_of(initial.transl).requires_grad_()
        betas = tensor_of(initial.betas).expand(keypoints.num_frames, -1).clone().requires_grad_()
        start_depth = self._depth(seen, transl.detach())

        def posed_camera() -> Float[Tensor, "frames keypoints 3"]:
            posed = self._body.pose(
                rot6d_to_rotmat(root), rot6d_to_rotmat(pose), transl, betas, seen.keypoint_set.name
            )
            return world_to_camera(posed.keypoints, seen.R_camera_world, seen.t_camera_world)

        torso = [
            seen.keypoint_set.index(f"{side}_{part}")
            for part in ("hip", "shoulder")
            for side in ("left", "right")
        ]

        def place() -> Float[Tensor, ""]:
            residual = self._residual_px(seen, posed_camera())[:, torso]
            off = self._depth(seen, transl) - start_depth
            confidence = seen.weight[:, torso].square()
            squared = (confidence * residual.square().sum(-1)).sum()
            return squared + config.depth**2 * off.square().sum()

        def refine() -> Float[Tensor, ""]:
            residual = self._residual_px(seen, posed_camera())
            robust = geman_mcclure(residual.square(), config.robust_scale_px).sum(-1)
            rotations = rot6d_to_rotmat(pose)
            return (
                (seen.weight.square() * robust).sum()
                + config.pose_prior**2 * self._prior.energy(rotations).sum()
                + config.angle_prior**2 * bending_backwards(rotations).sum()
                + config.shape_prior**2 * betas.square().sum()
            )

        stages = (
            ("fit: place", (root, transl), place),
            ("fit: pose", (pose, root, betas), refine),
        )
        for name, variables, loss in stages:
            optimiser = torch.optim.Adam(variables, lr=config.learning_rate)
            with progress(name, config.steps_per_stage, "step") as bar:
                for _ in range(config.steps_per_stage):
                    optimiser.zero_grad(set_to_none=True)
                    loss().backward()
                    optimiser.step()
                    bar.advance()
        motion = initial.replace(
            step("smplify", config),
            global_orient=rot6d_to_rotmat(root.detach()).numpy(),
            body_pose=rot6d_to_rotmat(pose.detach()).numpy(),
            transl=transl.detach().numpy(),
            # One shape travels with a motion: the mean over frames, as the codes report it.
            betas=betas.detach().mean(0).numpy(),
        )
        return FitResult(motion, camera)

    @staticmethod
    def _depth(seen: Observations, transl: Tensor) -> Float[Tensor, "frames"]:
        moved = world_to_camera(transl.unsqueeze(1), seen.R_camera_world, seen.t_camera_world)
        return moved[:, 0, 2]

    @staticmethod
    def _residual_px(
        seen: Observations, points_camera: Tensor
    ) -> Float[Tensor, "frames keypoints 2"]:
        residual = project(points_camera, seen.K) - seen.pixels
        return residual * (CROP_PX / seen.height_px)[:, None, None]


def bending_backwards(body_pose: Float[Tensor, "frames 23 3 3"]) -> Float[Tensor, "frames 4"]:
    """SMPLify's ``exp`` of elbows and knees bent the wrong way (its eq. 4), squared as in SPIN."""
    # Flexion turns the left elbow about -Y, the right about +Y, the knees about +X.
    left_elbow, right_elbow = (body_pose[:, JOINT_INDEX[f"{s}_elbow"] - 1] for s in _SIDES)
    left_knee, right_knee = (body_pose[:, JOINT_INDEX[f"{s}_knee"] - 1] for s in _SIDES)
    bends = torch.stack(
        (
            _bend(left_elbow, 0, 2),
            -_bend(right_elbow, 0, 2),
            -_bend(left_knee, 2, 1),
            -_bend(right_knee, 2, 1),
        ),
        dim=-1,
    )
    return bends.exp().square()


_SIDES = ("left", "right")


def _bend(rotation: Float[Tensor, "frames 3 3"], row: int, column: int) -> Float[Tensor, "frames"]:
    """Angle about the axis perpendicular to ``row`` and ``column``, in (-pi, pi)."""
    sine = 0.5 * (rotation[:, row, column] - rotation[:, column, row])
    cosine = 0.5 * (rotation[:, row, row] + rotation[:, column, column])
    return torch.atan2(sine, cosine)
