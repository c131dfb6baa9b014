"""What lifts and fits ask of a pose prior."""

from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor


@runtime_checkable
class PosePrior(Protocol):
    """Any prior over body poses."""

    def energy(self, body_pose: Float[Tensor, "frames 23 3 3"]) -> Float[Tensor, "frames"]:
        """Negative log density, up to a constant."""
        ...
