"""One loop for all that is trained by gradients: schedule, checkpoints, curve.

A run that was cut goes on at its last checkpoint with the same draws, to the same result.
"""

import csv
import io
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from motionfield.core.errors import InputError, OptionError
from motionfield.core.history import make_key
from motionfield.core.progress import Progress, silent
from motionfield.data.record import write_whole
from motionfield.training.curve_plot import draw_curve

_CURVE_EVERY: Final = 20
_NEW: Final = "remove the file to train from the start"

Losses = dict[str, Float[Tensor, ""]]
"""Terms by name; their sum is minimised."""


@dataclass(frozen=True)
class LoopConfig:
    """How long and how fast."""

    steps: int
    learning_rate: float = 1e-3
    final_share: float = 0.01
    """Share of the rate that is left at the end."""
    warmup_steps: int = 0
    """Over so many the rate rises."""
    decay_share: float | None = None
    """The rate falls in a straight line over the last share of all steps; None: as a half cosine
    over all."""
    weight_decay: float = 0.0
    clip_norm: float = 5.0
    checkpoint_s: float = 120.0


@dataclass(frozen=True)
class Plateau:
    """A rate that falls where a judge sees no more gain; in the place of the cosine."""

    every: int = 500
    """Steps between two judgements (an "epoch")."""
    factor: float = 0.1
    patience: int = 5
    """Judgements without gain that are borne."""


@dataclass
class Curve:
    """Means of the loss terms over stretches of steps."""

    names: list[str] = field(default_factory=list)
    rows: list[list[float]] = field(default_factory=list)
    """Step, then the terms; NaN for those that were not in use."""

    def add(self, step: int, terms: dict[str, float]) -> None:
        """A row; a training may change its terms on the way."""
        new = [name for name in terms if name not in self.names]
        self.names += new
        for row in self.rows:
            row += [math.nan] * len(new)
        self.rows.append([float(step), *(terms.get(name, math.nan) for name in self.names)])

    def text(self) -> str:
        """As csv."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["step", *self.names])
        writer.writerows([int(row[0]), *(f"{v:.6g}" for v in row[1:])] for row in self.rows)
        return out.getvalue()


def train(
    model: nn.Module,
    losses: Callable[[torch.Generator], Losses],
    config: LoopConfig,
    output: Path,
    seed: int = 0,
    progress: Progress = silent,
    judged: tuple[Plateau, Callable[[], float]] | None = None,
    made_of: Any = None,
) -> Curve:
    """Minimise the sum of ``losses`` over the model's parameters with Adam.

    Args:
        model: left in training mode.
        losses: terms of one step; all its chance comes from the generator and torch's own.
        config: see there.
        output: of the weights; ``<output>.checkpoint`` lies beside it while training, and
            ``<output>.curve.csv`` and ``.png`` afterwards.
        seed: of the draws. The model's start is the caller's.
        judged: when to judge the model (then in evaluation mode), and the error that falls;
            the rate follows it, and the model ends with the weights that it found best.
        made_of: plain data or configs that say which model is trained on what: a checkpoint of
            anything else is refused.

    Raises:
        InputError: a checkpoint is there that is damaged or of another training.
        OptionError: the losses are no numbers any more.
    """
    optimiser = torch.optim.AdamW(
        (p for p in model.parameters() if p.requires_grad),
        lr=config.learning_rate,
        weight_decay=config.weight_decay,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _share(step, config))
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)  # of dropout, which takes no generator
    parts: dict[str, Any] = {"model": model, "optimiser": optimiser}
    key, judge = make_key(config, seed, made_of), None
    if judged is not None:
        judge = _Judge(model, optimiser, *judged)
        parts["judge"], key = judge, make_key(key, judged[0])
    else:
        parts["schedule"] = schedule
    store = _Checkpoint(output.with_suffix(output.suffix + ".checkpoint"), key)
    curve = Curve()
    step = store.load(parts, generator, curve)
    model.train()
    saved = time.monotonic()
    sums: dict[str, float] = {}
    with progress(f"train {output.stem}", config.steps, "step") as bar:
        bar.advance(step)
        while step < config.steps:
            terms = losses(generator)
            optimiser.zero_grad(set_to_none=True)
            torch.stack(list(terms.values())).sum().backward()
            nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm)
            optimiser.step()
            step += 1
            if judge is None:
                schedule.step()
            else:
                judge.look(step)
            bar.advance()
            for name, value in terms.items():
                sums[name] = sums.get(name, 0.0) + float(value.detach()) / _CURVE_EVERY
            if step % _CURVE_EVERY == 0:
                if not all(map(math.isfinite, sums.values())):
                    fault = f"train {output.stem}: the losses are no numbers at step {step}"
                    raise OptionError(f"{fault}; train with another --seed")
                curve.add(step, sums)
                sums = {}
                # Only where the sums are empty: they are no part of a checkpoint.
                if time.monotonic() - saved > config.checkpoint_s:
                    store.save(parts, generator, curve, step)
                    saved = time.monotonic()
    write_whole(output.with_suffix(".curve.csv"), curve.text().encode())
    draw_curve(curve.names, curve.rows, output.with_suffix(".curve.png"))
    if judge is not None:
        judge.give_best()
    return curve


def _share(step: int, config: LoopConfig) -> float:
    """Of the rate after so many steps."""
    warm = min(1.0, (step + 1) / max(config.warmup_steps, 1))
    left = max(config.steps - step, 0) / config.steps
    if config.decay_share is None:
        cosine = 0.5 * (1 + math.cos(math.pi * (1 - left)))
        return warm * (config.final_share + (1 - config.final_share) * cosine)
    return warm * max(config.final_share, min(1.0, left / config.decay_share))


class _Judge:
    """Lowers the rate on plateaus and keeps the best weights."""

    def __init__(
        self,
        model: nn.Module,
        optimiser: torch.optim.Optimizer,
        plateau: Plateau,
        error: Callable[[], float],
    ) -> None:
        self._model, self._error, self._every = model, error, plateau.every
        self._schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimiser, factor=plateau.factor, patience=plateau.patience
        )
        self._least = math.inf
        self._best: dict[str, Any] = {}

    def look(self, step: int) -> None:
        """Judge, if it is time."""
        if step % self._every:
            return
        self._model.eval()
        with torch.no_grad():
            error = self._error()
        self._model.train()
        self._schedule.step(error)
        if error < self._least:
            self._least = error
            self._best = {n: t.clone() for n, t in self._model.state_dict().items()}

    def give_best(self) -> None:
        """Give the model its best weights back; those it has if it never was judged."""
        if self._best:
            self._model.load_state_dict(self._best)

    def state_dict(self) -> dict[str, Any]:
        schedule = self._schedule.state_dict()
        return {"schedule": schedule, "least": self._least, "best": self._best}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._schedule.load_state_dict(state["schedule"])
        self._least, self._best = state["least"], state["best"]


@dataclass(frozen=True)
class _Checkpoint:
    """The file from which a cut training goes on."""

    path: Path
    key: str

    def save(
        self, parts: dict[str, Any], generator: torch.Generator, curve: Curve, step: int
    ) -> None:
        content = {
            "key": self.key,
            "step": step,
            "parts": {name: part.state_dict() for name, part in parts.items()},
            "chance": [generator.get_state(), torch.get_rng_state()],
            "curve": [curve.names, curve.rows],
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        out = io.BytesIO()
        torch.save(content, out)
        write_whole(self.path, out.getvalue())

    def load(self, parts: dict[str, Any], generator: torch.Generator, curve: Curve) -> int:
        """The step to go on at; 0 where there is no checkpoint."""
        if not self.path.exists():
            return 0
        try:
            content = torch.load(self.path, weights_only=True)
            if content["key"] != self.key:
                raise InputError(self.path, "is of a training with other options", _NEW)
            for name, part in parts.items():
                part.load_state_dict(content["parts"][name])
            generator.set_state(content["chance"][0])
            torch.set_rng_state(content["chance"][1])
            curve.names, curve.rows = content["curve"]
            return int(content["step"])
        except (UnpicklingError, RuntimeError, LookupError, ValueError, EOFError) as error:
            raise InputError(self.path, f"is a damaged checkpoint ({error})", _NEW) from error

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)


def finish(output: Path) -> None:
    """Remove the checkpoint once the weights are written."""
    _Checkpoint(output.with_suffix(output.suffix + ".checkpoint"), "").remove()
