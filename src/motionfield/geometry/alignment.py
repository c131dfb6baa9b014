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
    variance_a = (w * a * a).sum((-1, -2))
    moments = _Moments(mean_a.squeeze(-2), mean_b.squeeze(-2), (w * b).mT @ a, variance_a)
    return _solve(moments, with_scale)


class AlignmentSums:
    """``align_points`` for points that come block by block: sums are kept, no point is."""

    def __init__(self) -> None:
        self.count = 0
        self._sum_a, self._sum_b = torch.zeros(2, 3, dtype=torch.float64)
        self._sum_ba = torch.zeros(3, 3, dtype=torch.float64)
        self._square_a = torch.zeros((), dtype=torch.float64)

    def add(
        self, points_a: Float[Tensor, "*batch points 3"], points_b: Float[Tensor, "*batch points 3"]
    ) -> None:
        """Take in pairs of points; they must be finite."""
        a, b = points_a.double(), points_b.double()
        self.count += a.numel() // 3
        self._sum_a += a.sum(-2).reshape(-1, 3).sum(0)
        self._sum_b += b.sum(-2).reshape(-1, 3).sum(0)
        self._sum_ba += (b.mT @ a).reshape(-1, 3, 3).sum(0)
        self._square_a += a.square().sum()

    def solve(self, with_scale: bool = False) -> Similarity:
        """The motion (or similarity) that best carries all a onto all b, float64.

        NaN where nothing was added.
        """
        mean_a, mean_b = self._sum_a / self.count, self._sum_b / self.count
        if self.count == 0:
            return Similarity(mean_a.new_full((3, 3), torch.nan), mean_a, mean_a[0])
        covariance = self._sum_ba / self.count - torch.outer(mean_b, mean_a)
        variance_a = self._square_a / self.count - mean_a.square().sum()
        return _solve(_Moments(mean_a, mean_b, covariance, variance_a), with_scale)


class _Moments(NamedTuple):
    """What a best alignment depends on."""

    mean_a: Float[Tensor, "*batch 3"]
    mean_b: Float[Tensor, "*batch 3"]
    covariance_ba: Float[Tensor, "*batch 3 3"]
    variance_a: Float[Tensor, "*batch"]


def _solve(moments: _Moments, with_scale: bool) -> Similarity:
    U, S, Vh = torch.linalg.svd(moments.covariance_ba)
    sign = torch.ones_like(S)
    sign[..., -1] = torch.sign(torch.linalg.det(U @ Vh))
    R = (U * sign.unsqueeze(-2)) @ Vh
    scale = torch.ones_like(S[..., 0])
    if with_scale:
        scale = (S * sign).sum(-1) / moments.variance_a.clamp_min(1e-12)
    turned = (R @ moments.mean_a.unsqueeze(-1)).squeeze(-1)
    return Similarity(R, moments.mean_b - scale.unsqueeze(-1) * turned, scale)
