"""Made takes of one made action, for timings: no file is needed."""

import math
from collections.abc import Sequence

import numpy as np
import torch

from motionfield.body.base import Body
from motionfield.core.conventions import JOINT_INDEX
from motionfield.data.motion import Motion
from motionfield.geometry.rotations import axis_rotation
from motionfield.steps.fit.group import GroupTake
from motionfield.worlds.foothold import lowest_point
from motionfield.worlds.take import make_take

_FPS = 30.0
_OFF_RAD = 0.15
"""By how much the first 3D turns every joint wrongly."""


def made_takes(count: int, frames: int, body: Body) -> list[GroupTake]:
    """Takes of a squat with a throw, each at its own pace before its own camera.

    Keypoints are the made detector's; the first 3D is the truth, badly shaken.
    """
    takes = []
    for index in range(count):
        pace = 0.7 + 0.6 * index / max(1, count - 1)
        truth = _squat_and_throw(np.linspace(0, 1, frames) ** pace, body)
        seen = make_take(truth, body, seed=index)
        initial = _shaken(truth, seed=index)
        takes.append(GroupTake(f"take_{index}", seen.keypoints, seen.camera, initial))
    return takes


def repeated(takes: Sequence[GroupTake], times: int) -> list[GroupTake]:
    """The same takes again and again under other names."""
    return [take._replace(name=f"{take.name}_{n}") for n in range(times) for take in takes]


def _squat_and_throw(phase: np.ndarray, body: Body) -> Motion:
    at = torch.tensor(phase, dtype=torch.float32)
    frames = len(at)
    bend = 0.5 * (1 - torch.cos(math.tau * at))
    throw = torch.sigmoid(14 * (at - 0.6))
    turns = torch.eye(3).repeat(frames, 24, 1, 1)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        turns[:, JOINT_INDEX[f"{side}_hip"]] = axis_rotation("x", -bend)
        turns[:, JOINT_INDEX[f"{side}_knee"]] = axis_rotation("x", 2 * bend)
        turns[:, JOINT_INDEX[f"{side}_ankle"]] = axis_rotation("x", -bend)
        down = axis_rotation("z", torch.tensor(-1.1 * sign))
        swing = axis_rotation("x", (0.6 - 1.4 * throw) * (1.0 if sign < 0 else 0.3))
        turns[:, JOINT_INDEX[f"{side}_shoulder"]] = swing @ down
        turns[:, JOINT_INDEX[f"{side}_elbow"]] = axis_rotation("y", -sign * (1.2 - throw))
    upright = axis_rotation("x", torch.tensor(math.pi / 2))
    motion = Motion(
        global_orient=upright.repeat(frames, 1, 1).numpy(),
        body_pose=turns[:, 1:].numpy(),
        transl=np.zeros((frames, 3), np.float32),
        betas=np.zeros(body.num_betas, np.float32),
        body_model=body.name,
        fps=_FPS,
        time_s=np.arange(frames) / _FPS,
        frame_index=np.arange(frames),
        observed=np.ones(frames, bool),
    )
    transl = motion.transl.copy()
    transl[:, 2] -= lowest_point(motion, body).numpy()
    return motion.replace(transl=transl)


def _shaken(motion: Motion, seed: int) -> Motion:
    generator = torch.Generator().manual_seed(seed)
    off = _OFF_RAD * torch.randn(*motion.body_pose.shape[:2], 2, generator=generator)
    turn = axis_rotation("x", off[..., 0]) @ axis_rotation("y", off[..., 1])
    return motion.replace(body_pose=(torch.tensor(motion.body_pose.copy()) @ turn).numpy())
