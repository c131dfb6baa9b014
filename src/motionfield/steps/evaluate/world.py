"""Errors in the world: path, heading and tilt, after one alignment of the clip or of parts."""

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.geometry.alignment import align_points
from motionfield.steps.evaluate.pose import mpjpe
from motionfield.steps.evaluate.score import Score, check_same_shape, whole_frames


def g_mpjpe(
    predicted: Float[Tensor, "frames joints 3"], truth: Float[Tensor, "frames joints 3"]
) -> Score:
    """MPJPE after one rigid motion (no scale) for the whole clip, mm.

    The motion is the least squares one over all joints of all whole frames. Sees the path, the
    heading and the size of the person; blind only to the choice of the world's axes.

    Source: the assumption made here for the "global" error of DiffOpt, which does not say.
    """
    return mpjpe(align_clip(predicted, truth), truth)


def align_clip(
    predicted: Float[Tensor, "frames joints 3"],
    truth: Float[Tensor, "frames joints 3"],
    with_scale: bool = False,
) -> Float[Tensor, "frames joints 3"]:
    """``predicted`` moved onto the truth by one rigid motion (or similarity) for all frames.

    Fitted to the frames that are whole in both; incomplete frames are moved too. All NaN where
    no frame is whole.
    """
    check_same_shape(predicted, truth)
    whole = whole_frames(predicted) & whole_frames(truth)
    if not whole.any():
        return torch.full_like(predicted, float("nan"))
    a, b = predicted[whole].flatten(0, 1), truth[whole].flatten(0, 1)
    return align_points(a, b, with_scale=with_scale).apply(predicted.flatten(0, 1)).view_as(truth)


def up_axis_error_deg(
    up_estimated: Float[Tensor, "frames 3"], up_true: Float[Tensor, "frames 3"]
) -> Score:
    """Angle between the estimated and the true up in one frame's axes, degrees.

    The camera's, where both worlds are Z up: ``R_camera_world[..., 2]``; headings do not matter.
    """
    sine = torch.linalg.cross(up_estimated, up_true).norm(dim=-1)
    cosine = (up_estimated * up_true).sum(-1)
    return Score(torch.atan2(sine, cosine).rad2deg(), "degrees")
