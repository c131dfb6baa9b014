"""What a training is asked to do, whatever it trains: the options of ``motionfield train``."""

import shlex
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from motionfield.core.errors import OutputError

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

    def check_output(self) -> None:
        """Find out before the training whether its result can be written.

        Raises:
            OutputError: it cannot; no hour is spent in vain.
        """
        cure = "give -o a file in a folder that is there and writable"
        if self.output.is_dir():
            raise OutputError(self.output, "is a folder", cure)
        try:
            self.output.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.output.parent):
                pass
        except OSError as error:
            raise OutputError(self.output, f"cannot be written ({error.strerror})", cure) from error
