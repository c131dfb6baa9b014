"""Figures of many takes: means over actions, and how sure they are.

A take's figure counts within its clip, the clips of an action count alike, and so do the actions:
a long or an often repeated action weighs no more than another.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

DRAWS: Final = 2000
_COVERAGE: Final = 0.95


class Sample(NamedTuple):
    """One take's figure."""

    action: str
    clip: str
    """Takes of one clip (several cameras, say) are drawn together."""
    value: float


class Estimate(NamedTuple):
    """A mean over actions with its bootstrap interval; NaN where there is none (one clip)."""

    mean: float
    low: float
    high: float
    takes: int
    clips: int
    actions: int


def estimate(samples: Sequence[Sample], seed: int = 0, draws: int = DRAWS) -> Estimate:
    """The mean over actions and its 95 % interval over clips.

    Clips are drawn with replacement within their action. Actions of which there is only one clip
    are drawn among each other instead: otherwise they would seem to be known exactly.

    Args:
        samples: takes whose value is not finite are left out.
    """
    used = [sample for sample in samples if np.isfinite(sample.value)]
    if not used:
        return Estimate(*(float("nan"),) * 3, 0, 0, 0)
    by_action = clip_means(used)
    mean = float(np.mean([values.mean() for values in by_action]))
    clips = sum(len(values) for values in by_action)
    low = high = float("nan")
    if clips > 1:
        drawn = _bootstrap(by_action, np.random.default_rng(seed), draws)
        tail = (1 - _COVERAGE) / 2
        low, high = (float(edge) for edge in np.quantile(drawn, (tail, 1 - tail)))
    return Estimate(mean, low, high, len(used), clips, len(by_action))


def clip_means(samples: Sequence[Sample]) -> list[Float[ndarray, "_"]]:
    """Per action (in the order of their names) the mean of each clip."""
    found: dict[str, dict[str, list[float]]] = {}
    for sample in samples:
        found.setdefault(sample.action, {}).setdefault(sample.clip, []).append(sample.value)
    return [
        np.array([np.mean(found[action][clip]) for clip in sorted(found[action])])
        for action in sorted(found)
    ]


def _bootstrap(
    by_action: Sequence[Float[ndarray, "_"]], rng: np.random.Generator, draws: int
) -> Float[ndarray, "draws"]:
    """Means over actions of clips drawn anew."""
    total = np.zeros(draws)
    for values in by_action:
        if len(values) > 1:
            total += values[_drawn(rng, draws, len(values))].mean(1)
    lone = np.array([values[0] for values in by_action if len(values) == 1])
    if len(lone):
        total += lone[_drawn(rng, draws, len(lone))].sum(1)
    return total / len(by_action)


def _drawn(rng: np.random.Generator, draws: int, count: int) -> Int[ndarray, "draws count"]:
    return rng.integers(count, size=(draws, count))
