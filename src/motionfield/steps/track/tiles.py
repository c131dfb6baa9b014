"""Which windows of the frame the detector is shown, so that nobody is too small for it.

The detector finds a person reliably when the body fills at least 0.3 of the window's side
(measured: 0.3 99 %, 0.25 85 %, 0.2 39 %) and at most 1.1 of it.
"""

import math

from motionfield.steps.track.detector import Window

SMALLEST_SHARE = 0.3


def full_window(width: int, height: int) -> Window:
    """The whole frame, letterboxed."""
    side = max(width, height)
    return Window((width - side) / 2, (height - side) / 2, side)


def grid(width: int, height: int, side: float, overlap: float = 0.5) -> list[Window]:
    """Windows of one size that cover the frame, neighbours overlapping by at least ``overlap``."""

    def starts(length: int) -> list[float]:
        if length <= side:
            return [(length - side) / 2]
        steps = math.ceil((length - side) / (side * (1 - overlap)) - 1e-9)
        return [(length - side) * i / steps for i in range(steps + 1)]

    return [Window(x, y, side) for y in starts(height) for x in starts(width)]


def coarse_windows(width: int, height: int) -> list[Window]:
    """The whole frame and windows of its shorter side: finds whoever could be the subject."""
    windows = [full_window(width, height)]
    if max(width, height) > 1.15 * min(width, height):
        windows += grid(width, height, min(width, height))
    return windows


def sweep_windows(width: int, height: int, smallest_px: float) -> list[Window]:
    """Windows of halving sizes, down to one in which ``smallest_px`` is still found."""
    windows = coarse_windows(width, height)
    side = min(width, height) / 2
    while side * 2 * SMALLEST_SHARE > smallest_px and side >= 64:
        windows += grid(width, height, side)
        side /= 2
    return windows
