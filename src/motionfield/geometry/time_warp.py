"""Two signals set against each other in time: dynamic time warping, many pairs at once."""

from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

_DIAGONAL: Final = 0
_FIRST: Final = 1
"""One step on in the first signal alone."""
_SECOND: Final = 2
_START: Final = 3


class WarpPaths(NamedTuple):
    """The cheapest monotone path of each pair."""

    cost: Float[ndarray, "pairs"]
    """Mean over both signals, in units of the distances (skipped parts at the price of a skip)."""
    place: Float[ndarray, "pairs first"]
    """Where in the second signal (in its frames) each frame of the first is; NaN where it was
    skipped as lying before or after all of the second."""


def warp_paths(
    distances: Float[ndarray, "pairs first second"],
    hold: float = 0.0,
    skip: float = np.inf,
    skip_weight: Float[ndarray, "second"] | None = None,
) -> WarpPaths:
    """The cheapest way through each table of distances, from its beginning to its end.

    A path goes by one frame of either signal or of both. It pays the distance at each frame,
    weighted so that either whole signal weighs one half: rates and lengths do not matter. At
    either end frames of one of the signals may be skipped.

    Args:
        hold: what a frame costs in addition at which only one signal goes on.
        skip: what a skipped frame costs instead of a distance; infinite: no frame is skipped.
        skip_weight: factor on ``skip`` for each frame of the second signal.

    Source: Sakoe and Chiba, IEEE Transactions on ASSP 26(1), 1978, symmetric form.
    """
    pairs, first, second = distances.shape
    share_a, share_b = 0.5 / first, 0.5 / second
    weight = np.ones(second) if skip_weight is None else skip_weight
    skipped_a = _skipped(np.full(first, share_a), skip)
    skipped_b = _skipped(share_b * weight, skip)
    # Cells of one anti-diagonal depend on the two before it alone: ``rows`` are frames of the
    # first signal, padded by one on the left.
    before = np.full((pairs, first + 1), np.inf)
    last = np.full((pairs, first + 1), np.inf)
    came_from = np.zeros((first + second - 1, pairs, first), np.int8)
    best = np.full(pairs, np.inf)
    best_end = np.zeros((pairs, 2), int)
    for diagonal in range(first + second - 1):
        low, high = max(0, diagonal - second + 1), min(first, diagonal + 1)
        i = np.arange(low, high)
        j = diagonal - i
        here = distances[:, i, j]
        start = np.where((i == 0) | (j == 0), np.maximum(skipped_a[0][i], skipped_b[0][j]), np.inf)
        options = np.stack(
            (
                before[:, low:high] + (share_a + share_b) * here,
                last[:, low:high] + share_a * (here + hold),
                last[:, low + 1 : high + 1] + share_b * (here + hold),
                start + (share_a + share_b) * here,
            )
        )
        choice = options.argmin(0)
        now = np.full((pairs, first + 1), np.inf)
        now[:, low + 1 : high + 1] = np.take_along_axis(options, choice[None], 0)[0]
        came_from[diagonal][:, low:high] = choice
        for row in {low, high - 1}:
            column = diagonal - row
            if row == first - 1 or column == second - 1:
                total = now[:, row + 1] + max(skipped_a[1][row], skipped_b[1][column])
                better = total < best
                best = np.where(better, total, best)
                best_end[better] = row, column
        before, last = last, now
    return WarpPaths(best, _places(came_from, best_end, first))


def _skipped(price: Float[ndarray, "frames"], skip: float) -> tuple[ndarray, ndarray]:
    """What it costs to skip all frames before each, and all after each."""
    with np.errstate(invalid="ignore"):
        total = np.where(price > 0, price * skip, 0.0)
    before = np.concatenate(([0.0], np.cumsum(total)[:-1]))
    after = np.concatenate((np.cumsum(total[::-1])[::-1][1:], [0.0]))
    return before, after


def _places(
    came_from: Int[ndarray, "diagonals pairs first"], end: Int[ndarray, "pairs 2"], first: int
) -> Float[ndarray, "pairs first"]:
    """Mean frame of the second signal over each frame's cells on the path."""
    pairs = len(end)
    total, count = np.zeros((pairs, first)), np.zeros((pairs, first))
    pair, i, j = np.arange(pairs), end[:, 0].copy(), end[:, 1].copy()
    while len(pair):
        total[pair, i] += j
        count[pair, i] += 1
        step = came_from[i + j, pair, i]
        going = step != _START
        pair, i, j, step = pair[going], i[going], j[going], step[going]
        i = i - (step != _SECOND)
        j = j - (step != _FIRST)
    with np.errstate(invalid="ignore"):
        return total / count
