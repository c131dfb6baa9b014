"""A made walk of the toy body: knees and hips swing, feet stand, the root follows the feet."""

import math

import numpy as np
import torch

from motionfield.body.base import Body
from motionfield.core.conventions import JOINT_INDEX
from motionfield.data import Motion
from motionfield.geometry.rotations import axis_rotation
from motionfield.worlds.foothold import held, lowest_point, resting, sole_points


def walk(
    body: Body,
    frames: int = 90,
    heading: float = 0.0,
    phase: float = 0.0,
    fps: float = 30.0,
    bone_scale: np.ndarray | None = None,
    swing_rad: float = 0.45,
) -> Motion:
    """Strides of one second along ``heading``, on the ground, hardly sliding."""
    time_s = torch.arange(frames) / fps
    cycle = 2 * math.pi * time_s + phase
    pose = torch.eye(3).repeat(frames, 23, 1, 1)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        swing = swing_rad * sign * torch.sin(cycle)
        bend = 0.25 * (1 + sign * torch.cos(cycle)) ** 2 + 0.05
        pose[:, JOINT_INDEX[f"{side}_hip"] - 1] = axis_rotation("x", -swing)
        pose[:, JOINT_INDEX[f"{side}_knee"] - 1] = axis_rotation("x", bend)
        pose[:, JOINT_INDEX[f"{side}_ankle"] - 1] = axis_rotation("x", swing - bend)
    upright = axis_rotation("x", torch.tensor(math.pi / 2))
    turned = axis_rotation("z", torch.tensor(float(heading))) @ upright
    motion = Motion(
        global_orient=turned.repeat(frames, 1, 1).numpy(),
        body_pose=pose.numpy(),
        transl=np.array([[0.0, 0.0, 1.0]], np.float32).repeat(frames, 0),
        betas=np.zeros(16, np.float32),
        bone_scale=bone_scale,
        body_model=body.name,
        fps=fps,
        time_s=np.arange(frames) / fps,
        frame_index=np.arange(frames),
        observed=np.ones(frames, bool),
    )
    down = lowest_point(motion, body).numpy()
    motion = motion.replace(transl=motion.transl - np.stack((0 * down, 0 * down, down), -1))
    soles = sole_points(motion, body)
    low = torch.sigmoid((0.02 - soles[..., 2]) / 0.005)
    slip = held(soles, low, torch.zeros_like(soles), fps).numpy()
    return motion.replace(transl=motion.transl + np.pad(slip, ((0, 0), (0, 1))))


def slide_mm(motion: Motion, body: Body) -> float:
    """Mean slide of resting sole points per 1/30 s."""
    soles = sole_points(motion, body)
    weight = resting(soles, motion.fps)[1:]
    speed = (soles[1:] - soles[:-1])[..., :2].norm(dim=-1) * motion.fps
    return float((weight * speed).sum() / weight.sum() * 1000 / 30)
