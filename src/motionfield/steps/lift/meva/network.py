"""MEVA's network on keypoint features: STE, VME and MRR (Luo et al., ACCV 2020, section 3).

As published: features of all frames are brought together (STE), one code of the whole window is
decoded by the frozen motion autoencoder into the coarse motion (VME, eq. 2), and a regressor adds
the residual, with shape and weak camera (MRR). What differs by default: attention in the place of
recurrences, two frames to a token; the refinement sees how far the body of its last estimate is
from what was seen, and works on all frames together. docs/meva.md gives the figures.
"""

import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize, scaled_dot_product_attention, softplus

from motionfield.body.base import Body
from motionfield.core.errors import InputError
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.geometry.rotations import rot6d_to_rotmat
from motionfield.priors.motion_vae import MotionVAE, MotionVAEConfig
from motionfield.priors.motion_vae_parts import cosine_transform
from motionfield.priors.weight_file import read_weights, shipped_weights, write_weights
from motionfield.steps.lift.meva.features import INPUTS, POINTS, WINDOW, CropFeatures

BETAS: Final = 10
_JOINTS: Final = 24
_POSE: Final = _JOINTS * 6
_HIPS: Final = [_JOINTS + BLAZEPOSE_33.index(f"{side}_hip") for side in ("left", "right")]
_SHOULDERS: Final = [_JOINTS + BLAZEPOSE_33.index(f"{side}_shoulder") for side in ("left", "right")]
_FORMAT: Final = "motionfield-meva-1"
_TRAIN: Final = "run motionfield train meva --data DIR"
_PLACES: Final = _JOINTS + POINTS
_FEEDBACK: Final = POINTS * 5 + _PLACES * 3 + 6
_OTHERS: Final = 2 + 3 + 3 + _JOINTS
"""Contacts, up, velocity, deviations."""
_TALL: Final = 1.75
"""A person's box is about so many metres large where nothing else is known."""
_BACK: Final = 0.1
"""Of what is learnt after it so much reaches the STE: at first VME and MRR ask for what would undo
what it has learnt from the points."""
_FARTHEST: Final = 1.0
_LEAST_SD_M: Final = 2e-3


@dataclass(frozen=True)
class MevaConfig:
    """Sizes, and the rows of the paper's Table 4."""

    width: int = 256
    heads: int = 8
    layers: int = 4
    """Of the STE."""
    refine_layers: int = 2
    refinements: int = 2
    """Rounds of the MRR (the paper's regressor makes three)."""
    token_frames: int = 2
    vme_only: bool = False
    """No MRR (Table 4, first row)."""
    own_decoder: bool = False
    """A decoder of the same form that knows no motion before (Table 4, second row)."""
    vae: MotionVAEConfig = field(default_factory=MotionVAEConfig)


class MevaOutput(NamedTuple):
    """What the network says of windows of ``WINDOW`` frames; crop axes."""

    root: Float[Tensor, "windows frames 3 3"]
    """R_crop_body."""
    body_pose: Float[Tensor, "windows frames 23 3 3"]
    betas: Float[Tensor, "windows frames 10"]
    camera: Float[Tensor, "windows frames 3"]
    """Weak camera s, tx, ty: the root joint is at (tx, ty) metres, depth 1 / (s * size)."""
    contacts: Float[Tensor, "windows frames 2"]
    """Probability that the left, right foot rests."""
    up: Float[Tensor, "windows frames 3"]
    """Away from gravity, unit length."""
    velocity: Float[Tensor, "windows frames 3"]
    """The root joint's in the world, m/s."""
    joints_sd: Float[Tensor, "windows frames 24"]
    """Standard deviation of each joint's place about the root joint along any axis, metres."""
    coarse_root: Float[Tensor, "windows frames 3 3"]
    coarse_pose: Float[Tensor, "windows frames 23 3 3"]
    """The VME's motion, before refinement."""


class State(NamedTuple):
    """An estimate that the MRR corrects."""

    rot6d: Float[Tensor, "windows frames 144"]
    betas: Float[Tensor, "windows frames 10"]
    camera: Float[Tensor, "windows frames 3"]
    """log s, tx, ty."""


class Stages(NamedTuple):
    """All that training judges."""

    latent: Float[Tensor, "windows latent"]
    states: list[State]
    """The coarse motion, then the state after each round of refinement."""
    points: list[Float[Tensor, "windows frames 57 3"]]
    """Joints and BlazePose's points of each state from the root joint, crop axes, metres."""
    guess: Float[Tensor, "windows frames 57 3"]
    """The same points straight from the features, bound to no body: they are learnt sooner than
    rotations, and show the refinement where to go."""
    contacts: Float[Tensor, "windows frames 2"]
    """Logits."""
    up: Float[Tensor, "windows frames 3"]
    velocity: Float[Tensor, "windows frames 3"]
    joints_sd: Float[Tensor, "windows frames 24"]


@final
class MevaNetwork(nn.Module):
    """Features of windows → motion of windows."""

    sd_factor: Tensor
    """On the deviations, so that they hold for people who were not seen in training."""

    def __init__(self, body: Body, config: MevaConfig = MevaConfig()) -> None:
        super().__init__()
        self.config = config
        self.body = body
        width, frames = config.width, config.token_frames
        self.embed = nn.Linear(frames * INPUTS, width)
        self.ste = nn.ModuleList(_Block(width, config.heads) for _ in range(config.layers))
        self.ste_norm = nn.LayerNorm(width)
        self.squeeze = nn.Linear(width, 32)
        self.latent = nn.Linear(32 * WINDOW // frames, config.vae.latent)
        self.decoder: MotionVAE | FreeDecoder
        if config.own_decoder:
            self.decoder = FreeDecoder(config.vae)
        else:
            self.decoder = MotionVAE(config.vae).requires_grad_(False)
        self.context = nn.Linear(width, frames * (BETAS + 3))
        state = _POSE + BETAS + 3
        self.guess = nn.Linear(width, frames * _PLACES * 3)
        self.refine_embed = nn.Linear(width + frames * (state + _FEEDBACK), width)
        self.mrr = nn.ModuleList(_Block(width, config.heads) for _ in range(config.refine_layers))
        self.refine_norm = nn.LayerNorm(width)
        self.correct = nn.Linear(width, frames * state)
        self.others = nn.Sequential(
            nn.Linear(2 * width, width), nn.GELU(), nn.Linear(width, frames * _OTHERS)
        )
        self.register_buffer("sd_factor", torch.ones(_JOINTS))
        nn.init.zeros_(self.correct.weight)
        nn.init.zeros_(self.correct.bias)
        nn.init.zeros_(self.context.weight)
        nn.init.zeros_(self.context.bias)

    def forward(self, features: CropFeatures) -> MevaOutput:
        """Windows of ``WINDOW`` frames in, their motion out."""
        stages = self.stages(features)
        first, last = stages.states[0], stages.states[-1]
        coarse, fine = rot6d_to_rotmat(_joints(first.rot6d)), rot6d_to_rotmat(_joints(last.rot6d))
        camera = torch.cat((last.camera[..., :1].exp(), last.camera[..., 1:]), dim=-1)
        return MevaOutput(
            root=fine[..., 0, :, :],
            body_pose=fine[..., 1:, :, :],
            betas=last.betas,
            camera=camera,
            contacts=stages.contacts.sigmoid(),
            up=stages.up,
            velocity=stages.velocity,
            joints_sd=stages.joints_sd,
            coarse_root=coarse[..., 0, :, :],
            coarse_pose=coarse[..., 1:, :, :],
        )

    def stages(self, features: CropFeatures) -> Stages:
        """As ``forward``, with all that leads there."""
        seen, guess = self.look(features)
        hidden = seen.detach() + _BACK * (seen - seen.detach())
        latent = self.latent(self.squeeze(hidden).flatten(1))
        rot6d = self.decoder.decode(latent).flatten(-2)
        context = self._frames(self.context(hidden))
        start = context.new_tensor((-math.log(_TALL), 0.0, 0.0))
        state = State(rot6d, context[..., :BETAS], context[..., BETAS:] + start)
        states, points = [state], [self._points(state)]
        target = Target(features, guess.detach())
        last = hidden
        for _ in range(0 if self.config.vme_only else self.config.refinements):
            state, last = self._refine(hidden, states[-1], points[-1].detach(), target)
            states.append(state)
            points.append(self._points(state))
        others = self._frames(self.others(torch.cat((seen, last), dim=-1)))
        return Stages(
            latent=latent,
            states=states,
            points=points,
            guess=guess,
            contacts=others[..., :2],
            up=normalize(others[..., 2:5], dim=-1),
            velocity=others[..., 5:8],
            joints_sd=_deviations(others[..., 8:]) * self.sd_factor,
        )

    def look(
        self, features: CropFeatures
    ) -> tuple[Float[Tensor, "windows tokens width"], Float[Tensor, "windows frames 57 3"]]:
        """The STE: features that know of their neighbours, and the points that they show.

        Of windows of any even length.
        """
        hidden = self.embed(self._paired(features.inputs))
        for block in self.ste:
            hidden = block(hidden)
        hidden = self.ste_norm(hidden)
        return hidden, self._frames(self.guess(hidden)).unflatten(-1, (_PLACES, 3))

    def _refine(
        self, hidden: Tensor, state: State, points: Tensor, target: "Target"
    ) -> tuple[State, Tensor]:
        """One round: how far the estimate is from what was seen, and what to change."""
        told = torch.cat(
            (state.rot6d, state.betas, state.camera, feedback(state, points, target)), dim=-1
        )
        # The last estimate is taken as it is: each round learns for itself, as in RAFT.
        inner = self.refine_embed(torch.cat((hidden, self._paired(told.detach())), dim=-1))
        for block in self.mrr:
            inner = block(inner)
        inner = self.refine_norm(inner)
        change = _calmed(self._frames(self.correct(inner)))
        rot6d, betas, camera = change.split((_POSE, BETAS, 3), dim=-1)
        return State(state.rot6d + rot6d, state.betas + betas, state.camera + camera), inner

    def _points(self, state: State) -> Float[Tensor, "windows frames 57 3"]:
        windows, frames = state.betas.shape[:2]
        turns = rot6d_to_rotmat(_joints(state.rot6d)).flatten(0, 1)
        betas = torch.nn.functional.pad(state.betas, (0, self.body.num_betas - BETAS))
        nowhere = turns.new_zeros(len(turns), 3)
        posed = self.body.pose(
            turns[:, 0], turns[:, 1:], nowhere, betas.flatten(0, 1), BLAZEPOSE_33.name
        )
        points = torch.cat((posed.joints, posed.keypoints), dim=1) - posed.joints[:, :1]
        return points.unflatten(0, (windows, frames))

    def _paired(self, rows: Tensor) -> Tensor:
        """Rows of the frames of one token side by side."""
        return rows.unflatten(1, (-1, self.config.token_frames)).flatten(2)

    def _frames(self, tokens: Tensor) -> Tensor:
        """The inverse of ``_paired``."""
        return tokens.unflatten(2, (self.config.token_frames, -1)).flatten(1, 2)

    def save(self, path: Path | str, metadata: dict[str, Any] | None = None) -> None:
        """Write one safetensors file, float16, the decoder included."""
        header = {"format": _FORMAT, "config": asdict(self.config)}
        write_weights(path, self.state_dict(), header | (metadata or {}), half=True)

    @classmethod
    def load(cls, body: Body, path: Path | str | None = None) -> "MevaNetwork":
        """Read the weights that ship in the package, or your own; ready for use, not training.

        Raises:
            MissingAssetError: no such file.
            InputError: the file is no MEVA network of this version, or is damaged.
        """
        path = shipped_weights("meva") if path is None else Path(path)
        file = read_weights(path, _FORMAT, _TRAIN)
        try:
            config = dict(file.header["config"])
            config["vae"] = MotionVAEConfig(**config["vae"])
            network = cls(body, MevaConfig(**config))
            network.load_state_dict(file.tensors)
        except (KeyError, TypeError, RuntimeError) as error:
            raise InputError(path, f"is damaged ({error})", _TRAIN) from error
        return network.eval().requires_grad_(False)


def _calmed(change: Float[Tensor, "windows frames n"]) -> Float[Tensor, "windows frames n"]:
    """Averaged over five frames (binomial): tokens end every second frame, motions do not."""
    kernel = change.new_tensor((1.0, 4.0, 6.0, 4.0, 1.0)) / 16
    rows = change.mT.flatten(0, 1).unsqueeze(1)
    padded = torch.nn.functional.pad(rows, (2, 2), mode="replicate")
    calm = torch.nn.functional.conv1d(padded, kernel[None, None])
    return calm[:, 0].unflatten(0, (len(change), -1)).mT


def _deviations(
    numbers: Float[Tensor, "*windows frames 24"],
) -> Float[Tensor, "*windows frames 24"]:
    """Positive; the root joint is where places are counted from."""
    others = softplus(numbers[..., 1:] - 3)
    return torch.cat((torch.zeros_like(numbers[..., :1]), others), dim=-1) + _LEAST_SD_M


class FreeDecoder(nn.Module):
    """The linear autoencoder's decoder with everything left to be learnt: a code becomes the
    lowest frequencies of a window."""

    cosines: Tensor

    def __init__(self, config: MotionVAEConfig) -> None:
        super().__init__()
        self.spectrum = nn.Linear(config.latent, config.frequencies * _POSE)
        cosines = cosine_transform(config.frames, config.frequencies)
        self.register_buffer("cosines", cosines, persistent=False)
        self.register_buffer("rest", torch.eye(3)[:, :2].mT.flatten().repeat(_JOINTS))

    def decode(
        self, latent: Float[Tensor, "windows latent"]
    ) -> Float[Tensor, "windows frames 24 6"]:
        """As ``MotionVAE.decode``."""
        spectrum = self.spectrum(latent).unflatten(1, (-1, _POSE))
        return _joints(self.cosines.T @ spectrum + self.rest)


def project_weak(
    points: Float[Tensor, "*windows frames points 3"],
    camera: Float[Tensor, "*windows frames 3"],
    size: Float[Tensor, "*windows frames"],
) -> Float[Tensor, "*windows frames points 2"]:
    """Places on the crop in units of ``size``, in full perspective.

    Args:
        points: from the root joint, crop axes, metres.
        camera: log s, tx, ty.
        size: see ``CropFeatures``.
    """
    s = camera[..., :1].exp()
    depth = 1 / s.unsqueeze(-2) + size[..., None, None] * points[..., 2:]
    return (points[..., :2] + camera[..., None, 1:]) / depth.clamp_min(0.1)


class Target(NamedTuple):
    """What an estimate is compared with."""

    features: CropFeatures
    guess: Float[Tensor, "windows frames 57 3"]


def feedback(
    state: State, points: Float[Tensor, "windows frames 57 3"], target: Target
) -> Float[Tensor, "windows frames numbers"]:
    """How far what was seen and guessed is from an estimate.

    2D in units of the box; coarse 3D and the guess in metres along the body's own axes, so that
    the same fault of a pose looks the same whichever way the person faces; last the directions of
    the guess's trunk.
    """
    features = target.features
    body_points = points[..., _JOINTS:, :]
    off = features.points[..., :2] - project_weak(body_points, state.camera, features.size)
    off = off.clamp(-_FARTHEST, _FARTHEST) * features.points[..., 2:]
    root = rot6d_to_rotmat(state.rot6d[..., :6])
    middle = points[..., _HIPS, :].mean(-2, keepdim=True)
    deep = (features.coarse - (body_points - middle)) @ root
    deep = deep.clamp(-_FARTHEST, _FARTHEST) * features.coarse_known[..., None, None]
    apart = ((target.guess - points) @ root).clamp(-_FARTHEST, _FARTHEST)
    rows = (4 * off.flatten(-2), 4 * deep.flatten(-2), 4 * apart.flatten(-2), trunk(target.guess))
    return torch.cat(rows, dim=-1)


def trunk(points: Float[Tensor, "*windows frames 57 3"]) -> Float[Tensor, "*windows frames 6"]:
    """Where the trunk's left and its upper end point: the first two columns of a rotation."""
    hips, shoulders = points[..., _HIPS, :], points[..., _SHOULDERS, :]
    left = (hips + shoulders).diff(dim=-2)[..., 0, :]
    up = shoulders.mean(-2) - hips.mean(-2)
    return torch.cat((normalize(-left, dim=-1), normalize(up, dim=-1)), dim=-1)


def _joints(rot6d: Tensor) -> Float[Tensor, "*windows frames 24 6"]:
    return rot6d.unflatten(-1, (_JOINTS, 6))


class _Block(nn.Module):
    """Attention over time with rotary positions (Su et al., 2021), then a layer per token."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.mix = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.inner = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, tokens: Tensor) -> Tensor:
        q, k, v = self.mix(self.norm(tokens)).unflatten(-1, (3, self.heads, -1)).unbind(2)
        q, k, v = (x.transpose(1, 2) for x in (_turned(q), _turned(k), v))
        mixed = scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        tokens = tokens + self.out(mixed)
        return tokens + self.inner(tokens)


def _turned(x: Float[Tensor, "windows tokens heads d"]) -> Float[Tensor, "windows tokens heads d"]:
    """Pairs of numbers turned by angles that grow with time."""
    half = x.shape[-1] // 2
    rate = 100.0 ** (-torch.arange(half, device=x.device) / half)
    angle = (torch.arange(x.shape[1], device=x.device)[:, None] * rate).unsqueeze(1)
    a, b = x[..., :half], x[..., half:]
    return torch.cat((a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos()), -1)
