"""How the pose mixture that ships was made: poses of the free CMU shards, weighted EM.

``motionfield train pose_mixture --data DIR``; figures and licence in docs/priors.md.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.body.base import Body
from motionfield.body.registry import load_body
from motionfield.core.arrays import tensor_of
from motionfield.core.conventions import JOINT_INDEX
from motionfield.core.errors import OptionError
from motionfield.core.progress import Progress, silent
from motionfield.priors.pose_mixture import (
    PoseMixture,
    mirror_features,
    pose_features,
)
from motionfield.training.card import Card, write_card
from motionfield.training.mixture_em import EMConfig, fit_mixture
from motionfield.training.motion_data import TrainingData, find_training_data
from motionfield.training.order import TrainOrder

_WRISTS: Final = ("left_wrist", "right_wrist")
_WHAT: Final = (
    "A Gaussian mixture over body poses: 8 components with full covariances over the rotation "
    "vectors of 21 joints (all but the root and the hands); component k + 4 is the mirror image "
    "of component k. Energy of `--method fit`; read by `motionfield.priors.PoseMixture.load()`."
)
_LIMITS: Final = (
    "The rigs' collars are rigid (ours follow the arms by rule) and their knees and elbows perfect "
    "hinges, so every standard deviation has 0.12 rad added (in squares). Dance, walks, sports and "
    "playgrounds; hardly any lying or sitting on chairs. A joint bent against its limit costs only "
    "a few nats: use joint limits beside it."
)


@dataclass(frozen=True)
class PoseMixtureConfig:
    """What goes in and how it is fitted."""

    seed: int = 0
    body: str = "anny"
    stride: int = 3
    """Every n-th frame (30 frames/s in the shards)."""
    subject_power: float = 0.5
    """A subject with n frames counts n to this power: 1 trusts the longest, 0 all alike."""
    em: EMConfig = field(default_factory=EMConfig)


class PoseSet(NamedTuple):
    """Poses with how much each counts."""

    features: Float[Tensor, "poses features"]
    weights: Float[Tensor, "poses"]
    """Mean 1."""


class TrainReport(NamedTuple):
    """What was made and how well it explains subjects that it never saw."""

    path: Path
    num_poses: int
    num_held_out: int
    log_likelihood: float
    """Mean over the training poses, nats per pose, weighted."""
    held_out: float
    """Mean over the poses of the val subjects, both sides of the mirror; NaN without any."""
    held_out_one_gaussian: float
    """The same of one Gaussian fitted to the same poses."""

    def lines(self) -> list[str]:
        """For people."""
        held_out = [
            f"of {self.num_held_out} poses of the val subjects: {self.held_out:.2f} nats; "
            f"one Gaussian instead: {self.held_out_one_gaussian:.2f}"
        ]
        return [
            f"log likelihood of {self.num_poses} training poses: {self.log_likelihood:.2f} nats",
            *(held_out if self.num_held_out else ["no val subjects to judge it on"]),
            f"written: {self.path}",
        ]


def train_as_ordered(order: TrainOrder, progress: Progress = silent) -> list[str]:
    """``motionfield train pose_mixture``: the mixture, its card, and the figures in lines.

    Raises:
        OptionError: steps or a preset are asked for, which it has not.
        InputError: see ``train_pose_mixture``.
    """
    if order.steps is not None or order.preset != "default":
        raise OptionError("train pose_mixture: has no steps and presets; leave the options out")
    report = train_pose_mixture(order.data, order.output, order.seed, progress)
    data = find_training_data(order.data, free_data=True)
    card = Card(
        what=_WHAT,
        data=f"{data.what}; {report.num_poses:,} poses of the train split, 10 per second",
        licence=data.licence,
        credit=data.credit,
        command=order.command,
        size="8 components of 63 means and full covariances (SMPLify: 8 of 69)",
        figures=tuple(report.lines()[:-1]),
        limits=_LIMITS,
    )
    return [*report.lines(), f"card: {write_card(order.output, card)}"]


def train_pose_mixture(
    data_dir: Path | str, out_path: Path | str, seed: int = 0, progress: Progress = silent
) -> TrainReport:
    """Train on the train split of a folder and write the mixture.

    Of the shards CMU's alone: the mixture ships under the code's licence.

    Raises:
        InputError: the folder holds no motions, or a damaged one.
    """
    config = PoseMixtureConfig(seed=seed)
    data = find_training_data(data_dir, free_data=True)
    body = load_body(config.body)
    train = collect_poses(data, ("train",), body, config, progress)
    val = collect_poses(data, ("val",), body, config, progress) if data.has("val") else None
    mixture = fit_mixture(train.features, train.weights, config.em, seed, progress)
    single = fit_mixture(train.features, train.weights, EMConfig(pairs=0), seed)
    metadata = {"credit": data.credit, "seed": str(seed), "data": " ".join(data.names)}
    out_path = Path(out_path)
    mixture.save(out_path, metadata)
    return TrainReport(
        path=out_path,
        num_poses=len(train.features),
        num_held_out=0 if val is None else len(val.features),
        log_likelihood=mean_log_likelihood(mixture, train),
        held_out=math.nan if val is None else mean_log_likelihood(mixture, val),
        held_out_one_gaussian=math.nan if val is None else mean_log_likelihood(single, val),
    )


def collect_poses(
    data: TrainingData,
    splits: Sequence[str],
    body: Body,
    config: PoseMixtureConfig,
    progress: Progress = silent,
) -> PoseSet:
    """Retarget the clips of the given splits and weight their poses by subject.

    Skeletons without hands get wrists drawn from the others: a wrist that is always straight
    would be learned as a law.
    """
    features, sources, handless = [], [], []
    for clip in data.clips(splits, body, progress):
        good = tensor_of(clip.motion.body_pose)[torch.tensor(clip.motion.observed.copy())]
        features.append(pose_features(good[:: config.stride]).double())
        sources += [clip.source] * len(features[-1])
        handless.append(features[-1][:, _wrist_columns()].eq(0).all(-1))
    poses = torch.cat(features)
    generator = torch.Generator().manual_seed(config.seed)
    poses = _draw_wrists(poses, torch.cat(handless), generator)
    return PoseSet(poses, subject_weights(sources, config.subject_power))


def subject_weights(subjects: Sequence[str], power: float) -> Float[Tensor, "poses"]:
    """Weights with which a subject of n poses counts n to the ``power``; their mean is 1."""
    count = {subject: subjects.count(subject) for subject in set(subjects)}
    weights = torch.tensor([count[s] ** (power - 1) for s in subjects], dtype=torch.float64)
    return weights / weights.mean()


def mean_log_likelihood(mixture: PoseMixture, poses: PoseSet) -> float:
    """Weighted mean over the poses and their mirror images, nats per pose."""
    both = torch.cat((poses.features, mirror_features(poses.features)))
    energy = mixture.energy_of_features(both.double(), "logsumexp")
    weights = poses.weights.repeat(2)
    return -float((weights * energy).sum() / weights.sum())


def _wrist_columns() -> list[int]:
    first = [3 * (JOINT_INDEX[name] - 1) for name in _WRISTS]
    return [start + axis for start in first for axis in range(3)]


def _draw_wrists(
    poses: Float[Tensor, "poses features"], handless: Tensor, generator: torch.Generator
) -> Float[Tensor, "poses features"]:
    donors = poses[~handless]
    if not handless.any() or not len(donors):
        return poses
    drawn = torch.randint(len(donors), (int(handless.sum()),), generator=generator)
    columns = torch.tensor(_wrist_columns())
    filled = poses.clone()
    filled[handless.nonzero(), columns] = donors[drawn][:, columns]
    return filled
