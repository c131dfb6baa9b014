"""Windows of made takes: what MEVA's network is shown at each step of its training."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import torch
from torch import Tensor

from motionfield.steps.lift.meva.features import WINDOW, CropFeatures
from motionfield.steps.lift.meva.windows import cut
from motionfield.training.meva_data import Example, TakeMaker, Truth

_LEAST_INSIDE: Final = 30
"""A window reaches so far into its take at least."""
_WHOLE: Final = 0.8
"""Of windows of takes that are long enough so many lie within."""


class Windows(NamedTuple):
    """What is seen, and what is true."""

    features: CropFeatures
    truth: Truth


@dataclass(frozen=True)
class WindowConfig:
    """How many takes are at hand, and what is left out of their windows at random."""

    batch: int = 8
    """Windows per step."""
    look_steps: int = 12000
    """At first the STE alone learns to place points, for so many steps, on short pieces: they show
    more poses and cameras, and no body has to be posed …"""
    look_frames: int = 30
    """… of so many frames …"""
    look_batch: int = 48
    """… and so many of them per step."""
    takes: int = 2000
    """So many takes are at hand at most; the oldest go first."""
    first_takes: int = 200
    steps_per_take: int = 2
    """So many steps until the next take is made."""
    no_coarse: float = 0.4
    """Share of windows without coarse 3D."""
    no_turning: float = 0.3
    """Share of windows in which the camera's turning is not told."""


class TakePool:
    """The takes at hand at each step; what they are depends on seed and step alone."""

    def __init__(self, maker: TakeMaker, config: WindowConfig) -> None:
        self._maker = maker
        self._config = config
        self._takes: deque[Example] = deque(maxlen=config.takes)
        self._next = 0

    def at(self, step: int) -> Sequence[Example]:
        """The takes of a step; steps come in order, the first one may be any."""
        last = self._config.first_takes + step // self._config.steps_per_take
        self._next = max(self._next, last - self._config.takes)
        while self._next < last:
            self._takes.append(self._maker.make(self._next))
            self._next += 1
        return self._takes


def draw_windows(
    takes: Sequence[Example], step: int, config: WindowConfig, generator: torch.Generator
) -> Windows:
    """Random windows of random takes, mirrored or not, with or without coarse 3D."""
    short = step < config.look_steps
    length, batch = WINDOW, config.batch
    if short:
        length, batch = config.look_frames, config.look_batch

    def whole(below: int) -> int:
        return int(torch.randint(below, (), generator=generator))

    def share(size: float) -> bool:
        return float(torch.rand((), generator=generator)) < size

    def one() -> Windows:
        take = takes[whole(len(takes))]
        frames = len(take.truth.known)
        starts = frames - min(_LEAST_INSIDE, frames) + 1
        if frames >= length and (short or share(_WHOLE)):
            starts = frames - length + 1
        drawn = window_of(take, whole(starts), length)
        if share(0.5):
            return Windows(drawn.features.mirrored(), drawn.truth.mirrored())
        return drawn

    def kept(left_out: float) -> Tensor:
        return (torch.rand(batch, 1, generator=generator) >= left_out).float()

    features, truth = stack([one() for _ in range(batch)])
    coarse = kept(config.no_coarse)
    features = features._replace(
        coarse_known=features.coarse_known * coarse,
        turning_known=features.turning_known * kept(config.no_turning),
    )
    return Windows(features, truth)


def window_of(take: Example, start: int, length: int = WINDOW) -> Windows:
    """``length`` frames from ``start`` on; frames after the take's end are not seen."""
    windows = cut(take.features, torch.tensor([start]), length)
    at = torch.arange(start, start + length)
    count = len(take.truth.known)
    truth = Truth(*(value[at.clamp_max(count - 1)] for value in take.truth))
    inside = (at < count).float()
    return Windows(
        CropFeatures(*(value[0] for value in windows)),
        truth._replace(known=truth.known * inside),
    )


def stack(windows: Sequence[Windows]) -> Windows:
    """Many windows as one batch."""
    features = zip(*(window.features for window in windows), strict=True)
    truth = zip(*(window.truth for window in windows), strict=True)
    return Windows(
        CropFeatures(*(torch.stack(parts) for parts in features)),
        Truth(*(torch.stack(parts) for parts in truth)),
    )
