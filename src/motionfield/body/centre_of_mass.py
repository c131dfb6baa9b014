"""The body's centre of mass from its keypoints.

Segment masses: Dempster 1955, as in Winter, Biomechanics and Motor Control of Human Movement,
table 4.1; each segment's mass is taken at its middle, which is exact enough for keypoints.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.core.keypoint_sets import KeypointSet

_HEAD, _TRUNK = 0.081, 0.497
_LIMBS = (
    ("shoulder", "elbow", 0.028),
    ("elbow", "wrist", 0.022),
    ("hip", "knee", 0.100),
    ("knee", "ankle", 0.061),
)
_HEAD_WORDS = ("nose", "eye", "ear", "mouth", "head")


def middle(
    points: Float[Tensor, "frames keypoints 3"], keypoint_set: KeypointSet, part: str
) -> Float[Tensor, "frames 3"]:
    """The middle of the left and right points called ``part``."""
    left, right = keypoint_set.index(f"left_{part}"), keypoint_set.index(f"right_{part}")
    return 0.5 * (points[:, left] + points[:, right])


def centre_of_mass(
    points: Float[Tensor, "frames keypoints 3"], keypoint_set: KeypointSet
) -> Float[Tensor, "frames 3"]:
    """Centre of mass in the points' frame, metres; NaN where a limb point is NaN."""
    names = keypoint_set.keypoint_names
    trunk = 0.5 * (middle(points, keypoint_set, "shoulder") + middle(points, keypoint_set, "hip"))
    head = [i for i, name in enumerate(names) if any(word in name for word in _HEAD_WORDS)]
    head_place = points[:, head].nanmean(1) if head else middle(points, keypoint_set, "shoulder")
    total = _TRUNK * trunk + _HEAD * torch.where(head_place.isnan(), trunk, head_place)
    mass = _TRUNK + _HEAD
    for upper, lower, share in _LIMBS:
        ends = middle(points, keypoint_set, upper) + middle(points, keypoint_set, lower)
        total = total + 2 * share * 0.5 * ends
        mass += 2 * share
    return total / mass
