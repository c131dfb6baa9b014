"""Errors of the pose: where the joints are, apart from where the person is."""

from collections.abc import Sequence
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.geometry.alignment import align_points
from motionfield.steps.evaluate.score import (
    MM_PER_M,
    Score,
    check_same_shape,
    mean_over_points,
    whole_frames,
)

PCK_MM: Final = 150.0
AUC_MM: Final = 200


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

    With vertices instead of joints this is MPVPE or PVE (``posed.vertex_error`` computes it block
    by block).

    Args:
        root: joints whose mean is moved onto the origin in both: the hips for the tables of MEVA,
            HMMR, WHAM and their like (joints 2 and 3 of LSP, 1 and 2 of SMPL); MEVA's text says
            "human pelvis", its code takes the middle of the hips. Empty: no alignment at all.

    Source: Ionescu et al., Human3.6M, PAMI 2014, eq. 8 (there after moving the root). NeuHMR
    (sec. 4.2) compares SMPL's joints in the camera's axes; whether it moves the root it does not
    say.
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


def pck_3d(
    predicted: Float[Tensor, "frames joints 3"],
    truth: Float[Tensor, "frames joints 3"],
    threshold_mm: float = PCK_MM,
) -> Score:
    """Share of joints within 150 mm after the similarity of each frame, %.

    Source: MEVA's evaluation code, 14 LSP joints. Mehta et al. (MPI-INF-3DHP, 3DV 2017), who
    introduced it, align the root alone.
    """
    errors = joint_errors(procrustes(predicted, truth), truth)
    within = torch.where(errors.isnan(), errors, (errors <= threshold_mm).to(errors) * 100)
    return mean_over_points(within, "%")


def auc_3d(
    predicted: Float[Tensor, "frames joints 3"], truth: Float[Tensor, "frames joints 3"]
) -> Score:
    """Area under ``pck_3d`` over thresholds of 0, 1, … 199 mm (trapezoids), %.

    Source: MEVA's evaluation code, there as a share of 1.
    """
    errors = joint_errors(procrustes(predicted, truth), truth)
    thresholds = torch.arange(AUC_MM).to(errors)
    within = (errors.unsqueeze(-1) <= thresholds).to(errors).mean(1)
    area = torch.trapezoid(within, dim=-1) / (AUC_MM - 1) * 100
    return Score(torch.where(whole_frames(errors.unsqueeze(-1)), area, torch.nan), "%")
