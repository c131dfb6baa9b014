"""The pose priors that ship, on people whom they never saw: do they tell poses from noise?

``motionfield benchmark pose_priors --data DIR``, where DIR holds motions to train on. Poses are
drawn from the val and test splits (each subject by the root of its poses) and shaken by random
joint noise. AUC is the chance that a shaken pose has a higher energy than a true one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.body.base import Body
from motionfield.body.registry import load_body
from motionfield.core.progress import Progress, silent
from motionfield.geometry.rotations import rot6d_to_rotmat
from motionfield.priors.pose_mixture import PoseMixture, pose_features
from motionfield.priors.pose_vae import PoseVAE
from motionfield.training.motion_data import find_training_data
from motionfield.training.pose_vae import (
    PoseSet,
    PoseVAETraining,
    collect_poses,
    joints_of_pose,
    shaken,
)

NOISES_RAD: Final = (0.05, 0.1, 0.2, 0.3)
_POSES: Final = 2000
_KNOWN: Final = 4096

Energy = Callable[[Float[Tensor, "frames 23 3 3"]], Float[Tensor, "frames"]]


class Row(NamedTuple):
    """One energy on one split."""

    split: str
    energy: str
    true: float
    """Median over true poses, in the energy's unit."""
    shaken: float
    """The same of poses with noise of 0.2 rad."""
    auc: tuple[float, ...]
    """By ``NOISES_RAD``."""


@dataclass(frozen=True)
class PosePriorReport:
    """All figures."""

    rows: list[Row] = field(default_factory=list)
    back_mm: dict[str, dict[str, tuple[float, ...]]] = field(default_factory=dict)
    """Split → who pulls back → mean error of the joints by ``NOISES_RAD``, millimetres."""
    nearest_mm: dict[str, float] = field(default_factory=dict)
    """Kind of poses → mean distance to the nearest of 4096 training poses."""

    def table(self) -> str:
        """For people, in markdown."""
        noises = " | ".join(f"AUC at {noise:g} rad" for noise in NOISES_RAD)
        lines = [f"| split | energy | true | 0.2 rad | {noises} |", "|---" * 8 + "|"]
        lines += [
            f"| {r.split} | {r.energy} | {r.true:.1f} | {r.shaken:.1f} | "
            + " | ".join(f"{value:.3f}" for value in r.auc)
            + " |"
            for r in self.rows
        ]
        lines += [
            "",
            "| split | error of joints, mm | " + " | ".join(f"{n:g} rad" for n in NOISES_RAD),
        ]
        lines[-1] += " |"
        lines.append("|---" * 6 + "|")
        for split, by_kind in self.back_mm.items():
            for kind, values in by_kind.items():
                told = " | ".join(f"{value:.0f}" for value in values)
                lines.append(f"| {split} | {kind} | {told} |")
        lines += ["", "| poses | mm from the nearest of 4096 training poses |", "|---|---|"]
        lines += [f"| {kind} | {value:.0f} |" for kind, value in self.nearest_mm.items()]
        return "\n".join(lines)

    def summary(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "noises_rad": NOISES_RAD,
            "rows": [row._asdict() for row in self.rows],
            "back_mm": self.back_mm,
            "nearest_mm": self.nearest_mm,
        }


def measure_pose_priors(data: Path, progress: Progress = silent) -> PosePriorReport:
    """The mixture and the autoencoder that ship.

    Raises:
        InputError: the folder holds no motions, or none of a split.
    """
    found, body, config = find_training_data(data), load_body("anny"), PoseVAETraining()
    sets = {
        split: collect_poses(found, split, body, config, progress)
        for split in ("train", "val", "test")
    }
    return judge_priors(sets, PoseMixture.load(), PoseVAE.load(), body)


def judge_priors(
    sets: Mapping[str, PoseSet], mixture: PoseMixture, vae: PoseVAE, body: Body, seed: int = 0
) -> PosePriorReport:
    """``measure_pose_priors`` of poses at hand: "train" is what draws are compared with."""
    generator = torch.Generator().manual_seed(seed)
    report = PosePriorReport()
    known = joints_of_pose(body, _drawn(sets["train"], _KNOWN, generator))
    energies: dict[str, Energy] = {
        "mixture, nats": lambda pose: mixture.energy(pose, "logsumexp"),
        "autoencoder, way of the projection": vae.energy,
        "autoencoder, half squared latent": lambda p: 0.5 * vae.encode(p)[0].square().sum(-1),
        "autoencoder, divergence, nats": vae.divergence,
    }
    for split in ("val", "test"):
        pose = _drawn(sets[split], _POSES, generator)
        noisy = {noise: shaken(pose, noise, generator) for noise in NOISES_RAD}
        for name, energy in energies.items():
            low, high = energy(pose), {noise: energy(p) for noise, p in noisy.items()}
            report.rows.append(
                Row(
                    split,
                    name,
                    float(low.median()),
                    float(high[0.2].median()),
                    tuple(auc(low, high[noise]) for noise in NOISES_RAD),
                )
            )
        true = joints_of_pose(body, pose)
        pulls: dict[str, Callable[[Tensor, float], Tensor]] = {
            "as shaken": lambda shaken_pose, _: shaken_pose,
            "mixture, mean given the noise": lambda p, noise: _posterior_mean(mixture, p, noise),
            "autoencoder, projected": lambda p, _: vae.project(p),
        }
        report.back_mm[split] = {
            name: tuple(
                _apart_mm(joints_of_pose(body, pull(p, noise)), true) for noise, p in noisy.items()
            )
            for name, pull in pulls.items()
        }
        report.nearest_mm[f"true, {split}"] = _nearest_mm(true[:256], known)
    latent = torch.randn(256, vae.config.latent, generator=generator)
    report.nearest_mm["autoencoder's draws"] = _nearest_mm(
        joints_of_pose(body, vae.decode(latent)), known
    )
    report.nearest_mm["mixture's draws"] = _nearest_mm(
        joints_of_pose(body, _draws(mixture, 256, generator)), known
    )
    return report


def auc(low: Float[Tensor, "a"], high: Float[Tensor, "b"]) -> float:
    """The chance that one of ``high`` is larger than one of ``low``; a tie counts half."""
    ordered = low.sort().values
    below = torch.searchsorted(ordered, high, right=False)
    up_to = torch.searchsorted(ordered, high, right=True)
    return float((below + up_to).double().mean() / (2 * len(low)))


def _drawn(
    poses: PoseSet, count: int, generator: torch.Generator
) -> Float[Tensor, "frames 23 3 3"]:
    chosen = torch.multinomial(poses.chance, count, True, generator=generator)
    return rot6d_to_rotmat(poses.rot6d[chosen])


def _posterior_mean(
    mixture: PoseMixture, pose: Float[Tensor, "frames 23 3 3"], noise_rad: float
) -> Float[Tensor, "frames 23 3 3"]:
    """Mean of the poses that the mixture expects behind a shaken one, noise as rotation vectors."""
    features = pose_features(pose).double()
    precision = mixture.precision_cholesky.double()
    precision = precision @ precision.mT
    eye = torch.eye(features.shape[1], dtype=torch.float64)
    wide = torch.linalg.inv(precision) + noise_rad**2 * eye
    means = mixture.means.double()
    shares = PoseMixture(
        mixture.weights.double(), means, torch.linalg.cholesky(torch.linalg.inv(wide))
    ).log_terms(features)
    gain = noise_rad**2 * torch.linalg.inv(wide)
    away = features - means[:, None]  # components, frames, features
    kept = features - away @ gain
    mean = (shares.softmax(-1).mT[..., None] * kept).sum(0)
    return _with_hands(mean)


def _with_hands(features: Float[Tensor, "frames features"]) -> Float[Tensor, "frames 23 3 3"]:
    known = roma.rotvec_to_rotmat(features.unflatten(-1, (-1, 3)).float())
    return torch.cat((known, torch.eye(3).expand(len(known), 23 - known.shape[1], 3, 3)), dim=1)


def _draws(
    mixture: PoseMixture, count: int, generator: torch.Generator
) -> Float[Tensor, "frames 23 3 3"]:
    chosen = torch.multinomial(mixture.weights.float(), count, True, generator=generator)
    white = torch.randn(count, mixture.means.shape[1], generator=generator)
    cholesky = mixture.precision_cholesky.float()[chosen]
    away = torch.linalg.solve_triangular(cholesky.mT, white[..., None], upper=True)[..., 0]
    return _with_hands(mixture.means.float()[chosen] + away)


def _apart_mm(a: Tensor, b: Tensor) -> float:
    return float((a - b).norm(dim=-1).mean()) * 1000


def _nearest_mm(joints: Float[Tensor, "poses 21 3"], known: Float[Tensor, "known 21 3"]) -> float:
    nearest = [(one - known).norm(dim=-1).mean(-1).amin() for one in joints]
    return float(torch.stack(nearest).mean()) * 1000
