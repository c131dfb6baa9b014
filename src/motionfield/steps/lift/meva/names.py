"""Points of other keypoint sets in BlazePose's order, which the network reads."""

from typing import Final

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.data.keypoints import Keypoints

_SAME: Final = {
    "left_big_toe": "left_foot_index",
    "right_big_toe": "right_foot_index",
}
"""Other words for BlazePose's points; points of equal names are taken as the same."""


def as_blazepose(
    keypoints: Keypoints,
) -> tuple[Float[ndarray, "frames 33 3"], Float[ndarray, "frames 33 3"] | None]:
    """2D points and coarse 3D in BlazePose's order; NaN where the set has no such point."""
    names = [_SAME.get(name, name) for name in keypoints.keypoint_names]
    source = [names.index(n) if n in names else None for n in BLAZEPOSE_33.keypoint_names]

    def ordered(values: ndarray) -> ndarray:
        found = np.full((len(values), len(source), values.shape[2]), np.nan, np.float32)
        for column, index in enumerate(source):
            if index is not None:
                found[:, column] = values[:, index]
        return found

    coarse = keypoints.coarse_camera
    return ordered(keypoints.keypoints_2d), None if coarse is None else ordered(coarse)
