"""Shards of marker-based motion capture (npz): clips as world positions and rotations.

A shard holds many clips of one skeleton, with offsets per subject: ``root`` (N, 3) metres, ``quat``
(N, J, 4) int16 / 32767 (w x y z, local), ``clip_start``, and names. Its world is right-handed with
Y up; here it becomes Z up, and nothing behind this door knows the other. Joint frames stay as the
shard has them, so ``p_child = p_parent + R_world_parent @ offset`` holds in the new world as well.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import roma
import torch
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from torch import Tensor

from motionfield.core.errors import InputError, OptionError

_NEEDED = (
    *("root", "quat", "clip_start", "clip_name", "subject", "description", "split", "bad_frame"),
    *("offsets", "offset_subject", "joint_names", "parents", "canon_names", "canon_index", "fps"),
)
_QUAT_UNIT = 32767.0
_CURE = "give an open-mocap shard as docs/mocap.md describes it"


@dataclass(frozen=True)
class ClipInfo:
    """What a shard says of one clip."""

    index: int
    name: str
    subject: str
    description: str
    split: str
    """"train", "val", "test" or "unused"."""
    num_frames: int


@dataclass(frozen=True, eq=False)
class MocapClip:
    """One clip in the Z-up world."""

    info: ClipInfo
    fps: float
    positions_world: Float[Tensor, "frames joints 3"]
    """Metres."""
    rotations_world: Float[Tensor, "frames joints 3 3"]
    """World from joint frame."""
    canonical: dict[str, int]
    """Joint of each canonical name (pelvis, l_hip, l_knee, …) that the skeleton has."""
    bad_frame: Bool[ndarray, "frames"]
    """Glitches and their surroundings."""


@dataclass(frozen=True, eq=False)
class MocapShard:
    """A file of clips of one skeleton."""

    path: Path
    joint_names: tuple[str, ...]
    parents: tuple[int, ...]
    """-1 for the root; parents come before their children."""
    canonical: dict[str, int]
    """Joint of each canonical name that the shard has (pelvis, l_hip, l_knee, …)."""
    fps: float
    clips: tuple[ClipInfo, ...]
    offsets: dict[str, Float[Tensor, "joints 3"]]
    """Per subject: each joint's place in its parent's frame, metres."""
    _clip_start: Int[ndarray, "starts"]
    _root: Float[ndarray, "all_frames 3"]
    _quat: Int[ndarray, "all_frames joints 4"]
    _bad_frame: Bool[ndarray, "all_frames"]

    def find(self, name: str) -> ClipInfo:
        """The clip of that name.

        Raises:
            OptionError: there is none.
        """
        for info in self.clips:
            if info.name == name:
                return info
        raise OptionError(f"{self.path.name} has no clip {name!r}; see its clip_name")

    def of_split(self, *splits: str) -> tuple[ClipInfo, ...]:
        """All clips of the given splits."""
        return tuple(info for info in self.clips if info.split in splits)

    def clip(self, info: ClipInfo) -> MocapClip:
        """Unpack one clip to world positions and rotations."""
        start, end = self._clip_start[info.index : info.index + 2]
        local = unpack_quaternions(torch.tensor(self._quat[start:end]))
        root = torch.tensor(self._root[start:end], dtype=torch.float32)
        rotations, positions = chain_levels(local, self.offsets[info.subject], root, self.parents)
        turn = z_up_from_y_up()
        return MocapClip(
            info,
            self.fps,
            positions @ turn.mT,
            turn @ rotations,
            self.canonical,
            self._bad_frame[start:end],
        )

    def mirrored(self) -> "MocapShard":
        """Every clip mirrored at the world's plane x = 0: the left limb is called the right one.

        Joint frames are mirrored at the rest pose's own plane between left and right, so that
        the twin moves as the same rig with its sides exchanged would.
        """
        eye = torch.eye(3).expand(1, len(self.parents), 3, 3)
        offsets = next(iter(self.offsets.values()))
        places = chain_levels(eye, offsets, torch.zeros(1, 3), self.parents)[1][0]
        across = places[self.canonical["l_hip"]] - places[self.canonical["r_hip"]]
        side = int(across.abs().argmax())
        flip = np.where(np.arange(3) == side, -1, 1)
        order = list(_partners(self.parents, self.canonical))
        # A mirrored rotation turns the other way about the two axes within the mirror.
        signs = np.concatenate(([1], -flip)).astype(self._quat.dtype)
        quat, root = self._quat[:, order] * signs, self._root * flip.astype(self._root.dtype)
        if side == 2:
            # The rig faces along x: half a turn about y makes a mirror at z one at x.
            w, x, y, z = np.moveaxis(quat[:, 0], -1, 0)
            quat[:, 0] = np.stack((-y, z, w, -x), axis=-1)
            root = root * np.array((-1, 1, -1), dtype=root.dtype)
        mirrored = {s: o[order] * torch.tensor(flip) for s, o in self.offsets.items()}
        return dataclasses.replace(self, offsets=mirrored, _root=root, _quat=quat)


def read_mocap(path: Path | str) -> MocapShard:
    """Read a shard; clips are unpacked when they are asked for.

    Raises:
        InputError: not an npz file, an array is missing, or the arrays contradict each other.
    """
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as file:
            missing = [name for name in _NEEDED if name not in file.files]
            if missing:
                raise InputError(path, f"is no mocap shard: it lacks {', '.join(missing)}", _CURE)
            data = {name: file[name] for name in _NEEDED}
    except (OSError, ValueError, EOFError) as error:
        raise InputError(path, f"cannot be read as npz ({error})", _CURE) from error
    _check(path, data)
    starts = data["clip_start"]
    clips = tuple(
        ClipInfo(i, str(name), str(subject), str(text), str(split), int(starts[i + 1] - starts[i]))
        for i, (name, subject, text, split) in enumerate(
            zip(*(data[k] for k in ("clip_name", "subject", "description", "split")), strict=True)
        )
    )
    offsets = torch.tensor(data["offsets"], dtype=torch.float32)
    return MocapShard(
        path=path,
        joint_names=tuple(str(name) for name in data["joint_names"]),
        parents=tuple(int(parent) for parent in data["parents"]),
        canonical={
            str(name): int(joint)
            for name, joint in zip(data["canon_names"], data["canon_index"], strict=True)
            if joint >= 0
        },
        fps=float(data["fps"]),
        clips=clips,
        offsets={str(s): offsets[i] for i, s in enumerate(data["offset_subject"])},
        _clip_start=starts,
        _root=data["root"],
        _quat=data["quat"],
        _bad_frame=data["bad_frame"],
    )


def _partners(parents: Sequence[int], canonical: dict[str, int]) -> tuple[int, ...]:
    """Each joint's twin on the other side (itself in the middle), whatever the rig calls it.

    Canonical joints are known; so are, from them, their ancestors and their children in order.
    """
    twin = list(range(len(parents)))
    pairs = [(j, canonical["r_" + c[2:]]) for c, j in canonical.items() if c.startswith("l_")]
    while pairs:
        left, right = pairs.pop()
        if left == right or twin[left] == right:
            continue
        twin[left], twin[right] = right, left
        pairs.append((parents[left], parents[right]))
        children = [[j for j, p in enumerate(parents) if p == side] for side in (left, right)]
        pairs.extend(zip(*children, strict=True))
    return tuple(twin)


def z_up_from_y_up() -> Float[Tensor, "3 3"]:
    """Rx(+90 degrees): carries +Y to +Z and +Z to -Y."""
    return torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])


def unpack_quaternions(quat: Int[Tensor, "frames joints 4"]) -> Float[Tensor, "frames joints 3 3"]:
    """int16 / 32767, w x y z, to rotation matrices (rounding is normalised away)."""
    wxyz = torch.nn.functional.normalize(quat.float() / _QUAT_UNIT, dim=-1)
    return roma.unitquat_to_rotmat(roma.quat_wxyz_to_xyzw(wxyz))


def chain_levels(
    local: Float[Tensor, "frames joints 3 3"],
    offsets: Float[Tensor, "joints 3"],
    root: Float[Tensor, "frames 3"],
    parents: Sequence[int],
) -> tuple[Float[Tensor, "frames joints 3 3"], Float[Tensor, "frames joints 3"]]:
    """World rotations and positions of any tree, one step per level of its depth."""
    depth = [0] * len(parents)
    for joint, parent in enumerate(parents):
        depth[joint] = 0 if parent < 0 else depth[parent] + 1
    rotations, positions = local.clone(), torch.empty_like(local[..., 0])
    positions[:, 0] = root
    for level in range(1, max(depth) + 1):
        joints = torch.tensor([j for j, d in enumerate(depth) if d == level])
        above = torch.tensor([parents[int(j)] for j in joints])
        turned = rotations[:, above]
        moved = (turned @ offsets[joints].unsqueeze(-1)).squeeze(-1)
        positions[:, joints] = positions[:, above] + moved
        rotations[:, joints] = turned @ local[:, joints]
    return rotations, positions


def _check(path: Path, data: dict[str, ndarray]) -> None:
    frames, joints = data["quat"].shape[:2]
    starts = data["clip_start"]
    problems = []
    if data["quat"].dtype != np.int16:
        problems.append(f"quat is {data['quat'].dtype}, not int16")
    if len(data["root"]) != frames or len(data["bad_frame"]) != frames:
        problems.append("root, quat and bad_frame have different numbers of frames")
    if len(starts) != len(data["clip_name"]) + 1 or starts[0] != 0 or starts[-1] != frames:
        problems.append("clip_start does not cover the frames")
    if len(data["joint_names"]) != joints or data["offsets"].shape[1:] != (joints, 3):
        problems.append("quat, joint_names and offsets have different numbers of joints")
    parents = data["parents"]
    if parents[0] != -1 or (parents[1:] >= np.arange(1, joints)).any() or (parents[1:] < 0).any():
        problems.append("parents is no tree with parents before children")
    unknown = set(data["subject"].tolist()) - set(data["offset_subject"].tolist())
    if unknown:
        problems.append(f"no offsets for subject {', '.join(sorted(unknown))}")
    if problems:
        raise InputError(path, "; ".join(problems), _CURE)
