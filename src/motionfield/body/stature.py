"""Standing height of a body, and the shape that has a given one."""

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.errors import OptionError


def stature_m(body: Body, betas: Float[Tensor, "betas"]) -> float:
    """Height of the T-posed body from sole to crown in metres."""
    height = body.skin(betas).rest_vertices[:, 1]
    return float(height.max() - height.min())


def betas_of_height(
    body: Body, height_m: float, shape: Float[Tensor, "betas"] | None = None
) -> Float[Tensor, "betas"]:
    """The shape of that height: ``betas[0]`` is stature, the others are those of ``shape``.

    Args:
        shape: None: the average one.

    Raises:
        OptionError: no shape within five standard deviations is that tall.
    """
    zero = torch.zeros(body.num_betas) if shape is None else shape.clone()
    zero[0] = 0.0
    unit = zero.clone()
    unit[0] = 1.0
    average = stature_m(body, zero)
    per_beta = stature_m(body, unit) - average
    beta = (height_m - average) / per_beta
    if abs(beta) > 5:
        low, high = sorted((average - 5 * per_beta, average + 5 * per_beta))
        raise OptionError(f"--height {height_m:g}: give metres between {low:.2f} and {high:.2f}")
    zero[0] = beta
    return zero
