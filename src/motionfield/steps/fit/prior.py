"""What a fitter asks of a pose prior."""

from typing import Protocol

from jaxtyping import Float
from torch import Tensor


class PosePrior(Protocol):
    """Any prior over body poses."""

    def energy(self, body_pose: Float[Tensor, "frames 23 3 3"]) -> Float[Tensor, "frames"]:
        """Negative log density, up to a constant."""
        ...
