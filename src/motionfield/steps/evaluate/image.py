"""Errors in the picture, pixels. NaN in the truth: not labelled; in the prediction: not found."""

from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.core.arrays import tensor_of
from motionfield.data.camera_path import CameraPath
from motionfield.geometry.cameras import project, world_to_camera
from motionfield.steps.evaluate.score import Score, check_same_shape, mean_over_points

PCK_BOX_SHARE: Final = 0.1
_NEMO_PCK_SHARE: Final = 0.05


def project_path(
    points_world: Float[Tensor, "frames points 3"], camera: CameraPath
) -> Float[Tensor, "frames points 2"]:
    """Pixels of points in the world, as the camera of each frame sees them (lens included)."""
    K, R, t, lens = (
        tensor_of(part).to(points_world)
        for part in (camera.K, camera.R_camera_world, camera.t_camera_world, camera.distortion)
    )
    return project(world_to_camera(points_world, R, t), K, lens)


def box_size(points: Float[Tensor, "frames points 2"]) -> Float[Tensor, "frames"]:
    """The longer side of the box round the points that are there, pixels; NaN with none."""
    low = points.nan_to_num(torch.inf).amin(1)
    high = points.nan_to_num(-torch.inf).amax(1)
    size = (high - low).amax(-1)
    return torch.where(size.isfinite(), size, torch.nan)


def image_error(
    predicted: Float[Tensor, "frames points 2"], truth: Float[Tensor, "frames points 2"]
) -> Score:
    """2D reconstruction error: mean distance over all points that both have, pixels.

    Source: "2D Recon. Err." of NeMo (sec. 4), as its text has it; ``nemo_image_error`` is what
    the code computes.
    """
    check_same_shape(predicted, truth)
    return mean_over_points((predicted - truth).norm(dim=-1), "px")


def nemo_image_error(
    predicted: Float[Tensor, "frames points 2"], truth: Float[Tensor, "frames points 2"]
) -> Score:
    """2D reconstruction error as NeMo's code has it: joints without a label count as zero, pixels.

    So it grows smaller with the share of labels that are missing (Penn Action has 13 of the 15).
    A frame without any label has no score here; the code counts it as zero.
    """
    check_same_shape(predicted, truth)
    distance = (predicted - truth).norm(dim=-1)
    labelled = torch.isfinite(truth).all(-1)
    error = torch.where(labelled, distance, 0.0).mean(-1)
    return Score(torch.where(labelled.any(-1), error, torch.nan), "px")


def pck(
    predicted: Float[Tensor, "frames points 2"],
    truth: Float[Tensor, "frames points 2"],
    size_px: Float[Tensor, "frames"],
    share: float = PCK_BOX_SHARE,
) -> Score:
    """Share of labelled points within 10 % of the person's box, %; points not found are wrong.

    Args:
        size_px: of the person's box; ``box_size`` takes the longer side of the box round the true
            points (the text does not say which side).

    Source: NeMo, sec. 4: "10% of the bounding box size of the target human".
    """
    check_same_shape(predicted, truth)
    distance = (predicted - truth).norm(dim=-1)
    right = (distance <= share * size_px.unsqueeze(-1)).to(truth) * 100
    labelled = torch.isfinite(truth).all(-1) & size_px.isfinite().unsqueeze(-1)
    return mean_over_points(torch.where(labelled, right, torch.nan), "%")


def nemo_pck(
    predicted: Float[Tensor, "frames points 2"],
    truth: Float[Tensor, "frames points 2"],
    true_slots: Float[Tensor, "frames 25 2"],
) -> Score:
    """PCK as NeMo's code has it: within 5 % of a diagonal that starts at the picture's origin, %.

    The box is taken over all 25 slots of BODY_25 with zeros where there is no label, so that its
    corner is the origin of the picture wherever one label is missing: the threshold grows with
    the person's place in the picture. Lenient.

    Args:
        predicted, truth: the points that are scored (the first 15).
        true_slots: all 25 of the truth, NaN where not labelled.
    """
    corners = true_slots.nan_to_num(0.0)
    diagonal = (corners.amax(1) - corners.amin(1)).norm(dim=-1)
    return pck(predicted, truth, diagonal, _NEMO_PCK_SHARE)


def reprojection_error(
    projected: Float[Tensor, "frames points 2"], seen: Float[Tensor, "frames points 3"]
) -> Score:
    """Distance to what a detector saw, mean over points weighted by confidence, pixels.

    Frames without a keypoint of positive confidence have no score. It is no error: the detector
    errs too, and a fit that follows it is rewarded.
    """
    known = torch.isfinite(seen).all(-1)
    weight = torch.where(known, seen[..., 2], 0.0)
    distance = torch.where(known, (projected - seen[..., :2]).norm(dim=-1), 0.0)
    return Score((weight * distance).sum(-1) / weight.sum(-1), "px")  # 0/0 is NaN, as it should be
