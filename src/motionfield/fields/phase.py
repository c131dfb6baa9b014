"""How far an action has come: one monotone network of time per take, all takes at once.

NeMo (Wang et al., CVPR 2023), eq. 2 and 3: the mean of K shifted and scaled sigmoids of the
linearly normalised time, normalised so that it starts at 0 and ends at 1.
"""

from typing import Final, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

_LEAST_RISE: Final = 1e-6
_BISECTIONS: Final = 24
"""Halvings of [0, 1]: to the resolution of float32."""
_SCALE_LIMITS: Final = (1.0, 1e4)
_FINE: Final = 64
"""Samples per sigmoid when a warp is inverted."""


@final
class PhaseNetworks(nn.Module):
    """The phase networks of several takes.

    Times are normalised per take: 0 at its first frame, 1 at its last. A flat list of frames of
    any takes goes in, with the index of each frame's take.
    """

    def __init__(self, takes: int, sigmoids: int = 100, scale: float = 15.0) -> None:
        """Networks that are all the same and nearly linear, as NeMo's code starts them.

        Args:
            takes: how many.
            sigmoids: K; the paper's text has 100, its code 200.
            scale: of every sigmoid; the higher, the nearer to linear at both ends.
        """
        super().__init__()
        self.scale = nn.Parameter(torch.full((takes, sigmoids), scale))
        self.shift = nn.Parameter(torch.linspace(0, 1, sigmoids).repeat(takes, 1))

    @property
    def num_takes(self) -> int:
        return len(self.scale)

    @property
    def num_sigmoids(self) -> int:
        return self.scale.shape[1]

    def forward(
        self, time: Float[Tensor, "frames"], take: Int[Tensor, "frames"]
    ) -> Float[Tensor, "frames"]:
        """Phases, 0 at time 0 and 1 at time 1, never falling in between (eq. 2)."""
        scale, shift = self.scale.relu(), self.shift.relu()
        at_ends = [_rise(time.new_full((self.num_takes,), end), scale, shift) for end in (0, 1)]
        rise = at_ends[1] - at_ends[0]
        own = (parameter.index_select(0, take) for parameter in (scale, shift))
        since = _rise(time, *own) - at_ends[0].index_select(0, take)
        return since / rise.clamp_min(_LEAST_RISE).index_select(0, take)

    @torch.no_grad()
    def inverse(
        self, phase: Float[Tensor, "frames"], take: Int[Tensor, "frames"]
    ) -> Float[Tensor, "frames"]:
        """The normalised times at which the takes reach these phases, without gradients.

        Where a take pauses, one of the times of the pause.
        """
        low, high = torch.zeros_like(phase), torch.ones_like(phase)
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            before = self(middle, take) < phase
            low, high = torch.where(before, middle, low), torch.where(before, high, middle)
        return 0.5 * (low + high)

    @torch.no_grad()
    def set_to(self, warps: Float[Tensor, "takes samples"], sharpness: float = 2.0) -> None:
        """Make the networks follow given warps, in closed form.

        The k-th shift is where the warp passes (k + 1/2) / K and its scale is ``sharpness``
        divided by the distance to the neighbours: 2 is smooth to a thousandth and within about
        1/(2 K) of the warp; lower is smoother, and then flatter at both ends.

        Args:
            warps: phase of each take at equally spaced times from 0 to 1; never falling. Their
                ends are taken to be 0 and 1.
            sharpness: width of the sigmoids.
        """
        count = self.num_sigmoids
        fine = max(count * _FINE, warps.shape[1])
        dense = nn.functional.interpolate(
            warps[:, None].double(), fine, mode="linear", align_corners=True
        )[:, 0]
        dense = dense.cummax(dim=1).values
        rise = (dense[:, -1:] - dense[:, :1]).clamp_min(_LEAST_RISE)
        # A trace of linear time: pauses have no slope to invert.
        linear = torch.linspace(0, 1, fine, dtype=dense.dtype, device=dense.device)
        dense = (1 - 1e-6) * (dense - dense[:, :1]) / rise + 1e-6 * linear
        levels = (torch.arange(count, dtype=dense.dtype, device=dense.device) + 0.5) / count
        levels = levels.expand(len(dense), -1).contiguous()
        after = torch.searchsorted(dense, levels).clamp(1, fine - 1)
        below, above = dense.gather(1, after - 1), dense.gather(1, after)
        shift = (after - 1 + (levels - below) / (above - below).clamp_min(1e-12)) / (fine - 1)
        gaps = torch.gradient(shift, dim=1)[0] if count > 1 else torch.ones_like(shift)
        self.shift.copy_(shift)
        self.scale.copy_((sharpness / gaps.clamp_min(1e-12)).clamp(*_SCALE_LIMITS))


def _rise(
    time: Float[Tensor, "rows"],
    scale: Float[Tensor, "rows sigmoids"],
    shift: Float[Tensor, "rows sigmoids"],
) -> Float[Tensor, "rows"]:
    """``g`` of eq. 3, a row of sigmoids per time."""
    return torch.sigmoid(scale * (time.unsqueeze(-1) - shift)).mean(-1)
