"""Read BVH files: any tree of joints, posed over time to the places of its joints.

Channels of a joint act in the order in which they are listed, each about axes turned by those
before it (R = R1 R2 R3). Position channels take the place of the joint's OFFSET, as in Blender and
MotionBuilder. A BVH file says neither its unit nor its up axis.
"""

import math
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from motionfield.core.errors import InputError
from motionfield.geometry.rotations import axis_rotation

_CURE: Final = "give a BVH file with HIERARCHY and MOTION"
_CHANNELS: Final = {f"{axis}{kind}" for axis in "XYZ" for kind in ("position", "rotation")}


class BvhFile(NamedTuple):
    """A tree's joints over time, in the file's unit and axes."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    """-1 for the root; parents come before their children."""
    offsets: Float[ndarray, "joints 3"]
    joints: Float[ndarray, "frames joints 3"]
    fps: float
    rotations: Float[ndarray, "frames joints 3 3"]
    """World from joint."""
    ends: Float[ndarray, "joints 3"]
    """Where the bone of a joint without children ends, in its frame (NaN: not said)."""


class BvhTree(NamedTuple):
    """A tree's joints, without any motion."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    """-1 for the root; parents come before their children."""
    offsets: Float[ndarray, "joints 3"]
    ends: Float[ndarray, "joints 3"]
    """NaN where a joint has no bone end."""


class _Joint(NamedTuple):
    name: str
    parent: int
    offset: list[float]
    channels: list[str]
    end: list[float]


def read_bvh(path: Path) -> BvhFile:
    """The joints of a BVH file (ends of bones are left out).

    Raises:
        InputError: missing or damaged.
    """
    try:
        text = path.read_text("utf-8-sig", errors="replace")
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", "check the path") from error
    head, found, tail = text.partition("MOTION")
    if not head.lstrip().startswith("HIERARCHY") or not found:
        raise InputError(path, "is no BVH file", _CURE)
    try:
        tree = _tree(head.split())
        fps, values = _motion(tail, sum(len(joint.channels) for joint in tree))
    except (ValueError, IndexError) as error:
        raise InputError(path, f"is damaged ({error})", _CURE) from error
    names, parents, offsets, ends = _bvh_tree(tree)
    places, turns = _places(tree, torch.from_numpy(values))
    return BvhFile(names, parents, offsets, places.numpy(), fps, turns.numpy(), ends)


def read_bvh_tree(path: Path) -> BvhTree:
    """The joints of a BVH file alone: reads its head.

    Raises:
        InputError: missing or damaged.
    """
    words: list[str] = []
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            for line in file:
                if line.strip() == "MOTION":
                    return _bvh_tree(_tree(words))
                words += line.split()
                if words[:1] not in ([], ["HIERARCHY"]):
                    break
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", "check the path") from error
    except (ValueError, IndexError) as error:
        raise InputError(path, f"is damaged ({error})", _CURE) from error
    raise InputError(path, "is no BVH file", _CURE)


def _bvh_tree(tree: list[_Joint]) -> BvhTree:
    return BvhTree(
        tuple(joint.name for joint in tree),
        tuple(joint.parent for joint in tree),
        np.array([joint.offset for joint in tree]),
        np.array([joint.end for joint in tree]),
    )


def _tree(words: list[str]) -> list[_Joint]:
    """The joints in the file's order; bone ends ("End Site") are skipped."""
    tree: list[_Joint] = []
    stack: list[int] = []
    at, in_end = 1, False
    while at < len(words):
        word = words[at].upper()
        at += 1
        if word in ("ROOT", "JOINT"):
            start = at
            while words[at] != "{":  # names may hold spaces
                at += 1
            name, above = " ".join(words[start:at]), stack[-1] if stack else -1
            tree.append(_Joint(name, above, [0.0] * 3, [], [math.nan] * 3))
        elif word == "END":
            at += 1
            in_end = True
        elif word == "{":
            stack.append(-2 if in_end else len(tree) - 1)
        elif word == "}":
            stack.pop()
            in_end = False
        elif word == "OFFSET":
            joint = tree[stack[-2] if in_end else stack[-1]]
            place = joint.end if in_end else joint.offset
            place[:] = [float(number) for number in words[at : at + 3]]
            at += 3
        elif word == "CHANNELS":
            count = int(words[at])
            tree[stack[-1]].channels.extend(words[at + 1 : at + 1 + count])
            at += 1 + count
        else:
            raise ValueError(f"unexpected word {words[at - 1]!r}")
    wrong = {c for joint in tree for c in joint.channels} - _CHANNELS
    if wrong or stack or not tree or any(len(j.offset) != 3 or len(j.end) != 3 for j in tree):
        raise ValueError(f"unknown channel {wrong.pop()!r}" if wrong else "the tree is not closed")
    return tree


def _motion(text: str, channels: int) -> tuple[float, Float[ndarray, "frames channels"]]:
    lines = [line for line in text.splitlines() if line.strip()]
    count = int(lines[0].split(":")[1])
    frame_time = float(lines[1].split(":")[1])
    if not (math.isfinite(frame_time) and frame_time > 0):
        raise ValueError(f"frame time {frame_time}")
    values = np.array(" ".join(lines[2:]).split(), dtype=np.float64)
    if count < 1 or values.size != count * channels or not np.isfinite(values).all():
        raise ValueError(f"{values.size} numbers for {count} frames of {channels} channels")
    # Files round the frame time: 0.033333 is 30 frames per second.
    fps = 1 / frame_time
    return (round(fps) if abs(fps - round(fps)) < 2e-3 * fps else fps), values.reshape(count, -1)


def _places(
    tree: list[_Joint], values: Float[Tensor, "frames channels"]
) -> tuple[Float[Tensor, "frames joints 3"], Float[Tensor, "frames joints 3 3"]]:
    """Places and rotations of the joints in the file's world."""
    count = len(values)
    turns: list[Tensor] = []
    places: list[Tensor] = []
    column = 0
    for joint in tree:
        turn = torch.eye(3, dtype=torch.float64).expand(count, 3, 3)
        place = torch.tensor(joint.offset, dtype=torch.float64).repeat(count, 1)
        for channel in joint.channels:
            value = values[:, column]
            column += 1
            if channel.endswith("rotation"):
                turn = turn @ axis_rotation(channel[0].lower(), torch.deg2rad(value))
            else:
                place[:, "XYZ".index(channel[0])] = value
        if joint.parent >= 0:
            above = turns[joint.parent]
            place = places[joint.parent] + (above @ place.unsqueeze(-1)).squeeze(-1)
            turn = above @ turn
        places.append(place)
        turns.append(turn)
    return torch.stack(places, dim=1), torch.stack(turns, dim=1)
