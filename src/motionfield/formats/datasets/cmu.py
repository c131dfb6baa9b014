"""CMU motion capture as Acclaim files: a skeleton per subject (ASF), a motion per trial (AMC).

Layout of mocap.cs.cmu.edu's ``allasfamc.zip``: ``all_asfamc/subjects/07/07.asf`` and
``07_01.amc`` beside it (also found: the same files in any folder below). What comes out is a
``MocapShard`` with the joints of the open shards of this skeleton, so that ``worlds.mocap``
retargets it alike. The format as described by the files themselves and by read_mocap of many
public loaders (e.g. CalciferZh/AMCParser). Never seen on the whole set here: unverified.

A bone's joint lies at its beginning. Lengths are inches divided by 0.45. Trials run at 120 frames
per second (a few at 60; the files do not say) and are thinned to 30. Y up.
"""

from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import roma
import torch
from jaxtyping import Float
from numpy import ndarray

from motionfield.formats.datasets.origins import need, need_any, wrong
from motionfield.formats.mocap_npz import ClipInfo, MocapShard

FPS: Final = 120.0
KEPT_FPS: Final = 30.0
_METRES: Final = 0.0254
_QUAT_UNIT = 32767
_SIDED: Final = (("hip", "femur"), ("knee", "tibia"), ("ankle", "foot"), ("toe", "toes"))
_ARM: Final = (
    *(("shoulder", "humerus"), ("elbow", "radius")),
    *(("wrist", "wrist"), ("hand", "hand")),
)
CANONICAL: Final[dict[str, str]] = {
    "pelvis": "root",
    **{f"{s}_{ours}": f"{s}{bone}" for s in "lr" for ours, bone in (*_SIDED, *_ARM)},
    "spine": "upperback",
    "chest": "thorax",
    "neck": "lowerneck",
    "head": "head_end",
}
"""Canonical names of the open shards → bones."""


class Bone(NamedTuple):
    """One bone of a skeleton file."""

    name: str
    vector: Float[ndarray, "3"]
    """From its beginning to its end, metres, world axes at rest."""
    axes: Float[ndarray, "3 3"]
    """The frame in which its angles are meant, world axes at rest."""
    angles: tuple[str, ...]
    """Of rx, ry, rz, those that a motion gives, in this order."""


class Skeleton(NamedTuple):
    """A skeleton file: bones and who hangs on whom."""

    metres: float
    """Metres per unit of the files' lengths."""
    bones: dict[str, Bone]
    parents: dict[str, str]


def list_cmu(folder: Path) -> dict[str, tuple[Path, list[Path]]]:
    """Subject → its skeleton and its motions.

    Raises:
        InputError: the folder is missing or holds no skeleton.
    """
    need(folder, "cmu")
    skeletons = need_any(folder, ("**/*.asf",), "cmu")
    found = {}
    for path in skeletons:
        motions = sorted(path.parent.glob(f"{path.stem}_*.amc"))
        if motions:
            found[path.stem] = (path, motions)
    if not found:
        raise wrong(folder, "holds skeletons but no motions (<subject>_<trial>.amc)", "cmu")
    return found


def read_cmu(skeleton_path: Path, motion_paths: list[Path]) -> MocapShard:
    """One subject's trials, at 30 frames per second.

    Raises:
        InputError: a file has another form.
    """
    skeleton = read_asf(skeleton_path)
    names, parents, offsets = _joints(skeleton)
    roots, quats, starts = [], [], [0]
    for path in motion_paths:
        frames = read_amc(path)[:: round(FPS / KEPT_FPS)]
        root, local = _local(path, skeleton, names, frames)
        roots.append(root)
        quats.append(local)
        starts.append(starts[-1] + len(root))
    subject = f"cmu{skeleton_path.stem}"
    lengths = np.diff(starts)
    clips = tuple(
        ClipInfo(k, path.stem, subject, "", "test", int(lengths[k]))
        for k, path in enumerate(motion_paths)
    )
    return MocapShard(
        path=skeleton_path,
        joint_names=names,
        parents=parents,
        canonical={ours: names.index(bone) for ours, bone in CANONICAL.items() if bone in names},
        fps=KEPT_FPS,
        clips=clips,
        offsets={subject: torch.tensor(offsets, dtype=torch.float32)},
        _clip_start=np.array(starts),
        _root=np.concatenate(roots),
        _quat=np.concatenate(quats),
        _bad_frame=np.zeros(starts[-1], bool),
    )


def read_asf(path: Path) -> Skeleton:
    """A skeleton file.

    Raises:
        InputError: it has another form.
    """
    section, metres, unit = "", _METRES / 0.45, np.pi / 180
    bones: dict[str, Bone] = {}
    parents: dict[str, str] = {}
    current: dict[str, list[str]] = {}
    try:
        for line in path.read_text(encoding="ascii", errors="replace").splitlines():
            words = line.split("#")[0].split()
            if not words:
                continue
            if words[0].startswith(":"):
                section = words[0]
            elif section == ":units" and words[0] == "length":
                metres = _METRES / float(words[1])
            elif section == ":units" and words[0] == "angle":
                unit = np.pi / 180 if words[1].startswith("deg") else 1.0
            elif section == ":bonedata" and words[0] == "end":
                bone = _bone(current, metres, unit)
                bones[bone.name], current = bone, {}
            elif section == ":bonedata" and words[0] != "begin":
                current[words[0]] = words[1:]
            elif section == ":hierarchy" and words[0] not in ("begin", "end"):
                parents.update(dict.fromkeys(words[1:], words[0]))
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise wrong(path, f"is no ASF skeleton ({error})", "cmu") from error
    if not bones or set(bones) != set(parents):
        raise wrong(path, "is no ASF skeleton (bones and hierarchy do not match)", "cmu")
    return Skeleton(metres, bones, parents)


def read_amc(path: Path) -> list[dict[str, list[float]]]:
    """A motion file: per frame, the numbers of each bone (degrees; the root's place first).

    Raises:
        InputError: it has another form.
    """
    frames: list[dict[str, list[float]]] = []
    try:
        for line in path.read_text(encoding="ascii", errors="replace").splitlines():
            words = line.split()
            if not words or words[0].startswith(("#", ":")):
                continue
            if len(words) == 1:
                frames.append({})
            else:
                frames[-1][words[0]] = [float(word) for word in words[1:]]
    except (OSError, ValueError, IndexError) as error:
        raise wrong(path, f"is no AMC motion ({error})", "cmu") from error
    if not frames or any(len(frame.get("root", ())) != 6 for frame in frames):
        raise wrong(path, "is no AMC motion (a frame without the root's six numbers)", "cmu")
    return frames


def _bone(entry: dict[str, list[str]], metres: float, unit: float) -> Bone:
    direction = np.array([float(x) for x in entry["direction"]])
    angles = np.array([float(x) for x in entry["axis"][:3]]) * unit
    order = entry["axis"][3] if len(entry["axis"]) > 3 else "XYZ"
    if order.upper() != "XYZ":
        raise ValueError(f"axis order {order}")
    return Bone(
        entry["name"][0],
        direction * float(entry["length"][0]) * metres,
        _turns(angles[None])[0],
        tuple(word.lower() for word in entry.get("dof", []) if word.lower().startswith("r")),
    )


def _joints(
    skeleton: Skeleton,
) -> tuple[tuple[str, ...], tuple[int, ...], Float[ndarray, "joints 3"]]:
    """Joints depth first: the root, the beginning of each bone, the ends of those without child."""
    names, parents, offsets = ["root"], [-1], [np.zeros(3)]

    def add(bone: str, parent: int, offset: ndarray) -> None:
        names.append(bone)
        parents.append(parent)
        offsets.append(offset)
        own, vector = len(names) - 1, skeleton.bones[bone].vector
        children = [child for child, above in skeleton.parents.items() if above == bone]
        for child in children:
            add(child, own, vector)
        if not children:
            names.append(f"{bone}_end")
            parents.append(own)
            offsets.append(vector)

    for bone, above in skeleton.parents.items():
        if above == "root":
            add(bone, 0, np.zeros(3))
    return tuple(names), tuple(parents), np.stack(offsets)


def _local(
    path: Path, skeleton: Skeleton, names: tuple[str, ...], frames: list[dict[str, list[float]]]
) -> tuple[Float[ndarray, "frames 3"], ndarray]:
    """The root's place in metres, and local rotations as int16 quaternions (w, x, y, z)."""
    root = np.array([frame["root"] for frame in frames])
    local = np.tile(np.eye(3), (len(frames), len(names), 1, 1))
    local[:, 0] = _turns(np.radians(root[:, 3:]))
    for column, name in enumerate(names):
        bone = skeleton.bones.get(name)
        if bone is None or not bone.angles:
            continue
        angles = np.zeros((len(frames), 3))
        at = ["xyz".index(word[1]) for word in bone.angles]
        try:
            angles[:, at] = [frame.get(name, [0.0] * len(at)) for frame in frames]
        except ValueError as error:
            raise wrong(path, f"gives {name} not {len(at)} numbers", "cmu") from error
        turn = _turns(np.radians(angles))
        local[:, column] = bone.axes @ turn @ bone.axes.T
    quat = roma.quat_xyzw_to_wxyz(roma.rotmat_to_unitquat(torch.tensor(local))).numpy()
    return root[:, :3] * skeleton.metres, np.round(quat * _QUAT_UNIT).astype(np.int16)


def _turns(angles_rad: Float[ndarray, "frames 3"]) -> Float[ndarray, "frames 3 3"]:
    """Rz Ry Rx: about x first, all about fixed axes."""
    vectors = torch.tensor(angles_rad)[..., None] * torch.eye(3, dtype=torch.float64)
    x, y, z = roma.rotvec_to_rotmat(vectors).unbind(-3)
    return (z @ y @ x).numpy()
