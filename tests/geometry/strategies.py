"""Random geometry for the property tests, drawn from seeds so that hypothesis can shrink them."""

import roma
import torch
from hypothesis import strategies as st
from torch import Tensor

SEEDS = st.integers(0, 2**31 - 1)
SIZES = st.integers(1, 7)


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def rotations(shape: tuple[int, ...], seed: int) -> Tensor:
    """Uniform random rotations, float64."""
    rotvec = torch.randn(*shape, 4, generator=generator(seed), dtype=torch.float64)
    return roma.unitquat_to_rotmat(torch.nn.functional.normalize(rotvec, dim=-1))


def normal(shape: tuple[int, ...], seed: int) -> Tensor:
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)


def uniform(low: float, high: float, shape: tuple[int, ...], seed: int) -> Tensor:
    return low + (high - low) * torch.rand(*shape, generator=generator(seed), dtype=torch.float64)


def intrinsics(frames: int, seed: int) -> Tensor:
    """Plausible camera matrices of a 1280×720 picture, one per frame."""
    K = torch.zeros(frames, 3, 3, dtype=torch.float64)
    K[:, 0, 0] = uniform(500, 3000, (frames,), seed)
    K[:, 1, 1] = K[:, 0, 0] * uniform(0.9, 1.1, (frames,), seed + 1)
    K[:, 0, 2] = uniform(500, 800, (frames,), seed + 2)
    K[:, 1, 2] = uniform(300, 420, (frames,), seed + 3)
    K[:, 2, 2] = 1
    return K


def lens(seed: int) -> Tensor:
    """A mild distortion (k1, k2, p1, p2, k3), as a phone's or an action camera's."""
    scale = torch.tensor([0.15, 0.05, 0.003, 0.003, 0.01], dtype=torch.float64)
    return uniform(-1, 1, (5,), seed) * scale
