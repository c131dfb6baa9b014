"""Which way is up, by the network's account of every frame."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

_ROUNDS = 10
_NEAR_RAD = math.radians(5.0)


class MeanUp(NamedTuple):
    """The clip's up direction."""

    up_world: Float[Tensor, "3"]
    """Unit length, in the axes that were given."""
    spread_deg: float
    """Median angle of the frames' directions from it."""


def mean_up(
    up_crop: Float[Tensor, "frames 3"],
    R_world_crop: Float[Tensor, "frames 3 3"],
    weights: Float[Tensor, "frames"],
) -> MeanUp:
    """The geometric median of the frames' up directions: single frames that err do not turn it.

    Args:
        up_crop: unit vectors away from gravity, crop axes.
        R_world_crop: of every frame, to axes that gravity does not turn in.
        weights: 0 leaves a frame out; not all may be.
    """
    up = (R_world_crop @ up_crop.unsqueeze(-1))[..., 0]
    mean = normalize((weights.unsqueeze(-1) * up).sum(0), dim=0)
    for _ in range(_ROUNDS):
        share = weights / (up - mean).norm(dim=-1).clamp_min(_NEAR_RAD)
        mean = normalize((share.unsqueeze(-1) * up).sum(0), dim=0)
    angle = torch.rad2deg(torch.acos((up @ mean).clamp(-1, 1)))
    return MeanUp(mean, float(angle[weights > 0].median()))
