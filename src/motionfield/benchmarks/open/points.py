"""The points tier's detector as a version describes it."""

import dataclasses
import hashlib
from pathlib import Path
from typing import Any, Final

from motionfield.core.errors import InputError
from motionfield.core.history import plain
from motionfield.worlds import detector_error
from motionfield.worlds.detector_error import DetectorErrorConfig

_DIGITS: Final = 12


def describe_detector(config: DetectorErrorConfig) -> dict[str, Any]:
    """The detector's error as plain data: its options, and a hash of the code with its figures."""
    source = Path(detector_error.__file__).read_bytes().replace(b"\r\n", b"\n")
    return {"options": plain(config), "code": hashlib.sha256(source).hexdigest()[:_DIGITS]}


def detector_of(description: dict[str, Any]) -> DetectorErrorConfig:
    """The options that a version was made with.

    Raises:
        InputError: the detector's error has other options now.
    """
    options = description["options"]
    known = {field.name for field in dataclasses.fields(DetectorErrorConfig)}
    if set(options) != known:
        changed = ", ".join(sorted(set(options) ^ known))
        raise InputError(
            "detector.json",
            f"the detector's error has other options now ({changed})",
            "make a new version with --freeze, and run all methods on it",
        )
    return DetectorErrorConfig(**options)
