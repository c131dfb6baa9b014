"""How velocities, accelerations and jerks compare: what single frames do not show."""

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.steps.evaluate.score import MM_PER_M, Score, check_same_shape


def velocity_error(
    predicted: Float[Tensor, "frames joints 3"],
    truth: Float[Tensor, "frames joints 3"],
    fps: float | None = None,
) -> Score:
    """Mean norm over joints of the difference of velocities (first differences).

    mm/frame, or m/s with ``fps``. The difference to the next frame is given to the earlier one:
    the last frame has none. No alignment: bring both into one frame first.

    Source: VEL-ERR of MEVA's evaluation code (14 LSP joints, hips at the origin).
    """
    check_same_shape(predicted, truth)
    error = torch.full_like(predicted[:, 0, 0], float("nan"))
    if len(predicted) > 1:
        error[:-1] = torch.diff(predicted - truth, dim=0).norm(dim=-1).mean(-1)
    return Score(error * MM_PER_M, "mm/frame") if fps is None else Score(error * fps, "m/s")


def acceleration_error(
    predicted: Float[Tensor, "frames joints 3"],
    truth: Float[Tensor, "frames joints 3"],
    fps: float | None = None,
) -> Score:
    """Mean norm over joints of the difference of accelerations (second differences).

    mm/frame^2 as published tables; with ``fps``, m/s^2, which compares over frame rates. No
    alignment: bring both into one frame first (the hips at the origin as MEVA, VIBE and WHAM;
    ``align_clip`` for the world). The first and the last frame have no acceleration; WHAM and
    TRAM drop one more at either end.

    Source: Kanazawa et al., HMMR, CVPR 2019 (mm/frame^2 as evaluated by VIBE, CVPR 2020). MEVA
    (sec. 4.2) writes mm/s^2 of what its code computes in mm/frame^2.
    """
    check_same_shape(predicted, truth)
    error = torch.full_like(predicted[:, 0, 0], float("nan"))
    if len(predicted) > 2:
        difference = torch.diff(predicted - truth, n=2, dim=0)
        error[1:-1] = difference.norm(dim=-1).mean(-1)
    return Score(error * MM_PER_M, "mm/frame²") if fps is None else Score(error * fps**2, "m/s²")


def egobody_acceleration_error(
    predicted: Float[Tensor, "frames joints 3"], truth: Float[Tensor, "frames joints 3"]
) -> Score:
    """Root of the sum over joints of squared differences of the *norms* of accelerations.

    mm/frame^2. Neither the direction of an acceleration counts, nor is it a mean over joints: not
    to be compared with ``acceleration_error``.

    Source: SLAHMR's evaluation code (``acc_norm_j``, 14 joints of the H36M regressor), used for
    its table on EgoBody.
    """
    check_same_shape(predicted, truth)
    error = torch.full_like(predicted[:, 0, 0], float("nan"))
    if len(predicted) > 2:
        ours, theirs = (torch.diff(p, n=2, dim=0).norm(dim=-1) for p in (predicted, truth))
        error[1:-1] = (ours - theirs).norm(dim=-1)
    return Score(error * MM_PER_M, "mm/frame²")


def jitter(points: Float[Tensor, "frames joints 3"], fps: float) -> Score:
    """Mean norm over joints of the third derivative, m/s^3.

    From third differences, given to the second of their four frames; the first and the last two
    frames have none. The tables of WHAM, GVHMR and others show tenths of it (10 m/s^3), and so
    does ``compare``. The truth has jitter too: less than that is no merit.

    Source: Yi et al., TransPose, SIGGRAPH 2021.
    """
    jerk = torch.full_like(points[:, 0, 0], float("nan"))
    if len(points) > 3:
        jerk[1:-2] = torch.diff(points, n=3, dim=0).norm(dim=-1).mean(-1) * fps**3
    return Score(jerk, "m/s³")


def tenths(score: Score) -> Score:
    """Jitter in the unit of published tables, 10 m/s^3."""
    return Score(score.per_frame / 10, f"10 {score.unit}")
