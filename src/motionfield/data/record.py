"""What all records share: arrays checked against their annotations, one file form (npz)."""

import contextlib
import dataclasses
import functools
import io
import json
import os
import types
import typing
import zipfile
import zlib
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from motionfield.core.errors import InputError, OutputError, RecordError
from motionfield.core.history import History, Step, history_from_json, history_to_json

_FORMAT = "motionfield-record-1"
_DAMAGE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)
"""What reading a damaged npz file raises."""

# Not typing.Self: the run-time check of annotations in the tests does not know it in methods.
RecordType = TypeVar("RecordType", bound="Record")


class _ArrayField(typing.NamedTuple):
    """A field annotated as ``Float[np.ndarray, "frames 3"]`` (or that with ``| None``)."""

    axes: tuple[str, ...]
    dtypes: tuple[str, ...]
    optional: bool


@functools.cache
def _array_fields(record: type) -> dict[str, _ArrayField]:
    found = {}
    for name, hint in typing.get_type_hints(record).items():
        is_union = isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union
        options = typing.get_args(hint) if is_union else (hint,)
        for option in options:
            if hasattr(option, "dim_str"):
                axes = tuple(option.dim_str.split())
                found[name] = _ArrayField(axes, tuple(option.dtypes), len(options) > 1)
    return found


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Record:
    """Base of the records. Arrays become read-only; shapes bind one axis name to one length.

    Raises:
        RecordError: an array's rank, length or kind contradicts its annotation.
    """

    history: History = ()

    def __post_init__(self) -> None:
        lengths: dict[str, tuple[int, str]] = {}
        problems = []
        for name, spec in _array_fields(type(self)).items():  # type: ignore[arg-type]
            value = getattr(self, name)
            if value is None and spec.optional:
                continue
            array = np.array(value)
            array.setflags(write=False)
            object.__setattr__(self, name, array)
            problems += _check_array(name, array, spec, lengths)
        if problems:
            raise RecordError(f"{type(self).__name__}: " + "; ".join(problems))
        self._check()

    def _check(self) -> None:
        """Checks beyond shape and kind; raise ``RecordError``."""

    def replace(self: RecordType, step: Step | None = None, **changes: Any) -> RecordType:
        """A copy with some fields changed and, if given, one more step of history."""
        if step is not None:
            changes["history"] = (*self.history, step)
        return dataclasses.replace(self, **changes)

    def at_frames(self: RecordType, index: Int[ndarray, "chosen"]) -> RecordType:
        """The same record for these frames alone, in this order."""
        chosen: dict[str, Any] = {}
        for name, spec in _array_fields(type(self)).items():  # type: ignore[arg-type]
            value = getattr(self, name)
            if value is not None and "frames" in spec.axes:
                chosen[name] = np.take(value, index, axis=spec.axes.index("frames"))
        return dataclasses.replace(self, **chosen)

    def save(self, path: Path | str) -> None:
        """Write one npz file; the name appears only when the file is whole."""
        arrays: dict[str, np.ndarray] = {}
        plain: dict[str, Any] = {}
        specs = _array_fields(type(self))  # type: ignore[arg-type]
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name == "history":
                plain[field.name] = history_to_json(value)
            elif field.name in specs:
                if value is not None:
                    arrays[field.name] = value
            else:
                plain[field.name] = str(value) if isinstance(value, Path) else value
        header = {"format": _FORMAT, "record": type(self).__name__, "fields": plain}
        # "header" is no field of any record, so the names cannot collide.
        write_npz(Path(path), header=np.array(json.dumps(header)), **arrays)

    @classmethod
    def load(cls: type[RecordType], path: Path | str) -> RecordType:
        """Read what ``save`` wrote.

        Raises:
            InputError: the file is damaged or holds another record.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                content = {key: file[key] for key in file.files}
            header = json.loads(str(content.pop("header")))
            if header["format"] != _FORMAT or header["record"] != cls.__name__:
                raise ValueError(f"holds {header['record']} of format {header['format']}")
            fields = cls._from_plain(header["fields"])
        except _DAMAGE as error:
            fault = f"is not a {cls.__name__} record ({error})"
            raise InputError(path, fault, "delete it and run again") from error
        fields["history"] = history_from_json(fields["history"])
        return cls(**content, **fields)

    @classmethod
    def _from_plain(cls, plain: dict[str, Any]) -> dict[str, Any]:
        """Give JSON values back their types: lists become tuples, path strings paths."""
        hints = typing.get_type_hints(cls)
        known = {f.name for f in dataclasses.fields(cls)}
        restored = {}
        for name, value in plain.items():
            if name not in known:
                raise ValueError(f"unknown field {name}")
            if isinstance(value, list):
                value = tuple(tuple(v) if isinstance(v, list) else v for v in value)
            restored[name] = Path(value) if hints[name] is Path else value
        return restored


def _check_array(
    name: str, array: np.ndarray, spec: _ArrayField, lengths: dict[str, tuple[int, str]]
) -> list[str]:
    if array.dtype.name not in spec.dtypes:
        return [f"{name} has dtype {array.dtype.name}, not one of {', '.join(spec.dtypes)}"]
    if array.ndim != len(spec.axes):
        return [f"{name} has shape {array.shape}, not ({', '.join(spec.axes)})"]
    problems = []
    for axis, length in zip(spec.axes, array.shape, strict=True):
        expected, where = (
            (int(axis), "") if axis.isdigit() else lengths.setdefault(axis, (length, name))
        )
        if length != expected:
            origin = f" of {where}" if where else ""
            problems.append(f"{name} has {length} {axis}, not the {expected}{origin}")
    return problems


def write_npz(path: Path, **arrays: np.ndarray) -> None:
    """Write a compressed npz file, whole or not at all."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    write_whole(path, buffer.getvalue())


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old one or the whole new one, never a part.

    Raises:
        OutputError: the file cannot be written; what was there before is still there.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:
        fault = f"cannot be written ({error.strerror or error})"
        raise OutputError(path, fault, "choose a folder that is there and writable") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
