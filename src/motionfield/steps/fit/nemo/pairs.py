"""How unlike every two takes are, as they are and with one of them mirrored."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from motionfield.body.base import Body
from motionfield.body.pose_features import PoseFeatures, pose_distances
from motionfield.data.motion import Motion
from motionfield.geometry.time_warp import warp_paths
from motionfield.steps.fit.nemo.align import AlignConfig, take_features

_SAMPLES: Final = 64
_DEFAULT: Final = AlignConfig()


class PairCosts(NamedTuple):
    """Mean distance of two takes' poses after the best alignment in time, metres; symmetric.

    Repetitions by one person are some 0.05 to 0.1 apart in a first 3D, other actions 0.2 and more.
    """

    same: Float[ndarray, "takes takes"]
    mirrored: Float[ndarray, "takes takes"]
    """Of one take and the other's mirror image."""


def pair_costs(motions: Sequence[Motion], body: Body, config: AlignConfig = _DEFAULT) -> PairCosts:
    """Align every two takes in time, each from its beginning to its end, whatever their rates."""
    takes = [take_features(motion, body, _SAMPLES, config) for motion in motions]
    images = [take.mirrored() for take in takes]
    count = len(takes)
    same, mirrored = np.zeros((count, count)), np.zeros((count, count))
    for i, take in enumerate(takes):
        mirrored[i, i] = _costs(take, [images[i]], config)[0]
        others = range(i + 1, count)
        if others:
            partners = [takes[j] for j in others] + [images[j] for j in others]
            same[i, i + 1 :], mirrored[i, i + 1 :] = _costs(take, partners, config).reshape(2, -1)
    lower = np.tril_indices(count, -1)
    same[lower], mirrored[lower] = same.T[lower], mirrored.T[lower]
    return PairCosts(same, mirrored)


def _costs(
    take: PoseFeatures, partners: Sequence[PoseFeatures], config: AlignConfig
) -> Float[ndarray, "partners"]:
    everybody = PoseFeatures(*(torch.cat(parts) for parts in zip(*partners, strict=True)))
    table = pose_distances(take, everybody).unflatten(1, (len(partners), -1)).transpose(0, 1)
    return warp_paths(table.double().numpy(), config.hold_m).cost
