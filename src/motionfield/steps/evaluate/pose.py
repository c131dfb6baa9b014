"""Errors of the pose: where the joints are, apart from where the person is."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.geometry.alignment import align_points
from motionfield.steps.evaluate.score import MM_PER_M, Score, check_same_shape, whole_frames


def joint_errors(
    predicted: Float[Tensor, "frames joints 3"], truth: Float[Tensor, "frames joints 3"]
) -> Float[Tensor, "frames joints"]:
    """Distance of each joint in millimetres; NaN where either is missing."""
    return (predicted - truth).norm(dim=-1) * MM_PER_M


def mpjpe(
    predicted: Float[Tensor, "frames joints 3"],
    truth: Float[Tensor, "frames joints 3"],
    root: Sequence[int] = (),
) -> Score:
    """Mean per joint position error, mm: mean distance over the joints of a frame.

    Args:
        root: joints whose mean is moved onto the origin in both (13 and 14 of LSP, the pelvis of
            SMPL …). Empty: no alignment at all.

    Source: Ionescu et al., Human3.6M, PAMI 2014, eq. 8 (there after moving the root).
    """
    check_same_shape(predicted, truth)
    if root:
        at = list(root)
        predicted = predicted - predicted[:, at].mean(1, keepdim=True)
        truth = truth - truth[:, at].mean(1, keepdim=True)
    return Score(joint_errors(predicted, truth).mean(-1), "mm")


def procrustes(
    predicted: Float[Tensor, "frames joints 3"], truth: Float[Tensor, "frames joints 3"]
) -> Float[Tensor, "frames joints 3"]:
    """``predicted``, each frame turned, moved and scaled onto the truth; incomplete frames NaN."""
    check_same_shape(predicted, truth)
    aligned = torch.full_like(predicted, float("nan"))
    whole = whole_frames(predicted) & whole_frames(truth)
    if whole.any():
        a, b = predicted[whole], truth[whole]
        aligned[whole] = align_points(a, b, with_scale=True).apply(a)
    return aligned


def pa_mpjpe(
    predicted: Float[Tensor, "frames joints 3"], truth: Float[Tensor, "frames joints 3"]
) -> Score:
    """MPJPE after the best similarity (rotation, translation, scale) of each frame by itself, mm.

    Blind to where the person is, to heading and to size. A frame counts when all its joints are
    there in both.

    Source: Zhou et al., MonoCap, PAMI 2018 ("reconstruction error"); alignment Umeyama 1991.
    """
    return mpjpe(procrustes(predicted, truth), truth)
