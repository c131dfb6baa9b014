"""What each augmentation is worth to MEVA's motion autoencoder (its Table 3), at a small size.

``motionfield benchmark motion_vae_ablation --data DIR``: MEVA's network with 128 units for 512,
every row trained by itself for the same 700 steps, about 3 minutes of one free core. Two
rows exchange one half of the network for the linear code that ships, to tell which half loses
what.
"""

import dataclasses
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn

from motionfield.benchmarks.motion_vae import MotionVAEReport, plain_errors
from motionfield.body.base import Body
from motionfield.body.registry import load_body
from motionfield.core.progress import Progress, silent
from motionfield.priors.motion_vae import MotionVAE, MotionVAEConfig
from motionfield.steps.evaluate.reconstruction import Reconstruction
from motionfield.training.loop import LoopConfig, train
from motionfield.training.motion_data import find_training_data
from motionfield.training.motion_sources import TrainingClip
from motionfield.training.motion_vae import (
    MotionVAETraining,
    Windows,
    judge,
    motion_set,
    paper_losses,
    read_clips,
    trained,
)
from motionfield.training.motion_variation import Variation

SMALL: Final = MotionVAEConfig(form="recurrent", hidden=128)
BUDGET: Final = LoopConfig(steps=700, learning_rate=1.5e-3)
_ALL: Final = Variation()
_ONE_RATE: Final = (30.0,)
VARIATIONS: Final = {
    "none": Variation(rates_hz=_ONE_RATE, flip=0, random_root=False),
    "RR": Variation(rates_hz=_ONE_RATE, flip=0),
    "FR+LR": Variation(random_root=False),
    "FR+LR+RR": _ALL,
}
"""Table 3's rows: speed (FR), left-right flip (LR), random root (RR)."""


class Mixed(nn.Module):
    """The encoder of one autoencoder and the decoder of another."""

    def __init__(self, encoder: MotionVAE, decoder: MotionVAE) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def encode(self, rot6d: Windows) -> tuple[Tensor, Tensor]:
        """Mean and deviation of the code."""
        mean, std = self.encoder.encode(rot6d)
        return mean, std

    def decode(self, latent: Tensor) -> Windows:
        """Windows of codes."""
        windows: Tensor = self.decoder.decode(latent)
        return windows

    def autoencode(self, rot6d: Windows) -> Windows:
        """Encode, take the mean, decode."""
        return self.decode(self.encode(rot6d)[0])


class Trial(NamedTuple):
    """What every row shares."""

    clips: Mapping[str, list[TrainingClip]]
    body: Body
    budget: LoopConfig
    model: MotionVAEConfig
    progress: Progress
    plain_windows: int = 9000


def measure_motion_vae_ablation(data: Path, progress: Progress = silent) -> MotionVAEReport:
    """Table 3 and the exchanged halves.

    Raises:
        InputError: the folder holds no motions, or none of a split.
    """
    body = load_body("anny")
    clips = read_clips(find_training_data(data), body, progress)
    return ablation(Trial(clips, body, BUDGET, SMALL, progress), MotionVAE.load())


def ablation(trial: Trial, linear: MotionVAE) -> MotionVAEReport:
    """``measure_motion_vae_ablation`` of clips at hand."""
    size = f"{trial.model.hidden} units, {trial.budget.steps} steps"
    report = MotionVAEReport(f"MEVA's network, {size}")
    for name, variation in VARIATIONS.items():
        report.rows[name] = run_row(trial, variation)
    narrow = trial._replace(model=dataclasses.replace(trial.model, first_std=0.05))
    report.rows["all, codes narrow at first"] = run_row(narrow, _ALL)
    report.rows["all, linear encoder"] = run_row(trial, _ALL, encoder=linear)
    report.rows["all, linear decoder"] = run_row(trial, _ALL, decoder=linear)
    whole = motion_set(trial.clips, _training(trial, _ALL))
    name = f"principal components, {trial.model.latent}"
    report.rows[name] = plain_errors(whole, trial.model.latent, trial.plain_windows)
    return report


def run_row(
    trial: Trial,
    variation: Variation,
    encoder: MotionVAE | None = None,
    decoder: MotionVAE | None = None,
) -> dict[str, Reconstruction]:
    """Train one row, or the half of it that is not given, and judge it on all splits."""
    config = _training(trial, variation)
    motions = motion_set(trial.clips, config)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "row.safetensors"
        if encoder is None and decoder is None:
            autoencode = trained(motions, out, config, trial.body, trial.progress).autoencode
        else:
            torch.manual_seed(config.seed)
            fresh = MotionVAE(config.model)
            mixed = Mixed(encoder or fresh, decoder or fresh)
            losses = paper_losses(mixed, motions, config)
            train(mixed, losses, config.loop, out, config.seed, trial.progress)
            autoencode = mixed.eval().autoencode
    return {
        split: judge(autoencode, windows, trial.body) for split, windows in motions.judged.items()
    }


def _training(trial: Trial, variation: Variation) -> MotionVAETraining:
    return MotionVAETraining(
        model=trial.model,
        loop=dataclasses.replace(trial.budget),
        variation=variation,
        source_power=1.0,
    )
