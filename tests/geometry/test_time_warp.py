"""Dynamic time warping against its definition."""

import numpy as np
import pytest
from jaxtyping import Float
from numpy import ndarray

from motionfield.geometry.time_warp import warp_paths

RNG = np.random.default_rng(0)


def naive_cost(
    table: Float[ndarray, "first second"], hold: float, skip: float, weight: ndarray
) -> float:
    """Cell by cell, row by row."""
    first, second = table.shape
    a, b = 0.5 / first, 0.5 / second
    total = np.full((first, second), np.inf)
    for i in range(first):
        for j in range(second):
            ways = []
            if i == 0 and j == 0:
                ways.append((a + b) * table[0, 0])
            elif i == 0:
                ways.append(skip * b * weight[:j].sum() + (a + b) * table[i, j])
            elif j == 0:
                ways.append(skip * a * i + (a + b) * table[i, j])
            if i and j:
                ways.append(total[i - 1, j - 1] + (a + b) * table[i, j])
            if i:
                ways.append(total[i - 1, j] + a * (table[i, j] + hold))
            if j:
                ways.append(total[i, j - 1] + b * (table[i, j] + hold))
            total[i, j] = min(ways)
    ends = [total[i, -1] + skip * a * (first - 1 - i) for i in range(first)]
    ends += [total[-1, j] + skip * b * weight[j + 1 :].sum() for j in range(second)]
    return min(ends)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (6, 1), (7, 9), (12, 8)])
@pytest.mark.parametrize("skip", [0.2, 1e6])
def test_cost_is_the_naive_one(shape: tuple[int, int], skip: float) -> None:
    tables = RNG.random((3, *shape))
    weight = RNG.random(shape[1])
    found = warp_paths(tables, 0.05, skip, weight).cost
    expected = [naive_cost(table, 0.05, skip, weight) for table in tables]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_identity() -> None:
    signal = RNG.random(20).cumsum()
    table = np.abs(signal[:, None] - signal)
    found = warp_paths(table[None])
    np.testing.assert_allclose(found.place[0], np.arange(20))
    assert found.cost[0] == 0


def test_places_never_fall() -> None:
    place = warp_paths(RNG.random((5, 30, 40)), 0.1).place
    assert (np.diff(place, axis=1) >= 0).all()
    assert np.isfinite(place).all()


def test_frames_before_and_after_are_skipped() -> None:
    long = np.concatenate((np.full(5, 9.0), np.arange(10.0), np.full(4, -9.0)))
    table = np.abs(long[:, None] - np.arange(10.0))
    place = warp_paths(table[None], 0.01, 1.0).place[0]
    np.testing.assert_allclose(place[5:15], np.arange(10))
    assert np.isnan(place[:5]).all()
    assert np.isnan(place[15:]).all()
