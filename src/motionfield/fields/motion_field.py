"""A motion as a function of phase and of what makes each take its own.

NeMo (Wang et al., CVPR 2023), section 3 and eq. 1: a perceptron from phase and instance code to
24 rotations (6D, Zhou et al.) and the translation.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from motionfield.core.conventions import NUM_JOINTS
from motionfield.fields.encoding import PhaseEncoding
from motionfield.geometry.rotations import rot6d_to_rotmat, rotmat_to_rot6d


@dataclass(frozen=True)
class MotionFieldConfig:
    """Sizes; the defaults are the paper's."""

    hidden: tuple[int, ...] = (1000, 1000, 1000)
    """Widths of the hidden layers; none: linear in the features."""
    code: int = 5
    """Length of the instance codes."""
    recentred: bool = True
    """The translation is measured from the one at phase 0 with code 0 (NeMo's code; its text does
    not say)."""


class FieldPose(NamedTuple):
    """What the field says of each frame."""

    rotations: Float[Tensor, "frames 24 3 3"]
    """The root's (world from body), then those of joints 1 to 23 relative to their parents."""
    transl: Float[Tensor, "frames 3"]
    """Metres."""


@final
class MotionField(nn.Module):
    """One motion for all takes: ``field(phase, code)``; code 0 is the canonical motion.

    The rotations start at ``start``, the same at every phase, and learn from there; the weights
    to them start next to zero (Xavier, gain 1e-5), as NeMo's code has it.
    """

    def __init__(
        self,
        config: MotionFieldConfig,
        encoding: PhaseEncoding,
        generator: torch.Generator,
        start: Float[Tensor, "24 3 3"] | None = None,
    ) -> None:
        """Draw the weights.

        Args:
            config: sizes.
            encoding: of the phase.
            generator: of the first weights.
            start: rotations to begin with, e.g. of a mean pose; None: none turned.
        """
        super().__init__()
        self.config = config
        self.encoding = encoding
        widths = (encoding.num_features + config.code, *config.hidden)
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            layers += [_linear(inputs, outputs, generator), nn.ReLU()]
        self.trunk = nn.Sequential(*layers)
        self.turn = _linear(widths[-1], 6 * NUM_JOINTS, generator)
        nn.init.xavier_uniform_(self.turn.weight, gain=1e-5, generator=generator)
        self.place = _linear(widths[-1], 3, generator)
        with torch.no_grad():
            start = torch.eye(3).expand(NUM_JOINTS, 3, 3) if start is None else start
            self.turn.bias.copy_(rotmat_to_rot6d(start).flatten())

    def forward(
        self,
        phase: Float[Tensor, "frames"],
        code: Float[Tensor, "frames code"],
        detail: float = 1.0,
    ) -> FieldPose:
        """Pose and place at these phases.

        Args:
            phase: in [0, 1].
            code: what is the frame's take's own; zeros: the canonical motion.
            detail: see ``PhaseEncoding``.
        """
        rows = torch.cat((self.encoding(phase, detail), code), dim=-1)
        if self.config.recentred:
            origin = self.encoding(phase.new_zeros(1), detail)
            origin = torch.cat((origin, code.new_zeros(1, code.shape[1])), dim=-1)
            rows = torch.cat((rows, origin))
        hidden = self.trunk(rows)
        transl = self.place(hidden)
        if self.config.recentred:
            hidden, transl = hidden[:-1], transl[:-1] - transl[-1:]
        return FieldPose(rot6d_to_rotmat(self.turn(hidden).unflatten(-1, (-1, 6))), transl)


def _linear(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    """PyTorch's first weights, from a generator of ours."""
    layer = nn.Linear(inputs, outputs)
    reach = inputs**-0.5
    with torch.no_grad():
        layer.weight.uniform_(-reach, reach, generator=generator)
        layer.bias.uniform_(-reach, reach, generator=generator)
    return layer
