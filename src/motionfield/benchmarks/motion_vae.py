"""The motion autoencoder that ships against principal components of the same dimension.

``motionfield benchmark motion_vae --data DIR``, where DIR holds motions to train on: windows of 90
frames of every split, in random camera frames. Beside plain principal components of the training
windows stand those of ours cut to fewer numbers, which its basis is ordered for.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch

from motionfield.body.registry import load_body
from motionfield.core.progress import Progress, silent
from motionfield.priors.motion_vae import MotionVAE
from motionfield.steps.evaluate.reconstruction import Reconstruction
from motionfield.training.motion_data import find_training_data
from motionfield.training.motion_vae import (
    TRAININGS,
    MotionSet,
    Windows,
    judge,
    motion_set,
    read_clips,
)
from motionfield.training.motion_vae_linear import principal_components

SPLITS: Final = ("train", "val", "test")
SIZES: Final = (128, 512)


@dataclass(frozen=True)
class MotionVAEReport:
    """All figures."""

    title: str
    rows: dict[str, dict[str, Reconstruction]] = field(default_factory=dict)
    """Who autoencodes → split → errors."""

    def table(self) -> str:
        """For people, in markdown."""
        heads = " | ".join(f"{s}: MPJPE | PA | ACC" for s in SPLITS)
        lines = [f"| {self.title} | {heads} |", "|---" * (1 + 3 * len(SPLITS)) + "|"]
        for name, by_split in self.rows.items():
            cells = [f"{v:.1f}" for split in SPLITS for v in _means(by_split[split])]
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
        return "\n".join(lines)

    def summary(self) -> dict[str, Any]:
        """Plain data."""
        return {
            name: {split: _means(errors) for split, errors in by_split.items()}
            for name, by_split in self.rows.items()
        }


def _means(errors: Reconstruction) -> tuple[float, float, float]:
    return errors.mpjpe.mean, errors.pa_mpjpe.mean, errors.acceleration.mean


def measure_motion_vae(data: Path, progress: Progress = silent) -> MotionVAEReport:
    """The one that ships, cut to several sizes, and principal components of those sizes.

    Raises:
        InputError: the folder holds no motions, or none of a split.
    """
    config, body = TRAININGS["default"], load_body("anny")
    clips = read_clips(find_training_data(data), body, progress)
    motions = motion_set(clips, config)
    vae = MotionVAE.load()
    report = MotionVAEReport("MPJPE, PA-MPJPE: mm; ACC-ERR: mm/frame^2")
    for size in SIZES:

        def cut(windows: Windows, size: int = size) -> Windows:
            code = vae.encode(windows)[0].clone()
            code[:, size:] = 0
            return vae.decode(code)

        report.rows[f"ours, {size} numbers"] = {
            split: judge(cut, windows, body) for split, windows in motions.judged.items()
        }
    for size in SIZES:
        report.rows[f"principal components, {size}"] = plain_errors(motions, size)
    return report


def plain_errors(motions: MotionSet, size: int, count: int = 9000) -> dict[str, Reconstruction]:
    """Split → errors of plain principal components of the training windows."""
    body, generator = load_body("anny"), torch.Generator().manual_seed(0)
    plain = principal_components(motions.draw(count, generator), size)
    return {
        split: judge(plain.autoencode, windows, body) for split, windows in motions.judged.items()
    }
