"""AMASS motions as shards of our own skeleton, driven by their poses.

SMPL's joint rotations mean the same for our body. Its lengths come with model files that are not
ours to ship, so the skeleton is our average body's, and the way is scaled until its feet stand
where SMPL's stood: on the ground.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import roma
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.arrays import tensor_of
from motionfield.core.conventions import JOINT_INDEX, JOINT_NAMES, JOINT_PARENTS
from motionfield.data.motion import Motion
from motionfield.formats.datasets.amass import read_amass
from motionfield.formats.datasets.smpl import SMPL_PELVIS_M
from motionfield.formats.mocap_npz import ClipInfo, MocapShard, chain_levels, z_up_from_y_up
from motionfield.worlds.mocap_proportions import bone_offsets, sole_depth

_LEAST_FPS: Final = 30.0
_QUAT_UNIT: Final = 32767
_SCALES: Final = (0.6, 1.4)
"""Of the way; more is not a standing person."""
_FEET: Final = [JOINT_INDEX[f"{side}_ankle"] for side in ("left", "right")]
_SIDED: Final = (
    *(("hip", "hip"), ("knee", "knee"), ("ankle", "ankle"), ("toe", "foot")),
    *(("shoulder", "shoulder"), ("elbow", "elbow"), ("wrist", "wrist"), ("hand", "hand")),
)
_CANONICAL: Final = {
    **{name: JOINT_INDEX[name] for name in ("pelvis", "neck", "head")},
    "chest": JOINT_INDEX["spine3"],
    **{
        f"{side[0]}_{canon}": JOINT_INDEX[f"{side}_{ours}"]
        for side in ("left", "right")
        for canon, ours in _SIDED
    },
}


def read_amass_shards(paths: Sequence[Path], subject: str, body: Body) -> Iterator[MocapShard]:
    """A subject's files, as one shard per frame rate, thinned to 30 frames per second or more.

    Raises:
        InputError: a file has another form.
    """
    by_rate = defaultdict(list)
    for path in paths:
        motion = read_amass(path).motion
        if motion is None:
            continue
        stride = max(1, int(motion.fps / _LEAST_FPS + 1e-3))
        thinned = motion.at_frames(np.arange(0, motion.num_frames, stride))
        by_rate[motion.fps / stride].append((path, thinned))
    for fps, found in by_rate.items():
        yield _shard([path for path, _ in found], [m for _, m in found], fps, subject, body)


def _shard(
    paths: list[Path], motions: list[Motion], fps: float, subject: str, body: Body
) -> MocapShard:
    rest = body.rest_joints(torch.zeros(body.num_betas))
    offsets = bone_offsets(rest)
    roots, quats = [], []
    for motion in motions:
        local = torch.cat(
            (tensor_of(motion.global_orient)[:, None], tensor_of(motion.body_pose)), 1
        )
        local[:, 0] = z_up_from_y_up().mT @ local[:, 0]
        place = tensor_of(motion.transl) + torch.tensor(SMPL_PELVIS_M)
        roots.append((place * _scale(place, local, offsets, body)) @ z_up_from_y_up())
        quats.append(roma.quat_xyzw_to_wxyz(roma.rotmat_to_unitquat(local)))
    starts = np.cumsum([0, *map(len, roots)])
    return MocapShard(
        path=paths[0],
        joint_names=JOINT_NAMES,
        parents=tuple(JOINT_PARENTS),
        canonical=_CANONICAL,
        fps=fps,
        clips=tuple(
            ClipInfo(k, path.stem, subject, "", "train", len(roots[k]))
            for k, path in enumerate(paths)
        ),
        offsets={subject: offsets},
        _clip_start=starts,
        _root=torch.cat(roots).numpy(),
        _quat=_packed(torch.cat(quats)),
        _bad_frame=np.zeros(starts[-1], bool),
    )


def _scale(
    place: Float[Tensor, "frames 3"],
    local: Float[Tensor, "frames 24 3 3"],
    offsets: Float[Tensor, "24 3"],
    body: Body,
) -> float:
    """Our pelvis's height above the lower sole as a share of theirs above the ground."""
    still = torch.zeros(len(place), 3)
    joints = chain_levels(local, offsets, still, JOINT_PARENTS)[1]
    depth = sole_depth(body, torch.zeros(body.num_betas), torch.ones(len(JOINT_NAMES)))
    ours = depth - joints[:, _FEET, 1].amin(1)
    shares = (ours / place[:, 2])[place[:, 2] > 0.1]
    if not len(shares):
        return 1.0
    return float(shares.median().clamp(*_SCALES))


def _packed(quat: Float[Tensor, "frames joints 4"]) -> ndarray:
    return np.round(quat.numpy() * _QUAT_UNIT).astype(np.int16)
