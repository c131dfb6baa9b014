"""Intrinsics as users have them: four numbers, or a small text, JSON or TOML file."""

import json
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from motionfield.core.errors import InputError, OptionError

_CURE = 'write "fx fy cx cy [k1 k2 p1 p2 [k3]]" in pixels'


class Intrinsics(NamedTuple):
    """A pinhole camera in pixels with OpenCV's distortion."""

    fx: float
    fy: float
    cx: float
    cy: float
    distortion: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)
    """k1, k2, p1, p2, k3."""


def parse_calib(text: str) -> Intrinsics:
    """Intrinsics from ``--calib``: numbers, or the path of a file with them.

    Files: text with the numbers in one line (as WHAM), JSON with these keys, or TOML with one
    camera (as Sports2D and Pose2Sim: ``matrix`` and ``distortions``).

    Raises:
        OptionError: neither numbers nor an existing file.
        InputError: the file has another form.
    """
    numbers = _numbers(text)
    if numbers is not None:
        return _from_numbers(numbers, f"--calib {text!r}")
    path = Path(text)
    if not path.is_file():
        raise OptionError(f"--calib {text!r}: neither numbers nor a file; {_CURE}")
    try:
        content = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            return _from_table(json.loads(content))
        if path.suffix == ".toml":
            cameras = [c for c in tomllib.loads(content).values() if "matrix" in c]
            if len(cameras) != 1:
                raise ValueError(f"{len(cameras)} cameras in it")
            return _from_matrix(cameras[0])
        found = _numbers(content)
        if found is None:
            raise ValueError("other words than numbers in it")
        return _from_numbers(found, str(path))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OptionError) as error:
        raise InputError(path, f"is no calibration ({error})", _CURE) from error


def _numbers(text: str) -> list[float] | None:
    try:
        return [float(word) for word in text.replace(",", " ").split()]
    except ValueError:
        return None


def _from_numbers(numbers: list[float], source: str) -> Intrinsics:
    finite = all(np.isfinite(number) for number in numbers)
    if len(numbers) not in (4, 8, 9) or not finite or min(numbers[:2]) <= 0:
        raise OptionError(f"{source}: {len(numbers)} numbers are no calibration; {_CURE}")
    fx, fy, cx, cy = numbers[:4]
    k1, k2, p1, p2, k3 = (*numbers[4:], *(0.0,) * (9 - len(numbers)))
    return Intrinsics(fx, fy, cx, cy, (k1, k2, p1, p2, k3))


def _from_table(table: dict[str, Any]) -> Intrinsics:
    names = ("fx", "fy", "cx", "cy")
    terms = ("k1", "k2", "p1", "p2", "k3")
    numbers = [float(table[name]) for name in names]
    return _from_numbers([*numbers, *(float(table.get(term, 0)) for term in terms)], "the file")


def _from_matrix(camera: dict[str, Any]) -> Intrinsics:
    matrix = np.asarray(camera["matrix"], float)
    terms = [float(term) for term in camera.get("distortions", (0, 0, 0, 0))][:5]
    numbers = [matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2], *terms]
    return _from_numbers(numbers, "the file")
