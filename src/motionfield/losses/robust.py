"""Robust penalties: quadratic near zero, gentle with outliers."""

from jaxtyping import Float
from torch import Tensor


def geman_mcclure(squared: Float[Tensor, "*batch"], scale: float) -> Float[Tensor, "*batch"]:
    """``scale² r² / (scale² + r²)`` of squared residuals: r² near zero, at most ``scale²``.

    Source: Geman and McClure 1987; as in SMPLify (Bogo et al., ECCV 2016, eq. 2).
    """
    return squared / (1 + squared / scale**2)


def charbonnier(squared: Float[Tensor, "*batch"], scale: float) -> Float[Tensor, "*batch"]:
    """``2 scale² (sqrt(1 + r²/scale²) - 1)`` of squared residuals: r² near zero, then linear."""
    return 2 * scale**2 * ((1 + squared / scale**2).sqrt() - 1)
