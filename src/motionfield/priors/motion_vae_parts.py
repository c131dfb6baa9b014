"""The two ways in which ``MotionVAE`` turns a window into a code and back.

``LinearCode`` is the linear autoencoder in closed form (probabilistic principal components);
``RecurrentCode`` is MEVA's network.
"""

import math
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor, nn

NUM_VALUES: Final = 144
"""24 rotations as 6D."""

Window = Float[Tensor, "windows frames 144"]
Code = Float[Tensor, "windows latent"]


class LinearCode(nn.Module):
    """Principal components of smooth windows, each joint weighed by what it moves.

    A window is cut to the lowest ``frequencies`` of a cosine transform over time, each joint's
    values times ``weight``, and projected on ``basis``. The code is white over what the basis was
    fitted to, its numbers in falling order of what they explain. This is where the training of a
    linear VAE ends (Tipping and Bishop 1999; Lucas et al., NeurIPS 2019).

    Nothing here is trained by gradients; ``fit`` sets it from means and covariances.
    """

    cosines: Tensor
    weight: Tensor
    mean: Tensor
    basis: Tensor
    scale: Tensor
    std: Tensor

    def __init__(self, frames: int, latent: int, frequencies: int) -> None:
        super().__init__()
        size = frequencies * NUM_VALUES
        self.register_buffer("cosines", cosine_transform(frames, frequencies), persistent=False)
        self.register_buffer("weight", torch.ones(NUM_VALUES))
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("basis", torch.eye(latent, size))
        self.register_buffer("scale", torch.ones(latent))
        self.register_buffer("std", torch.ones(latent))

    @property
    def latent(self) -> int:
        return len(self.scale)

    def fit(self, mean: Float[Tensor, "size"], covariance: Float[Tensor, "size size"]) -> None:
        """Set the code from mean and covariance of ``spectrum`` over training windows.

        The noise of probabilistic components, which is how wide a code's posterior is, is the
        mean of the variances that are left out.
        """
        # In double precision: few clips give a matrix that is far from full rank.
        values, vectors = torch.linalg.eigh(covariance.double())
        values, vectors = values.flip(0).clamp(min=1e-9), vectors.flip(1)
        kept = values[: self.latent]
        noise = values[self.latent :].mean() if len(values) > self.latent else values[-1]
        self.mean.copy_(mean)
        self.basis.copy_(vectors[:, : self.latent].mT)
        self.scale.copy_(kept.sqrt())
        self.std.copy_((noise / kept).sqrt().clamp(max=1))

    def spectrum(self, windows: Window) -> Float[Tensor, "windows size"]:
        """What the basis spans: weighted values of the lowest frequencies."""
        return (self.cosines @ (windows * self.weight)).flatten(1)

    def encode(self, windows: Window) -> tuple[Code, Code]:
        """Mean and standard deviation of the code."""
        code = (self.spectrum(windows) - self.mean) @ self.basis.T / self.scale
        return code, self.std.expand_as(code)

    def decode(self, code: Code) -> Window:
        """The window of a code."""
        spectrum = self.mean + (code * self.scale) @ self.basis
        return self.cosines.mT @ spectrum.unflatten(1, (-1, NUM_VALUES)) / self.weight


class RecurrentCode(nn.Module):
    """MEVA's motion VAE as in its second public version.

    Bidirectional GRU, mean over time, two layers (tanh); decoder: a GRU cell fed with the frame
    before and the code, two layers (tanh) per frame; the frame before the first is predicted from
    the code by two layers (ReLU). No teacher forcing; the cell starts at zero.
    """

    def __init__(self, frames: int, latent: int, hidden: int, first_std: float = 1.0) -> None:
        super().__init__()
        self.frames = frames
        self.gru = nn.GRU(NUM_VALUES, hidden // 2, bidirectional=True, batch_first=True)
        self.encoder = _layers(hidden, hidden, nn.Tanh)
        self.mean = nn.Linear(hidden, latent)
        self.log_variance = nn.Linear(hidden, latent)
        with torch.no_grad():
            self.log_variance.bias.add_(2 * math.log(first_std))
        self.first = nn.Sequential(_layers(latent, hidden, nn.ReLU), nn.Linear(hidden, NUM_VALUES))
        self.cell = nn.GRUCell(NUM_VALUES + latent, hidden)
        self.upper = nn.Linear(hidden, 2 * hidden)
        self.lower = nn.Linear(2 * hidden, hidden)
        self.out = nn.Linear(hidden, NUM_VALUES)

    def encode(self, windows: Window) -> tuple[Code, Code]:
        """Mean and standard deviation of the code."""
        hidden = self.encoder(self.gru(windows)[0].mean(1))
        return self.mean(hidden), (0.5 * self.log_variance(hidden)).exp()

    def decode(self, code: Code) -> Window:
        """The window of a code, frame after frame."""
        frame, hidden = self.first(code), code.new_zeros(len(code), self.cell.hidden_size)
        # The code's share in the cell's gates is the same in every frame.
        of_frame, of_code = self.cell.weight_ih.split((NUM_VALUES, code.shape[1]), dim=1)
        constant = nn.functional.linear(code, of_code, self.cell.bias_ih)
        frames = []
        for _ in range(self.frames):
            given = constant + frame @ of_frame.mT
            kept = nn.functional.linear(hidden, self.cell.weight_hh, self.cell.bias_hh)
            hidden = _gru_step(given, kept, hidden)
            frame = self.out(self.lower(self.upper(hidden).tanh()).tanh())
            frames.append(frame)
        return torch.stack(frames, dim=1)


def _gru_step(given: Tensor, kept: Tensor, hidden: Tensor) -> Tensor:
    """``nn.GRUCell`` from its products with the input and with the state before."""
    size = hidden.shape[1]
    reset, update = (given + kept)[:, : 2 * size].sigmoid().chunk(2, dim=1)
    new = (given[:, 2 * size :] + reset * kept[:, 2 * size :]).tanh()
    return new + update * (hidden - new)


def _layers(inputs: int, hidden: int, kind: type[nn.Module]) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, 2 * hidden), kind(), nn.Linear(2 * hidden, hidden), kind()
    )


def cosine_transform(frames: int, frequencies: int) -> Float[Tensor, "frequencies frames"]:
    """The lowest frequencies of the orthonormal cosine transform (DCT-II)."""
    time = (torch.arange(frames, dtype=torch.float64) + 0.5) / frames
    rows = torch.cos(math.pi * torch.arange(frequencies).unsqueeze(1) * time)
    rows *= math.sqrt(2 / frames)
    rows[0] /= math.sqrt(2)
    return rows.float()
