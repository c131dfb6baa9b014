"""Truth that is given as SMPL parameters: to our conventions, without SMPL's files.

Poses mean the same for every body with SMPL's joints. Places do not: SMPL's translation is added
after posing, so the root joint lies at its rest place plus the translation, and the rest place
depends on the shape. Here it is the neutral, mean shape's (a few centimetres wrong for others: a
constant shift of the whole motion, which every rigid alignment takes away).
"""

from dataclasses import replace
from typing import Final

import numpy as np
import roma
import torch
from jaxtyping import Bool, Float
from numpy import ndarray

from motionfield.core.conventions import NUM_JOINTS
from motionfield.core.history import step
from motionfield.data.motion import Motion
from motionfield.formats.datasets.sequence import DatasetSequence

SMPL_PELVIS_M: Final = (-0.0018, -0.2233, 0.0282)
"""Rest place of the neutral mean SMPL's root joint, body axes, about."""


def smpl_motion(
    rotvecs: Float[ndarray, "frames joints 3"],
    transl: Float[ndarray, "frames 3"],
    betas: Float[ndarray, "betas"],
    fps: float,
    good: Bool[ndarray, "frames"],
) -> Motion:
    """A motion of the body "smpl" from axis-angle vectors of the root and up to 23 joints.

    Joints that are not given (the hands of 22-joint files) rest; more than 24 are fingers and
    face, and are left out.
    """
    frames = len(rotvecs)
    pose = np.zeros((frames, NUM_JOINTS, 3), np.float32)
    given = min(rotvecs.shape[1], NUM_JOINTS if rotvecs.shape[1] <= NUM_JOINTS else 22)
    pose[:, :given] = rotvecs[:, :given]
    matrices = roma.rotvec_to_rotmat(torch.tensor(pose)).numpy()
    return Motion(
        global_orient=matrices[:, 0],
        body_pose=matrices[:, 1:],
        transl=np.asarray(transl, np.float32),
        betas=np.asarray(betas, np.float32).ravel(),
        body_model="smpl",
        fps=fps,
        time_s=np.arange(frames) / fps,
        frame_index=np.arange(frames),
        observed=good,
        history=(step("read smpl parameters"),),
    )


def turned(motion: Motion, R_new_world: Float[ndarray, "3 3"]) -> Motion:
    """The motion in a world turned about its origin."""
    rest = np.asarray(SMPL_PELVIS_M, np.float32)
    R = R_new_world.astype(np.float32)
    return motion.replace(
        global_orient=R @ motion.global_orient,
        transl=(motion.transl + rest) @ R.T - rest,
    )


def up_axis(motion: Motion) -> Float[ndarray, "3"]:
    """Which signed axis of the world is up: the one nearest to the mean direction of the body's.

    People are upright more often than not; files rarely say what is up in them.
    """
    mean = motion.global_orient[:, :, 1].mean(0)
    axis = np.zeros(3)
    longest = int(np.abs(mean).argmax())
    axis[longest] = np.sign(mean[longest])
    return axis


def z_up(sequence: DatasetSequence) -> DatasetSequence:
    """The sequence in a world turned so that Z is up, by the smallest turn of whole axes."""
    if sequence.motion is None:
        return sequence
    R = _turn_to_z(up_axis(sequence.motion))
    joints, camera = sequence.joints, sequence.camera
    if joints is not None:
        joints = joints.replace(joints_world=(joints.joints_world @ R.T).astype(np.float32))
    if camera is not None:
        camera = camera.moved(R.astype(np.float32), np.zeros(3, np.float32))
    return replace(sequence, motion=turned(sequence.motion, R), joints=joints, camera=camera)


def _turn_to_z(axis: Float[ndarray, "3"]) -> Float[ndarray, "3 3"]:
    """The rotation that carries a signed axis to +Z: about x for y and z, about y for x."""
    x, y, z = axis
    if z > 0:
        return np.eye(3)
    if z < 0:
        return np.diag([1.0, -1.0, -1.0])
    if y:
        return np.array([[1.0, 0, 0], [0, 0, -y], [0, y, 0]])
    return np.array([[0.0, 0, -x], [0, 1, 0], [x, 0, 0]])
