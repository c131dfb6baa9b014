"""How steps report progress without printing: the caller hands in a ``Progress``."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol, TypeVar, runtime_checkable

Item = TypeVar("Item")


class Bar(AbstractContextManager["Bar"]):
    """One running stage; this one shows nothing. The command line has one that draws."""

    def advance(self, amount: int = 1) -> None:
        """Say that ``amount`` more units are done."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None


@runtime_checkable
class Progress(Protocol):
    """Opens a bar for a stage of ``total`` units (None: unknown)."""

    def __call__(self, stage: str, total: int | None, unit: str = "frame") -> Bar: ...


def silent(stage: str, total: int | None, unit: str = "frame") -> Bar:
    """A ``Progress`` that shows nothing: the default of every step."""
    return Bar()


def tracked(
    items: Iterable[Item], progress: Progress, stage: str, total: int | None, unit: str = "frame"
) -> Iterator[Item]:
    """Yield ``items`` and advance a bar by one after each."""
    with progress(stage, total, unit) as bar:
        for item in items:
            yield item
            bar.advance()


def named(progress: Progress, name: str) -> Progress:
    """The same progress, with a name before every stage: which of several inputs it is of."""

    def opened(stage: str, total: int | None, unit: str = "frame") -> Bar:
        return progress(f"{name} {stage}", total, unit)

    return opened
