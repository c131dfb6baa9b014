"""Progress bars: stage, frames per second, time left."""

import sys
from types import TracebackType

from tqdm import tqdm

from motionfield.core.progress import Bar, Progress, silent

_FORMAT = "{desc:>12} {percentage:3.0f}% |{bar:24}| {n_fmt}/{total_fmt} {rate_fmt} {remaining} left"
_FORMAT_OPEN = "{desc:>12} {n_fmt} {rate_fmt} {elapsed}"
_FILE_INTERVAL_S = 5.0
"""Between two lines where the output is a file (a terminal redraws one line)."""


class TqdmBar(Bar):
    """A bar on standard error."""

    def __init__(self, stage: str, total: int | None, unit: str) -> None:
        terminal = sys.stderr.isatty()
        self._bar = tqdm(
            total=total,
            desc=stage,
            unit=unit if unit == "B" else f" {unit}s",
            unit_scale=unit == "B",
            file=sys.stderr,
            dynamic_ncols=terminal,
            mininterval=0.1 if terminal else _FILE_INTERVAL_S,
            bar_format=_FORMAT if total else _FORMAT_OPEN,
        )

    def advance(self, amount: int = 1) -> None:
        self._bar.update(amount)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()


def bars(stage: str, total: int | None, unit: str = "frame") -> Bar:
    """A ``Progress`` that draws."""
    return TqdmBar(stage, total, unit)


def progress_of(quiet: bool) -> Progress:
    """The ``Progress`` for ``--quiet`` or not."""
    return silent if quiet else bars
