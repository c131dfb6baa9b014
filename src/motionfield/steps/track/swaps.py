"""Exchanges of left and right over time: found and undone."""
from typing import NamedTuple
import numpy as np
from jaxtyping import Float, Bool
from numpy import ndarray
class SwapRepair(NamedTuple):
    keypoints_2d: Float[ndarray, "frames 33 3"]
    coarse_camera: Float[ndarray, "frames 33 3"]
    swapped: Bool[ndarray, "frames 2"]
    def warnings(self, time_s: ndarray) -> list[str]:
        return []
def repair_swaps(keypoints_2d: ndarray, coarse_camera: ndarray, time_s: ndarray) -> SwapRepair:
    return SwapRepair(keypoints_2d, coarse_camera, np.zeros((len(time_s), 2), bool))
