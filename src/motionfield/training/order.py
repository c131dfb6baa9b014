"""What a training is asked to do, whatever it trains: the options of ``motionfield train``."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Preset = Literal["default", "paper"]
"""The size that ships, or the paper's."""


@dataclass(frozen=True)
class TrainOrder:
    """One training."""

    name: str
    """As ``motionfield train`` knows it."""
    data: Path
    """Folder of motions (``motion_data.read_training_clips``) or of a data set."""
    output: Path
    """Weights; ``output.with_suffix(".md")`` becomes their card."""
    seed: int = 0
    free_data: bool = False
    """Only data that is free for all uses."""
    steps: int | None = None
    """None: as many as the preset has."""
    preset: Preset = "default"

    @property
    def command(self) -> str:
        """The command line that gives the same weights, for the card."""
        words = ["motionfield", "train", self.name, "--data", "DIR"]
        words += ["--free-data"] * self.free_data
        words += [] if self.steps is None else ["--steps", str(self.steps)]
        words += ["--seed", str(self.seed)] if self.seed else []
        words += ["--preset", self.preset] if self.preset != "default" else []
        return shlex.join(words)
