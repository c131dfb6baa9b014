"""From NeMo's field to records in an upright world on the ground.

The paper's field has no gravity: its axes are those that the cameras happened to be fitted in. Up
is the mean of the up directions that the takes' own calibrated cameras give; the ground is where
the soles of the takes are lowest; the canonical motion starts at the origin, facing -Y.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.arrays import tensor_of
from motionfield.core.history import Step, step
from motionfield.data.action import Action
from motionfield.data.motion import Motion
from motionfield.fields.motion_field import FieldPose
from motionfield.geometry.placement import turn_to_ray
from motionfield.geometry.rotations import axis_rotation
from motionfield.steps.fit.base import FitResult
from motionfield.steps.fit.group import GroupResult, GroupTake
from motionfield.steps.fit.nemo.paper_config import PaperNemoConfig
from motionfield.steps.fit.nemo.paper_model import PaperModel, Seen
from motionfield.worlds.foothold import sole_points

_LOW_SHARE: Final = 0.1
"""Of a take's frames: where the soles are lower than in the rest, they stand."""


class _World(NamedTuple):
    """``p_world = R @ p_field + t``."""

    R: Float[Tensor, "3 3"]
    t: Float[Tensor, "3"]


def paper_result(
    config: PaperNemoConfig,
    model: PaperModel,
    takes: Sequence[GroupTake],
    seen: Seen,
    body: Body,
) -> GroupResult:
    """Motions, cameras and phases of a fitted model."""
    made_by = step("nemo", config, preset="paper")
    duration_s = float(
        np.median([take.keypoints.time_s[-1] - take.keypoints.time_s[0] for take in takes])
    )
    with torch.no_grad():
        pose = model.pose(seen.time, seen.take)
        phase = model.phase(seen.time, seen.take)
        fps = float(np.median([take.keypoints.fps for take in takes]))
        frames = max(2, round(duration_s * fps) + 1)
        common = model.field(torch.linspace(0, 1, frames), torch.zeros(frames, config.code_size))
    parts = [slice(int(f), int(f + n)) for f, n in zip(seen.first, seen.length, strict=True)]
    in_field = [
        _motion(take.initial, FieldPose(pose.rotations[part], pose.transl[part]), body, made_by)
        for take, part in zip(takes, parts, strict=True)
    ]
    canonical = _canonical(takes[0].initial, common, body, duration_s, made_by)
    world = _upright(model, takes, in_field, canonical, body)
    results = []
    for index, take in enumerate(takes):
        R, t = _camera(model, world, index, take.camera.num_frames)
        camera = take.camera.replace(
            made_by,
            K=seen.K[parts[index]].numpy(),
            R_camera_world=R,
            t_camera_world=t,
            moving=False,
            focal_source="assumed" if config.focal_px is not None else take.camera.focal_source,
        )
        results.append(FitResult(_moved(in_field[index], world, body), camera))
    action = Action(
        history=(made_by,),
        take_names=tuple(take.name for take in takes),
        take=seen.take.numpy(),
        phase=_monotone(phase, seen),
        time_s=np.concatenate([take.keypoints.time_s for take in takes]),
        mirrored=np.zeros(len(takes), bool),
        duration_s=duration_s,
    )
    warnings = tuple(
        f"{take.name}: its camera moves; the paper's method takes it for static"
        for take in takes
        if take.camera.moving
    )
    return GroupResult(results, _moved(canonical, world, body), action, warnings)


def _motion(initial: Motion, pose: FieldPose, body: Body, made_by: Step) -> Motion:
    """The field's pose with the frames of a take, in the field's axes."""
    return initial.replace(
        made_by,
        global_orient=pose.rotations[:, 0].numpy(),
        body_pose=pose.rotations[:, 1:].numpy(),
        transl=pose.transl.numpy(),
        betas=np.zeros(body.num_betas, np.float32),
        bone_scale=None,
        contacts=None,
        joints_std=None,
    )


def _canonical(
    initial: Motion, pose: FieldPose, body: Body, duration_s: float, made_by: Step
) -> Motion:
    """The field at equal steps of phase with code 0, in the field's axes."""
    frames = len(pose.transl)
    return Motion(
        history=(made_by,),
        global_orient=pose.rotations[:, 0].numpy(),
        body_pose=pose.rotations[:, 1:].numpy(),
        transl=pose.transl.numpy(),
        betas=np.zeros(body.num_betas, np.float32),
        body_model=initial.body_model,
        fps=(frames - 1) / duration_s,
        time_s=np.linspace(0, duration_s, frames),
        frame_index=np.arange(frames),
        observed=np.ones(frames, bool),
    )


def _upright(
    model: PaperModel,
    takes: Sequence[GroupTake],
    in_field: Sequence[Motion],
    canonical: Motion,
    body: Body,
) -> _World:
    """The upright world on the ground, seen from the field."""
    R_camera_field = model.R_camera_field.detach()
    up_camera = torch.stack([tensor_of(take.camera.R_camera_world[0, :, 2]) for take in takes])
    up = (up_camera.unsqueeze(1) @ R_camera_field).sum((0, 1))
    # ``turn_to_ray`` carries z to the ray; back it carries the ray to z. It needs a ray in front.
    flip = torch.diag(torch.tensor([1.0, -1.0, -1.0])) if up[2] < 0 else torch.eye(3)
    level = turn_to_ray((flip @ up)[None])[0].mT @ flip
    forward = level @ tensor_of(canonical.global_orient[0, :, 2])
    yaw = -torch.pi / 2 - torch.atan2(forward[1], forward[0])
    R = axis_rotation("z", yaw) @ level
    turned = _World(R, torch.zeros(3))
    start = _moved(canonical, turned, body).transl[0]
    standing = _standing_heights(body)
    lowest = torch.stack(
        [
            (sole_points(_moved(motion, turned, body), body)[..., 2] - standing)
            .amin(-1)
            .quantile(_LOW_SHARE)
            for motion in in_field
        ]
    )
    rest = body.rest_joints(torch.zeros(body.num_betas))[0]
    t = -(rest + tensor_of(start))
    t[2] = -lowest.median()
    return _World(R, t)


def _standing_heights(body: Body) -> Float[Tensor, "4"]:
    """How high each sole point is in the upright T-pose, metres."""
    betas = torch.zeros(body.num_betas)
    upright = Motion(
        global_orient=axis_rotation("x", torch.tensor([torch.pi / 2])).numpy(),
        body_pose=np.tile(np.eye(3, dtype=np.float32), (1, 23, 1, 1)),
        transl=np.zeros((1, 3), np.float32),
        betas=betas.numpy(),
        body_model=body.name,
        fps=1.0,
        time_s=np.zeros(1),
        frame_index=np.zeros(1, int),
        observed=np.ones(1, bool),
    )
    rest = body.rest_joints(betas)[0]
    ground = body.skin(betas).rest_vertices[:, 1].min() - rest[1] + rest[2]
    return sole_points(upright, body)[0, :, 2] - ground


def _moved(motion: Motion, world: _World, body: Body) -> Motion:
    """The same motion in another world."""
    rest = body.rest_joints(tensor_of(motion.betas))[0]
    pelvis = tensor_of(motion.transl) + rest
    return motion.replace(
        global_orient=(world.R @ tensor_of(motion.global_orient)).numpy(),
        transl=(pelvis @ world.R.mT + world.t - rest).numpy(),
    )


def _camera(
    model: PaperModel, world: _World, index: int, frames: int
) -> tuple[Float[np.ndarray, "frames 3 3"], Float[np.ndarray, "frames 3"]]:
    """A take's static camera in the upright world."""
    R = model.R_camera_field[index].detach() @ world.R.mT
    t = model.camera_place[index].detach() - R @ world.t
    return R.expand(frames, 3, 3).numpy(), t.expand(frames, 3).numpy()


def _monotone(phase: Float[Tensor, "frames"], seen: Seen) -> Float[np.ndarray, "frames"]:
    """Phases within [0, 1] that do not fall by rounding."""
    parts = phase.clamp(0, 1).split(seen.length.tolist())
    return torch.cat([part.cummax(0).values for part in parts]).numpy()
