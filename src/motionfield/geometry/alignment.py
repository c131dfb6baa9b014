"""Best rigid and similarity alignment of two point sets (Umeyama, PAMI 1991)."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor


class Similarity(NamedTuple):
    """``p_b = scale * R_b_a @ p_a + t_b_a``."""

    R_b_a: Float[Tensor, "*batch 3 3"]
    t_b_a: Float[Tensor, "*batch 3"]
    scale: Float[Tensor, "*batch"]

    def apply(self, points_a: Float[Tensor, "*batch points 3"]) -> Float[Tensor, "*batch points 3"]:
        turned = points_a @ self.R_b_a.mT
        return self.scale[..., None, None] * turned + self.t_b_a.unsqueeze(-2)


def align_points(
    points_a: Float[Tensor, "*batch points 3"],
    points_b: Float[Tensor, "*batch points 3"],
    weights: Float[Tensor, "*batch points"] | None = None,
    with_scale: bool = False,
) -> Similarity:
    """The rigid motion (or similarity) that best carries ``points_a`` onto ``points_b``.

    Least squares, optionally weighted; always a proper rotation (determinant +1).
    Source: Umeyama 1991, eq. 40-42.
    """
    if weights is None:
        weights = torch.ones_like(points_a[..., 0])
    w = (weights / weights.sum(-1, keepdim=True).clamp_min(1e-12)).unsqueeze(-1)
    mean_a = (w * points_a).sum(-2, keepdim=True)
    mean_b = (w * points_b).sum(-2, keepdim=True)
    a, b = points_a - mean_a, points_b - mean_b
    U, S, Vh = torch.linalg.svd((w * b).mT @ a)
    sign = torch.ones_like(S)
    sign[..., -1] = torch.sign(torch.linalg.det(U @ Vh))
    R = (U * sign.unsqueeze(-2)) @ Vh
    variance_a = (w * a * a).sum((-1, -2))
    scale = torch.ones_like(S[..., 0])
    if with_scale:
        scale = (S * sign).sum(-1) / variance_a.clamp_min(1e-12)
    t = mean_b.squeeze(-2) - scale.unsqueeze(-1) * (R @ mean_a.mT).squeeze(-1)
    return Similarity(R, t, scale)
