"""Read C3D files: the points of optical motion capture.

A file is a header of 512 bytes, parameters in named groups, and frames: four numbers for each point
(x, y, z, residual), then the analog samples of the frame. Numbers are real or scaled 16-bit
integers, of Intel's, DEC's or MIPS's processors. Layout: www.c3d.org, C3D User Guide. (``ezc3d``
reads more, but ends the whole process on some damaged files; the tests hold this reader against
it.)
"""

import math
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from motionfield.core.errors import InputError
from motionfield.formats.trc_reader import METRES_PER, Markers

_BLOCK: Final = 512
_CURE: Final = "give a C3D file with points"
_INTEL, _DEC, _MIPS = 84, 85, 86
_SIZES: Final = {-1: 1, 1: 1, 2: 2, 4: 4}
"""Bytes of a parameter's elements, by its type: text, byte, integer, real."""


class _Damaged(Exception):
    """What is wrong with the file."""


class _Header(NamedTuple):
    """Of the first block, what the frames need."""

    points: int
    analog: int
    """Analog samples in each frame, of all channels together."""
    first: int
    last: int
    """Frames, counted from 1."""
    scale: float
    """Below zero: numbers are real."""
    data_block: int
    rate: float


def read_c3d(path: Path) -> Markers:
    """Points of a C3D file. What was not seen (negative residual, exact zeros) is NaN.

    Raises:
        InputError: missing, damaged, cut off, without points, or of unknown units.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", "check the path") from error
    if len(content) < 2 * _BLOCK or content[1] != 0x50:
        raise InputError(path, "is no C3D file", _CURE)
    try:
        return _markers(content)
    except _Damaged as damage:
        raise InputError(path, str(damage), _CURE) from damage
    except (ValueError, IndexError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise InputError(path, f"is damaged ({error})", _CURE) from error


def _markers(content: bytes) -> Markers:
    start = (content[0] - 1) * _BLOCK
    processor = content[start + 3]
    if processor not in (_INTEL, _DEC, _MIPS):
        raise _Damaged(f"is of an unknown processor ({processor})")
    header = _header(content, processor)
    parameters = _parameters(content[start + 4 :], processor)
    names = _labels(parameters)[: header.points]
    if header.points == 0 or len(names) != header.points:
        raise _Damaged(f"has {header.points} points with {len(names)} names")
    if not (math.isfinite(header.rate) and header.rate > 0):
        raise _Damaged(f"has a rate of {header.rate:g} frames per second")
    unit = (_words(parameters, "UNITS") or ["mm"])[0].lower()
    if unit not in METRES_PER:
        raise _Damaged(f"has the unit {unit!r}, none of {', '.join(METRES_PER)}")
    table = _frames(content, header, processor)
    points = table[..., :3] * METRES_PER[unit]
    points[(table[..., 3] < 0) | (points == 0).all(-1)] = np.nan
    up = (_words(parameters, "Y_SCREEN") or [""])[0][1:].lower()
    index = np.arange(len(points)) + header.first - 1
    return Markers(
        points,
        tuple(names),
        header.rate,
        index / header.rate,
        index,
        up if up in ("y", "z") else None,
    )


def _header(content: bytes, processor: int) -> _Header:
    words = np.frombuffer(content[:_BLOCK], _kind("u2", processor))
    points, analog, first, last = (int(word) for word in words[1:5])
    scale, rate = _reals(content[12:16], processor)[0], _reals(content[20:24], processor)[0]
    return _Header(points, analog, first, last, float(scale), int(words[8]), float(rate))


def _frames(content: bytes, header: _Header, processor: int) -> Float[ndarray, "frames points 4"]:
    """All frames from the first to the last; the scale is applied."""
    real = header.scale < 0
    size = (4 * header.points + header.analog) * (4 if real else 2)
    start = (header.data_block - 1) * _BLOCK
    there = (len(content) - start) // size if 0 < start < len(content) else 0
    count = header.last - header.first + 1
    if header.last == 0xFFFF:  # 16 bits did not hold it
        count = there
    if count < 1 or there < count:
        raise _Damaged(f"was cut off: it holds {max(there, 0)} of {count} frames")
    raw = content[start : start + count * size]
    numbers = (
        _reals(raw, processor)
        if real
        else np.frombuffer(raw, _kind("i2", processor)).astype(np.float64)
    ).reshape(count, -1)
    table = numbers[:, : 4 * header.points].reshape(count, header.points, 4).copy()
    if not real:
        table[..., :3] *= header.scale
    return np.where(np.isfinite(table), table, np.nan)


def _parameters(content: bytes, processor: int) -> dict[str, Any]:
    """The parameters of the group POINT: lists of words, or arrays."""
    groups: dict[int, str] = {}
    found: list[tuple[int, str, Any]] = []
    at = 0
    while at + 4 < len(content) and content[at] != 0:
        length = abs(int.from_bytes(content[at : at + 1], "little", signed=True))
        group = int.from_bytes(content[at + 1 : at + 2], "little", signed=True)
        name = content[at + 2 : at + 2 + length].decode("latin1").strip().upper()
        at += 2 + length
        step = int(np.frombuffer(content[at : at + 2], _kind("u2", processor))[0])
        if group < 0:
            groups[-group] = name
        else:
            found.append((group, name, _value(content[at + 2 :], processor)))
        if step == 0:
            break
        at += step
    return {name: value for group, name, value in found if groups.get(group) == "POINT"}


def _value(content: bytes, processor: int) -> Any:
    kind = int.from_bytes(content[:1], "little", signed=True)
    if kind not in _SIZES:
        raise _Damaged(f"has a parameter of an unknown type ({kind})")
    sides = list(content[2 : 2 + content[1]])
    start = 2 + len(sides)
    raw = content[start : start + math.prod(sides) * _SIZES[kind]]
    if kind == -1:
        width = sides[0] if sides else 1
        text = raw.decode("latin1")
        return [text[n : n + width].strip(" \0") for n in range(0, len(text), max(width, 1))]
    if kind == 4:
        return _reals(raw, processor)
    return np.frombuffer(raw, _kind("i2" if kind == 2 else "i1", processor))


def _labels(parameters: dict[str, Any]) -> list[str]:
    """LABELS, and LABELS2, LABELS3, … where there are more than 255 points."""
    more = sorted(
        (name for name in parameters if name.startswith("LABELS")), key=lambda n: (len(n), n)
    )
    return [word for name in more for word in _words(parameters, name)]


def _words(parameters: dict[str, Any], name: str) -> list[str]:
    value = parameters.get(name)
    return value if isinstance(value, list) else []


def _kind(kind: str, processor: int) -> np.dtype:
    return np.dtype((">" if processor == _MIPS else "<") + kind)


def _reals(content: bytes, processor: int) -> Float[ndarray, "numbers"]:
    content = content[: len(content) // 4 * 4]
    if processor != _DEC:
        return np.frombuffer(content, _kind("f4", processor)).astype(np.float64)
    # DEC stores the two words the other way round, and an exponent larger by two.
    words = np.frombuffer(content, "<u2").reshape(-1, 2)[:, ::-1]
    return np.frombuffer(words.astype("<u2").tobytes(), "<f4").astype(np.float64) / 4
