"""BVH: the skeleton and its motion as text.

Y up, metres (Blender's default scale), T-pose rest facing +Z, joints in SMPL's order and names.
The root has its place in the world in every frame and OFFSET 0 0 0, so that readers that add the
offset and readers that replace it agree. All joints turn by Z, then X, then Y, each about the
axes as turned (R = Rz Rx Ry): of the six orders this one came near its singular angle least often
in retargeted mocap (many readers know one order per file only). Angles are continuous over time
and may exceed 180 degrees.
"""

from pathlib import Path
from typing import Final, Literal

import numpy as np
import torch
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.conventions import JOINT_NAMES
from motionfield.data.motion import Motion
from motionfield.data.record import write_whole
from motionfield.formats.animation import CHILDREN, animation_of, evenly_timed, tips
from motionfield.geometry.euler import continuous_euler

ORDER: Final = "zxy"
UNITS_PER_METRE: Final = {"m": 1.0, "cm": 100.0}


def write_bvh(path: Path, motion: Motion, body: Body, unit: Literal["m", "cm"] = "m") -> None:
    """Write a BVH file.

    BVH knows one frame time for all: a motion with uneven time stamps is resampled to ``fps``.

    Args:
        path: the file.
        motion: what to write.
        body: the body that ``motion`` drives.
        unit: of all lengths; a BVH file does not say which it has.

    Raises:
        OutputError: the file cannot be written.
    """
    scale = UNITS_PER_METRE[unit]
    animation = evenly_timed(animation_of(motion, body), motion.fps)
    angles = torch.rad2deg(continuous_euler(animation.rotations, ORDER))
    channels = torch.cat((animation.root * scale, angles.flatten(1)), dim=1)
    hierarchy = _hierarchy(animation.offsets * scale, tips(motion, body), scale)
    head = [f"Frames: {len(channels)}", f"Frame Time: {1 / motion.fps:.9f}"]
    # Depth first is the order of both the text above and the numbers below.
    columns = [0, 1, 2, *(3 + 3 * joint + axis for joint in _depth_first() for axis in range(3))]
    numbers = channels[:, columns].numpy() + 0.0
    rows = [" ".join(f"{value:.6f}" for value in row) for row in np.round(numbers, 6) + 0.0]
    text = "\n".join(["HIERARCHY", *hierarchy, "MOTION", *head, *rows]) + "\n"
    write_whole(path, text.encode("ascii"))


def _depth_first(joint: int = 0) -> list[int]:
    return [joint, *(below for child in CHILDREN[joint] for below in _depth_first(child))]


def _hierarchy(offsets: Tensor, ends: dict[int, Tensor], scale: float) -> list[str]:
    rotation = " ".join(f"{axis.upper()}rotation" for axis in ORDER)

    def offset(value: Tensor) -> str:
        return "OFFSET " + " ".join(f"{x:.6f}" for x in value.tolist())

    def lines(joint: int) -> list[str]:
        kind = "JOINT" if joint else "ROOT"
        count = "3" if joint else "6 Xposition Yposition Zposition"
        inside = [offset(offsets[joint]), f"CHANNELS {count} {rotation}"]
        for child in CHILDREN[joint]:
            inside += lines(child)
        if joint in ends:
            inside += ["End Site", "{", f"\t{offset(ends[joint] * scale)}", "}"]
        return [f"{kind} {JOINT_NAMES[joint]}", "{", *(f"\t{line}" for line in inside), "}"]

    return lines(0)
