"""Takes of one made action: the same movement by formula, each at its own pace."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from motionfield.body.registry import load_body
from motionfield.core.conventions import JOINT_INDEX
from motionfield.data import Action, Motion
from motionfield.geometry.rotations import axis_rotation

UPRIGHT = axis_rotation("x", torch.tensor(math.pi / 2))
FPS = 50.0


class MadeAction(NamedTuple):
    """Takes, their phases, and what they have in common."""

    takes: list[Motion]
    action: Action
    canonical: Motion


def movement(phase: np.ndarray, body: str = "toy", fps: float = FPS) -> Motion:
    """A step ahead (-Y) with a deep bend of knees and elbows; a frame for each phase."""
    at = torch.tensor(phase, dtype=torch.float32)
    pose = torch.eye(3).repeat(len(at), 24, 1, 1)
    swing = torch.sin(math.tau * at)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        pose[:, JOINT_INDEX[f"{side}_hip"]] = axis_rotation("x", -0.5 - 0.4 * sign * swing)
        pose[:, JOINT_INDEX[f"{side}_knee"]] = axis_rotation("x", 0.6 - 0.4 * torch.cos(3 * at))
        pose[:, JOINT_INDEX[f"{side}_elbow"]] = axis_rotation("y", -sign * (0.7 + 0.3 * swing))
        down = axis_rotation("z", torch.tensor(-sign * 1.2))
        pose[:, JOINT_INDEX[f"{side}_shoulder"]] = axis_rotation("x", 0.5 * sign * swing) @ down
    place = torch.stack((0.1 * swing, -1.2 * at, 0.9 + 0.05 * torch.cos(math.tau * at)), -1)
    count = len(phase)
    return Motion(
        global_orient=(UPRIGHT @ pose[:, 0]).numpy(),
        body_pose=pose[:, 1:].numpy(),
        transl=place.numpy(),
        betas=np.zeros(load_body(body).num_betas, np.float32),
        body_model=body,
        fps=fps,
        time_s=3.0 + np.arange(count) / fps,
        frame_index=np.arange(count),
        observed=np.ones(count, bool),
    )


def eased(count: int, power: float = 1.0, start: float = 0.0, end: float = 1.0) -> np.ndarray:
    """Phases of a take that hurries at its end (power above 1) or its beginning."""
    return start + (end - start) * np.linspace(0, 1, count) ** power


def action_of(
    phases: Sequence[np.ndarray], mirrored: Sequence[bool] = (), duration_s: float = 2.0
) -> Action:
    counts = [len(phase) for phase in phases]
    return Action(
        take_names=tuple(f"take {index + 1}" for index in range(len(phases))),
        take=np.repeat(np.arange(len(phases)), counts),
        phase=np.concatenate(phases),
        time_s=np.concatenate([np.arange(count) / FPS for count in counts]),
        mirrored=np.array(mirrored or [False] * len(phases)),
        duration_s=duration_s,
    )


def made_action(phases: Sequence[np.ndarray], body: str = "toy") -> MadeAction:
    """Takes that differ in pace alone."""
    canonical = movement(np.linspace(0, 1, 101), body)
    return MadeAction([movement(p, body) for p in phases], action_of(phases), canonical)


def turned_joint(motion: Motion, joint: str, axis: str, angle: np.ndarray | float) -> Motion:
    """One joint turned further by ``angle`` radians (one number, or one per frame)."""
    turn = axis_rotation(axis, torch.tensor(angle, dtype=torch.float32)).numpy()
    pose = motion.body_pose.copy()
    pose[:, JOINT_INDEX[joint] - 1] = pose[:, JOINT_INDEX[joint] - 1] @ turn
    return motion.replace(body_pose=pose)


def moved(motion: Motion, yaw: float, shift: Sequence[float]) -> Motion:
    """The motion in a world turned about its vertical and shifted; roots turn about the origin."""
    turn = axis_rotation("z", torch.tensor(yaw)).numpy()
    rest = load_body(motion.body_model).rest_joints(torch.tensor(motion.betas.copy()))[0].numpy()
    root = (motion.transl + rest) @ turn.T + np.array(shift, np.float32)
    return motion.replace(
        global_orient=(turn @ motion.global_orient).astype(np.float32),
        transl=(root - rest).astype(np.float32),
    )
