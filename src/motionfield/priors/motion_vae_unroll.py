"""A GRU cell whose output, after two layers, is its next input: forward and backward by hand.

Torch's own backward adds to every weight's gradient in every frame, 90 thin products each; here
each weight's gradient is one product over all frames. A training step takes half the time.
"""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear


class UnrollWeights(NamedTuple):
    """Of ``nn.GRUCell`` (its input's part for a frame; the hidden state's) and three layers."""

    frame: Float[Tensor, "gates values"]
    hidden: Float[Tensor, "gates hidden"]
    hidden_bias: Float[Tensor, "gates"]
    upper: Float[Tensor, "wide hidden"]
    upper_bias: Float[Tensor, "wide"]
    lower: Float[Tensor, "hidden wide"]
    lower_bias: Float[Tensor, "hidden"]
    out: Float[Tensor, "values hidden"]
    out_bias: Float[Tensor, "values"]


def unroll(
    first: Float[Tensor, "windows values"],
    constant: Float[Tensor, "windows gates"],
    weights: UnrollWeights,
    frames: int,
) -> Float[Tensor, "windows frames values"]:
    """Frames one after the other, each from the one before and the cell's state.

    Args:
        first: what stands for the frame before the first.
        constant: what the cell's gates get besides frame and state, the same in every frame.
        weights: of cell and layers; the layers are tanh, tanh, none.
        frames: how many.

    Differentiable once in everything.
    """
    out: Tensor = _Unroll.apply(frames, first, constant, *weights)
    return out


class _Unroll(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, frames: int, first: Tensor, constant: Tensor, *weights: Tensor) -> Tensor:
        w = UnrollWeights(*weights)
        frame, state = first, constant.new_zeros(len(first), w.hidden.shape[1])
        seen: list[list[Tensor]] = []
        for _ in range(frames):
            given, kept = constant + frame @ w.frame.mT, linear(state, w.hidden, w.hidden_bias)
            given_r, given_u, given_n = given.chunk(3, dim=1)
            kept_r, kept_u, kept_n = kept.chunk(3, dim=1)
            reset, update = (given_r + kept_r).sigmoid(), (given_u + kept_u).sigmoid()
            new = (given_n + reset * kept_n).tanh()
            before = [frame, state]
            state = new + update * (state - new)
            upper = linear(state, w.upper, w.upper_bias).tanh()
            lower = linear(upper, w.lower, w.lower_bias).tanh()
            frame = linear(lower, w.out, w.out_bias)
            seen.append([*before, reset, update, new, kept_n, state, upper, lower, frame])
        *kept_back, out = (torch.stack(part) for part in zip(*seen, strict=True))
        ctx.save_for_backward(*weights, *kept_back)
        return out.transpose(0, 1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        count = len(UnrollWeights._fields)
        w = UnrollWeights(*ctx.saved_tensors[:count])
        frame, before, reset, update, new, kept_n, state, upper, lower = ctx.saved_tensors[count:]
        size = state.shape[2]
        # Slopes of all frames at once: what a gradient is multiplied by on its way back.
        of_lower, of_upper = 1 - lower.square(), 1 - upper.square()
        of_new = (1 - update) * (1 - new.square())
        of_update = (before - new) * update * (1 - update)
        of_reset = kept_n * reset * (1 - reset)
        d_outs, d_givens = (
            gradient.transpose(0, 1).contiguous(),
            reset.new_empty((*reset.shape[:2], 3 * size)),
        )
        d_lowers, d_uppers, d_kepts = (torch.empty_like(x) for x in (lower, upper, d_givens))
        d_state = torch.zeros_like(state[0])
        for t in reversed(range(len(frame))):
            if t + 1 < len(frame):
                d_outs[t].addmm_(d_givens[t + 1], w.frame)
            torch.mul(d_outs[t] @ w.out, of_lower[t], out=d_lowers[t])
            torch.mul(d_lowers[t] @ w.lower, of_upper[t], out=d_uppers[t])
            d_state = torch.addmm(d_state, d_uppers[t], w.upper)
            d_given = d_givens[t]
            d_reset, d_update, d_new = d_given.chunk(3, dim=1)
            torch.mul(d_state, of_new[t], out=d_new)
            torch.mul(d_state, of_update[t], out=d_update)
            torch.mul(d_new, of_reset[t], out=d_reset)
            d_kepts[t].copy_(d_given)
            d_kepts[t, :, 2 * size :].mul_(reset[t])
            d_state = torch.addmm(d_state * update[t], d_kepts[t], w.hidden)
        # All frames and windows are the rows of one product for each weight.
        of_layers: list[Tensor] = []
        pairs = ((d_kepts, before), (d_uppers, state), (d_lowers, upper), (d_outs, lower))
        for given, inputs in pairs:
            rows = given.flatten(0, 1)
            of_layers += [rows.mT @ inputs.flatten(0, 1), rows.sum(0)]
        of_frame = d_givens.flatten(0, 1).mT @ frame.flatten(0, 1)
        return None, d_givens[0] @ w.frame, d_givens.sum(0), of_frame, *of_layers
