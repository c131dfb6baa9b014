"""The person's way through the world: where the picture shows it, at a distance that is smooth."""

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from scipy.linalg import solveh_banded
from torch import Tensor

from motionfield.steps.lift.ik.config import IKLiftConfig

_ROBUST_ROUNDS = 4
_OUTLIER_SDS = 2.0
_Rows = tuple[ndarray, ndarray, ndarray]


def smooth_path(
    places: Float[Tensor, "frames 3"],
    camera_places: Float[Tensor, "frames 3"],
    time_s: Float[Tensor, "frames"],
    config: IKLiftConfig,
) -> Float[Tensor, "frames 3"]:
    """Measured places, moved along their viewing rays to the likeliest distances.

    A distance is measured by the person's size in the picture, with an error of ``depth_sd`` of
    itself that lasts for ``depth_error_lasts_s``; distances change as fast as people accelerate.
    Those that lie far off the smooth course count less (Geman-McClure). Where the camera moves,
    distances change with it, too: there it is the way through the world that is smooth, as far
    as it leads along the viewing ray.

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
    rows, weight = _second_differences(step, config.acceleration_sd_m_s2)
    carried = np.zeros_like(weight)
    if bool((camera_places != camera_places[:1]).any()):
        rays = sight.numpy() / measured[:, None]
        moved = (camera_places - camera_places[:1]).double().numpy()
        rows, carried = _along_rays(rows, rays, moved)
    penalty, pull = _quadratic_form(rows, weight, carried)
    trust = np.ones_like(measured)
    distance = measured
    for _ in range(_ROBUST_ROUNDS):
        band = penalty.copy()
        band[2] += trust * precision
        distance = solveh_banded(band, trust * precision * measured - pull)
        off = (distance - measured) / (config.depth_sd * measured)
        trust = (1 + (off / _OUTLIER_SDS) ** 2) ** -2.0
    moved_sight = sight * torch.from_numpy(distance / measured).unsqueeze(-1)
    return camera_places + moved_sight.to(places)


def _second_differences(step: Float[ndarray, "steps"], sd: float) -> tuple[_Rows, ndarray]:
    """Factors on each inner frame's neighbours and itself, and its weight, on uneven times."""
    mean_step = 0.5 * (step[1:] + step[:-1])
    rows = (
        1 / (step[:-1] * mean_step),
        -(1 / step[:-1] + 1 / step[1:]) / mean_step,
        1 / (step[1:] * mean_step),
    )
    return rows, mean_step / np.median(step) / sd**2


def _along_rays(
    rows: _Rows, rays: Float[ndarray, "frames 3"], camera_places: Float[ndarray, "frames 3"]
) -> tuple[_Rows, Float[ndarray, "inner"]]:
    """Acceleration of ``camera_place + distance * ray`` along the middle frame's ray.

    Across it the detector's jitter would count, which is less the nearer the person is taken.

    Returns:
        Factors on the distances, and what the camera's own acceleration adds.
    """
    inner = len(rays) - 2
    middle = rays[1:-1]

    def along(vectors: ndarray, at: int) -> ndarray:
        return (middle * vectors[at : at + inner]).sum(-1)

    first, second, third = (row * along(rays, at) for at, row in enumerate(rows))
    carried = sum(row * along(camera_places, at) for at, row in enumerate(rows))
    return (first, second, third), np.asarray(carried)


def _quadratic_form(
    rows: _Rows, weight: Float[ndarray, "inner"], carried: Float[ndarray, "inner"]
) -> tuple[Float[ndarray, "3 frames"], Float[ndarray, "frames"]]:
    """Upper band and linear part of the weighted sum of squared accelerations."""
    frames = len(weight) + 2
    band, pull = np.zeros((3, frames)), np.zeros(frames)
    for i in range(3):
        pull[i : i + frames - 2] += rows[i] * weight * carried
        for j in range(i, 3):
            band[2 - (j - i), j : j + frames - 2] += rows[i] * rows[j] * weight
    return band, pull
