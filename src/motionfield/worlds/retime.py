"""A motion at other times of its own: other rates, slow motion, pauses, a stretch of it."""

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from motionfield.core.arrays import tensor_of
from motionfield.data.motion import Motion
from motionfield.geometry.resample import resample_positions, resample_rotations


def retimed(
    motion: Motion, at_s: Float[ndarray, "samples"], fps: float, smooth: bool = False
) -> Motion:
    """The motion as it is ``at_s`` seconds after its first frame, as frames at ``fps``.

    Held beyond its ends; frames count as observed where the nearest one is.

    Args:
        smooth: cubic between frames (``geometry.resample``): no kinks where frames are added.
    """
    time_s = motion.time_s - motion.time_s[0]
    old, new = (torch.tensor(times, dtype=torch.float64) for times in (time_s, at_s))
    nearest = np.abs(time_s[:, None] - at_s).argmin(0)
    contacts = motion.contacts
    if contacts is not None:
        contacts = resample_positions(tensor_of(contacts), old, new).numpy()
    count = len(at_s)
    turns = (tensor_of(motion.global_orient), tensor_of(motion.body_pose))
    global_orient, body_pose = (resample_rotations(turn, old, new, smooth) for turn in turns)
    return motion.replace(
        global_orient=global_orient.numpy(),
        body_pose=body_pose.numpy(),
        transl=resample_positions(tensor_of(motion.transl), old, new, smooth).numpy(),
        contacts=contacts,
        joints_std=None,
        fps=fps,
        time_s=np.arange(count) / fps,
        frame_index=np.arange(count),
        observed=motion.observed[nearest],
    )
