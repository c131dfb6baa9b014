"""What is written of one input, and how a file appears only when it is whole."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from motionfield.core.errors import OutputError
from motionfield.data import Take, Video
from motionfield.outputs.sources import Source
from motionfield.stages import StageTime


class SourceResult(NamedTuple):
    """What the steps made of one input."""

    source: Source
    video: Video | None
    takes: list[Take]
    warnings: tuple[str, ...]
    times: list[StageTime]
    key: str
    """Names the result: the same inputs, options and version have the same key."""


class Finished(NamedTuple):
    """One input whose files are written."""

    result: SourceResult
    files: list[Path]
    overlay: Path | None


def warnings_of(result: SourceResult) -> tuple[str, ...]:
    """What a user should know of one input's result, one sentence each, without repeats."""
    cameras = [warning for take in result.takes for warning in take.camera.warnings]
    lost = [
        f"{take.name} was not seen in {missing} of {len(take.motion.observed)} frames: "
        "the motion is carried over there"
        for take in result.takes
        if result.source.keypoints is not None  # otherwise the tracker has said it
        and (missing := int((~take.motion.observed).sum()))
    ]
    return tuple(dict.fromkeys((*result.warnings, *cameras, *lost)))


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path to write to; the file gets its name only when the block ends without an error."""
    folder = Path(tempfile.mkdtemp(prefix=".part-", dir=path.parent))
    try:
        part = folder / path.name
        yield part
        os.replace(part, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def told_where(folder: Path) -> Iterator[None]:
    """Say clearly that a file could not be written."""
    try:
        yield
    except OSError as error:
        cure = "check the folder's permissions and the free space, then go on with --resume"
        raise OutputError(folder, f"cannot be written ({error.strerror or error})", cure) from error
