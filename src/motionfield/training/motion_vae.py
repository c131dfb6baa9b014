"""How the motion autoencoder that ships was made: ``motionfield train motion_vae --data DIR``.

Presets: "paper" is MEVA's loss (Luo et al., ACCV 2020, eq. 2; its public code's weights: squared
errors summed, the root's 20 times more, 0.1 of the divergence); "default" solves a linear
autoencoder. docs/motion_vae.md compares them, and says what the recurrent one loses.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from motionfield.body.base import Body
from motionfield.body.registry import load_body
from motionfield.core.errors import OptionError
from motionfield.core.progress import Progress, silent
from motionfield.priors.motion_vae import PRESETS, MotionVAE, MotionVAEConfig
from motionfield.priors.motion_vae_parts import LinearCode
from motionfield.priors.pose_vae import divergence_of
from motionfield.steps.evaluate.reconstruction import Reconstruction, reconstruction_error
from motionfield.training.card import Card, write_card
from motionfield.training.loop import LoopConfig, Losses, finish, train
from motionfield.training.motion_data import TrainingData, find_training_data
from motionfield.training.motion_sources import TrainingClip
from motionfield.training.motion_vae_linear import (
    fit_linear,
    joint_weights,
    principal_components,
)
from motionfield.training.motion_variation import Variation
from motionfield.training.motion_windows import (
    RATE_HZ,
    collect_windows,
    draw_windows,
    every_window,
    has_window,
)
from motionfield.training.order import Preset, TrainOrder

Windows = Float[Tensor, "windows frames 24 6"]
_STRIDE: Final = {"train": 200, "val": 30, "test": 30}
_WHAT: Final = (
    "A variational autoencoder of motion: {frames} frames at 30 frames/s of 24 rotations (6D; the "
    "root in camera axes) in and out, a code of {latent}. In the role of MEVA's motion VAE; read "
    "by `motionfield.priors.motion_vae.MotionVAE.load()`."
)
_LIMITS: Final = (
    "No translation, no shape. What is faster than 4 Hz is not in the code. Motions that the data "
    "lack (chairs, lying, work with tools) come back less well."
)


@dataclass(frozen=True)
class MotionVAETraining:
    """What goes in and how it is trained; the defaults are those of what ships."""

    seed: int = 0
    body: str = "anny"
    free_data: bool = False
    model: MotionVAEConfig = PRESETS["default"]
    loop: LoopConfig = field(default_factory=lambda: LoopConfig(steps=0))
    """"recurrent" alone."""
    variation: Variation = field(
        default_factory=lambda: Variation(
            rates_hz=(20.0, 24.0, 30.0, 40.0), reverse=0.3, swap=0.3, upright=0.5
        )
    )
    source_power: float = 0.5
    """A subject with n windows counts n to this power."""
    linear_windows: int = 80000
    """"linear" alone: it is solved on these."""
    plain_windows: int = 9000
    """What it is compared with are principal components of these."""
    batch: int = 64
    """"recurrent" alone, as what follows."""
    root: float = 20.0
    """Weight of the root's squared error, beside that of all."""
    divergence: float = 0.1


TRAININGS: Final[dict[Preset, MotionVAETraining]] = {
    "default": MotionVAETraining(),
    "paper": MotionVAETraining(
        model=PRESETS["paper"],
        # Ten times MEVA's rate (1e-4), for a hundredth of its steps.
        loop=LoopConfig(steps=10000, learning_rate=1e-3),
        variation=Variation(reverse=0.5),
        source_power=1.0,
    ),
}


@runtime_checkable
class Autoencoder(Protocol):
    """What ``paper_losses`` asks of a motion autoencoder."""

    def encode(self, rot6d: Windows) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the code."""
        ...

    def decode(self, latent: Tensor) -> Windows:
        """Windows of codes."""
        ...


class MotionSet(NamedTuple):
    """What a training draws from, and what it is judged on."""

    draw: Callable[[int, Generator], Windows]
    """Varied training windows."""
    judged: dict[str, Windows]
    """Split → windows at 30 frames/s, the root in the world."""


class MotionVAEReport(NamedTuple):
    """What was made."""

    path: Path
    figures: dict[str, tuple[Reconstruction, Reconstruction]]
    """Split → errors of the autoencoder, and of principal components of the same dimension."""
    windows: dict[str, int]
    latent: int
    parameters: int

    def lines(self) -> list[str]:
        """For people."""
        return [
            *(
                f"{split}: {self.windows[split]} windows in random camera frames, "
                f"{reconstruction_line(ours)}; {self.latent} principal components "
                f"{reconstruction_line(plain)}"
                for split, (ours, plain) in self.figures.items()
            ),
            f"{self.parameters / 1e6:.2f} million parameters (MEVA's: 6.2 million)",
            f"written: {self.path}",
        ]


def reconstruction_line(errors: Reconstruction) -> str:
    """MPJPE, PA-MPJPE and ACC-ERR for people."""
    return (
        f"MPJPE {errors.mpjpe.mean:.1f} mm, PA {errors.pa_mpjpe.mean:.1f} mm, "
        f"ACC-ERR {errors.acceleration.mean:.1f} mm/frame^2"
    )


def train_as_ordered(order: TrainOrder, progress: Progress = silent) -> list[str]:
    """``motionfield train motion_vae``: weights, card, and the figures in lines."""
    config = replace(TRAININGS[order.preset], seed=order.seed, free_data=order.free_data)
    if order.steps is not None:
        if config.model.form == "linear":
            raise OptionError(
                "train motion_vae: the default is solved, not trained in steps; leave --steps "
                "out, or give --preset paper"
            )
        config = replace(config, loop=replace(config.loop, steps=order.steps))
    data = find_training_data(order.data, order.free_data)
    report = train_motion_vae(data, order.output, config, progress)
    card = Card(
        what=_WHAT.format(frames=config.model.frames, latent=config.model.latent),
        data=f"{data.what}; windows of the train split",
        licence=data.licence,
        credit=data.credit,
        command=order.command,
        size=f"{report.parameters / 1e6:.2f} million parameters (MEVA's: 6.2 million)",
        figures=tuple(report.lines()[:-1]),
        limits=_LIMITS,
    )
    return [*report.lines(), f"card: {write_card(order.output, card)}"]


def train_motion_vae(
    data: TrainingData,
    out_path: Path | str,
    config: MotionVAETraining = MotionVAETraining(),
    progress: Progress = silent,
) -> MotionVAEReport:
    """Train on the train split, write the weights, judge them on all splits.

    Raises:
        InputError: the folder holds a damaged file, or a damaged checkpoint lies beside the
            output.
        OptionError: no clip is as long as a window.
    """
    clips = read_clips(data, load_body(config.body), progress)
    made_of = {"data": data.what, "licence": data.licence, "credit": data.credit}
    return train_on(motion_set(clips, config), Path(out_path), config, made_of, progress)


def read_clips(
    data: TrainingData, body: Body, progress: Progress = silent
) -> dict[str, list[TrainingClip]]:
    """Split → its clips; val and test where there are any.

    Raises:
        InputError: nothing to train on, or a file is damaged.
    """
    return {
        split: list(data.clips((split,), body, progress))
        for split in _STRIDE
        if split == "train" or data.has(split)
    }


def motion_set(clips: Mapping[str, list[TrainingClip]], config: MotionVAETraining) -> MotionSet:
    """Windows of clips by split; trained on is "train", judged what has any.

    Raises:
        OptionError: no clip to train on is as long as a window.
    """
    length = config.model.frames
    pools = [
        collect_windows(clips["train"], rate, length, config.source_power)
        for rate in config.variation.rates_hz
    ]

    def draw(count: int, generator: Generator) -> Windows:
        return draw_windows(pools, count, length, config.variation, generator)

    long = {s: part for s, part in clips.items() if has_window(part, RATE_HZ, length)}
    judged = {
        split: every_window(collect_windows(part, RATE_HZ, length), length, _STRIDE[split])
        for split, part in long.items()
    }
    return MotionSet(draw, judged)


def train_on(
    motions: MotionSet,
    out_path: Path,
    config: MotionVAETraining,
    made_of: Mapping[str, Any],
    progress: Progress = silent,
) -> MotionVAEReport:
    """``train_motion_vae`` on windows at hand; ``made_of`` goes into the file's header."""
    body = load_body(config.body)
    vae = trained(motions, out_path, config, body, progress)
    vae.save(out_path, {"training": asdict(config), **made_of})
    finish(out_path)
    vae = MotionVAE.load(out_path)
    generator = torch.Generator().manual_seed(config.seed)
    plain = principal_components(motions.draw(config.plain_windows, generator), config.model.latent)
    figures = {
        split: (judge(vae.autoencode, windows, body), judge(plain.autoencode, windows, body))
        for split, windows in motions.judged.items()
    }
    count = {split: len(windows) for split, windows in motions.judged.items()}
    numbers = sum(tensor.numel() for tensor in vae.state_dict().values())
    return MotionVAEReport(out_path, figures, count, config.model.latent, numbers)


def trained(
    motions: MotionSet,
    out_path: Path,
    config: MotionVAETraining,
    body: Body,
    progress: Progress = silent,
) -> MotionVAE:
    """The autoencoder after its training, as yet unwritten."""
    torch.manual_seed(config.seed)
    vae = MotionVAE(config.model)
    if isinstance(vae.code, LinearCode):
        generator = torch.Generator().manual_seed(config.seed)
        fit_linear(
            vae.code,
            lambda count: motions.draw(count, generator),
            config.linear_windows,
            joint_weights(body),
            progress,
        )
    else:
        losses = paper_losses(vae, motions, config)
        train(vae, losses, config.loop, out_path, config.seed, progress)
    return vae.eval().requires_grad_(False)


def judge(autoencode: Callable[[Windows], Windows], windows: Windows, body: Body) -> Reconstruction:
    """Errors of windows in random camera frames, the same ones at every call."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        return reconstruction_error(autoencode, windows, body, generator, cameras=1)


def paper_losses(
    vae: Autoencoder, motions: MotionSet, config: MotionVAETraining
) -> Callable[[Generator], Losses]:
    """MEVA's terms: sums over a window's values, means over windows."""

    def losses(generator: Generator) -> Losses:
        windows = motions.draw(config.batch, generator)
        mean, std = vae.encode(windows)
        back = vae.decode(mean + std * torch.randn(mean.shape, generator=generator))
        error = (back - windows).square()
        return {
            "all": error.sum() / config.batch,
            "root": config.root * error[:, :, 0].sum() / config.batch,
            "divergence": config.divergence * divergence_of(mean, std).mean(),
        }

    return losses
