"""A variational autoencoder of windows of motion: what people do in three seconds.

Luo et al., 3D Human Motion Estimation via Motion Compression and Refinement (MEVA), ACCV 2020,
sections 3.2 and 3.3. Its decoder, frozen, is the coarse part of the regressor. Two forms behind
one interface: "recurrent" is MEVA's network (preset ``paper``), "linear" the default; what each
reaches and why stands in docs/motion_vae.md.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, final

from jaxtyping import Float
from torch import Tensor, nn

from motionfield.core.errors import InputError, OptionError
from motionfield.priors.motion_vae_parts import LinearCode, RecurrentCode
from motionfield.priors.weight_file import read_weights, shipped_weights, write_weights

_FORMAT: Final = "motionfield-motion-vae-1"
_TRAIN: Final = "run motionfield train motion_vae --data DIR"

Windows = Float[Tensor, "windows frames 24 6"]


@dataclass(frozen=True)
class MotionVAEConfig:
    """Form and sizes."""

    form: Literal["linear", "recurrent"] = "linear"
    frames: int = 90
    """Of a window, at 30 frames/s."""
    latent: int = 512
    hidden: int = 512
    """"recurrent": units of the decoder's GRU, and of both directions of the encoder's together."""
    first_std: float = 1.0
    """"recurrent": about the deviation of a code before training; with 1, as MEVA's, the decoder
    hears hardly anything but noise at first."""
    frequencies: int = 24
    """"linear": lowest ones of the cosine transform over time; 24 in 90 frames reach 4 Hz."""


PRESETS: Final = {
    "default": MotionVAEConfig(),
    "paper": MotionVAEConfig(form="recurrent"),
}


@final
class MotionVAE(nn.Module):
    """Encoder and decoder of windows: the rotations of root and 23 joints, no translation.

    The root is that of camera axes (y down, z ahead). A code is about N(0, 1) over motions.
    """

    def __init__(self, config: MotionVAEConfig = MotionVAEConfig()) -> None:
        super().__init__()
        self.config = config
        frames, latent = config.frames, config.latent
        self.code: LinearCode | RecurrentCode
        if config.form == "linear":
            self.code = LinearCode(frames, latent, config.frequencies)
        else:
            self.code = RecurrentCode(frames, latent, config.hidden, config.first_std)

    def encode(
        self, rot6d: Windows
    ) -> tuple[Float[Tensor, "windows latent"], Float[Tensor, "windows latent"]]:
        """Mean and standard deviation of the code.

        Args:
            rot6d: rotations (columns concatenated) of root and joints; ``config.frames`` frames.

        Raises:
            OptionError: windows of another length.
        """
        frames = self.config.frames
        if rot6d.shape[1] != frames:
            raise OptionError(
                f"MotionVAE: windows of {rot6d.shape[1]} frames given to one of {frames}; "
                "cut or resample them"
            )
        mean, std = self.code.encode(rot6d.flatten(2))
        return mean, std

    def decode(self, latent: Float[Tensor, "windows latent"]) -> Windows:
        """Windows of codes; the 6D values are near, not exactly, columns of a rotation."""
        windows: Tensor = self.code.decode(latent)
        return windows.unflatten(-1, (24, 6))

    def autoencode(self, rot6d: Windows) -> Windows:
        """Encode, take the mean, decode."""
        return self.decode(self.encode(rot6d)[0])

    def save(self, path: Path | str, metadata: dict[str, Any] | None = None) -> None:
        """Write one safetensors file, float16."""
        header = {"format": _FORMAT, "config": asdict(self.config)}
        write_weights(path, self.state_dict(), header | (metadata or {}), half=True)

    @classmethod
    def load(cls, path: Path | str | None = None) -> "MotionVAE":
        """Read the weights that ship in the package, or your own; ready for use, not training.

        Raises:
            MissingAssetError: no such file.
            InputError: the file is no motion autoencoder of this version, or is damaged.
        """
        path = shipped_weights("motion_vae") if path is None else Path(path)
        file = read_weights(path, _FORMAT, _TRAIN)
        try:
            vae = cls(MotionVAEConfig(**file.header["config"]))
            vae.load_state_dict(file.tensors)
        except (KeyError, TypeError, RuntimeError) as error:
            raise InputError(path, f"is damaged ({error})", _TRAIN) from error
        return vae.eval().requires_grad_(False)
