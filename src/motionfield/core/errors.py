"""Everything that motionfield raises on purpose: one small tree.

    MotionfieldError
    ├── InputError          a file or folder given by the user cannot be used
    ├── OptionError         options that contradict each other or lie out of range
    ├── MissingAssetError   a model, weight or body file is not there
    ├── OutputError         a result cannot be written
    ├── NoPersonError       nobody was found in the video
    └── RecordError         a record's arrays contradict each other

A message is one line: what is concerned, what is wrong with it, what to do.
"""

from pathlib import Path


class MotionfieldError(Exception):
    """Base of all; the command line prints it as one line and exits with ``exit_code``."""

    exit_code = 1


class InputError(MotionfieldError):
    """A file or folder given by the user cannot be used."""

    exit_code = 2

    def __init__(self, path: Path | str, fault: str, cure: str) -> None:
        super().__init__(f"{path}: {fault}; {cure}")
        self.path = Path(path)
        self.fault = fault
        self.cure = cure


class OptionError(MotionfieldError):
    """Options that contradict each other or lie out of range."""

    exit_code = 2


class MissingAssetError(MotionfieldError):
    """A model, weight or body file is not there; says where it was looked for and the command."""

    exit_code = 3


class OutputError(MotionfieldError):
    """A result cannot be written."""

    exit_code = 4

    def __init__(self, path: Path | str, fault: str, cure: str) -> None:
        super().__init__(f"{path}: {fault}; {cure}")
        self.path = Path(path)


class NoPersonError(MotionfieldError):
    """Nobody was found in the video."""

    exit_code = 5


class RecordError(MotionfieldError):
    """A record's arrays contradict each other (a damaged file, or a fault of the code)."""
