"""Read C3D files: the points of optical motion capture (through ``ezc3d``, MIT)."""

from pathlib import Path
from typing import Any, Final

import numpy as np

from motionfield.core.errors import InputError, MissingAssetError
from motionfield.formats.trc_reader import METRES_PER, Markers

_CURE: Final = "give a C3D file with points"


def read_c3d(path: Path) -> Markers:
    """Points of a C3D file, first frame 0. What was not seen is NaN.

    Raises:
        InputError: missing, damaged, without points or of unknown units.
        MissingAssetError: ``ezc3d`` is not installed.
    """
    if not path.is_file():
        raise InputError(path, "does not exist", "check the path")
    try:
        import ezc3d
    except ImportError as error:
        fault = f"{path}: C3D needs ezc3d, which is not installed; pip install ezc3d"
        raise MissingAssetError(fault) from error
    with path.open("rb") as file:
        head = file.read(10)
    if head[1:2] != b"\x50":
        raise InputError(path, "is no C3D file", _CURE)
    try:
        found = _markers(path, ezc3d.c3d(str(path)))
        if len(found.points) < _frames_stated(head):
            fault = f"holds {len(found.points)} of {_frames_stated(head)} frames: it was cut off"
            raise InputError(path, fault, "copy it again")
        return found
    except InputError:
        raise
    except Exception as error:  # ezc3d raises what its C++ code raises
        said = " ".join(str(error).split())[:200]
        raise InputError(path, f"is damaged ({said})", _CURE) from error


def _markers(path: Path, content: Any) -> Markers:
    parameters = content["parameters"]["POINT"]
    points = np.moveaxis(content["data"]["points"][:3], 0, -1).swapaxes(0, 1)
    names = tuple(_words(parameters, "LABELS"))[: points.shape[1]]
    if 0 in points.shape or len(names) != points.shape[1]:
        fault = f"has {points.shape[1]} points with {len(names)} names in {len(points)} frames"
        raise InputError(path, fault, _CURE)
    unit = next(iter(_words(parameters, "UNITS")), "mm").lower()
    if unit not in METRES_PER:
        raise InputError(path, f"has the unit {unit!r}", f"use one of {', '.join(METRES_PER)}")
    points = points.astype(np.float64) * METRES_PER[unit]
    residuals = content["data"]["meta_points"]["residuals"][0].T
    points[(residuals < 0) | (points == 0).all(-1)] = np.nan
    fps = float(content["header"]["points"]["frame_rate"])
    if not (np.isfinite(fps) and fps > 0):
        raise InputError(path, f"has a rate of {fps:g} frames per second", _CURE)
    first = int(content["header"]["points"]["first_frame"])
    frames = np.arange(len(points)) + first
    up = next((word[1:].lower() for word in _words(parameters, "Y_SCREEN")), None)
    return Markers(points, names, fps, frames / fps, frames, up if up in ("y", "z") else None)


def _frames_stated(head: bytes) -> int:
    """Frames by the header's first and last one; 0 where 16 bits did not hold them."""
    first, last = (int.from_bytes(head[at : at + 2], "little") for at in (6, 8))
    return 0 if last in (0, 0xFFFF) else last - first + 1


def _words(parameters: Any, name: str) -> list[str]:
    return [str(word).strip() for word in parameters[name]["value"]] if name in parameters else []
