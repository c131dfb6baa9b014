"""Inverse kinematics of one person's keypoints, with coarse 3D or without."""

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.body.base import Body
from motionfield.body.stature import betas_of_height
from motionfield.core.arrays import tensor_of
from motionfield.core.history import step
from motionfield.core.progress import Progress, silent
from motionfield.data.camera_path import CameraPath
from motionfield.data.keypoints import Keypoints
from motionfield.data.motion import Motion
from motionfield.geometry.cameras import camera_to_world
from motionfield.geometry.placement import place_in_camera
from motionfield.geometry.resample import resample_positions, resample_rotations
from motionfield.priors.base import PosePrior
from motionfield.steps.lift.base import Lifter
from motionfield.steps.lift.config import LiftConfig
from motionfield.steps.lift.evidence import Evidence, gather
from motionfield.steps.lift.ik.headings import CameraPoses, estimate_poses
from motionfield.steps.lift.ik.path import smooth_path


@final
class IKLifter(Lifter):
    """Poses that meet the picture, in a heading that fits all frames and the coarse 3D."""

    def __init__(self, config: LiftConfig, body: Body, prior: PosePrior | None = None) -> None:
        self._config = config
        self._body = body
        self._prior = prior

    def lift(self, keypoints: Keypoints, camera: CameraPath, progress: Progress = silent) -> Motion:
        """As ``Lifter.lift``.

        Frames that were not seen are interpolated (held at the ends) and not ``observed``.

        Raises:
            OptionError: unknown keypoints, records of different lengths, impossible height.
            NoPersonError: no frame has enough keypoints.
        """
        betas = torch.zeros(self._body.num_betas)
        if self._config.height_m is not None:
            betas = betas_of_height(self._body, self._config.height_m)
        everything = gather(keypoints, camera, self._body, betas)
        seen = everything.seen.nonzero()[:, 0]
        evidence = everything.frames(seen)
        with progress("lift", keypoints.num_frames) as bar:
            poses = estimate_poses(evidence, self._body, betas, self._prior, self._config.ik)
            bar.advance(keypoints.num_frames)
        rest_root = self._body.rest_joints(betas)[0]
        transl = self._place(evidence, poses, camera, seen, betas) - rest_root
        root = evidence.R_camera_world.mT @ poses.root
        at = everything.time_s
        return Motion(
            global_orient=resample_rotations(root, evidence.time_s, at).numpy(),
            body_pose=resample_rotations(poses.body_pose, evidence.time_s, at).numpy(),
            transl=resample_positions(transl, evidence.time_s, at).numpy(),
            betas=betas.numpy(),
            body_model=self._body.name,
            fps=keypoints.fps,
            time_s=keypoints.time_s,
            frame_index=keypoints.frame_index,
            observed=everything.seen.numpy(),
            history=(*keypoints.history, step("lift", self._config)),
        )

    def _place(
        self,
        evidence: Evidence,
        poses: CameraPoses,
        camera: CameraPath,
        seen: Tensor,
        betas: Float[Tensor, "betas"],
    ) -> Float[Tensor, "frames 3"]:
        """The root joint's path in the world."""
        nowhere = torch.zeros(len(seen), 3)
        posed = self._body.pose(
            poses.root, poses.body_pose, nowhere, betas, evidence.keypoint_set.name
        )
        shift = place_in_camera(posed.keypoints, evidence.rays, evidence.weights)
        root_camera = posed.joints[:, :1] + shift.unsqueeze(1)
        t = tensor_of(camera.t_camera_world)[seen]
        root = camera_to_world(root_camera, evidence.R_camera_world, t)[:, 0]
        place = tensor_of(camera.position_world)[seen]
        return smooth_path(root, place, evidence.time_s, self._config.ik)
