"""MEVA's own modules (Luo et al., ACCV 2020), as its public code has them.

Feature encoder (the paper's STE), motion estimator (VME) and refiner (MRR) read features of any
width, one row per frame; with 2048-d image features and the defaults below they have the public
code's sizes. Sizes and details are those of its ``meva/lib/meva_model.py``: the text gives few.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from motionfield.core.conventions import NUM_JOINTS
from motionfield.core.errors import InputError
from motionfield.priors.motion_vae import MotionVAE, MotionVAEConfig
from motionfield.priors.weight_file import read_weights, write_weights

POSE_NUMBERS: Final = 6 * NUM_JOINTS
"""Two columns of each joint's rotation, the root's first."""
MEAN_CAMERA: Final = (0.9, 0.0, 0.0)
"""Weak camera that the refiner starts from, as SPIN's mean parameters have it."""
CROP_SIZE: Final = 224 / 5000
"""Side of the person's box on the plane z = 1 that the public code assumes for every video: 224
pixels, focal length 5000."""
_LEAST_DEPTH: Final = 0.05
_FORMAT: Final = "motionfield-meva-images-1"
_TRAIN: Final = "none ship; run motionfield train meva_images --data DIR (docs/papers/meva.md)"


@dataclass(frozen=True)
class PaperConfig:
    """Sizes (defaults: the public code's) and the rows of the paper's Table 4."""

    inputs: int = 2048
    """Numbers per frame that come in."""
    width: int = 2048
    """Numbers per frame inside; where it differs from ``inputs``, a linear layer comes first."""
    encoder_hidden: int = 1024
    """GRU units per direction."""
    motion_hidden: int = 512
    layers: int = 2
    """Of both GRUs."""
    latent: int = 512
    """Of the motion autoencoder whose decoder is used."""
    refiner_hidden: int = 1024
    dropout: float = 0.5
    iterations: int = 3
    betas: int = 10
    vme_only: bool = False
    """Pose from the motion estimator alone; the refiner then gives shape and camera only."""
    without_vae: bool = False
    """The decoder is trained with the rest, from scratch, and not frozen."""


class Refined(NamedTuple):
    """Parameters of the body and the camera, frame by frame."""

    rot6d: Float[Tensor, "windows frames 144"]
    """Root first; need not be orthonormal (``geometry.rotations.rot6d_to_rotmat`` makes it so)."""
    betas: Float[Tensor, "windows frames betas"]
    camera: Float[Tensor, "windows frames 3"]
    """s, tx, ty: a point (X, Y) from the pelvis is at s * (X + tx, Y + ty) in the person's box,
    whose sides are at -1 and 1."""


class PaperOutput(NamedTuple):
    """What the network makes of windows of features."""

    rot6d: Float[Tensor, "windows frames 144"]
    betas: Float[Tensor, "windows frames betas"]
    camera: Float[Tensor, "windows frames 3"]
    coarse: Float[Tensor, "windows frames 144"]
    """The motion estimator's part alone (Fig. 4)."""


class FeatureEncoder(nn.Module):
    """Correlates features over time: a GRU in both directions beside a residual path."""

    def __init__(self, config: PaperConfig = PaperConfig()) -> None:
        super().__init__()
        same = config.inputs == config.width
        self.widen = nn.Identity() if same else nn.Linear(config.inputs, config.width)
        self.gru = _gru(config.width, config.encoder_hidden, config.layers)
        self.out = nn.Linear(2 * config.encoder_hidden, config.width)

    def forward(
        self, features: Float[Tensor, "windows frames inputs"]
    ) -> Float[Tensor, "windows frames width"]:
        """Features that know of their neighbours."""
        wide = self.widen(features)
        return self.out(torch.tanh(self.gru(wide)[0])) + wide


class MotionEstimator(nn.Module):
    """The code of a whole window: the mean over its frames; no chance in it."""

    def __init__(self, config: PaperConfig = PaperConfig()) -> None:
        super().__init__()
        self.gru = _gru(config.width, config.motion_hidden, config.layers)
        self.out = nn.Linear(2 * config.motion_hidden, config.latent)

    def forward(
        self, features: Float[Tensor, "windows frames width"]
    ) -> Float[Tensor, "windows latent"]:
        """Codes for the decoder of the motion autoencoder."""
        return self.out(torch.tanh(self.gru(features)[0])).mean(1)


class PaperRefiner(nn.Module):
    """HMR's iterative regressor (Kanazawa et al., CVPR 2018), frame by frame.

    Between its two layers is no nonlinearity, as in HMR's and SPIN's code.
    """

    start_betas: Tensor
    start_camera: Tensor

    def __init__(self, config: PaperConfig = PaperConfig()) -> None:
        super().__init__()
        self.iterations, self.keep_pose = config.iterations, config.vme_only
        hidden = config.refiner_hidden
        self.layers = nn.Sequential(
            nn.Linear(config.width + POSE_NUMBERS + config.betas + 3, hidden),
            nn.Dropout(config.dropout),
            nn.Linear(hidden, hidden),
            nn.Dropout(config.dropout),
        )
        self.pose = _head(hidden, POSE_NUMBERS)
        self.betas = _head(hidden, config.betas)
        self.camera = _head(hidden, 3)
        # SPIN starts from the mean shape of its training data; ours is the body's own mean.
        self.register_buffer("start_betas", torch.zeros(config.betas))
        self.register_buffer("start_camera", torch.tensor(MEAN_CAMERA))

    def forward(
        self,
        features: Float[Tensor, "windows frames width"],
        start: Float[Tensor, "windows frames 144"],
    ) -> Refined:
        """Parameters that begin at ``start`` and the mean shape and camera."""
        shape = features.shape[:2]
        pose = start
        betas = self.start_betas.expand(*shape, -1)
        camera = self.start_camera.expand(*shape, -1)
        for _ in range(self.iterations):
            hidden = self.layers(torch.cat((features, pose, betas, camera), dim=-1))
            pose = pose if self.keep_pose else pose + self.pose(hidden)
            betas = betas + self.betas(hidden)
            camera = camera + self.camera(hidden)
        return Refined(pose, betas, camera)


@final
class PaperMeva(nn.Module):
    """Features → coarse motion of a code → refined motion, shape and camera.

    The decoder's weights stay as they are (the paper) or are trained too (``without_vae``).
    """

    def __init__(self, config: PaperConfig, decoder: MotionVAE) -> None:
        super().__init__()
        if decoder.config.latent != config.latent:
            raise ValueError(f"codes of {config.latent}; the decoder's {decoder.config.latent}")
        self.config = config
        self.encoder = FeatureEncoder(config)
        self.estimator = MotionEstimator(config)
        self.decoder = decoder.requires_grad_(config.without_vae)
        self.refiner = PaperRefiner(config)
        self.train(self.training)

    def train(self, mode: bool = True) -> "PaperMeva":
        """As ``nn.Module.train``; a frozen decoder stays as it is in use."""
        super().train(mode)
        if not self.config.without_vae:
            self.decoder.eval()
        return self

    def forward(self, features: Float[Tensor, "windows frames inputs"]) -> PaperOutput:
        """Windows as long as the decoder's, or shorter (the rest of the motion is cut off)."""
        frames = features.shape[1]
        encoded = self.encoder(features)
        motion = self.decoder.decode(self.estimator(encoded))
        if frames > motion.shape[1]:
            raise ValueError(f"windows of {frames} frames; the decoder gives {motion.shape[1]}")
        coarse = motion[:, :frames].flatten(2)
        refined: Refined = self.refiner(encoded, coarse)
        return PaperOutput(refined.rot6d, refined.betas, refined.camera, coarse)

    def save(self, path: Path | str, metadata: dict[str, Any] | None = None) -> None:
        """Write one safetensors file, float16, the decoder included."""
        configs = {"config": asdict(self.config), "vae": asdict(self.decoder.config)}
        write_weights(
            path, self.state_dict(), {"format": _FORMAT} | configs | (metadata or {}), half=True
        )

    @classmethod
    def load(cls, path: Path | str, body: str | None = None) -> "PaperMeva":
        """Read weights of your own; ready for use, not training.

        Args:
            path: of the file.
            body: name of the body that is to move; None: any.

        Raises:
            MissingAssetError: no such file.
            InputError: the file is no such network of this version, is damaged, or was trained
                on another body.
        """
        file = read_weights(path, _FORMAT, _TRAIN)
        trained = file.header.get("body")
        if body is not None and trained != body:
            raise InputError(path, f"was trained on the body {trained!r}, not {body!r}", _TRAIN)
        try:
            decoder = MotionVAE(MotionVAEConfig(**file.header["vae"]))
            network = cls(PaperConfig(**file.header["config"]), decoder)
            network.load_state_dict(file.tensors)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise InputError(path, f"is damaged ({error})", _TRAIN) from error
        return network.eval().requires_grad_(False)


def project_box(
    points: Float[Tensor, "*windows frames points 3"],
    camera: Float[Tensor, "*windows frames 3"],
    size: float = CROP_SIZE,
) -> Float[Tensor, "*windows frames points 2"]:
    """Where points are in the person's box, whose sides are at -1 and 1; in full perspective.

    The pelvis is at depth ``2 / (s * size)``; the public code has its ``2 * 5000 / (224 * s)``.

    Args:
        points: from the pelvis, camera axes, metres.
        camera: s, tx, ty.
        size: side of the box on the plane z = 1.
    """
    s = camera[..., None, :1]
    near = points[..., :2] + camera[..., None, 1:]
    return s * near / (1 + 0.5 * size * s * points[..., 2:]).clamp_min(_LEAST_DEPTH)


def _gru(inputs: int, hidden: int, layers: int) -> nn.GRU:
    return nn.GRU(inputs, hidden, layers, batch_first=True, bidirectional=True)


def _head(inputs: int, outputs: int) -> nn.Linear:
    head = nn.Linear(inputs, outputs)
    nn.init.xavier_uniform_(head.weight, gain=0.01)
    return head
