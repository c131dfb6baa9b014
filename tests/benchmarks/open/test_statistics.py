"""Means over actions, and the bootstrap against a naive twin."""

import math

import numpy as np
import pytest

from motionfield.benchmarks.open.statistics import Estimate, Sample, clip_means, estimate


def samples(**actions: list[float]) -> list[Sample]:
    """One clip per value."""
    return [
        Sample(action, f"{action}{index}", value)
        for action, values in actions.items()
        for index, value in enumerate(values)
    ]


def naive_interval(values: dict[str, list[float]], draws: int, seed: int) -> tuple[float, float]:
    """A loop over draws, actions and clips; lone clips are drawn among each other."""
    rng = np.random.default_rng(seed)
    lone = [v[0] for v in values.values() if len(v) == 1]
    means = []
    for _ in range(draws):
        drawn = []
        for own in values.values():
            pool = own if len(own) > 1 else lone
            count = len(own)
            drawn.append(sum(pool[int(rng.integers(len(pool)))] for _ in range(count)) / count)
        means.append(sum(drawn) / len(drawn))
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def test_actions_count_alike_however_many_clips_they_have() -> None:
    found = estimate(samples(walk=[10.0] * 9, run=[30.0]))
    assert found.mean == pytest.approx(20.0)
    assert (found.takes, found.clips, found.actions) == (10, 10, 2)


def test_clips_count_alike_however_many_takes_they_have() -> None:
    views = [Sample("walk", "a", value) for value in (1.0, 2.0, 3.0)]
    assert estimate([*views, Sample("walk", "b", 8.0)]).mean == pytest.approx(5.0)


@pytest.mark.parametrize(
    "values",
    [
        {"walk": [40.0, 50.0, 70.0, 90.0], "run": [80.0, 120.0, 100.0]},
        {"walk": [40.0, 50.0, 70.0, 90.0], "run": [130.0], "jump": [60.0], "roll": [95.0]},
        {"run": [130.0], "jump": [60.0], "roll": [95.0]},
    ],
)
def test_the_interval_agrees_with_a_naive_twin(values: dict[str, list[float]]) -> None:
    found = estimate(samples(**values), seed=3, draws=4000)
    low, high = naive_interval(values, draws=4000, seed=5)
    assert found.low == pytest.approx(low, abs=2.0)
    assert found.high == pytest.approx(high, abs=2.0)
    assert found.low < found.mean < found.high


def test_takes_of_one_clip_are_drawn_together() -> None:
    """Copies of a clip's takes say nothing new: the interval stays as wide."""
    once = samples(walk=[40.0, 50.0, 70.0, 90.0])
    often = [sample for sample in once for _ in range(20)]
    a, b = (estimate(found, draws=4000) for found in (once, often))
    assert (b.low, b.high) == pytest.approx((a.low, a.high), abs=1e-9)


def test_one_clip_has_no_interval() -> None:
    found = estimate(samples(walk=[40.0]))
    assert found.mean == 40.0
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_what_is_missing_never_becomes_a_number() -> None:
    found = estimate(samples(walk=[40.0, math.nan], run=[math.nan]))
    assert (found.mean, found.takes, found.actions) == (40.0, 1, 1)
    nothing = estimate(samples(run=[math.nan]))
    assert math.isnan(nothing.mean)
    assert nothing.takes == 0


def test_the_seed_decides() -> None:
    values = samples(walk=list(np.random.default_rng(0).normal(50, 10, 30)))
    first, again, other = (estimate(values, seed=seed) for seed in (1, 1, 2))
    assert isinstance(first, Estimate)
    assert first == again
    assert first.low != other.low or first.high != other.high


def test_the_order_of_samples_does_not_matter() -> None:
    values = samples(walk=[40.0, 50.0, 70.0], run=[80.0, 120.0])
    assert estimate(values) == estimate(values[::-1])
    assert [len(v) for v in clip_means(values[::-1])] == [2, 3]
