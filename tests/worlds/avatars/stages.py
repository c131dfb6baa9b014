"""A person for the tests of avatars: the default body in a bent pose before small cameras."""

import math

import numpy as np
import roma
import torch

from motionfield.body.registry import load_body
from motionfield.data import CameraPath, Motion
from motionfield.geometry.rotations import axis_rotation
from motionfield.worlds.avatars.config import AvatarConfig
from motionfield.worlds.cameras import CameraConfig, draw_camera
from motionfield.worlds.take import keypoints_world

QUICK = AvatarConfig(rays_per_pixel=1, backdrop_supersampling=1)
_SMALL = CameraConfig(image_width=160, image_height=120, distance_m=(3.0, 4.0))


def bent_motion(frames: int = 3, betas: float = 0.0) -> Motion:
    """Somebody upright who turns, limbs bent at random."""
    generator = torch.Generator().manual_seed(4)
    bend = 0.25 * torch.randn(1, 23, 3, generator=generator).expand(frames, 23, 3)
    upright = axis_rotation("x", torch.tensor(math.pi / 2))
    turn = axis_rotation("z", torch.linspace(0, 0.3, frames))
    transl = np.zeros((frames, 3), np.float32)
    transl[:, 2] = 0.95
    return Motion(
        global_orient=(turn @ upright).numpy(),
        body_pose=roma.rotvec_to_rotmat(bend).numpy(),
        transl=transl,
        betas=np.full(16, betas, np.float32),
        body_model="anny",
        fps=30.0,
        time_s=np.arange(frames) / 30.0,
        frame_index=np.arange(frames),
        observed=np.ones(frames, dtype=bool),
    )


def small_camera(motion: Motion, seed: int = 0) -> CameraPath:
    """A static camera of 160 by 120 pixels."""
    points = keypoints_world(motion, load_body())
    return draw_camera(points, np.random.default_rng(seed), _SMALL)
