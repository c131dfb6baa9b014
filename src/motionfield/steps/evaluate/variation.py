"""How the takes of one action vary: all of them in phase, and the statistics over takes.

Curves over 0 to 100 % of the action, their mean and standard deviation over repetitions, are what
biomechanics compares movements by (Winter, Biomechanics and Motor Control of Human Movement).
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy import ndarray
from scipy.stats import chi2
from torch import Tensor

from motionfield.body.base import Body
from motionfield.body.joint_angles import ANGLES, joint_angles
from motionfield.core.arrays import tensor_of
from motionfield.core.conventions import JOINT_INDEX
from motionfield.core.errors import RecordError
from motionfield.core.history import step
from motionfield.data import Action, Motion, Variation
from motionfield.geometry.resample import (
    resample_positions,
    resample_rotations,
    time_at_phase,
)
from motionfield.worlds.mirror import mirror_motion

POINTS: Final = 101
"""Points of phase: 0 to 100 %."""
BY_CHANCE: Final = 0.05
"""Spread is clear if the measurement alone gives as much in fewer cases than this."""
FAST_JOINTS: Final = ("pelvis", "left_hand", "right_hand", "left_foot", "right_foot")
"""Joints whose speed is a signal."""
ROOT_SIGNALS: Final = ("root_forward_m", "root_sideways_m", "root_height_m")
SIGNALS: Final[tuple[str, ...]] = (
    *(f"{name}_deg" for name in ANGLES),
    *ROOT_SIGNALS,
    *(f"{joint}_speed_m_s" for joint in FAST_JOINTS),
    "time_s",
    "tempo_percent_per_s",
)
"""Every signal of a ``Variation``, in its order; docs/variation.md says what each one is."""


class _InPhase(NamedTuple):
    """One motion on the points of phase."""

    rotations: Float[Tensor, "points 24 3 3"]
    transl: Float[Tensor, "points 3"]
    joints: Float[Tensor, "points 24 3"]
    """In the world, of its own body."""
    speeds: Float[Tensor, "points fast"]
    time_s: Float[Tensor, "points"]
    """From its first frame."""
    tempo: Float[Tensor, "points"]
    """Per cent of the action in a second."""
    covered: Bool[Tensor, "points"]
    variance: Float[Tensor, "points 24 3"]
    """Of the measurement of the joints in the world, m^2; NaN where unknown."""


def variation_of(
    takes: Sequence[Motion], action: Action, canonical: Motion, body: Body
) -> Variation:
    """Set the takes against each other, point by point of phase.

    Args:
        takes: final motions, in the action's order; all in one world with ``canonical``.
        action: the phase of each of their frames.
        canonical: its frames are at phases ``linspace(0, 1, frames)``.

    Raises:
        RecordError: the action is not of these takes, or there are fewer than two.
    """
    if len(takes) < 2 or action.num_takes != len(takes):
        fault = f"an action of {action.num_takes} takes for {len(takes)} motions"
        raise RecordError(f"variation: {fault}; give two takes or more, and their action")
    grid = torch.linspace(0, 1, POINTS, dtype=torch.float64)
    own = np.linspace(0, 1, canonical.num_frames)
    mean_motion = _in_phase(canonical, own, grid, body)
    set_of = []
    for index, take in enumerate(takes):
        phase = action.phase[action.frames_of(index)]
        if len(phase) != take.num_frames:
            name = action.take_names[index]
            fault = f"{len(phase)} phases for the {take.num_frames} frames of {name}"
            raise RecordError(f"variation: {fault}; give the action of this fit")
        seen = mirror_motion(take) if action.mirrored[index] else take
        set_of.append(_in_phase(seen, phase, grid, body))
    covered = torch.stack([one.covered for one in set_of])
    return Variation(
        take_names=action.take_names,
        phase=grid.numpy(),
        signal_names=SIGNALS,
        covered=covered.numpy(),
        joints_world=torch.stack([one.joints for one in set_of]).numpy(),
        canonical_joints_world=mean_motion.joints.numpy(),
        duration_s=np.array([take.time_s[-1] - take.time_s[0] for take in takes], float),
        mirrored=action.mirrored,
        history=(*canonical.history, step("variation", takes=len(takes))),
        **_signals(set_of, mean_motion, canonical, covered),
        **_joints(set_of, canonical, body, covered),
    )


def _in_phase(motion: Motion, phase: ndarray, grid: Tensor, body: Body) -> _InPhase:
    own = torch.tensor(phase, dtype=torch.float64)
    time = torch.tensor(motion.time_s - motion.time_s[0], dtype=torch.float64)
    at = time_at_phase(own, time, grid)
    rotations = torch.cat(
        (tensor_of(motion.global_orient)[:, None], tensor_of(motion.body_pose)), 1
    )
    turned = resample_rotations(rotations, time, at, smooth=True)
    transl = resample_positions(tensor_of(motion.transl), time, at, smooth=True)
    place = _posed(turned, transl, motion, body)
    frames = _posed(rotations, tensor_of(motion.transl), motion, body)
    fast = frames[:, [JOINT_INDEX[name] for name in FAST_JOINTS]]
    std = motion.joints_std
    known = torch.full_like(frames, torch.nan) if std is None else tensor_of(std)
    return _InPhase(
        turned,
        transl,
        place,
        resample_positions(_rate(fast, time).norm(dim=-1), time, at),
        at,
        resample_positions(100 * _rate(own, time), time, at),
        _covered(own, motion.observed, time, at, grid),
        resample_positions(known.square(), time, at),
    )


def _covered(
    phase: Tensor, observed: ndarray, time: Tensor, at: Tensor, grid: Tensor
) -> Bool[Tensor, "points"]:
    """Within the take's phases, to half a point, and seen in the nearest frame."""
    slack = 0.5 / (len(grid) - 1)
    within = (grid >= phase[0] - slack) & (grid <= phase[-1] + slack)
    middle = (time[1:] + time[:-1]) / 2
    nearest = torch.searchsorted(middle, at)
    return within & torch.tensor(observed)[nearest]


def _rate(values: Float[Tensor, "frames *shape"], time: Tensor) -> Float[Tensor, "frames *shape"]:
    """Derivative over time by central differences; NaN of a single frame."""
    if len(values) < 2:
        return torch.full_like(values, torch.nan)
    return torch.gradient(values, spacing=(time.to(values),), dim=0)[0]


def _posed(rotations: Tensor, transl: Tensor, shape: Motion, body: Body) -> Tensor:
    """Joints in the world of these rotations, on the body of ``shape``."""
    scale = None if shape.bone_scale is None else tensor_of(shape.bone_scale)
    betas = tensor_of(shape.betas)
    return body.pose(rotations[:, 0], rotations[:, 1:], transl, betas, bone_scale=scale).joints


def _signals(
    takes: list[_InPhase], canonical: _InPhase, motion: Motion, covered: Tensor
) -> dict[str, ndarray]:
    """All signals of the takes and the canonical motion, their mean and spread."""
    everyone = [canonical, *takes]
    ahead = _ahead(motion)
    axes = torch.stack((ahead, _left_of(ahead), torch.tensor((0.0, 0.0, 1.0))))
    start = canonical.joints[0, 0] * torch.tensor((1.0, 1.0, 0.0))
    root = torch.stack([one.joints[:, 0] - start for one in everyone]) @ axes.mT
    others = [
        torch.cat((one.speeds, one.time_s[:, None], one.tempo[:, None]), 1) for one in everyone
    ]
    angles = _angles([one.rotations for one in everyone])
    table = torch.cat((angles, root.double(), torch.stack(others).double()), dim=2)
    values = torch.where(covered[:, :, None], table[1:], torch.nan).numpy()
    mean, sd = _mean_and_sd(values)
    error = torch.stack([one.variance[:, 0] for one in takes]).double() @ axes.double().square().mT
    measured = np.full_like(mean, np.nan)
    where = [SIGNALS.index(name) for name in ROOT_SIGNALS]
    measured[:, where] = np.sqrt(_mean_and_sd(_where(covered, error))[0])
    return {
        "values": values,
        "canonical": table[0].numpy(),
        "mean": mean,
        "sd": sd,
        "measured_sd": measured,
    }


def _angles(rotations: list[Float[Tensor, "points 24 3 3"]]) -> Float[Tensor, "takes points a"]:
    """Joint angles in degrees, comparable between takes.

    A rotation has several sets of angles. The motions are laid end to end, every other one
    backward, so that each begins where the one before it ends: the angles, continuous over this
    path, then take the same set in all. What is left of whole turns is taken off against the
    circular mean of the takes.
    """
    path = torch.cat([one.flip(0) if n % 2 else one for n, one in enumerate(rotations)])
    found = joint_angles(path[:, 0], path[:, 1:])
    table = torch.stack([found[name] for name in ANGLES], dim=1).double()
    every = table.unflatten(0, (len(rotations), -1))
    angles = torch.stack([one.flip(0) if n % 2 else one for n, one in enumerate(every)])
    middle = torch.atan2(angles.sin().mean(0), angles.cos().mean(0))
    middle = torch.tensor(np.unwrap(middle.numpy(), axis=0))
    middle = middle - math.tau * torch.round((middle - angles[0]).median(0).values / math.tau)
    return (angles - math.tau * torch.round((angles - middle) / math.tau)).rad2deg()


def _joints(
    takes: list[_InPhase], canonical: Motion, body: Body, covered: Tensor
) -> dict[str, ndarray]:
    """Spread of the joints, what of it the measurement may be, and each take's difference."""
    alike = torch.stack(
        [_posed(one.rotations, torch.zeros_like(one.transl), canonical, body) for one in takes]
    )
    local = _where(covered, 1000 * (alike - alike[:, :, :1]).double())
    world = _where(covered, 1000 * torch.stack([one.joints for one in takes]).double())
    spread = np.sqrt(np.square(_mean_and_sd(local)[1]).sum(-1))
    error = 1e6 * torch.stack([one.variance for one in takes]).double()
    # The root's error is common to all joints, as far as theirs is not smaller: on the open
    # benchmark what is left is the error of root-relative places to a fifth or so.
    own = (error - error[:, :, :1]).clamp_min(0)
    axes, whole = (_mean_and_sd(_where(covered, part))[0] for part in (own, error))
    counts = covered.sum(0).numpy()
    return {
        "spread_mm": spread,
        "spread_world_mm": np.sqrt(np.square(_mean_and_sd(world)[1]).sum(-1)),
        "measured_mm": np.sqrt(axes.sum(-1)),
        "measured_world_mm": np.sqrt(whole.sum(-1)),
        "clear": spread > _by_chance(axes, counts[:, None]),
        "difference_mm": _from_others(local),
    }


def _by_chance(
    variance: Float[ndarray, "points 24 3"], counts: ndarray
) -> Float[ndarray, "points 24"]:
    """Spread that takes without any variation exceed by measurement alone in ``BY_CHANCE``.

    Their sample variance is a sum over axes of chi-square variables, taken as one with the
    degrees of freedom of Satterthwaite, Biometrics Bulletin 2:110, 1946. NaN where unknown.
    """
    total = variance.sum(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        freedom = np.maximum(counts - 1, 1) * total**2 / np.square(variance).sum(-1)
        return np.sqrt(total * chi2.ppf(1 - BY_CHANCE, freedom) / freedom)


def _from_others(points: Float[ndarray, "takes points 24 3"]) -> Float[ndarray, "takes points 24"]:
    """Distance of each take's points from the mean of the other takes that cover them."""
    known = np.isfinite(points)
    filled = np.where(known, points, 0.0)
    others = known.sum(0) - known
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (filled.sum(0) - filled) / np.where(others > 0, others, np.nan)
    return np.linalg.norm(points - mean, axis=-1)


def _mean_and_sd(values: Float[ndarray, "takes *shape"]) -> tuple[ndarray, ndarray]:
    """Over the takes that are not NaN; unbiased; NaN of none, and the spread of one."""
    known = np.isfinite(values)
    count = known.sum(0)
    mean = np.where(known, values, 0.0).sum(0) / np.where(count > 0, count, np.nan)
    squares = np.where(known, np.square(values - mean), 0.0).sum(0)
    return mean, np.sqrt(squares / np.where(count > 1, count - 1, np.nan))


def _where(covered: Bool[Tensor, "takes points"], values: Tensor) -> ndarray:
    """NaN where a take does not cover the point."""
    mask = covered.reshape(*covered.shape, *(1,) * (values.ndim - 2))
    return torch.where(mask, values, torch.nan).numpy()


def _ahead(canonical: Motion) -> Float[Tensor, "3"]:
    """Where the canonical person faces at the start, over the ground; -Y of one who lies."""
    facing = tensor_of(canonical.global_orient[0, :, 2]) * torch.tensor((1.0, 1.0, 0.0))
    length = facing.norm()
    return facing / length if length > 0.1 else torch.tensor((0.0, -1.0, 0.0))


def _left_of(ahead: Tensor) -> Tensor:
    return torch.stack((-ahead[1], ahead[0], ahead[2]))
