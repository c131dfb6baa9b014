"""The person's way through the world: sure across the viewing ray, unsure along it."""

import numpy as np
import torch
from jaxtyping import Float
from scipy.linalg import solveh_banded
from torch import Tensor

from motionfield.steps.lift.config import LiftConfig

_ROBUST_ROUNDS = 4
_OUTLIER_SDS = 2.0
_ACROSS_SHARE = 0.1
"""Error across the viewing ray by that along it."""


def smooth_path(
    places: Float[Tensor, "frames 3"],
    camera_places: Float[Tensor, "frames 3"],
    time_s: Float[Tensor, "frames"],
    config: LiftConfig,
) -> Float[Tensor, "frames 3"]:
    """The likeliest path through measured places, by how fast people accelerate.

    Each place is measured with an error along the ray from the camera of ``depth_sd`` times the
    distance, which lasts for ``depth_error_lasts_s``, and a tenth of that across it. Depths that
    lie far off the path count less (Geman-McClure).

    Args:
        places: world, metres.
        camera_places: the camera's centre in the same world.
        time_s: growing.
    """
    frames = len(places)
    if frames < 3:
        return places
    sight = (places - camera_places).double()
    distance = sight.norm(dim=-1, keepdim=True).clamp_min(1e-3)
    ray = sight / distance
    step = time_s.diff().double().clamp_min(1e-6)
    lasts = max(1.0, config.depth_error_lasts_s / float(step.median()))
    along_sd = config.depth_sd * distance[:, 0] * lasts**0.5
    across = torch.eye(3).double() - ray.unsqueeze(-1) * ray.unsqueeze(-2)
    penalty = _acceleration_band(step.numpy(), config.acceleration_sd_m_s2)
    measured = places.double()
    path = measured
    trust = torch.ones_like(along_sd)
    for _ in range(_ROBUST_ROUNDS):
        along = (trust / along_sd.square())[:, None, None] * (ray.unsqueeze(-1) * ray.unsqueeze(-2))
        precision = along + across / (_ACROSS_SHARE * along_sd).square()[:, None, None]
        right = (precision @ measured.unsqueeze(-1)).reshape(-1).numpy()
        solved = solveh_banded(penalty + _block_band(precision.numpy()), right, lower=False)
        path = torch.from_numpy(solved).reshape(frames, 3)
        off = ((path - measured) * ray).sum(-1) / (config.depth_sd * distance[:, 0])
        trust = (1 + (off / _OUTLIER_SDS).square()).pow(-2)
    return path.to(places)


def _acceleration_band(step: np.ndarray, sd: float) -> np.ndarray:
    """Upper band of the quadratic form of accelerations, three coordinates interleaved."""
    frames = len(step) + 1
    mean_step = 0.5 * (step[1:] + step[:-1])
    # Second difference on uneven times, weighted by the time it stands for.
    rows = np.stack(
        (
            1 / (step[:-1] * mean_step),
            -(1 / step[:-1] + 1 / step[1:]) / mean_step,
            1 / (step[1:] * mean_step),
        )
    )
    weight = mean_step / np.median(step) / sd**2
    band = np.zeros((7, 3 * frames))
    for i in range(3):
        for j in range(i, 3):
            value = np.repeat(rows[i] * rows[j] * weight, 3)
            first = 3 * j
            band[6 - 3 * (j - i), first : first + len(value)] += value
    return band


def _block_band(blocks: np.ndarray) -> np.ndarray:
    """Symmetric 3 by 3 blocks on the diagonal, as an upper band."""
    band = np.zeros((7, 3 * len(blocks)))
    for i in range(3):
        for j in range(i, 3):
            band[6 - (j - i), j::3] = blocks[:, i, j]
    return band
