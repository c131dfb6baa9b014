"""A network that knows the truth: what is left is the lifter's own error."""

from collections.abc import Callable

import torch

from motionfield.body.base import Body
from motionfield.core.arrays import tensor_of
from motionfield.data import CameraPath, Keypoints, Motion
from motionfield.geometry.cameras import world_to_camera
from motionfield.geometry.resample import resample_positions, resample_rotations
from motionfield.steps.lift import LiftConfig, MevaLifter
from motionfield.steps.lift.meva.features import WINDOW, CropFeatures
from motionfield.steps.lift.meva.network import MevaOutput
from motionfield.steps.lift.meva.rate import at_network_rate
from motionfield.steps.lift.meva.windows import window_starts
from steps.lift.made_worlds import World

SD_M = 0.02


class Truthful:
    """Answers window after window with what is true there."""

    def __init__(
        self,
        world: World,
        overlap: int = 30,
        spoil: Callable[[MevaOutput, int], MevaOutput] | None = None,
    ) -> None:
        at = at_network_rate(world.keypoints, world.camera)
        old = torch.tensor(world.motion.time_s - world.motion.time_s[0])
        new = torch.tensor(at.keypoints.time_s - at.keypoints.time_s[0])
        self.motion, self.camera = world.motion, at.camera
        self.root = resample_rotations(tensor_of(world.motion.global_orient), old, new)
        self.pose = resample_rotations(tensor_of(world.motion.body_pose), old, new)
        transl = resample_positions(tensor_of(world.motion.transl), old, new)
        self.place = transl + world.body.rest_joints(tensor_of(world.motion.betas))[0]
        self.rate = at.rate_hz
        self.starts = window_starts(len(new), overlap)
        self.spoil = spoil
        self.calls: list[int] = []

    def __call__(self, features: CropFeatures) -> MevaOutput:
        done = sum(self.calls)
        count = len(features.seen)
        self.calls.append(count)
        if sum(self.calls) == len(self.starts):
            self.calls, self.last_calls = [], self.calls
        starts = torch.tensor(self.starts[done : done + count])
        at = (starts.unsqueeze(1) + torch.arange(WINDOW)).clamp_max(len(self.root) - 1)
        answer = self._answer(features, at)
        return answer if self.spoil is None else self.spoil(answer, done)

    def _answer(self, features: CropFeatures, at: torch.Tensor) -> MevaOutput:
        R_camera_world = tensor_of(self.camera.R_camera_world)
        t_camera_world = tensor_of(self.camera.t_camera_world)
        turn = features.R_camera_crop.mT @ R_camera_world[at]
        camera = world_to_camera(self.place.unsqueeze(1), R_camera_world, t_camera_world)[at]
        crop = (camera @ features.R_camera_crop)[..., 0, :]
        velocity = torch.zeros_like(self.place)
        if len(velocity) > 1:
            velocity = torch.gradient(self.place, spacing=1 / 30, dim=0)[0]
        contacts = torch.zeros(len(self.place), 2)
        if self.motion.contacts is not None:
            contacts = tensor_of(self.motion.contacts)
        shape = at.shape
        root = turn @ self.root[at]
        return MevaOutput(
            root=root,
            body_pose=self.pose[at],
            betas=tensor_of(self.motion.betas)[:10].expand(*shape, -1),
            camera=torch.cat((1 / (features.size * crop[..., 2])[..., None], crop[..., :2]), -1),
            contacts=contacts[at],
            up=turn[..., 2],
            velocity=(turn @ velocity[at].unsqueeze(-1))[..., 0],
            joints_sd=torch.full((*shape, 24), SD_M),
            coarse_root=root,
            coarse_pose=self.pose[at],
        )


def lifted(world: World, config: LiftConfig | None = None, **options: object) -> Motion:
    network = Truthful(world, **options)  # type: ignore[arg-type]
    lifter = MevaLifter(config or LiftConfig(), world.body, network)
    return lifter.lift(world.keypoints, world.camera)


def joints_of(body: Body, motion: Motion) -> torch.Tensor:
    """World, metres."""
    arrays = (motion.global_orient, motion.body_pose, motion.transl, motion.betas)
    return body.pose(*(torch.tensor(array) for array in arrays)).joints


def world_of(body: Body, motion: Motion, camera: CameraPath, keypoints: Keypoints) -> World:
    return World(body, motion, camera, keypoints)
