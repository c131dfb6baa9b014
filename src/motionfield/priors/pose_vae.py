"""A variational autoencoder of body poses, in VPoser's role: what poses people take.

Pavlakos et al., SMPL-X (CVPR 2019), section 3.3; sizes as in VPoser's second version: two layers
of 512 either way, a latent of 32, rotations decoded from 6D. It reads and writes 6D rotations
where VPoser reads rotation vectors, which jump at half a turn. Weights: docs/priors.md.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from motionfield.core.errors import InputError
from motionfield.geometry.rotations import rot6d_to_rotmat, rotmat_to_rot6d
from motionfield.priors.pose_mixture import MIXTURE_JOINTS
from motionfield.priors.weight_file import read_weights, shipped_weights, write_weights

POSE_JOINTS: Final = MIXTURE_JOINTS
"""The joints whose rotations it knows: all but the root and the hands."""
_COUNT: Final = len(POSE_JOINTS)
_ALL: Final = 23
_SCALE_RAD: Final = 0.18
"""How far ``project`` turns a joint of true poses, on average."""
_FORMAT: Final = "motionfield-pose-vae-1"
_TRAIN: Final = "run motionfield train pose_vae --data DIR"
_IDENTITY_6D: Final = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


@dataclass(frozen=True)
class PoseVAEConfig:
    """Sizes; the defaults are VPoser's."""

    latent: int = 32
    hidden: int = 512
    dropout: float = 0.1


@final
class PoseVAE(nn.Module):
    """Encoder and decoder of the rotations of ``POSE_JOINTS``; hands are decoded as straight."""

    def __init__(self, config: PoseVAEConfig = PoseVAEConfig()) -> None:
        super().__init__()
        self.config = config
        width, drop = config.hidden, config.dropout
        self.encoder = nn.Sequential(
            nn.BatchNorm1d(6 * _COUNT),
            nn.Linear(6 * _COUNT, width),
            nn.LeakyReLU(),
            nn.BatchNorm1d(width),
            nn.Dropout(drop),
            nn.Linear(width, width),
            nn.LeakyReLU(),
        )
        self.mean = nn.Linear(width, config.latent)
        self.spread = nn.Linear(width, config.latent)
        self.decoder = nn.Sequential(
            nn.Linear(config.latent, width),
            nn.LeakyReLU(),
            nn.Dropout(drop),
            nn.Linear(width, width),
            nn.LeakyReLU(),
            nn.Linear(width, 6 * _COUNT),
        )
        self.register_buffer("identity", torch.tensor(_IDENTITY_6D).repeat(_COUNT))

    def encode(
        self, body_pose: Float[Tensor, "frames 23 3 3"]
    ) -> tuple[Float[Tensor, "frames latent"], Float[Tensor, "frames latent"]]:
        """Mean and standard deviation of the latent's posterior."""
        hidden = self.encoder(rotmat_to_rot6d(body_pose[:, :_COUNT]).flatten(1))
        return self.mean(hidden), nn.functional.softplus(self.spread(hidden)) + 1e-5

    def decode(self, latent: Float[Tensor, "frames latent"]) -> Float[Tensor, "frames 23 3 3"]:
        """Rotations of the joints 1 to 23."""
        turns = self.decoder(latent) + self.identity
        known = rot6d_to_rotmat(turns.unflatten(-1, (_COUNT, 6)))
        hands = torch.eye(3).to(known).expand(len(known), _ALL - _COUNT, 3, 3)
        return torch.cat((known, hands), dim=1)

    def project(self, body_pose: Float[Tensor, "frames 23 3 3"]) -> Float[Tensor, "frames 23 3 3"]:
        """The nearest pose that the latent space knows: the decoded mean."""
        return self.decode(self.encode(body_pose)[0])

    def energy(self, body_pose: Float[Tensor, "frames 23 3 3"]) -> Float[Tensor, "frames"]:
        """How far ``project`` turns the joints: their angles, summed, over ``_SCALE_RAD``.

        A denoising autoencoder moves a pose towards where its density is higher (Alain and
        Bengio, JMLR 2014, theorem 1). Angles and not their squares: some joints of true poses
        come back badly. VPoser's energy, half the squared latent mean, is for fits within the
        latent space: of given poses it does not tell noise from truth (docs/priors.md).
        """
        near = self.project(body_pose)
        return chords(body_pose[:, :_COUNT], near[:, :_COUNT]).sum(-1) / _SCALE_RAD

    def divergence(self, body_pose: Float[Tensor, "frames 23 3 3"]) -> Float[Tensor, "frames"]:
        """Kullback-Leibler divergence of the posterior from N(0, 1), nats (NeMo's term)."""
        mean, std = self.encode(body_pose)
        return divergence_of(mean, std)

    def save(self, path: Path | str, metadata: dict[str, Any] | None = None) -> None:
        """Write one safetensors file, float16."""
        tensors = {n: t for n, t in self.state_dict().items() if n != "identity"}
        header = {"format": _FORMAT, "config": asdict(self.config), "joints": POSE_JOINTS}
        write_weights(path, tensors, header | (metadata or {}), half=True)

    @classmethod
    def load(cls, path: Path | str | None = None) -> "PoseVAE":
        """Read the weights that ship in the package, or your own; ready for use, not training.

        Raises:
            MissingAssetError: no such file.
            InputError: the file is no pose autoencoder of this version, or is damaged.
        """
        path = shipped_weights("pose_vae") if path is None else Path(path)
        file = read_weights(path, _FORMAT, _TRAIN)
        try:
            vae = cls(PoseVAEConfig(**file.header["config"]))
            vae.load_state_dict(file.tensors | {"identity": vae.identity})
        except (KeyError, TypeError, RuntimeError) as error:
            raise InputError(path, f"is damaged ({error})", _TRAIN) from error
        return vae.eval().requires_grad_(False)


def chords(
    a: Float[Tensor, "frames joints 3 3"], b: Float[Tensor, "frames joints 3 3"]
) -> Float[Tensor, "frames joints"]:
    """Chord of the angle between rotations, radians: smooth at zero, where the angle is not."""
    return ((a - b).square().sum((-1, -2)) / 2 + 1e-8).sqrt()


def divergence_of(
    mean: Float[Tensor, "batch latent"], std: Float[Tensor, "batch latent"]
) -> Float[Tensor, "batch"]:
    """Divergence of N(mean, std) from N(0, 1), nats."""
    return (0.5 * (std.square() + mean.square() - 1) - std.log()).sum(-1)
