"""What MEVA's keypoint network is trained to get right."""

from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.geometry.rotations import rot6d_to_rotmat
from motionfield.steps.lift.meva.features import RATE_HZ, CropFeatures
from motionfield.steps.lift.meva.network import BETAS, Stages, State, project_weak
from motionfield.training.loop import Losses
from motionfield.training.meva_data import Truth

_JOINTS: Final = 24
_SMALL_WORDS: Final = ("eye", "ear", "mouth", "pinky", "index", "thumb")
_POINT_WEIGHT: Final = torch.tensor(
    [1.0] * _JOINTS
    + [
        0.2 if any(word in name for word in _SMALL_WORDS) and "foot" not in name else 1.0
        for name in BLAZEPOSE_33.keypoint_names
    ]
)
_SHARE: Final = _POINT_WEIGHT / _POINT_WEIGHT.sum()
"""Points of the face and the hand move together: they count as one or two."""


@dataclass(frozen=True)
class MevaLossWeights:
    """Weights of the means over known frames; lengths in metres, angles in radians."""

    points: float = 4.0
    """Joints and points about the root joint, mean absolute."""
    guess: float = 4.0
    """Points straight from the features, mean absolute."""
    guess_velocity: float = 0.1
    local_points: float = 4.0
    """The same in the body's own axes: the pose without its orientation."""
    rotation: float = 0.3
    """Mean square of the difference of rotation matrices."""
    image: float = 2.0
    """Points on the crop, units of the box."""
    depth: float = 0.3
    """Log of the weak camera's s."""
    velocity: float = 0.3
    """Change of points, m/s."""
    acceleration: float = 0.02
    """m/s²."""
    shape: float = 0.02
    coarse: float = 0.5
    """Factor on all terms of the VME's motion."""
    rounds: float = 0.5
    """Factor on rounds of refinement before the last."""
    latent: float = 1e-4
    """Square of the latent: it should stay where motions are."""
    contacts: float = 1.0
    up: float = 1.0
    root_velocity: float = 1.0
    deviation: float = 0.02


def meva_losses(
    stages: Stages, truth: Truth, features: CropFeatures, weights: MevaLossWeights
) -> Losses:
    """Terms by name, weighted; their sum is minimised."""
    terms: Losses = {}
    rounds = len(stages.states) - 1
    for index, (state, points) in enumerate(zip(stages.states, stages.points, strict=True)):
        factor = weights.rounds
        if index == 0:
            factor = weights.coarse if rounds else 1.0
        elif index == rounds:
            factor = 1.0
        found = _place_losses(state, points, truth, features, weights)
        if index == rounds:
            found |= _fine_losses(state, points, truth, weights)
        for name, term in found.items():
            terms[name] = terms.get(name, term.new_zeros(())) + factor * term
    known = truth.known
    terms |= guess_losses(stages.guess, truth, weights)
    contacts = binary_cross_entropy_with_logits(stages.contacts, truth.contacts, reduction="none")
    terms["contacts"] = weights.contacts * _mean(contacts.mean(-1), known)
    terms["up"] = weights.up * _mean((stages.up - truth.up).square().sum(-1), known)
    slow = (stages.velocity - truth.velocity).abs().mean(-1)
    terms["root velocity"] = weights.root_velocity * _mean(slow, known)
    # Of the error as it is: the deviation must not buy itself a smaller error of the mean.
    error = (stages.points[-1][..., :_JOINTS, :] - truth.points[..., :_JOINTS, :]).detach()
    relative = error.square().mean(-1) / stages.joints_sd.square()
    likelihood = (0.5 * relative.clamp_max(50.0) + stages.joints_sd.log())[..., 1:].mean(-1)
    terms["deviation"] = weights.deviation * _mean(likelihood, known)
    terms["latent"] = weights.latent * stages.latent.square().mean()
    return terms


def guess_losses(
    guess: Float[Tensor, "windows frames 57 3"], truth: Truth, weights: MevaLossWeights
) -> Losses:
    """Of points straight from the features."""
    off = guess - truth.points
    both = truth.known[:, 1:] * truth.known[:, :-1]
    moved = off.diff(dim=1).abs().mean(-1) @ _SHARE * RATE_HZ
    return {
        "guess": weights.guess * _mean(off.abs().mean(-1) @ _SHARE, truth.known),
        "guess velocity": weights.guess_velocity * _mean(moved, both),
    }


def _place_losses(
    state: State,
    points: Float[Tensor, "windows frames 57 3"],
    truth: Truth,
    features: CropFeatures,
    weights: MevaLossWeights,
) -> Losses:
    """Where everything is."""
    known = truth.known
    turns = rot6d_to_rotmat(state.rot6d.unflatten(-1, (_JOINTS, 6)))
    true_turns = rot6d_to_rotmat(torch.cat((truth.root.unsqueeze(-2), truth.body_pose), dim=-2))
    off = (turns - true_turns)[..., :22, :, :].square().sum((-1, -2)).mean(-1)
    pixels = project_weak(points, state.camera, features.size)
    true_pixels = project_weak(truth.points, truth.camera, features.size)
    image = (pixels - true_pixels).abs().clamp_max(1.0).mean(-1) @ _SHARE
    return {
        "points": weights.points * _mean((points - truth.points).abs().mean(-1) @ _SHARE, known),
        "rotation": weights.rotation * _mean(off, known),
        "image": weights.image * _mean(image, known),
        "depth": weights.depth * _mean((state.camera - truth.camera)[..., 0].abs(), known),
    }


def _fine_losses(
    state: State,
    points: Float[Tensor, "windows frames 57 3"],
    truth: Truth,
    weights: MevaLossWeights,
) -> Losses:
    """What makes a pose and a movement right, wherever the person stands and faces."""
    known = truth.known
    root = rot6d_to_rotmat(state.rot6d[..., :6])
    own = points @ root - truth.points @ rot6d_to_rotmat(truth.root)
    moved = (points - truth.points)[..., :_JOINTS, :].diff(dim=1) * RATE_HZ
    bent = moved.diff(dim=1) * RATE_HZ
    both = known[:, 1:] * known[:, :-1]
    shape = (state.betas - truth.betas[..., :BETAS]).square().mean(-1)
    return {
        "local points": weights.local_points * _mean(own.abs().mean(-1) @ _SHARE, known),
        "velocity": weights.velocity * _mean(moved.abs().mean((-1, -2)), both),
        "acceleration": weights.acceleration
        * _mean(bent.abs().mean((-1, -2)), both[:, 1:] * both[:, :-1]),
        "shape": weights.shape * _mean(shape, known),
    }


def _mean(
    values: Float[Tensor, "windows frames"], known: Float[Tensor, "windows frames"]
) -> Tensor:
    return (values * known).sum() / known.sum().clamp_min(1.0)
