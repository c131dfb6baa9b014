"""A mocap shard made of our own skeleton: what comes back must be what went in."""

import math
from pathlib import Path

import numpy as np
import roma
import torch
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.conventions import JOINT_INDEX, JOINT_NAMES, JOINT_PARENTS
from motionfield.geometry.rotations import axis_rotation

FPS = 30.0
_CANON = {
    "pelvis": "pelvis",
    "chest": "spine3",
    "neck": "neck",
    "head": "head",
    **{
        f"{side[0]}_{canon}": f"{side}_{name}"
        for side in ("left", "right")
        for canon, name in (
            *((n, n) for n in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist", "hand")),
            ("toe", "foot"),
        )
    },
}


def made_pose(frames: int) -> Tensor:
    """Squats with arms that swing to the front and bend: local rotations (frames, 24, 3, 3).

    Knees and elbows are hinges, the soles stay level, the trunk leans now and then.
    """
    t = torch.linspace(0, 4 * math.pi, frames)
    bend = 0.6 * (1 - torch.cos(t))
    local = torch.eye(3).repeat(frames, 24, 1, 1)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        local[:, JOINT_INDEX[f"{side}_hip"]] = axis_rotation("x", -bend)
        local[:, JOINT_INDEX[f"{side}_knee"]] = axis_rotation("x", 2 * bend)
        local[:, JOINT_INDEX[f"{side}_ankle"]] = axis_rotation("x", -bend)
        arm = 0.5 + 0.4 * torch.sin(t + 0.3 * sign)
        local[:, JOINT_INDEX[f"{side}_shoulder"]] = axis_rotation("y", -sign * arm)
        local[:, JOINT_INDEX[f"{side}_elbow"]] = axis_rotation("y", -sign * (0.7 + 0.5 * arm))
    lean = 0.5 * torch.sin(t / 2).clamp(min=0) ** 4
    for joint in ("spine1", "spine2", "spine3"):
        local[:, JOINT_INDEX[joint]] = axis_rotation("x", lean / 3)
    local[:, JOINT_INDEX["head"]] = axis_rotation("y", 0.4 * torch.sin(2 * t))
    return local


def write_made_shard(path: Path, body: Body, frames: int = 700, split: str = "val") -> Tensor:
    """Write two clips, the second turned and elsewhere; returns the first's local rotations."""
    local = made_pose(frames)
    joints = body.rest_joints(torch.zeros(body.num_betas))
    offsets = (joints - joints[[0, *JOINT_PARENTS[1:]]]).numpy()
    hip, knee, ankle = (JOINT_INDEX[f"left_{name}"] for name in ("hip", "knee", "ankle"))
    thigh, shank = joints[knee] - joints[hip], joints[ankle] - joints[knee]
    # The ankles stay where they are, at about their height above the sole.
    leg = local[:, hip] @ thigh + local[:, hip] @ local[:, knee] @ shank
    root = torch.tensor([0.0, 0.08, 0.0]) - leg - (joints[hip] - joints[0])
    turned = local.clone()
    turned[:, 0] = axis_rotation("y", torch.tensor(1.0)) @ local[:, 0]
    there = root @ axis_rotation("y", torch.tensor(1.0)).mT + torch.tensor([1.0, 0.0, -2.0])
    both = torch.cat((local, turned))
    xyzw = roma.rotmat_to_unitquat(both)
    quat = torch.cat((xyzw[..., 3:], xyzw[..., :3]), dim=-1)
    np.savez(
        path,
        root=torch.cat((root, there)).numpy().astype(np.float32),
        quat=np.round(quat.numpy() * 32767).astype(np.int16),
        clip_start=np.array([0, frames, 2 * frames]),
        clip_name=np.array(["squats", "squats_turned"]),
        subject=np.array(["one", "one"]),
        description=np.array(["squats", "squats, turned"]),
        split=np.array([split, split]),
        bad_frame=np.zeros(2 * frames, dtype=bool),
        offsets=offsets[None].astype(np.float32),
        offset_subject=np.array(["one"]),
        joint_names=np.array(JOINT_NAMES),
        parents=np.array(JOINT_PARENTS),
        canon_names=np.array(list(_CANON)),
        canon_index=np.array([JOINT_INDEX[name] for name in _CANON.values()]),
        fps=np.float32(FPS),
    )
    return local
