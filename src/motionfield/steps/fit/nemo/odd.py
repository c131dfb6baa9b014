"""Takes that show another action than the rest."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motionfield.body.base import Body
from motionfield.data.motion import Motion
from motionfield.steps.fit.nemo.handed import handedness
from motionfield.steps.fit.nemo.pairs import pair_costs

_USUAL_M: Final = 0.09
"""Repetitions are so far apart in a first 3D, however alike the motions are."""
_RATIO: Final = 1.5
"""A take is odd that is so many times as far from the others as they are from each other."""
_PAIR_M: Final = 0.18
"""Two takes that are further apart show two actions."""


class OddTakes(NamedTuple):
    """Which takes differ from the rest, and by how much."""

    odd: Bool[Tensor, "takes"]
    """All True for two takes that differ: nobody can tell which one is wrong."""
    distance_m: Float[Tensor, "takes"]
    """Of each take from those that are most alike: mean distance of the poses' joints after
    alignment in time, whichever hand was used."""
    usual_m: float
    """Of those from each other."""


def odd_takes(motions: Sequence[Motion], body: Body) -> OddTakes:
    """Find the takes that show another action than at least half of all.

    The half that is most alike is what the rest is measured against: one odd take or several of
    one other action move nothing.
    """
    count = len(motions)
    if count < 2:
        return OddTakes(torch.zeros(count, dtype=torch.bool), torch.zeros(count), 0.0)
    costs = pair_costs(motions, body)
    other_hand = handedness(costs).mirrored.numpy()
    distance = np.where(other_hand[:, None] == other_hand, costs.same, costs.mirrored)
    np.fill_diagonal(distance, np.nan)
    if count == 2:
        apart = float(distance[0, 1])
        return OddTakes(torch.full((2,), apart > _PAIR_M), torch.full((2,), apart), apart)
    most = count // 2 + 1
    # Of all takes with their nearest ones: those that are nearest to each other.
    near = np.argsort(np.nan_to_num(distance, nan=0.0), axis=1)[:, :most]
    within = [np.nanmedian(distance[np.ix_(members, members)]) for members in near]
    members = near[int(np.argmin(within))]
    usual = float(min(within))
    far = np.nanmedian(distance[:, members], axis=1)
    odd = far > _RATIO * max(usual, _USUAL_M)
    odd[members] = False
    return OddTakes(torch.tensor(odd), torch.tensor(far, dtype=torch.float32), usual)
