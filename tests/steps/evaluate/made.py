"""Made points and rotations for tests of metrics."""

import math

import numpy as np
import roma
import torch
from hypothesis import strategies as st

from motionfield.data import Motion

seeds = st.integers(0, 2**31)


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def points(seed: int, frames: int = 7, joints: int = 12) -> torch.Tensor:
    return torch.randn(frames, joints, 3, generator=generator(seed), dtype=torch.float64)


def turns(seed: int, *shape: int) -> torch.Tensor:
    """Random rotations."""
    return roma.rotvec_to_rotmat(
        torch.randn(*shape, 3, generator=generator(seed), dtype=torch.float64)
    )


def made_motion(seed: int, frames: int, fps: float = 30.0) -> Motion:
    """Smooth random motion of the toy body: walks along, turns, waves its limbs."""
    random = generator(seed)
    time_s = torch.arange(frames, dtype=torch.float64) / fps

    def waves(*shape: int, size: float) -> torch.Tensor:
        phase, rate = torch.rand(2, *shape, generator=random, dtype=torch.float64)
        wave = torch.sin(math.tau * (phase + (0.3 + rate) * time_s.view(-1, *[1] * len(shape))))
        return size * torch.randn(shape, generator=random, dtype=torch.float64) * wave

    upright = roma.rotvec_to_rotmat(torch.tensor([math.pi / 2, 0, 0], dtype=torch.float64))
    path = torch.stack((1.2 * time_s, 0.2 * torch.sin(time_s), 0 * time_s + 0.9), dim=-1)
    return Motion(
        global_orient=(roma.rotvec_to_rotmat(waves(3, size=0.3)) @ upright).float().numpy(),
        body_pose=roma.rotvec_to_rotmat(waves(23, 3, size=0.3)).float().numpy(),
        transl=(path + waves(3, size=0.02)).float().numpy(),
        betas=np.zeros(16, np.float32),
        body_model="toy",
        fps=fps,
        time_s=time_s.numpy(),
        frame_index=np.arange(frames),
        observed=np.ones(frames, bool),
        contacts=(np.sin(time_s.numpy()[:, None] * 6 + np.array([0, 3])) > 0).astype(np.float32),
    )
