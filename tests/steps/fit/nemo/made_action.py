"""A made action: how far it has come decides the pose, so every warp of its time is known."""

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from motionfield.body.registry import load_body
from motionfield.core.conventions import JOINT_INDEX
from motionfield.data import Motion
from motionfield.geometry.rotations import axis_rotation


def throw(
    phase: Float[ndarray, "frames"],
    fps: float = 30.0,
    heading: float = 0.0,
    noise: float = 0.0,
    seed: int = 0,
) -> Motion:
    """A throw with the right hand and a step with the left leg, at these phases.

    Args:
        heading: the person is turned about the vertical, radians.
        noise: standard deviation of an error of each angle, radians, another one in every frame.
    """
    body = load_body("toy")
    p = torch.tensor(phase, dtype=torch.float32)
    generator = torch.Generator().manual_seed(seed)

    def bump(centre: float, width: float) -> torch.Tensor:
        off = noise * torch.randn(len(p), generator=generator)
        return torch.exp(-0.5 * ((p - centre) / width) ** 2) + off

    pose = torch.eye(3).repeat(len(p), 24, 1, 1)

    def turn(joint: str, axis: str, angle: torch.Tensor) -> None:
        index = JOINT_INDEX[joint]
        pose[:, index] = pose[:, index] @ axis_rotation(axis, angle)

    turn("right_shoulder", "y", 1.5 * bump(0.35, 0.12) - 1.3 * bump(0.6, 0.1))
    turn("right_shoulder", "z", -0.8 + 1.6 * torch.sigmoid((p - 0.5) * 12))
    turn("right_elbow", "y", 1.6 * bump(0.4, 0.12))
    turn("left_shoulder", "z", -1.1 + 0.9 * bump(0.3, 0.15))
    turn("left_hip", "x", -1.2 * bump(0.4, 0.12))
    turn("left_knee", "x", 1.3 * bump(0.38, 0.12))
    turn("right_knee", "x", 0.6 * bump(0.7, 0.15))
    turn("spine2", "y", 0.5 * bump(0.35, 0.15) - 0.6 * bump(0.65, 0.12))
    upright = axis_rotation("x", torch.tensor(torch.pi / 2))
    facing = axis_rotation("z", torch.tensor(heading)) @ upright
    time = np.arange(len(p)) / fps
    return Motion(
        global_orient=facing.expand(len(p), 3, 3).contiguous().numpy(),
        body_pose=pose[:, 1:].numpy(),
        transl=np.zeros((len(p), 3), np.float32),
        betas=np.zeros(body.num_betas, np.float32),
        body_model=body.name,
        fps=fps,
        time_s=time,
        frame_index=np.arange(len(p)),
        observed=np.ones(len(p), bool),
    )
