"""How MEVA's keypoint network was made: ``motionfield train meva --data DIR``.

Mocap seen by random cameras through the made detector (``meva_data``), on the fly; losses in
``meva_losses``; the motion autoencoder's decoder is frozen (paper, section 3.3).
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor, nn

from motionfield.body.base import Body
from motionfield.body.registry import load_body
from motionfield.core.errors import OptionError
from motionfield.core.progress import Progress, silent
from motionfield.priors.motion_vae import MotionVAE
from motionfield.steps.lift.meva.network import MevaConfig, MevaNetwork
from motionfield.training.card import Card, write_card
from motionfield.training.loop import LoopConfig, Losses, finish, train
from motionfield.training.meva_data import TakeMaker, TakeMix
from motionfield.training.meva_judge import (
    MevaFigures,
    deviation_factors,
    held_out_windows,
    judge,
)
from motionfield.training.meva_losses import MevaLossWeights, guess_losses, meva_losses
from motionfield.training.meva_windows import TakePool, WindowConfig, draw_windows
from motionfield.training.motion_data import TrainingClip, TrainingData, find_training_data
from motionfield.training.order import TrainOrder

_WHAT: Final = (
    "MEVA's regressor (Luo et al., ACCV 2020) on keypoint features: 90 frames of 2D keypoints, "
    "with the detector's coarse 3D or without, become a motion of the body, its shape, where it "
    "stands before the camera, foot contacts, gravity, velocity and deviations. Holds the frozen "
    "decoder of motion_vae.safetensors. Read by `motionfield run` (docs/meva.md)."
)
_LIMITS: Final = (
    "People stand, walk, play tennis, exercise and dance in the data; other actions, children and "
    "several people in close contact were never seen. Hands are straight. It was trained on made "
    "keypoints alone, with the errors of one detector (BlazePose)."
)


@dataclass(frozen=True)
class MevaTraining:
    """What goes in and how it is trained."""

    seed: int = 0
    body: str = "anny"
    free_data: bool = False
    model: MevaConfig = field(default_factory=MevaConfig)
    loop: LoopConfig = field(
        default_factory=lambda: LoopConfig(
            steps=20000,
            learning_rate=6e-4,
            weight_decay=1e-4,
            clip_norm=1.0,
            warmup_steps=200,
            decay_share=0.35,
        )
    )
    windows: WindowConfig = field(default_factory=WindowConfig)
    mix: TakeMix = field(default_factory=TakeMix)
    weights: MevaLossWeights = field(default_factory=MevaLossWeights)


class MevaReport(NamedTuple):
    """What was made."""

    path: Path
    figures: dict[str, MevaFigures]
    parameters: int

    def lines(self) -> list[str]:
        """For people."""
        return [
            *(figures.line(split) for split, figures in self.figures.items()),
            f"{self.parameters / 1e6:.2f} million parameters",
            f"written: {self.path}",
        ]


class _Trained(nn.Module):
    """The network and how many steps it has been trained: a checkpoint keeps both."""

    steps: Tensor

    def __init__(self, network: MevaNetwork) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))


def train_as_ordered(order: TrainOrder, progress: Progress = silent) -> list[str]:
    """``motionfield train meva``: weights, card, and the figures in lines."""
    if order.preset == "paper":
        raise OptionError(
            "train meva: --preset paper: the published network reads image features; "
            "train it by train meva_images"
        )
    config = MevaTraining(seed=order.seed, free_data=order.free_data)
    if order.steps is not None:
        config = replace(config, loop=replace(config.loop, steps=order.steps))
    data = find_training_data(order.data, order.free_data)
    report = train_meva(data, order.output, config, progress)
    card = Card(
        what=_WHAT,
        data=f"{data.what}; the train split, seen by made cameras and a made detector",
        licence=data.licence,
        credit=data.credit,
        command=order.command,
        size=f"{report.parameters / 1e6:.2f} million parameters (MEVA's: 65 million)",
        figures=tuple(report.lines()[:-1]),
        limits=_LIMITS,
    )
    return [*report.lines(), f"card: {write_card(order.output, card)}"]


def train_meva(
    data: TrainingData,
    out_path: Path,
    config: MevaTraining = MevaTraining(),
    progress: Progress = silent,
) -> MevaReport:
    """Train on the train split, write the weights, judge them on val and test.

    Raises:
        InputError: damaged data, or a checkpoint of another training lies beside the output.
        MissingAssetError: there is no motion autoencoder.
    """
    body = load_body(config.body)
    network = start_network(body, config)
    trained = _Trained(network)
    clips = list(data.clips(("train",), body, progress))
    losses = losses_of(trained, clips, body, config)
    made_of: dict[str, Any] = {"training": asdict(config), "data": data.what}
    train(trained, losses, config.loop, out_path, config.seed, progress, made_of=made_of)
    network.eval().requires_grad_(False)
    windows = {
        split: held_out_windows(list(data.clips((split,), body, progress)), body)
        for split in ("val", "test")
    }
    # Val subjects alone: test stays what nothing was fitted to.
    network.sd_factor.copy_(deviation_factors(network, windows["val"]))
    network.save(out_path, made_of | {"licence": data.licence, "credit": data.credit})
    finish(out_path)
    shipped = MevaNetwork.load(body, out_path)
    figures = {split: judge(shipped, part) for split, part in windows.items()}
    return MevaReport(out_path, figures, sum(p.numel() for p in network.parameters()))


def start_network(body: Body, config: MevaTraining) -> MevaNetwork:
    """A network with the shipped autoencoder's decoder in place, unless it is to have its own."""
    vae = MotionVAE.load()
    torch.manual_seed(config.seed)
    network = MevaNetwork(body, replace(config.model, vae=vae.config))
    if not config.model.own_decoder:
        network.decoder.load_state_dict(vae.state_dict())
    return network


def losses_of(
    trained: _Trained, clips: Sequence[TrainingClip], body: Body, config: MevaTraining
) -> Callable[[torch.Generator], Losses]:
    """What ``loop.train`` minimises."""
    pool = TakePool(TakeMaker(clips, body, config.seed, config.mix), config.windows)

    def losses(generator: torch.Generator) -> Losses:
        step = int(trained.steps)
        trained.steps += 1
        features, truth = draw_windows(pool.at(step), step, config.windows, generator)
        if step < config.windows.look_steps:
            return guess_losses(trained.network.look(features)[1], truth, config.weights)
        return meva_losses(trained.network.stages(features), truth, features, config.weights)

    return losses
