"""MEVA's losses on image data (paper, eq. 3 to 6), with the weights of its public code.

Each is a mean of squares, as there (the text writes norms): 2D keypoints weighted by confidence,
3D joints with the hips at the origin, rotation matrices, shape. Unknown truth has no part.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.keypoint_sets import LSP_14, OPENPOSE_25, SMPL_24
from motionfield.geometry.rotations import rot6d_to_rotmat
from motionfield.steps.lift.meva.network_paper import PaperOutput, project_box
from motionfield.training.loop import Losses
from motionfield.training.meva_images_data import ImageTruth

_SMPL_HIPS: Final = [SMPL_24.index(f"{side}_hip") for side in ("left", "right")]
_LSP_HIPS: Final = [LSP_14.index(f"{side}_hip") for side in ("left", "right")]
_OPENPOSE: Final = len(OPENPOSE_25.keypoint_names)
_SMPL: Final = len(SMPL_24.keypoint_names)


@dataclass(frozen=True)
class ImageLossWeights:
    """Those of the public code."""

    points: float = 300.0
    joints: float = 300.0
    pose: float = 60.0
    betas: float = 0.06


class PosedOutput(NamedTuple):
    """The body of a network's output, camera axes, metres from the pelvis."""

    points: Float[Tensor, "windows frames 39 3"]
    """``POINT_NAMES``."""
    joints: Float[Tensor, "windows frames 38 3"]
    """``JOINT_NAMES``."""
    pose: Float[Tensor, "windows frames 24 3 3"]


def posed_output(output: PaperOutput, body: Body) -> PosedOutput:
    """The points of the body with these parameters."""
    pose = rot6d_to_rotmat(output.rot6d.unflatten(-1, (_SMPL, 6)))
    flat, shape = pose.flatten(0, 1), output.rot6d.shape[:2]
    more = body.num_betas - output.betas.shape[-1]
    betas = torch.nn.functional.pad(output.betas, (0, more)).flatten(0, 1)
    nowhere = flat.new_zeros(len(flat), 3)
    parts = [
        body.pose(flat[:, 0], flat[:, 1:], nowhere, betas, kind.name)
        for kind in (OPENPOSE_25, LSP_14)
    ]
    pelvis = parts[0].joints[:, :1]
    openpose, lsp = (part.keypoints - pelvis for part in parts)
    joints = parts[0].joints - pelvis
    return PosedOutput(
        torch.cat((openpose, lsp), dim=1).unflatten(0, shape),
        torch.cat((joints, lsp), dim=1).unflatten(0, shape),
        pose,
    )


def image_losses(
    output: PaperOutput,
    truth: ImageTruth,
    body: Body,
    weights: ImageLossWeights = ImageLossWeights(),
) -> Losses:
    """All four terms; one whose truth is nowhere known is 0."""
    posed = posed_output(output, body)
    off = project_box(posed.points, output.camera) - truth.points[..., :2].nan_to_num()
    confidence = truth.points[..., 2:].nan_to_num()
    terms = {
        # Over all points, known or not, as published: windows with few points count less.
        "points": (confidence * off.square()).mean(),
        "joints": _over_known(_from_hips(posed.joints), _from_hips(truth.joints)),
        "pose": _over_known(posed.pose.flatten(-2), truth.pose.flatten(-2)),
        "betas": _over_known(output.betas, truth.betas),
    }
    return {name: getattr(weights, name) * value for name, value in terms.items()}


def _from_hips(points: Float[Tensor, "windows frames 38 3"]) -> Tensor:
    """SMPL's and LSP's points, each with the middle of their own hips at the origin."""
    families = (points[..., :_SMPL, :], points[..., _SMPL:, :])
    centred = [
        family - family[..., hips, :].mean(-2, keepdim=True)
        for family, hips in zip(families, (_SMPL_HIPS, _LSP_HIPS), strict=True)
    ]
    return torch.cat(centred, dim=-2)


def _over_known(ours: Tensor, theirs: Tensor) -> Float[Tensor, ""]:
    known = torch.isfinite(theirs).all(-1)
    squares = torch.where(known.unsqueeze(-1), ours - theirs.nan_to_num(), 0.0).square()
    return squares.sum() / (known.sum() * ours.shape[-1]).clamp_min(1)
