"""TRC, C3D and BVH as results: names, metres and the up axis, none of which these files have sure.

What a file does not say is taken from the person in it: up is where the head lies from the feet,
and the unit of a BVH file is the one in which the legs have the length of a person's.
"""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from motionfield.core.errors import InputError
from motionfield.formats.bvh_reader import read_bvh
from motionfield.formats.c3d_reader import read_c3d
from motionfield.formats.joint_words import our_names
from motionfield.formats.results.base import Result
from motionfield.formats.results.smpl_files import R_WORLD_YUP, R_WORLD_ZUP
from motionfield.formats.trc_reader import METRES_PER, Markers, read_trc

Up = Literal["y", "z"]
BVH_METRES_PER: Final = {**METRES_PER, "cmu": 0.0254 / 0.45}
"""``cmu``: the unit of CMU's skeletons (inches, scaled by 0.45)."""
_LEG_M: Final = (0.6, 1.1)
"""Hip to ankle of an adult, metres; units differ by more than this range."""
_HIGH: Final = ("head", "nose", "neck", "left_shoulder", "right_shoulder")
_LOW: Final = ("left_ankle", "right_ankle", "left_foot", "right_foot", "left_heel", "right_heel")

_STEEP: Final = 0.7
"""Cosine of about 45 degrees: how upright a person is in …"""
_MOST: Final = 0.9
"""… this share of the frames, to tell which axis is up."""


@dataclass(frozen=True)
class AxesConfig:
    """What the user says of files that do not say it themselves."""

    up: Up | None = None
    unit: str | None = None
    """A word of ``BVH_METRES_PER``; only BVH files have none of their own."""


def read_marker_file(path: Path, config: AxesConfig) -> Result:
    """A ``.trc``, ``.c3d`` or ``.bvh`` file.

    Raises:
        InputError: missing, damaged, or of a unit that cannot be told.
    """
    suffix = path.suffix.lower()
    if suffix == ".bvh":
        return _read_bvh(path, config)
    markers = read_c3d(path) if suffix == ".c3d" else read_trc(path)
    names, family = our_names(markers.names)
    default: Up = "z" if suffix == ".c3d" else "y"
    up, note = up_axis(markers.points, names, config.up or markers.up, default)
    return _result(path, suffix[1:].upper(), markers, (names, family), up, (note,))


def _read_bvh(path: Path, config: AxesConfig) -> Result:
    file = read_bvh(path)
    names, family = our_names(file.names)
    unit, unit_note = bvh_unit(path, file.offsets, names, config.unit)
    points = file.joints * BVH_METRES_PER[unit]
    up, up_note = up_axis(points, names, config.up, "y")
    frames = np.arange(len(points))
    markers = Markers(points, file.names, file.fps, frames / file.fps, frames, None)
    return _result(path, "BVH", markers, (names, family), up, (unit_note, up_note))


def _result(
    path: Path,
    source: str,
    markers: Markers,
    naming: tuple[tuple[str, ...], str | None],
    up: Up,
    notes: tuple[str, ...],
) -> Result:
    names, family = naming
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        fault = f"has two joints called {', '.join(sorted(twice)[:3])}"
        raise InputError(path, fault, "give each its own name")
    axes = R_WORLD_YUP if up == "y" else R_WORLD_ZUP
    changed = tuple((a, b) for a, b in zip(markers.names, names, strict=True) if a != b)
    if family is not None and changed:
        notes = (*notes, f"joint names read as those of {family}")
    return Result(
        path=path,
        source=source,
        persons=("0",),
        person="0",
        frame="world",
        fps=markers.fps,
        time_s=markers.time_s.astype(np.float64),
        frame_index=markers.frame_index,
        numbered=False,
        joints=markers.points @ axes.T,
        joint_names=names,
        renamed=changed,
        notes=notes,
    )


def up_axis(
    points: Float[ndarray, "frames joints 3"], names: tuple[str, ...], said: str | None, default: Up
) -> tuple[Up, str]:
    """Which axis is up, and one line that says how that is known."""
    if said in ("y", "z"):
        return ("y" if said == "y" else "z"), f"up is {said.upper()}, as given"
    high = [names.index(name) for name in _HIGH if name in names]
    low = [names.index(name) for name in _LOW if name in names]
    if high and low:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # frames without these joints
            upright = np.nanmean(points[:, high], axis=1) - np.nanmean(points[:, low], axis=1)
        upright = upright[np.isfinite(upright).all(1)]
        length = np.linalg.norm(upright, axis=1)
        axes: tuple[Up, ...] = ("y", "z")
        for up, column in zip(axes, (1, 2), strict=True):
            if len(upright) and (upright[:, column] > _STEEP * length).mean() >= _MOST:
                return up, f"up is {up.upper()}: the head is above the feet there"
    return default, f"up is taken to be {default.upper()} (--up says otherwise)"


def bvh_unit(
    path: Path, offsets: Float[ndarray, "joints 3"], names: tuple[str, ...], said: str | None
) -> tuple[str, str]:
    """The unit's word, and one line that says how it is known."""
    if said is not None:
        return said, f"the unit is {said}, as given"
    at = {name: index for index, name in enumerate(names)}
    try:
        legs = [
            sum(float(np.linalg.norm(offsets[at[f"{side}_{name}"]])) for name in ("knee", "ankle"))
            for side in ("left", "right")
        ]
    except KeyError as error:
        fault = f"has no joint known as {error}, so its unit cannot be told"
        raise InputError(path, fault, "say it with --unit m, cm, mm or in") from error
    length = float(np.mean(legs))
    fitting = [
        word
        for word, metres in BVH_METRES_PER.items()
        if word != "ft" and _LEG_M[0] <= length * metres <= _LEG_M[1]
    ]
    if len(fitting) != 1:
        fault = f"has legs of {length:.4g} units, so its unit cannot be told"
        raise InputError(path, fault, "say it with --unit m, cm, mm or in")
    return fitting[0], f"the unit is {fitting[0]}: the legs are {length:.4g} long"
