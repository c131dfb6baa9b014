"""How the pose autoencoder that ships was made: ``motionfield train pose_vae --data DIR``.

Loss as VPoser's (Pavlakos et al., CVPR 2019; its second version's weights): points of the body,
divergence, and rotations. The points are joints and the detector's points on the skin, where
VPoser takes all vertices: 57 points fix every rotation at a hundredth of the cost.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.body.base import Body
from motionfield.body.registry import load_body
from motionfield.core.arrays import tensor_of
from motionfield.core.conventions import JOINT_NAMES, mirror_order
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.core.progress import Progress, silent
from motionfield.geometry.rotations import rot6d_to_rotmat, rotmat_to_rot6d
from motionfield.priors.pose_vae import PoseVAE, PoseVAEConfig, chords, divergence_of
from motionfield.training.card import Card, write_card
from motionfield.training.loop import LoopConfig, Losses, finish, train
from motionfield.training.motion_data import TrainingData, find_training_data
from motionfield.training.order import TrainOrder

_MIRROR: Final = torch.tensor(mirror_order(JOINT_NAMES)[1:]) - 1
_FLIP: Final = torch.tensor([1.0, -1.0, -1.0])
_LEGS: Final = torch.tensor(
    [name.split("_")[-1] in ("hip", "knee", "ankle", "foot") for name in JOINT_NAMES[1:]]
)
_BLOCK: Final = 4096
_WHAT: Final = (
    "A variational autoencoder of body poses: 21 joint rotations in and out as 6D, a latent of 32. "
    "In VPoser's role; read by `motionfield.priors.PoseVAE.load()`."
)
_LIMITS: Final = (
    "Hands are decoded as straight. Poses that the data lack (chairs, lying, yoga) come back as "
    "the nearest that it knows."
)


@dataclass(frozen=True)
class PoseVAETraining:
    """What goes in and how it is trained."""

    seed: int = 0
    body: str = "anny"
    free_data: bool = False
    model: PoseVAEConfig = field(default_factory=lambda: PoseVAEConfig(dropout=0.0))
    loop: LoopConfig = field(default_factory=lambda: LoopConfig(steps=8000, weight_decay=1e-5))
    batch: int = 256
    rate_hz: float = 10.0
    """Poses per second that are taken from a clip."""
    source_power: float = 0.5
    """A subject with n poses counts n to this power."""
    points: float = 4.0
    """Weight of the mean absolute error of a point's coordinates, metres."""
    divergence: float = 0.001
    rotation: float = 0.1
    """Weight of the mean angle between rotations, radians."""
    noise_rad: float = 0.4
    """Most noise per axis on the rotations that go in (not on those that should come out)."""
    swap: float = 0.3
    """Share of the poses that have the legs of another one."""
    noise_power: float = 2.0
    """A pose's noise is the most times a number from 0 to 1 to this power: often little."""


PRESETS: Final = {
    "default": PoseVAETraining(),
    # VPoser's second version: of the same size, without noise.
    "paper": PoseVAETraining(model=PoseVAEConfig(), divergence=0.005, noise_rad=0.0),
}


class PoseSet(NamedTuple):
    """Poses, with the chance of each to be drawn."""

    rot6d: Float[Tensor, "poses 23 6"]
    chance: Float[Tensor, "poses"]


class PoseFigures(NamedTuple):
    """How well held-out poses come back."""

    poses: int
    joints_mm: float
    """Mean error of joints 1 to 21 relative to the pelvis."""
    angle_deg: float
    divergence: float
    noisy_in_mm: float
    """Mean error of poses with random noise of 0.3 rad per joint …"""
    noisy_out_mm: float
    """… and after ``project``."""

    def line(self, split: str) -> str:
        """For people."""
        return (
            f"{split}: {self.poses} poses, joints {self.joints_mm:.1f} mm, rotations "
            f"{self.angle_deg:.1f} degrees, divergence {self.divergence:.1f} nats; noise of 0.3 "
            f"rad: {self.noisy_in_mm:.0f} mm, projected {self.noisy_out_mm:.0f} mm"
        )


class PoseVAEReport(NamedTuple):
    """What was made."""

    path: Path
    figures: dict[str, PoseFigures]
    parameters: int
    sampled_mm: float
    """Mean distance of decoded draws from N(0, 1) to the nearest training pose."""

    def lines(self) -> list[str]:
        """For people."""
        return [
            *(figures.line(split) for split, figures in self.figures.items()),
            f"draws: {self.sampled_mm:.0f} mm from the nearest of 4096 training poses",
            f"{self.parameters / 1e6:.2f} million parameters (VPoser: about 1 million)",
            f"written: {self.path}",
        ]


def train_as_ordered(order: TrainOrder, progress: Progress = silent) -> list[str]:
    """``motionfield train pose_vae``: weights, card, and the figures in lines."""
    config = replace(PRESETS[order.preset], seed=order.seed, free_data=order.free_data)
    if order.steps is not None:
        config = replace(config, loop=replace(config.loop, steps=order.steps))
    report = train_pose_vae(order.data, order.output, config, progress)
    data = find_training_data(order.data, order.free_data)
    card = Card(
        what=_WHAT,
        data=f"{data.what}; {report.figures['train'].poses:,} poses of the train split",
        licence=data.licence,
        credit=data.credit,
        command=order.command,
        size=f"{report.parameters / 1e6:.2f} million parameters (VPoser: about 1 million)",
        figures=tuple(report.lines()[:-2]),
        limits=_LIMITS,
    )
    return [*report.lines(), f"card: {write_card(order.output, card)}"]


def train_pose_vae(
    data_dir: Path | str,
    out_path: Path | str,
    config: PoseVAETraining = PoseVAETraining(),
    progress: Progress = silent,
) -> PoseVAEReport:
    """Train on the train split, write the weights, judge them on val and test.

    Raises:
        InputError: the folder holds no motions or a damaged one, or a damaged checkpoint lies
            beside the output.
    """
    data = find_training_data(data_dir, config.free_data)
    body = load_body(config.body)
    sets = {
        split: collect_poses(data, split, body, config, progress)
        for split in ("train", "val", "test")
        if split == "train" or data.has(split)
    }
    made_of = {"data": data.what, "licence": data.licence, "credit": data.credit}
    return train_on(sets, Path(out_path), config, made_of, progress)


def train_on(
    sets: Mapping[str, PoseSet],
    out_path: Path,
    config: PoseVAETraining,
    made_of: Mapping[str, Any],
    progress: Progress = silent,
) -> PoseVAEReport:
    """``train_pose_vae`` on poses at hand: trains on "train", judges every set.

    ``made_of`` goes into the file's header.
    """
    body = load_body(config.body)
    torch.manual_seed(config.seed)
    vae = PoseVAE(config.model)
    draw = sets["train"]

    def losses(generator: torch.Generator) -> Losses:
        chosen = torch.multinomial(draw.chance, config.batch, True, generator=generator)
        flip = torch.rand(config.batch, 1, 1, generator=generator) < 0.5
        rot6d = draw.rot6d[chosen]
        swap = torch.rand(config.batch, 1, 1, generator=generator) < config.swap
        rot6d = torch.where(swap & _LEGS[:, None], rot6d.roll(1, 0), rot6d)
        pose = rot6d_to_rotmat(torch.where(flip, mirrored(rot6d), rot6d))
        return _losses(vae, pose, body, config, generator)

    content = (config, made_of)
    train(vae, losses, config.loop, out_path, config.seed, progress, made_of=content)
    vae.eval().requires_grad_(False)
    vae.save(out_path, {"training": asdict(config), **made_of})
    finish(out_path)
    shipped = PoseVAE.load(out_path)
    return PoseVAEReport(
        out_path,
        {split: judge(shipped, poses, body, config.seed) for split, poses in sets.items()},
        sum(p.numel() for p in vae.parameters()),
        _novelty(shipped, draw, body, config.seed),
    )


def collect_poses(
    data: TrainingData,
    split: str,
    body: Body,
    config: PoseVAETraining,
    progress: Progress = silent,
) -> PoseSet:
    """Poses of the observed frames of a split, subjects weighted."""
    poses, sources = [], []
    for clip in data.clips((split,), body, progress):
        stride = max(1, round(clip.motion.fps / config.rate_hz))
        good = tensor_of(clip.motion.body_pose)[torch.tensor(clip.motion.observed.copy())]
        poses.append(rotmat_to_rot6d(good[::stride]))
        sources += [clip.source] * len(poses[-1])
    count = {source: sources.count(source) for source in set(sources)}
    weight = torch.tensor([count[s] ** (config.source_power - 1) for s in sources])
    return PoseSet(torch.cat(poses), weight / weight.sum())


def judge(vae: PoseVAE, poses: PoseSet, body: Body, seed: int = 0) -> PoseFigures:
    """Weighted means over poses; frames of a subject with many count less."""
    generator = torch.Generator().manual_seed(seed)
    sums = torch.zeros(5, dtype=torch.float64)
    for start in range(0, len(poses.rot6d), _BLOCK):
        pose = rot6d_to_rotmat(poses.rot6d[start : start + _BLOCK])
        weight = poses.chance[start : start + _BLOCK].double()
        mean, std = vae.encode(pose)
        back, noisy = vae.decode(mean), shaken(pose, 0.3, generator)
        true = joints_of_pose(body, pose)
        parts = (
            _distance_mm(joints_of_pose(body, back), true),
            roma.rotmat_geodesic_distance(back, pose)[:, :21].mean(-1) * (180 / math.pi),
            divergence_of(mean, std),
            _distance_mm(joints_of_pose(body, noisy), true),
            _distance_mm(joints_of_pose(body, vae.project(noisy)), true),
        )
        sums += torch.stack([(part.double() * weight).sum() for part in parts])
    return PoseFigures(len(poses.rot6d), *(float(value) for value in sums))


def shaken(
    pose: Float[Tensor, "frames 23 3 3"],
    size_rad: float | Float[Tensor, "frames 1 1"],
    generator: torch.Generator,
) -> Float[Tensor, "frames 23 3 3"]:
    """Each joint turned by a random rotation vector of this deviation per axis; hands kept."""
    turn = size_rad * torch.randn((*pose.shape[:2], 3), generator=generator)
    turn[:, 21:] = 0
    return roma.rotvec_to_rotmat(turn) @ pose


def _losses(
    vae: PoseVAE,
    pose: Float[Tensor, "frames 23 3 3"],
    body: Body,
    config: PoseVAETraining,
    generator: torch.Generator,
) -> Losses:
    share = torch.rand(len(pose), 1, 1, generator=generator) ** config.noise_power
    mean, std = vae.encode(shaken(pose, config.noise_rad * share, generator))
    back = vae.decode(mean + std * torch.randn(mean.shape, generator=generator))
    points = (_points(body, back) - _points(body, pose)).abs().mean()
    angle = chords(back[:, :21], pose[:, :21]).mean()
    return {
        "points": config.points * points,
        "rotation": config.rotation * angle,
        "divergence": config.divergence * divergence_of(mean, std).mean(),
    }


def mirrored(rot6d: Float[Tensor, "frames 23 6"]) -> Float[Tensor, "frames 23 6"]:
    """The poses seen in a mirror: sides exchanged, M R M with M = diag(-1, 1, 1)."""
    # Of the first column the y and z parts change their sign, of the second x.
    return rot6d[:, _MIRROR] * torch.cat((_FLIP, -_FLIP))


def _points(body: Body, pose: Tensor) -> Float[Tensor, "frames points 3"]:
    posed = body.pose(*_placed(body, pose), BLAZEPOSE_33.name)
    return torch.cat((posed.joints, posed.keypoints), dim=1)


def joints_of_pose(
    body: Body, pose: Float[Tensor, "frames 23 3 3"]
) -> Float[Tensor, "frames 21 3"]:
    """Joints 1 to 21 of the average body relative to its pelvis, metres."""
    joints = body.pose(*_placed(body, pose)).joints
    return joints[:, 1:22] - joints[:, :1]


def _placed(body: Body, pose: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    eye = torch.eye(3).expand(len(pose), 3, 3)
    return eye, pose, torch.zeros(len(pose), 3), torch.zeros(body.num_betas)


def _distance_mm(a: Tensor, b: Tensor) -> Float[Tensor, "frames"]:
    return (a - b).norm(dim=-1).mean(-1) * 1000


def _novelty(vae: PoseVAE, poses: PoseSet, body: Body, seed: int) -> float:
    """How far draws of the prior lie from poses that it was trained on, mm."""
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.multinomial(poses.chance, _BLOCK, True, generator=generator)
    known = joints_of_pose(body, rot6d_to_rotmat(poses.rot6d[chosen]))
    drawn = joints_of_pose(
        body, vae.decode(torch.randn(256, vae.config.latent, generator=generator))
    )
    apart = [(one - known).norm(dim=-1).mean(-1).amin() for one in drawn]
    return float(torch.stack(apart).mean()) * 1000
