"""What a run made."""

from typing import NamedTuple

from motionfield.core.errors import MotionfieldError
from motionfield.outputs import Finished, GroupFiles, Source

Failed = tuple[Source, MotionfieldError]


class RunResult(NamedTuple):
    """What a run made, and the inputs of which it could make nothing."""

    finished: list[Finished]
    failed: list[Failed]
    group: GroupFiles | None = None
    """What the takes have in common, where they were fitted together."""
