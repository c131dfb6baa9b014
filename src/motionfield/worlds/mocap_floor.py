"""The floor of a mocap clip, made level: laboratory floors lean by up to some degrees."""

import dataclasses
import math
from typing import Final, NamedTuple

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.formats.mocap_npz import MocapClip

_STANCE_SPEED_M_S: Final = 0.2
_MIN_STANCES: Final = 10
_MIN_WAY_M: Final = 1.5
"""Shorter ways do not show a slope."""
_MAX_RESIDUAL_M: Final = 0.012
"""Toes on one plane leave less; stairs and rough terrain leave more."""
_MAX_SLOPE: Final = math.tan(math.radians(2.5))


class Slope(NamedTuple):
    """How the floor rises along the way that was walked."""

    direction: Float[Tensor, "3"]
    """Horizontal unit vector."""
    rise: float
    """Metres of height per metre of way."""


def level_floor(clip: MocapClip) -> MocapClip:
    """The clip with its world turned so that the way walked is level; unchanged where none shows.

    CMU's floor falls by about one degree along one axis: five centimetres over a walk.
    """
    slope = floor_slope(clip)
    if slope is None:
        return clip
    up = torch.tensor([0.0, 0.0, 1.0])
    across = torch.linalg.cross(up, slope.direction)
    turn = roma.rotvec_to_rotmat(math.atan(slope.rise) * across)
    centre = clip.positions_world[0, 0] * torch.tensor([1.0, 1.0, 0.0])
    return dataclasses.replace(
        clip,
        positions_world=(clip.positions_world - centre) @ turn.mT + centre,
        rotations_world=turn @ clip.rotations_world,
    )


def floor_slope(clip: MocapClip) -> Slope | None:
    """The slope along the longest way between standing toes; None where it cannot be told."""
    toes = clip.positions_world[:, [clip.canonical["l_toe"], clip.canonical["r_toe"]]]
    speed = (toes[1:] - toes[:-1])[..., :2].norm(dim=-1) * clip.fps
    standing = toes[1:][speed < _STANCE_SPEED_M_S]
    if len(standing) < _MIN_STANCES:
        return None
    ground = standing - standing.mean(0)
    direction = torch.linalg.eigh(ground[:, :2].mT @ ground[:, :2]).eigenvectors[:, -1]
    way = ground[:, :2] @ direction
    rise = (way * ground[:, 2]).sum() / way.square().sum()
    residual = (ground[:, 2] - rise * way).std()
    extent = way.max() - way.min()
    if extent < _MIN_WAY_M or residual > _MAX_RESIDUAL_M or rise.abs() > _MAX_SLOPE:
        return None
    return Slope(torch.cat((direction, torch.zeros(1))), float(rise))
