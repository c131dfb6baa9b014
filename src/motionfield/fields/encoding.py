"""What a motion field is shown of the phase."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from motionfield.core.errors import OptionError


class PhaseEncoding(nn.Module, ABC):
    """Features of phases in [0, 1]."""

    num_features: int

    @abstractmethod
    def forward(
        self, phase: Float[Tensor, "frames"], detail: float = 1.0
    ) -> Float[Tensor, "frames features"]:
        """Features.

        Args:
            phase: in [0, 1].
            detail: in [0, 1]: how much of the fine features is let through, where the encoding
                has coarse and fine ones.
        """


@final
class RawPhase(PhaseEncoding):
    """The phase itself: the text of NeMo (section 3)."""

    num_features = 1

    def forward(
        self, phase: Float[Tensor, "frames"], detail: float = 1.0
    ) -> Float[Tensor, "frames features"]:
        return phase.unsqueeze(-1)


@final
class QuadraticRBF(PhaseEncoding):
    """The code of NeMo: ``((phase - centre)² / sigma)²``, a learnable sigma per centre.

    They do not decay: all of them are polynomials of degree four.
    """

    def __init__(self, num_features: int = 100) -> None:
        super().__init__()
        self.num_features = num_features
        self.log_sigma = nn.Parameter(torch.zeros(num_features))
        self.centres: Tensor
        self.register_buffer("centres", torch.linspace(0, 1, num_features))

    def forward(
        self, phase: Float[Tensor, "frames"], detail: float = 1.0
    ) -> Float[Tensor, "frames features"]:
        squared = (phase.unsqueeze(-1) - self.centres).square()
        return (squared * (-self.log_sigma).exp()).square()


@final
class SplineEncoding(PhaseEncoding):
    """Cubic B-splines over the phase in levels, coarse to fine: each feature is local.

    Features of a level sum to 1 at every phase; a linear map of them is a cubic spline. Levels
    are let in one after the other as ``detail`` grows, each softly, as BARF does with its
    frequencies (Lin et al., ICCV 2021, eq. 14); the coarsest is always there.
    """

    def __init__(self, cells: Sequence[int] = (4, 8, 16, 32)) -> None:
        """Levels with so many cells between phases 0 and 1, the coarsest first.

        Raises:
            OptionError: no level, or one without cells.
        """
        super().__init__()
        if not cells or min(cells) < 1:
            raise OptionError(f"SplineEncoding: cells {tuple(cells)}; give one or more per level")
        self.cells = tuple(cells)
        # Splines reach two cells to either side: cells + 3 of them differ from 0 in [0, 1].
        counts = [count + 3 for count in self.cells]
        self.num_features = sum(counts)
        steps = torch.tensor([float(count) for count in self.cells])
        knots = torch.cat([torch.arange(-1.0, count - 1) for count in counts])
        self.knots: Tensor
        self.per_phase: Tensor
        self.level: Tensor
        self.register_buffer("knots", knots)
        self.register_buffer("per_phase", steps.repeat_interleave(torch.tensor(counts)))
        level = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
        self.register_buffer("level", level)

    def forward(
        self, phase: Float[Tensor, "frames"], detail: float = 1.0
    ) -> Float[Tensor, "frames features"]:
        features = _cubic_spline(phase.unsqueeze(-1) * self.per_phase - self.knots)
        if detail >= 1:
            return features
        weights = features.new_tensor(self.level_weights(detail))
        return features * weights[self.level]

    def level_weights(self, detail: float) -> list[float]:
        """How much of each level is let through at this detail."""
        finer = len(self.cells) - 1
        shares = (min(max(detail * finer - k, 0.0), 1.0) for k in range(finer))
        return [1.0, *(0.5 - 0.5 * math.cos(math.pi * share) for share in shares)]


def _cubic_spline(x: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    """The cubic B-spline with unit knots around 0: zero beyond 2."""
    outer = (2 - x.abs()).clamp_min(0)
    inner = (1 - x.abs()).clamp_min(0)
    return (outer.pow(3) - 4 * inner.pow(3)) / 6
