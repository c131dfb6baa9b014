"""BVH files of one person as a ``MocapShard``, whatever their skeleton calls its joints.

Limbs are found by the words of ``joint_words``, the trunk by the tree: from where the legs and
arms part to where the arms part, and on to the head. Unit and up axis come from the person
(``results.marker_files``). What has no two arms and legs that are known by name is refused.
"""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import roma
import torch
from jaxtyping import Float
from numpy import ndarray

from motionfield.core.conventions import JOINT_NAMES
from motionfield.core.errors import InputError
from motionfield.formats.bvh_reader import read_bvh, read_bvh_tree
from motionfield.formats.joint_words import our_names
from motionfield.formats.mocap_npz import ClipInfo, MocapShard, z_up_from_y_up
from motionfield.formats.results.marker_files import BVH_METRES_PER, bvh_unit, up_axis

_LEAST_FPS: Final = 30.0
_QUAT_UNIT: Final = 32767
_LIMBS: Final = (("hip", "knee", "ankle", "foot"), ("shoulder", "elbow", "wrist", "hand"))
_GIVEN: Final = tuple(
    f"{side}_{j}" for side in ("left", "right") for limb in _LIMBS for j in limb[:3]
)
_CURE: Final = "rename its joints as docs/training.md lists them, or take it out of the folder"


class Plan(NamedTuple):
    """How the joints of a file become those of a shard."""

    joints: tuple[int, ...]
    """Joint of the file; ``-1 - joint``: the end of that joint's bone."""
    names: tuple[str, ...]
    """Ours, ``trunk1`` …, ``neck1`` …, or the file's own."""
    parents: tuple[int, ...]

    @property
    def canonical(self) -> dict[str, int]:
        """Joint of each canonical name of the open shards."""
        at = {name: index for index, name in enumerate(self.names)}
        limbs = {
            f"{side[0]}_{'toe' if joint == 'foot' else joint}": at[f"{side}_{joint}"]
            for side in ("left", "right")
            for limb in _LIMBS
            for joint in limb
            if f"{side}_{joint}" in at
        }
        return {"pelvis": 0, "head": at["head"], **limbs}


def plan_of(path: Path) -> Plan:
    """What the joints of a BVH file are, by its head alone.

    Raises:
        InputError: damaged, or a skeleton that cannot be mapped.
    """
    tree = read_bvh_tree(path)
    names, family = our_names(tree.names)
    missing = [name for name in _GIVEN if name not in names]
    if missing:
        read_as = f"as those of {family}" if family else "and its words are unknown"
        fault = f"has no joint known as {missing[0]} (read {read_as})"
        raise InputError(path, fault, _CURE)
    try:
        return _Planner(names, tree.parents, ~np.isnan(tree.ends).any(-1)).plan()
    except ValueError as error:
        raise InputError(path, str(error), _CURE) from error


class _Planner:
    """The tree of a file, with the names that are known."""

    def __init__(self, names: Sequence[str], parents: Sequence[int], has_end: ndarray) -> None:
        self.names, self.parents, self.has_end = list(names), parents, has_end
        self.at = {name: index for index, name in enumerate(names)}

    def plan(self) -> Plan:
        """Raises ValueError with the fault."""
        hips = self._meeting(self.at["left_hip"], self.at["right_hip"])
        chest = self._meeting(self.at["left_shoulder"], self.at["right_shoulder"])
        pelvis = self._meeting(hips, chest)
        if chest == pelvis:
            raise ValueError("has no joint between legs and arms")
        joints = [pelvis] + [j for j in range(len(self.names)) if pelvis in self._above(j)]
        parents = {j: self.parents[j] for j in joints}
        ours = set(JOINT_NAMES) <= {self.names[j] for j in joints}
        kept = {j for j in joints if ours or self.names[j] in _GIVEN}
        names = {j: self.names[j] if j in kept else f"other{j}" for j in joints}
        for side in ("left", "right"):
            for limb in _LIMBS:
                self._limb(side, limb, joints, names, parents)
        if not ours:
            self._trunk(pelvis, chest, joints, names, parents)
        index = {joint: k for k, joint in enumerate(joints)}
        above = tuple(-1 if j == pelvis else index[parents[j]] for j in joints)
        return Plan(tuple(joints), tuple(names[j] for j in joints), above)

    def _limb(
        self,
        side: str,
        limb: tuple[str, ...],
        joints: list[int],
        names: dict[int, str],
        parents: dict[int, int],
    ) -> None:
        """Bones from joint to joint, over what lies between (joints that only roll)."""
        chain = [self.at[f"{side}_{name}"] for name in limb[:3]]
        end = self.at.get(f"{side}_{limb[3]}", self._below(chain[2]))
        if end is None and limb[3] == "foot":
            raise ValueError(f"has neither a joint nor a bone end below {side}_ankle")
        chain += [] if end is None else [end]
        for upper, lower in itertools.pairwise(chain):
            if lower >= 0 and upper not in self._above(lower):
                raise ValueError(f"hangs {names[lower]} not below {names[upper]}")
            parents[lower] = upper
        if end is not None:
            names[end] = f"{side}_{limb[3]}"
            if end < 0:
                joints.append(end)

    def _trunk(
        self,
        pelvis: int,
        chest: int,
        joints: list[int],
        names: dict[int, str],
        parents: dict[int, int],
    ) -> None:
        """Names for what lies between pelvis, chest and head."""
        spine = [chest, *self._above(chest)]
        for count, joint in enumerate(reversed(spine[: spine.index(pelvis)]), start=1):
            names[joint] = f"trunk{count}"
        head = self.at.get("head", self.at.get("neck"))
        if head is None or chest not in self._above(head):
            raise ValueError("has no joint known as head or neck above the arms")
        way = self._above(head)
        for count, joint in enumerate(reversed(way[: way.index(chest)]), start=1):
            names[joint] = f"neck{count}"
        names[head], names[pelvis] = "head", "pelvis"

    def _above(self, joint: int) -> list[int]:
        """The joints above one, nearest first."""
        found = []
        while self.parents[joint] >= 0:
            joint = self.parents[joint]
            found.append(joint)
        return found

    def _below(self, joint: int) -> int | None:
        """Its first child, or the end of its bone."""
        children = [child for child, above in enumerate(self.parents) if above == joint]
        if children:
            return children[0]
        return -1 - joint if self.has_end[joint] else None

    def _meeting(self, a: int, b: int) -> int:
        """The nearest joint that both hang on."""
        one, other = [a, *self._above(a)], {b, *self._above(b)}
        return next(joint for joint in one if joint in other)


class _Read(NamedTuple):
    """One file's motion with the joints of a shard, Y up, metres."""

    root: Float[ndarray, "frames 3"]
    rotations: Float[ndarray, "frames joints 3 3"]
    """Relative to the parent."""
    offsets: Float[ndarray, "joints 3"]
    fps: float


def read_bvh_shard(paths: Sequence[Path], subject: str) -> MocapShard:
    """BVH files of one skeleton and person as clips, thinned to 30 frames per second or more.

    Args:
        paths: at least one; all with the first one's joints (``plan_of``).
        subject: who it is.

    Raises:
        InputError: damaged, a skeleton that cannot be mapped, or a unit that cannot be told.
    """
    plan = plan_of(paths[0])
    read = [_read(path, plan) for path in paths]
    local = np.concatenate([clip.rotations for clip in read])
    quat = roma.quat_xyzw_to_wxyz(roma.rotmat_to_unitquat(torch.tensor(local))).numpy()
    starts = np.cumsum([0, *(len(clip.root) for clip in read)])
    clips = tuple(
        ClipInfo(k, path.stem, subject, "", "train", len(read[k].root))
        for k, path in enumerate(paths)
    )
    offsets = np.median([clip.offsets for clip in read], axis=0)
    return MocapShard(
        path=paths[0],
        joint_names=plan.names,
        parents=plan.parents,
        canonical=plan.canonical,
        fps=read[0].fps,
        clips=clips,
        offsets={subject: torch.tensor(offsets, dtype=torch.float32)},
        _clip_start=starts,
        _root=np.concatenate([clip.root for clip in read]),
        _quat=np.round(quat * _QUAT_UNIT).astype(np.int16),
        _bad_frame=np.zeros(starts[-1], bool),
    )


def _read(path: Path, plan: Plan) -> _Read:
    file = read_bvh(path)
    names, _ = our_names(file.names)
    unit, _ = bvh_unit(path, file.offsets, names, None)
    up, _ = up_axis(file.joints, names, None, "y")
    stride = max(1, int(file.fps / _LEAST_FPS + 1e-3))
    turn = np.eye(3) if up == "y" else z_up_from_y_up().double().numpy().T
    places = file.joints[::stride] * BVH_METRES_PER[unit] @ turn.T
    world = turn @ file.rotations[::stride]
    ends = np.nan_to_num(file.ends) * BVH_METRES_PER[unit]
    carrier = [joint if joint >= 0 else -1 - joint for joint in plan.joints]
    reach = np.stack([np.zeros(3) if j >= 0 else ends[-1 - j] for j in plan.joints])
    world = world[:, carrier]
    places = places[:, carrier] + (world @ reach[..., None])[..., 0]
    parents = [0, *plan.parents[1:]]
    back = np.swapaxes(world[:, parents], -1, -2)
    local = back @ world
    local[:, 0] = world[:, 0]
    bones = (back @ (places - places[:, parents])[..., None])[..., 0]
    return _Read(places[:, 0], local, np.median(bones, axis=0), file.fps / stride)
