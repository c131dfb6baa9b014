"""Made points and rotations for tests of metrics."""

import roma
import torch
from hypothesis import strategies as st

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
