"""How velocities, accelerations and jerks compare: what single frames do not show."""

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.steps.evaluate.score import MM_PER_M, Score, check_same_shape


def acceleration_error(
    predicted: Float[Tensor, "frames joints 3"],
    truth: Float[Tensor, "frames joints 3"],
    fps: float | None = None,
) -> Score:
    """Mean norm over joints of the difference of accelerations (second differences).

    mm/frame^2 as published tables; with ``fps``, m/s^2, which compares over frame rates. No
    alignment: bring both into one frame first (``align_clip``). The first and the last frame have
    no acceleration.

    Source: Kanazawa et al., HMMR, CVPR 2019 (mm/frame^2 as evaluated by VIBE, CVPR 2020).
    """
    check_same_shape(predicted, truth)
    error = torch.full_like(predicted[:, 0, 0], float("nan"))
    if len(predicted) > 2:
        difference = torch.diff(predicted - truth, n=2, dim=0)
        error[1:-1] = difference.norm(dim=-1).mean(-1)
    return Score(error * MM_PER_M, "mm/frame^2") if fps is None else Score(error * fps**2, "m/s^2")


def jitter(points: Float[Tensor, "frames joints 3"], fps: float) -> Score:
    """Mean norm over joints of the third derivative, m/s^3. Tables often show tenths of it.

    From third differences, given to the second of their four frames; the first and the last two
    frames have none.

    Source: Yi et al., TransPose, SIGGRAPH 2021.
    """
    jerk = torch.full_like(points[:, 0, 0], float("nan"))
    if len(points) > 3:
        jerk[1:-2] = torch.diff(points, n=3, dim=0).norm(dim=-1).mean(-1) * fps**3
    return Score(jerk, "m/s^3")
