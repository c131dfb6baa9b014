"""Clips of the DeepMimic humanoid (``humanoid3d_*.txt``) as a mocap shard.

JSON: ``Loop`` ("wrap" or "none") and ``Frames``, rows of 44 numbers: the frame's duration in
seconds (of the last one often 0), the root's place in metres, then rotations in their parents'
frames, w x y z, or one angle in radians where the joint is a hinge about z: root, chest, neck,
right hip, knee (hinge), ankle, shoulder, elbow (hinge), and the same four and two of the left.
Right-handed, Y up, facing +x at rest with the arms hanging. The skeleton is one for all clips.

Source: Peng et al., DeepMimic, SIGGRAPH 2018; its public humanoid3d.txt has the skeleton.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import roma
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from motionfield.core.errors import InputError
from motionfield.formats.mocap_npz import ClipInfo, MocapShard
from motionfield.geometry.resample import resample_positions, resample_rotations

SUBJECT: Final = "humanoid3d"
FPS: Final = 30.0
"""The clips come at 16 to 60 frames per second; all are brought to this rate."""

_COLUMNS: Final = 44
_CURE: Final = "give a humanoid3d_*.txt of DeepMimic or of pybullet_data/data/motions"
_HINGES: Final = ("right_knee", "right_elbow", "left_knee", "left_elbow")
_FIXED: Final = ("right_wrist", "left_wrist", "head_end", "right_toe_end", "left_toe_end")
_LEAST_FPS: Final = 5.0

# Name: parent, offset from it in metres. The last three are ends that the humanoid has as shapes.
_SKELETON: Final[dict[str, tuple[str, tuple[float, float, float]]]] = {
    "root": ("", (0, 0, 0)),
    "chest": ("root", (0, 0.236151, 0)),
    "neck": ("chest", (0, 0.223894, 0)),
    "right_hip": ("root", (0, 0, 0.084887)),
    "right_knee": ("right_hip", (0, -0.421546, 0)),
    "right_ankle": ("right_knee", (0, -0.40987, 0)),
    "right_shoulder": ("chest", (-0.02405, 0.2435, 0.18311)),
    "right_elbow": ("right_shoulder", (0, -0.274788, 0)),
    "right_wrist": ("right_elbow", (0, -0.258947, 0)),
    "left_hip": ("root", (0, 0, -0.084887)),
    "left_knee": ("left_hip", (0, -0.421546, 0)),
    "left_ankle": ("left_knee", (0, -0.40987, 0)),
    "left_shoulder": ("chest", (-0.02405, 0.2435, -0.18311)),
    "left_elbow": ("left_shoulder", (0, -0.274788, 0)),
    "left_wrist": ("left_elbow", (0, -0.258947, 0)),
    "head_end": ("neck", (0, 0.28, 0)),
    "right_toe_end": ("right_ankle", (0.13, -0.05, 0)),
    "left_toe_end": ("left_ankle", (0.13, -0.05, 0)),
}
_CANONICAL: Final = {
    "pelvis": "root",
    "spine": "root",
    "chest": "chest",
    "neck": "neck",
    "head": "head_end",
    **{
        f"{side[0]}_{word}": f"{side}_{joint}"
        for side in ("left", "right")
        for word, joint in (
            *(("hip", "hip"), ("knee", "knee"), ("ankle", "ankle"), ("toe", "toe_end")),
            *(("shoulder", "shoulder"), ("elbow", "elbow"), ("wrist", "wrist")),
        )
    },
}


def read_deepmimic(paths: Sequence[Path]) -> MocapShard:
    """Clips as one shard of one subject, resampled to ``FPS`` (rotations along shortest arcs).

    Args:
        paths: files; a clip is named by its file without ending.

    Raises:
        InputError: no files, or one that is no such clip.
    """
    if not paths:
        raise InputError("humanoid3d_*.txt", "no files given", _CURE)
    names = tuple(_SKELETON)
    clips = [_resampled(*_read_frames(Path(path))) for path in paths]
    lengths = [len(root) for root, _ in clips]
    starts = np.concatenate(([0], np.cumsum(lengths)))
    quat = np.concatenate([_packed(rotations) for _, rotations in clips])
    offsets = torch.tensor([offset for _, offset in _SKELETON.values()], dtype=torch.float32)
    return MocapShard(
        path=Path(paths[0]).parent,
        joint_names=names,
        parents=tuple(names.index(parent) if parent else -1 for parent, _ in _SKELETON.values()),
        canonical={canon: names.index(joint) for canon, joint in _CANONICAL.items()},
        fps=FPS,
        clips=tuple(
            ClipInfo(index, path.stem, SUBJECT, _description(path), "unused", lengths[index])
            for index, path in enumerate(map(Path, paths))
        ),
        offsets={SUBJECT: offsets},
        _clip_start=starts,
        _root=np.concatenate([root.numpy() for root, _ in clips]).astype(np.float32),
        _quat=quat,
        _bad_frame=np.zeros(len(quat), dtype=bool),
    )


def _description(path: Path) -> str:
    return path.stem.removeprefix("humanoid3d_").replace("_", " ")


def _read_frames(path: Path) -> tuple[Float[ndarray, "frames"], Float[ndarray, "frames 43"]]:
    """Times in seconds, and the rows without the durations."""
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        frames = np.asarray(content["Frames"], dtype=np.float64)
        if frames.ndim != 2 or frames.shape[1] != _COLUMNS or len(frames) < 2:
            raise ValueError(f"Frames has shape {frames.shape}, not (two or more, {_COLUMNS})")
        if not np.isfinite(frames).all():
            raise ValueError("Frames holds values that are not finite")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(path, f"is no DeepMimic clip ({error})", _CURE) from error
    steps = frames[:-1, 0]
    if (steps <= 0).any() or (steps > 1 / _LEAST_FPS).any():
        raise InputError(path, "has frames of no or of more than 0.2 s duration", _CURE)
    return np.concatenate(([0.0], np.cumsum(steps))), frames[:, 1:]


def _resampled(
    time_s: Float[ndarray, "frames"], rows: Float[ndarray, "frames 43"]
) -> tuple[Float[Tensor, "samples 3"], Float[Tensor, "samples 18 3 3"]]:
    """The root's places and all joints' local rotations at ``FPS``, Y up."""
    # A little more than the last frame's time is rounding, not a frame.
    at_s = torch.arange(int(time_s[-1] * FPS + 0.01) + 1, dtype=torch.float64) / FPS
    times = torch.from_numpy(time_s)
    root = resample_positions(torch.from_numpy(rows[:, :3]), times, at_s)
    rotations = resample_rotations(_rotations(rows), times, at_s)
    return root, rotations


def _rotations(rows: Float[ndarray, "frames 43"]) -> Float[Tensor, "frames 18 3 3"]:
    values = torch.from_numpy(rows)
    identity = torch.eye(3, dtype=values.dtype).expand(len(values), 3, 3)
    axis = torch.tensor([0.0, 0.0, 1.0], dtype=values.dtype)
    column, found = 3, []
    for name in _SKELETON:
        if name in _FIXED:
            found.append(identity)
        elif name in _HINGES:
            found.append(roma.rotvec_to_rotmat(values[:, column : column + 1] * axis))
            column += 1
        else:
            wxyz = torch.nn.functional.normalize(values[:, column : column + 4], dim=-1)
            found.append(roma.unitquat_to_rotmat(roma.quat_wxyz_to_xyzw(wxyz)))
            column += 4
    return torch.stack(found, dim=1)


def _packed(rotations: Float[Tensor, "frames joints 3 3"]) -> ndarray:
    """As shards hold them: int16 / 32767, w x y z."""
    wxyz = roma.quat_xyzw_to_wxyz(roma.rotmat_to_unitquat(rotations))
    return np.round(wxyz.numpy() * 32767).astype(np.int16)
