"""The person's way through the world: where the picture shows it, at a distance that is smooth."""

import numpy as np
import torch
from jaxtyping import Float
from scipy.linalg import solveh_banded
from torch import Tensor

from motionfield.steps.lift.config import LiftConfig

_ROBUST_ROUNDS = 4
_OUTLIER_SDS = 2.0


def smooth_path(
    places: Float[Tensor, "frames 3"],
    camera_places: Float[Tensor, "frames 3"],
    time_s: Float[Tensor, "frames"],
    config: LiftConfig,
) -> Float[Tensor, "frames 3"]:
    """Measured places, moved along their viewing rays to the likeliest distances.

    A distance is measured by the person's size in the picture, with an error of ``depth_sd`` of
    itself that lasts for ``depth_error_lasts_s``; distances change as fast as people accelerate.
    Those that lie far off the smooth course count less (Geman-McClure).

    Args:
        places: world, metres.
        camera_places: the camera's centre in the same world.
        time_s: growing.
    """
    if len(places) < 3:
        return places
    sight = (places - camera_places).double()
    measured = sight.norm(dim=-1).clamp_min(1e-3).numpy()
    step = time_s.diff().double().clamp_min(1e-6).numpy()
    lasts = max(1.0, config.depth_error_lasts_s / float(np.median(step)))
    precision = 1 / (config.depth_sd * measured) ** 2 / lasts
    penalty = _acceleration_band(step, config.acceleration_sd_m_s2)
    trust = np.ones_like(measured)
    distance = measured
    for _ in range(_ROBUST_ROUNDS):
        band = penalty.copy()
        band[2] += trust * precision
        distance = solveh_banded(band, trust * precision * measured)
        off = (distance - measured) / (config.depth_sd * measured)
        trust = (1 + (off / _OUTLIER_SDS) ** 2) ** -2.0
    moved = sight * torch.from_numpy(distance / measured).unsqueeze(-1)
    return camera_places + moved.to(places)


def _acceleration_band(
    step: Float[np.ndarray, "steps"], sd: float
) -> Float[np.ndarray, "3 frames"]:
    """Upper band of the quadratic form of accelerations on uneven times."""
    mean_step = 0.5 * (step[1:] + step[:-1])
    rows = (
        1 / (step[:-1] * mean_step),
        -(1 / step[:-1] + 1 / step[1:]) / mean_step,
        1 / (step[1:] * mean_step),
    )
    weight = mean_step / np.median(step) / sd**2
    frames = len(step) + 1
    band = np.zeros((3, frames))
    for i in range(3):
        for j in range(i, 3):
            band[2 - (j - i), j : j + frames - 2] += rows[i] * rows[j] * weight
    return band
