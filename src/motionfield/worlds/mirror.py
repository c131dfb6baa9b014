"""A motion seen in a mirror: as true as the motion itself, with left and right exchanged."""

import dataclasses
from typing import Final

import numpy as np

from motionfield.core.conventions import JOINT_NAMES, mirror_order
from motionfield.core.history import step
from motionfield.data.motion import Motion

_ORDER: Final = np.array(mirror_order(JOINT_NAMES))
_FLIP: Final = np.array([-1.0, 1.0, 1.0])


def mirror_motion(motion: Motion) -> Motion:
    """The motion mirrored at the plane x = 0 of the world; twice gives the motion back.

    Joints are the mirror images of the motion's, left for right, as far as the body is symmetric
    about its own plane x = 0 (anny's: to a third of a millimetre).
    """
    turn = _FLIP[:, None] * _FLIP
    scale, contacts, std = motion.bone_scale, motion.contacts, motion.joints_std
    return dataclasses.replace(
        motion,
        global_orient=_like(motion.global_orient * turn, motion.global_orient),
        body_pose=_like((motion.body_pose * turn)[:, _ORDER[1:] - 1], motion.body_pose),
        transl=_like(motion.transl * _FLIP, motion.transl),
        bone_scale=None if scale is None else scale[_ORDER],
        contacts=None if contacts is None else contacts[:, ::-1].copy(),
        joints_std=None if std is None else std[:, _ORDER],
        history=(*motion.history, step("mirror")),
    )


def _like(array: np.ndarray, model: np.ndarray) -> np.ndarray:
    return array.astype(model.dtype)
