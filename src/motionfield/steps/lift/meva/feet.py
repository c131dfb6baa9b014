"""Feet that stay where they stand: what the root's path cannot do, since legs err too."""

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from motionfield.steps.lift.meva.banded import BandedPath, geman_mcclure
from motionfield.steps.lift.meva.config import FootConfig

_RAISED_M = 0.03
"""A heel that is this much higher than its toes bears half of what it does beside them."""
_RAISED_WIDTH_M = 0.008


def resting_soles(
    contacts: Float[Tensor, "frames 2"],
    soles: Float[Tensor, "frames 4 3"],
    sole_height: Float[Tensor, "4"],
) -> Float[Tensor, "frames 4"]:
    """How surely each point of the soles rests: of a foot that rolls only the lower end does.

    Args:
        contacts: probability that the left, right foot rests.
        soles, sole_height: as for ``foot_shifts``, from any origin.
    """
    height = (soles[..., 2] - sole_height).unflatten(-1, (2, 2))
    raised = height - height.amin(-1, keepdim=True)
    bears = torch.sigmoid((_RAISED_M - raised) / _RAISED_WIDTH_M)
    return (contacts.unsqueeze(-1) * bears).flatten(1)


def foot_shifts(
    soles_world: Float[Tensor, "frames 4 3"],
    rest: Float[Tensor, "frames 4"],
    sole_height: Float[Tensor, "4"],
    rate_hz: float,
    config: FootConfig,
    ground_doubt_m: float = 0.0,
) -> Float[Tensor, "frames 2 3"]:
    """By how much each foot has to be moved so that it rests where it should.

    Smooth, small, and nothing where no foot rests. World axes, metres, left foot first.

    Args:
        soles_world: heel and toe of the left foot, then of the right.
        rest: probability that each rests.
        sole_height: height of each above the ground when standing.
        ground_doubt_m: how far the ground may be from z = 0, beside ``config.ground_sd_m``.
    """
    config = replace(config, ground_sd_m=float(np.hypot(config.ground_sd_m, ground_doubt_m)))
    soles = soles_world.double().numpy()
    sides = [
        _shift(
            soles[:, side],
            rest.double().numpy()[:, side],
            sole_height.double().numpy()[side],
            rate_hz,
            config,
        )
        for side in (slice(0, 2), slice(2, 4))
    ]
    return torch.from_numpy(np.stack(sides, 1)).to(soles_world)


def _shift(
    soles: Float[ndarray, "frames 2 3"],
    rest: Float[ndarray, "frames 2"],
    sole_height: Float[ndarray, "2"],
    rate_hz: float,
    config: FootConfig,
) -> Float[ndarray, "frames 3"]:
    frames = len(soles)
    both = rest[1:] * rest[:-1]
    steps = -np.diff(soles, axis=0)
    low = sole_height - soles[..., 2]
    held, down = both, rest
    found = np.zeros((frames, 3))
    for _ in range(config.rounds):
        path = BandedPath(frames)
        path.add_places(np.tile(np.eye(3) / config.shift_sd_m**2, (frames, 1, 1)), 0 * found)
        path.add_steps(held * (rate_hz / config.slide_sd_m_s) ** 2, steps)
        path.add_heights(down / config.ground_sd_m**2, low)
        bending = (rate_hz**2 / config.acceleration_sd_m_s2) ** 2
        path.add_bends(bending, np.zeros((max(frames - 2, 0), 3)))
        found = path.solve()
        slide = np.linalg.norm(np.diff(found, axis=0)[:, None] - steps, axis=-1) * rate_hz
        held = both * geman_mcclure(slide / config.outlier_slide_m_s)
        down = rest * geman_mcclure((found[:, None, 2] - low) / config.outlier_ground_m)
    return found
