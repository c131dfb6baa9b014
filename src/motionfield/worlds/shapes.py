"""Other bodies for a motion: random plausible shapes, and a motion made over to one of them."""

from typing import Final

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from motionfield.body.base import Body
from motionfield.core.arrays import tensor_of
from motionfield.core.conventions import NUM_BETAS
from motionfield.core.errors import OptionError
from motionfield.core.history import step
from motionfield.data.motion import Motion
from motionfield.worlds.foothold import (
    held,
    leg_length,
    lowest_point,
    resting,
    sole_points,
    velocity,
)
from motionfield.worlds.moving_cameras import calmed

_MOST_SD: Final = 2.0
_CALM_S: Final = 0.03
"""The lowest point changes from one foot to the other with a kink: heights are calmed by this."""


def draw_betas(rng: np.random.Generator) -> Float[ndarray, "16"]:
    """A random adult: one unit of ``betas`` is one standard deviation among adults.

    Normal, cut at two deviations: statures 1.49 to 1.91 m, 95 of 100 adults in each direction.
    """
    betas = rng.normal(size=NUM_BETAS)
    while (far := np.abs(betas) > _MOST_SD).any():
        betas[far] = rng.normal(size=int(far.sum()))
    return betas.astype(np.float32)


def reshape(motion: Motion, betas: Float[ndarray, "betas"], body: Body) -> Motion:
    """The same movement by another body.

    Poses, contacts and times are kept; bone lengths are the shape's own (``bone_scale`` goes).
    The root's path is scaled by the length of the legs about its first place, then corrected:
    soles that rested rest, and the lowest point of the skin is as high as it was (scaled too, and
    never below the ground).

    Raises:
        OptionError: the motion is of another body.
    """
    if motion.body_model != body.name:
        raise OptionError(f"reshape: a motion of {motion.body_model!r} on body {body.name!r}")
    scaled, size = scaled_path(motion, betas, body)
    changed = motion.replace(
        step("reshape", size=size),
        betas=np.asarray(betas, np.float32),
        bone_scale=None,
        joints_std=None,
        transl=scaled.astype(np.float32),
    )
    old, new = sole_points(motion, body), sole_points(changed, body)
    shift = held(new, resting(old, motion.fps), size * velocity(old, motion.fps), motion.fps)
    wanted = size * lowest_point(motion, body).clamp_min(0.0)
    rise = calmed((wanted - lowest_point(changed, body)).numpy()[:, None], _CALM_S * motion.fps)
    moved = scaled + np.concatenate((shift.numpy(), rise), axis=-1)
    return changed.replace(transl=moved.astype(np.float32))


def scaled_path(
    motion: Motion, betas: Float[ndarray, "betas"], body: Body
) -> tuple[Float[ndarray, "frames 3"], float]:
    """Translations of another body on a path scaled by the legs' length about its first place.

    Returns:
        The translations, and by what the path was scaled.
    """
    scale = None if motion.bone_scale is None else tensor_of(motion.bone_scale)
    before = body.rest_joints(tensor_of(motion.betas), scale)
    after = body.rest_joints(tensor_of(betas))
    size = leg_length(after) / leg_length(before)
    origin = np.array([*motion.transl[0, :2], 0.0]) + np.array([*before[0, :2], 0.0])
    root = motion.transl + before[0].numpy()
    return origin + size * (root - origin) - after[0].numpy(), size
