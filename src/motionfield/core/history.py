"""The history that every record carries: which steps, with which options, made it."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

KEY_LENGTH: Final = 16
"""Hexadecimal digits of a key."""


@dataclasses.dataclass(frozen=True)
class Step:
    """One step of a record's history: its name and plain-data options."""

    name: str
    options: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "options": dict(self.options)}


History = tuple[Step, ...]


def plain(value: Any) -> Any:
    """Reduce a config (dataclass, tuple, path, numpy scalar) to plain JSON data."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    return value


def step(name: str, options: Any = None, **more: Any) -> Step:
    """A history entry from a config object and further plain values."""
    options = {} if options is None else plain(options)
    return Step(name, {**options, **plain(more)})


def history_to_json(history: History) -> str:
    return json.dumps([entry.as_json() for entry in history])


def history_from_json(text: str) -> History:
    return tuple(Step(entry["name"], entry["options"]) for entry in json.loads(text))


def make_key(*parts: Any) -> str:
    """A short hash of plain data, configs and other keys."""
    text = json.dumps(plain(list(parts)), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]
