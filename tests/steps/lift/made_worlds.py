"""A made person who walks through a made world, seen by a camera: exact truth for the lift."""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from motionfield.body.base import Body
from motionfield.body.joint_limits import JOINT_RANGES, from_swing_twist
from motionfield.body.registry import load_body
from motionfield.core.conventions import JOINT_INDEX
from motionfield.core.keypoint_sets import KEYPOINT_SETS
from motionfield.data import CameraPath, Keypoints, Motion
from motionfield.geometry.cameras import project, world_to_camera
from motionfield.geometry.placement import mean_ray, turn_to_ray
from motionfield.geometry.rotations import axis_rotation

SIZE = (1280, 720)
FOCAL = 1000.0
DISTORTION = (0.05, -0.02, 0.001, -0.001, 0.0)


class World(NamedTuple):
    """The truth, and what was seen of it."""

    body: Body
    motion: Motion
    camera: CameraPath
    keypoints: Keypoints


def walk(body: Body, frames: int = 40, fps: float = 30.0, heading: float = 0.6) -> Motion:
    """A walk along a curve that starts at ``heading`` (0 faces the world's -Y)."""
    time_s = np.arange(frames) / fps
    t = torch.tensor(time_s, dtype=torch.float32)
    coordinates = JOINT_RANGES.standing.repeat(frames, 1, 1)
    phase = 2 * math.pi * 0.9 * t
    for side, sign in (("left", 1.0), ("right", -1.0)):
        swing = sign * torch.sin(phase)
        coordinates[:, JOINT_INDEX[f"{side}_hip"] - 1, 0] = -0.15 - 0.45 * swing
        knee = 0.35 + 0.3 * torch.sin(phase + sign * math.pi / 2)
        coordinates[:, JOINT_INDEX[f"{side}_knee"] - 1, 0] = knee
        shoulder, elbow = (JOINT_INDEX[f"{side}_{name}"] - 1 for name in ("shoulder", "elbow"))
        coordinates[:, shoulder, 1] = sign * 0.5 * swing - sign * 0.2
        coordinates[:, elbow, 1] = -sign * (0.6 - 0.3 * swing)
    coordinates[:, JOINT_INDEX["head"] - 1, 1] = 0.3 * torch.sin(2 * t)
    facing = heading + 0.9 * t
    turn = axis_rotation("z", facing) @ axis_rotation("x", torch.tensor(math.pi / 2))
    ahead = torch.stack((torch.sin(facing), -torch.cos(facing), 0 * facing), -1)
    place = torch.cumsum(1.2 / fps * ahead, 0)
    place[:, 2] = 0.95
    place = place - body.rest_joints(torch.zeros(body.num_betas))[0]
    return Motion(
        global_orient=turn.numpy(),
        body_pose=from_swing_twist(coordinates).numpy(),
        transl=place.numpy(),
        betas=np.zeros(body.num_betas, np.float32),
        body_model=body.name,
        fps=fps,
        time_s=time_s,
        frame_index=np.arange(frames),
        observed=np.ones(frames, bool),
    )


def camera_at(frames: int, position: tuple[float, float, float], yaw: float = 0.0) -> CameraPath:
    """A camera that looks along +Y, turned by ``yaw`` and a little down."""
    level = torch.tensor([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    R = axis_rotation("x", torch.tensor(0.12)) @ level @ axis_rotation("z", torch.tensor(-yaw))
    t = -R @ torch.tensor(position)
    K = np.array([[FOCAL, 0, SIZE[0] / 2], [0, FOCAL, SIZE[1] / 2], [0, 0, 1]], np.float32)
    return CameraPath(
        K=np.tile(K, (frames, 1, 1)),
        distortion=np.array(DISTORTION, np.float32),
        R_camera_world=R.expand(frames, 3, 3).numpy(),
        t_camera_world=t.expand(frames, 3).numpy(),
        image_width=SIZE[0],
        image_height=SIZE[1],
        moving=False,
        focal_source="given",
        focal_range_px=(FOCAL, FOCAL),
        gravity_source="given",
        gravity_doubt_deg=0.0,
        scale_source="given",
        scale_range=(1.0, 1.0),
    )


def points_of(body: Body, motion: Motion, keypoint_set: str = "blazepose33") -> Tensor:
    """Keypoints in the world."""
    arrays = (motion.global_orient, motion.body_pose, motion.transl, motion.betas)
    posed = body.pose(*(torch.tensor(array) for array in arrays), keypoint_set)
    return posed.keypoints


def seen(
    body: Body,
    motion: Motion,
    camera: CameraPath,
    keypoint_set: str = "blazepose33",
    noise_px: float = 2.0,
    coarse_noise_m: float | None = 0.07,
) -> Keypoints:
    """What a detector would give: 2D with noise, coarse 3D in the axes of the crop's camera."""
    generator = torch.Generator().manual_seed(0)
    world = points_of(body, motion, keypoint_set)
    R, t, K = (torch.tensor(a) for a in (camera.R_camera_world, camera.t_camera_world, camera.K))
    points = world_to_camera(world, R, t)
    pixels = project(points, K, torch.tensor(camera.distortion))
    pixels = pixels + noise_px * torch.randn(pixels.shape, generator=generator)
    confidence = torch.full_like(pixels[..., :1], 0.9)
    names = KEYPOINT_SETS[keypoint_set].keypoint_names
    coarse = None
    if coarse_noise_m is not None:
        rays = points / points[..., 2:]
        hips = points[:, [names.index("left_hip"), names.index("right_hip")]].mean(1, keepdim=True)
        coarse = (points - hips) @ turn_to_ray(mean_ray(rays, confidence[..., 0]))
        noise = coarse_noise_m * torch.randn(coarse.shape, generator=generator)
        coarse = (coarse + noise * torch.tensor([0.5, 0.5, 1.0])).numpy()
    frames = motion.num_frames
    return Keypoints(
        keypoints_2d=torch.cat((pixels, confidence), -1).numpy(),
        keypoint_names=names,
        image_width=SIZE[0],
        image_height=SIZE[1],
        fps=motion.fps,
        time_s=motion.time_s,
        frame_index=motion.frame_index,
        coarse_camera=coarse,
        observed=np.ones(frames, bool),
    )


def make_world(
    frames: int = 40,
    heading: float = 0.6,
    keypoint_set: str = "blazepose33",
    noise_px: float = 2.0,
    coarse_noise_m: float | None = 0.07,
) -> World:
    """A walk of the toy body 4.5 m in front of the camera."""
    body = load_body("toy")
    motion = walk(body, frames, heading=heading)
    camera = camera_at(frames, (0.2, -4.5, 1.5), yaw=0.1)
    return World(
        body, motion, camera, seen(body, motion, camera, keypoint_set, noise_px, coarse_noise_m)
    )
