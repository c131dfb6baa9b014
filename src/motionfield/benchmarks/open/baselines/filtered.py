"""A motion smoothed afterwards: its rotations on their manifold, its path through the world.

Options were chosen on the val motions of the mocap collection before static cameras with true
intrinsics (25 clips, detector noise; mean errors of ``initial``: MPJPE 81.4 mm, acceleration
21.6 m/s²): Savitzky-Golay for both errors (80.4 mm, 8.0 m/s²; wider windows gain 0.1 mm and cannot
follow fast turns), One-Euro for the least acceleration error whose lag costs no more than 1 mm
(82.3 mm, 11.9 m/s²).
"""

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

from motionfield.core.arrays import tensor_of
from motionfield.core.history import step
from motionfield.data.motion import Motion
from motionfield.geometry.filters import (
    OneEuroConfig,
    SavgolConfig,
    one_euro,
    one_euro_rotations,
    savgol,
    savgol_rotations,
)

SAVGOL: Final = SavgolConfig(reach_s=0.2, order=2)
ONE_EURO: Final = OneEuroConfig(min_cutoff_hz=4.0, speed_slope=1.0)


def with_savgol(motion: Motion, config: SavgolConfig = SAVGOL) -> Motion:
    """Savitzky-Golay on every rotation and on the root's path."""
    smooth = _smoothed(
        motion, lambda v, t: savgol(v, t, config), lambda r, t: savgol_rotations(r, t, config)
    )
    return smooth.replace(step("savgol", config))


def with_one_euro(motion: Motion, config: OneEuroConfig = ONE_EURO) -> Motion:
    """One-Euro on every rotation and on the root's path; causal, so it lags."""
    smooth = _smoothed(
        motion, lambda v, t: one_euro(v, t, config), lambda r, t: one_euro_rotations(r, t, config)
    )
    return smooth.replace(step("one euro", config))


def _smoothed(
    motion: Motion,
    places: Callable[[Tensor, Tensor], Tensor],
    rotations: Callable[[Tensor, Tensor], Tensor],
) -> Motion:
    time_s = torch.tensor(motion.time_s - motion.time_s[0])
    turns = torch.cat(
        (tensor_of(motion.global_orient).unsqueeze(1), tensor_of(motion.body_pose)), dim=1
    )
    turns = rotations(turns, time_s)
    return motion.replace(
        global_orient=turns[:, 0].numpy(),
        body_pose=turns[:, 1:].numpy(),
        transl=places(tensor_of(motion.transl), time_s).numpy(),
    )
