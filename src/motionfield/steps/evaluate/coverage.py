"""Whether stated deviations hold: how often the truth lies within them."""

import math
from typing import Final, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.steps.evaluate.score import check_same_shape
from motionfield.steps.evaluate.world import clip_alignment

ONE_DEVIATION: Final = 0.6827
"""Share of a normal variable within one deviation."""


class Coverage(NamedTuple):
    """Over all joints, axes and frames, each axis by itself; NaN where nothing is stated."""

    one: float
    """Share within one stated deviation; 0.683 where they are right and errors are normal."""
    two: float
    """Within two; 0.954."""
    factor: float
    """What the deviations must be multiplied by so that one of them covers 68.3 %."""
    frames_used: int


def coverage(
    predicted: Float[Tensor, "frames joints 3"],
    truth: Float[Tensor, "frames joints 3"],
    std: Float[Tensor, "frames joints 3"],
) -> Coverage:
    """How often the truth lies within ``std`` of the prediction, metres, axes of its world.

    The worlds may differ: the truth is carried into the prediction's by one rigid motion of the
    clip. Joints and frames that miss a value are left out, and so are deviations that are not
    positive.
    """
    check_same_shape(predicted, truth)
    check_same_shape(std, truth)
    off = deviations_off(predicted, truth, std)
    known = torch.isfinite(off)
    if not known.any():
        return Coverage(math.nan, math.nan, math.nan, 0)
    found = off[known]
    return Coverage(
        one=float((found < 1).double().mean()),
        two=float((found < 2).double().mean()),
        factor=float(found.quantile(ONE_DEVIATION)),
        frames_used=int(known.any(-1).any(-1).sum()),
    )


def deviations_off(
    predicted: Float[Tensor, "frames joints 3"],
    truth: Float[Tensor, "frames joints 3"],
    std: Float[Tensor, "frames joints 3"],
) -> Float[Tensor, "frames joints 3"]:
    """Absolute errors in stated deviations, in the axes of the prediction's world; NaN: unknown."""
    motion = clip_alignment(predicted, truth)
    # The inverse of the rigid motion: the truth in the world in which the deviations are stated.
    there = (truth - motion.t_b_a) @ motion.R_b_a
    off = (predicted - there).double().abs() / std.double()
    return torch.where(std > 0, off, torch.nan)
