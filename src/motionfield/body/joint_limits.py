"""How far each joint turns: one table of ranges, and the penalty for leaving them.

A joint's rotation R is split into a swing of its bone and a twist about it, R = swing @ twist,
and written as one vector ``swing_rotvec + twist_angle * bone_axis`` (radians, axes of the T-pose):
+X to the body's left, +Y up, +Z ahead. So a hinge is a swing about one axis, whatever the twist.

Source of the ranges: American Academy of Orthopaedic Surgeons, *Joint Motion: Method of Measuring
and Recording*, 1965 (as in Norkin and White, *Measurement of Joint Motion*). They are widened
where dancers, gymnasts and players pass them, and split evenly where one anatomical joint is
several of ours (spine, neck).
"""

import math
from typing import Final, NamedTuple

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.core.conventions import JOINT_NAMES

_Range = tuple[float, float]


class _Joint(NamedTuple):
    """Ranges about x, y, z and the standing pose in degrees, of a left or middle joint."""

    bone: str
    """Axis of the twist."""
    x: _Range
    y: _Range
    z: _Range
    standing: tuple[float, float, float] = (0.0, 0.0, 0.0)


_TABLE: Final[dict[str, _Joint]] = {
    # x < 0 flexion; y < 0 internal rotation; z > 0 abduction
    "hip": _Joint("y", (-135, 35), (-50, 60), (-35, 65)),
    # x > 0 flexion: a hinge
    "knee": _Joint("y", (0, 155), (-20, 20), (-6, 6), (2, 0, 0)),
    # x < 0 dorsiflexion; z < 0 inversion
    "ankle": _Joint("y", (-35, 60), (-25, 25), (-35, 25)),
    # x < 0 extension (toes up)
    "foot": _Joint("y", (-65, 35), (-5, 5), (-5, 5)),
    # x > 0 flexion; z lateral bending; y rotation: a third of the trunk each
    "spine": _Joint("y", (-20, 40), (-20, 20), (-20, 20)),
    # half of the neck each
    "neck": _Joint("y", (-35, 35), (-40, 40), (-25, 25)),
    # z > 0 elevation; y < 0 protraction
    "collar": _Joint("x", (-20, 30), (-30, 30), (-15, 45)),
    # z < 0 hanging, z > 0 overhead; y < 0 ahead; x < 0 external rotation
    "shoulder": _Joint("x", (-130, 100), (-135, 60), (-115, 100), (0, 0, -78)),
    # y < 0 flexion: a hinge; x: the forearm's pronation and supination
    "elbow": _Joint("x", (-120, 80), (-155, 0), (-10, 10), (-20, -12, 0)),
    # z < 0 flexion (palm side), y < 0 radial deviation
    "wrist": _Joint("x", (-45, 45), (-30, 40), (-85, 75)),
    "hand": _Joint("x", (-10, 10), (-10, 10), (-90, 30)),
}


class JointRanges(NamedTuple):
    """The table for joints 1 to 23, radians."""

    bone_axis: Float[Tensor, "23 3"]
    low: Float[Tensor, "23 3"]
    high: Float[Tensor, "23 3"]
    standing: Float[Tensor, "23 3"]
    """A relaxed standing pose with the arms hanging."""

    def to(self, like: Tensor) -> "JointRanges":
        """In the dtype and on the device of ``like``."""
        return JointRanges(*(value.to(like) for value in self))


def _make_ranges() -> JointRanges:
    rows: list[list[list[float]]] = []
    for name in JOINT_NAMES[1:]:
        side, _, part = name.rpartition("_")
        joint = _TABLE["neck" if part == "head" else part.rstrip("123")]
        low, high = (list(values) for values in zip(joint.x, joint.y, joint.z, strict=True))
        standing, axis = list(joint.standing), [float(letter == joint.bone) for letter in "xyz"]
        if side == "right":
            # Mirroring x turns a rotation vector (x, y, z) into (x, -y, -z).
            low, high = (
                [low[0], -high[1], -high[2]],
                [high[0], -low[1], -low[2]],
            )
            standing = [standing[0], -standing[1], -standing[2]]
            axis[0] = -axis[0]
        rows.append([axis, low, high, standing])
    table = torch.tensor(rows)
    return JointRanges(table[:, 0], *(table[:, 1:] * (math.pi / 180)).unbind(1))


JOINT_RANGES: Final = _make_ranges()
"""float32, on the CPU."""


def swing_twist(
    body_pose: Float[Tensor, "frames 23 3 3"],
) -> Float[Tensor, "frames 23 3"]:
    """Each joint's ``swing_rotvec + twist_angle * bone_axis``, radians.

    Smooth and differentiable except where a bone points backwards along itself.
    """
    axis = JOINT_RANGES.bone_axis.to(body_pose)
    direction = (body_pose * axis.unsqueeze(-2)).sum(-1)
    across = torch.linalg.cross(axis.expand_as(direction), direction)
    sine = (across.square().sum(-1, keepdim=True) + 1e-12).sqrt()
    cosine = (axis * direction).sum(-1, keepdim=True)
    swing = across * (torch.atan2(sine, cosine) / sine)
    # Four times w * (x, y, z) and w * w of the rotation's quaternion.
    w_xyz = torch.stack(
        (
            body_pose[..., 2, 1] - body_pose[..., 1, 2],
            body_pose[..., 0, 2] - body_pose[..., 2, 0],
            body_pose[..., 1, 0] - body_pose[..., 0, 1],
        ),
        dim=-1,
    )
    w_w = 1 + body_pose.diagonal(dim1=-2, dim2=-1).sum(-1, keepdim=True)
    twist = 2 * torch.atan2((w_xyz * axis).sum(-1, keepdim=True), w_w.clamp_min(1e-6))
    return swing + twist * axis


def from_swing_twist(
    coordinates: Float[Tensor, "*batch 23 3"],
) -> Float[Tensor, "*batch 23 3 3"]:
    """The rotations with these coordinates: the inverse of ``swing_twist``."""
    axis = JOINT_RANGES.bone_axis.to(coordinates)
    twist = (coordinates * axis).sum(-1, keepdim=True) * axis
    return roma.rotvec_to_rotmat(coordinates - twist) @ roma.rotvec_to_rotmat(twist)


def standing_pose() -> Float[Tensor, "23 3 3"]:
    """A relaxed standing pose with the arms hanging."""
    return from_swing_twist(JOINT_RANGES.standing)


def beyond_limits(
    coordinates: Float[Tensor, "*batch 23 3"],
) -> Float[Tensor, "*batch 23 3"]:
    """How far coordinates lie outside the ranges: negative below, positive above, else 0."""
    ranges = JOINT_RANGES.to(coordinates)
    return coordinates - torch.minimum(torch.maximum(coordinates, ranges.low), ranges.high)


def limit_penalty(body_pose: Float[Tensor, "frames 23 3 3"]) -> Float[Tensor, "frames 23"]:
    """Squared angle by which each joint leaves its range, rad²; 0 inside."""
    return beyond_limits(swing_twist(body_pose)).square().sum(-1)
