"""Feet of a retargeted clip: when they bear on the ground, and how they are kept there."""

from typing import Final, NamedTuple

import numpy as np
import scipy.linalg
import torch
from jaxtyping import Bool, Float
from numpy import ndarray
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.conventions import JOINT_INDEX
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.formats.mocap_npz import MocapClip
from motionfield.geometry.rotations import axis_rotation
from motionfield.worlds.mocap_figure import Figure
from motionfield.worlds.mocap_proportions import sole_depth

SPEED_M_S: Final = (0.15, 0.6)
"""A foot point bears fully up to the first speed, and not at all from the second on."""
HEIGHT_M: Final = (0.025, 0.06)
"""The same of its height above where it stands."""
TILT_M: Final = (0.025, 0.05)
"""And of its height above the foot's other point."""
_STILL_M_S: Final = 0.3
_MIN_STILL: Final = 8
_STANDING_QUANTILE: Final = 0.1
_LOWEST_QUANTILE: Final = 0.05
_SIDES_APART_M: Final = 0.05
"""A rig's feet stand at most so much apart in height; more is a foot that is on something."""
_HEEL_UP: Final = (0.3, 0.7)
_BALL_UP: Final = (-0.3, 0.1)
"""Height of the sole's upward axis below which heel, ball do not bear (the foot lies)."""
_FIXABLE_M: Final = (0.06, 0.1)
"""Feet that are farther above or below the ground than this are left alone."""

_STAY: Final = 1.0
_SMOOTH: Final = 0.3
_SLOW: Final = 0.03
_SMALL: Final = 3e-3
_TOE_GROUND_M: Final = 0.03
_TOE_FREE_M: Final = 0.12
_MAX_TOE_BEND_RAD: Final = 1.1
_SIDES: Final = ("left", "right")


class Soles(NamedTuple):
    """Two points of each foot (left, right) that bear: heel and ball."""

    points: Float[Tensor, "2 2 3"]
    """In the ankle's frame, metres."""
    heights: Float[Tensor, "2 2"]
    """Above the ground while the foot stands flat."""


def soles_of(body: Body, betas: Float[Tensor, "betas"], scale: Float[Tensor, "24"]) -> Soles:
    """Heel (BlazePose's keypoint) and ball (the joint of the toes) of the T-posed body."""
    eye = torch.eye(3)
    posed = body.pose(
        eye[None], eye.expand(1, 23, 3, 3), torch.zeros(1, 3), betas, BLAZEPOSE_33.name, scale
    )
    joints, names = posed.joints[0], BLAZEPOSE_33.keypoint_names
    points = torch.stack(
        [
            torch.stack(
                (
                    posed.keypoints[0, names.index(f"{side}_heel")],
                    joints[JOINT_INDEX[f"{side}_foot"]],
                )
            )
            - joints[JOINT_INDEX[f"{side}_ankle"]]
            for side in _SIDES
        ]
    )
    return Soles(points, points[..., 1] + sole_depth(body, betas, scale))


def sole_places(figure: Figure, soles: Soles) -> Float[Tensor, "frames 2 2 3"]:
    """Where heel and ball of each foot are in the world."""
    ankles = [JOINT_INDEX[f"{side}_ankle"] for side in _SIDES]
    turned = soles.points @ figure.rotations[:, ankles].mT
    return figure.joints[:, ankles].unsqueeze(2) + turned


def bearing(
    clip: MocapClip, figure: Figure, soles: Soles, observed: Bool[ndarray, "frames"]
) -> Float[Tensor, "frames 2 2"]:
    """How much heel and ball of each foot bear on the ground, in [0, 1].

    By speed (``SPEED_M_S``; the slower of the steps before and after a frame) and height
    (``HEIGHT_M``) of the clip's ankle and toe above where they stand in this clip. Of a foot that
    is not level only the lower point bears (``TILT_M``); one that lies on its side or back does
    not bear, nor does one that was not observed.
    """
    points = [[clip.canonical[f"{s}_{p}"] for p in ("ankle", "toe")] for s in "lr"]
    places = clip.positions_world[:, points]
    speed = step_speed(places, clip.fps)
    above = places[..., 2] - standing_height(places[..., 2], speed)
    level = torch.stack([figure.rotation(f"{side}_ankle")[:, 2, 1] for side in _SIDES], dim=1)
    flat = torch.stack((_rising(level, _HEEL_UP), _rising(level, _BALL_UP)), dim=-1)
    sole = sole_places(figure, soles)[..., 2] - soles.heights
    flat = flat * (1 - _rising(sole - sole.flip(-1), TILT_M))
    bears = (1 - _rising(speed, SPEED_M_S)) * (1 - _rising(above.abs(), HEIGHT_M)) * flat
    return bears * torch.tensor(observed)[:, None, None]


def step_speed(places: Float[Tensor, "frames *points 3"], fps: float) -> Tensor:
    """The slower of the steps to a frame and from it, (frames, *points), m/s."""
    if len(places) < 2:
        return torch.zeros(places.shape[:-1])
    steps = (places[1:] - places[:-1]).norm(dim=-1) * fps
    return torch.minimum(torch.cat((steps[:1], steps)), torch.cat((steps, steps[-1:])))


def standing_height(
    heights: Float[Tensor, "frames 2 points"], speed: Float[Tensor, "frames 2 points"]
) -> Float[Tensor, "2 points"]:
    """The height at which each point of left and right foot stands in a clip.

    The lowest of its still frames; of all where it hardly rests. Sides differ by the rig's faults,
    a few centimetres; a foot that is farther up than that stands on something.
    """
    standing = torch.empty(heights.shape[1:])
    for side in range(2):
        for point in range(heights.shape[2]):
            height = heights[:, side, point]
            still = height[speed[:, side, point] < _STILL_M_S]
            standing[side, point] = (
                still.quantile(_STANDING_QUANTILE)
                if len(still) >= _MIN_STILL
                else height.quantile(_LOWEST_QUANTILE)
            )
    lower = standing.amin(0)
    return torch.where(standing - lower > _SIDES_APART_M, lower, standing)


def _rising(values: Tensor, limits: tuple[float, float]) -> Tensor:
    """0 below the first limit, 1 above the second, linear between."""
    low, high = limits
    return ((values - low) / (high - low)).clamp(0, 1)


def planting(
    places: Float[Tensor, "frames 2 2 3"],
    bears: Float[Tensor, "frames 2 2"],
    heights: Float[Tensor, "2 2"],
    fps: float,
) -> Float[Tensor, "frames 2 3"]:
    """How far to move each foot so that what bears stays where it is, on the ground.

    The smallest smooth moves d that minimise, summed over frames, heels and balls: bearing times
    the squared step of (place + d), and bearing times its squared height above where it stands;
    plus the squared second difference of d. A banded system for each foot.

    Args:
        places: heel and ball of the left and right foot.
        bears: from ``bearing``.
        heights: of heel and ball above the ground when the foot stands.
        fps: frames per second.
    """
    moves = torch.zeros_like(places[:, :, 0])
    if len(places) < 3:
        return moves
    above = places[..., 2] - heights
    fixable = 1 - _rising(above.abs(), _FIXABLE_M)
    weights = (bears * fixable).double().numpy()
    p, h = places.double().numpy(), above.double().numpy()
    rate = (fps / 30) ** 2
    for side in range(2):
        w = weights[:, side]
        stay = rate * _STAY * np.minimum(w[1:], w[:-1])
        steps = (stay[..., None] * (p[1:, side] - p[:-1, side])).sum(1)
        right = np.zeros((len(p), 3))
        right[1:] -= steps
        right[:-1] += steps
        right[:, 2] -= (w * h[:, side]).sum(1)
        bands = _bands(stay.sum(1) + rate * _SLOW, rate**2 * _SMOOTH)
        flat = scipy.linalg.solveh_banded(bands, right[:, :2], lower=True)
        bands[0] += w.sum(1)
        high = scipy.linalg.solveh_banded(bands, right[:, 2:], lower=True)
        moves[:, side] = torch.tensor(np.concatenate((flat, high), axis=1)).float()
    return moves


def _bands(stay: Float[ndarray, "steps"], smooth: float) -> Float[ndarray, "3 frames"]:
    """Lower bands of the sum of squared, weighted first and of squared second differences."""
    frames = len(stay) + 1
    bands = np.zeros((3, frames))
    bands[0] = _SMALL
    bands[0, 1:] += stay
    bands[0, :-1] += stay
    bands[1, :-1] -= stay
    for i, x in enumerate((1, -2, 1)):
        for k, y in enumerate((1, -2, 1)):
            if k >= i:
                bands[k - i, i : frames - 2 + i] += smooth * x * y
    return bands


def bend_toes(figure: Figure) -> Figure:
    """Keep the toes level while the ball of the foot is near the ground and the heel is up."""
    joints = figure.joints
    rotations = figure.rotations.clone()
    for side in _SIDES:
        ankle, foot = (JOINT_INDEX[f"{side}_{name}"] for name in ("ankle", "foot"))
        ahead = figure.rotations[:, ankle, 2, 2]
        pitch = torch.asin((-ahead).clamp(-1, 1)).clamp(0, _MAX_TOE_BEND_RAD)
        near = (_TOE_FREE_M - joints[:, foot, 2]) / (_TOE_FREE_M - _TOE_GROUND_M)
        bend = axis_rotation("x", -pitch * near.clamp(0, 1))
        rotations[:, foot] = figure.rotations[:, ankle] @ bend
    return figure._replace(rotations=rotations)
