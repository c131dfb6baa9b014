"""The points tier's detector as a version describes it."""

import dataclasses
from typing import Any

from motionfield.benchmarks.open.dependencies import code_hash
from motionfield.core.errors import InputError
from motionfield.core.history import plain
from motionfield.worlds.detector_error import DetectorErrorConfig, detect


def describe_detector(config: DetectorErrorConfig) -> dict[str, Any]:
    """The detector's error as plain data: its options, and a hash of its code and figures.

    The hash is told, not compared: whether anything changed is seen by the fingerprints.
    """
    return {"options": plain(config), "code": code_hash(detect)}


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
