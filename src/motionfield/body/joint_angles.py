"""Clinical joint angles, continuous over time: the table ``ANGLES`` says what each one is.

They follow the ISB's recommendations (Wu et al., J. Biomech. 35:543, 2002 and 38:981, 2005) where
these can be used: Cardan angles flexion, then ab/adduction, then axial rotation, about the axes
of the proximal, floating and distal segment. Left and right have the same sign for the same
movement. Zero is the T-pose; for shoulder, elbow and wrist it is the arm hanging with the thumb
forward. Two departures:

- Shoulder: the ISB's Y-X-Y angles are singular with the arm hanging. Here the arm is swung from
  hanging to its place about one horizontal axis; ``elevation`` is the angle of that swing, and
  ``flexion`` and ``abduction`` are its two components (flexion^2 + abduction^2 = elevation^2;
  the plane of elevation is atan2(flexion, abduction)), ``rotation`` what is left about the
  humerus. Singular only with the arm straight up.
- Pronation is counted from the thumb pointing forward, and takes in the wrist's axial rotation,
  which no wrist has.
"""

import math
from typing import Final, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.core.conventions import JOINT_INDEX
from motionfield.geometry.euler import continuous_euler, unwrap
from motionfield.geometry.rotations import axis_rotation


class AngleMeaning(NamedTuple):
    """What one column of the table of joint angles is."""

    of: str
    """Distal relative to proximal segment."""
    axis: str
    """The axis turned about, and its place in the Cardan order."""
    positive: str
    """The movement that makes it grow."""


_CARDAN = ("proximal left-right axis, first", "floating axis, second", "distal long axis, third")

_LEG: Final = {
    "hip_flexion": AngleMeaning("thigh in pelvis", _CARDAN[0], "thigh forward"),
    "hip_adduction": AngleMeaning("thigh in pelvis", _CARDAN[1], "thigh towards the other leg"),
    "hip_rotation": AngleMeaning("thigh in pelvis", _CARDAN[2], "internal: knee turns inward"),
    "knee_flexion": AngleMeaning("shank in thigh", _CARDAN[0], "heel to buttock"),
    "knee_adduction": AngleMeaning("shank in thigh", _CARDAN[1], "varus: shank inward"),
    "knee_rotation": AngleMeaning("shank in thigh", _CARDAN[2], "internal: toes turn inward"),
    "ankle_dorsiflexion": AngleMeaning("foot in shank", _CARDAN[0], "toes up"),
    "ankle_inversion": AngleMeaning("foot in shank", _CARDAN[1], "sole turns inward"),
    "ankle_rotation": AngleMeaning("foot in shank", _CARDAN[2], "internal: toes turn inward"),
}
_SWING = "component of the swing from hanging"
_ARM: Final = {
    "shoulder_elevation": AngleMeaning("humerus in thorax", "swing from hanging", "arm up"),
    "shoulder_flexion": AngleMeaning("humerus in thorax", _SWING, "arm forward and up"),
    "shoulder_abduction": AngleMeaning("humerus in thorax", _SWING, "arm sideways and up"),
    "shoulder_rotation": AngleMeaning("humerus in thorax", "humerus, after the swing", "internal"),
    "elbow_flexion": AngleMeaning("forearm in humerus", _CARDAN[0], "hand to shoulder"),
    "elbow_adduction": AngleMeaning("forearm in humerus", _CARDAN[1], "forearm inward (varus)"),
    "forearm_pronation": AngleMeaning(
        "hand in humerus", "forearm, third; with the wrist's first", "thumb turns inward"
    ),
    "wrist_flexion": AngleMeaning("hand in forearm", "third after twist, deviation", "palmar"),
    "wrist_deviation": AngleMeaning("hand in forearm", "second after twist", "radial: to thumb"),
}
_MIDLINE: Final = {
    "pelvis_rotation": AngleMeaning("pelvis in world", "vertical, first", "turns to the left"),
    "pelvis_obliquity": AngleMeaning("pelvis in world", "floating, second", "left side up"),
    "pelvis_tilt": AngleMeaning("pelvis in world", "left-right axis, third", "tips forward"),
    "trunk_flexion": AngleMeaning("thorax in pelvis", _CARDAN[0], "bends forward"),
    "trunk_lateral_bending": AngleMeaning("thorax in pelvis", _CARDAN[1], "bends to the right"),
    "trunk_rotation": AngleMeaning("thorax in pelvis", _CARDAN[2], "turns to the left"),
    "neck_flexion": AngleMeaning("head in thorax", _CARDAN[0], "bends forward"),
    "neck_lateral_bending": AngleMeaning("head in thorax", _CARDAN[1], "bends to the right"),
    "neck_rotation": AngleMeaning("head in thorax", _CARDAN[2], "turns to the left"),
}

ANGLES: Final[dict[str, AngleMeaning]] = {
    **_MIDLINE,
    **{f"left_{name}": meaning for name, meaning in (_LEG | _ARM).items()},
    **{f"right_{name}": meaning for name, meaning in (_LEG | _ARM).items()},
}
"""Every angle by its name, in the order of the CSV's columns."""

MIRRORED_MIDLINE: Final = frozenset(
    name for name in _MIDLINE if name.endswith(("rotation", "obliquity", "bending"))
)
"""Angles of the midline that change sign when the body is mirrored; the others of the midline
stay, and those of the limbs change sides."""


def joint_angles(
    global_orient: Float[Tensor, "frames 3 3"], body_pose: Float[Tensor, "frames 23 3 3"]
) -> dict[str, Float[Tensor, "frames"]]:
    """The angles of ``ANGLES`` in radians, in its order, without jumps over time.

    Pelvis angles start within half a turn of zero and count turns from there; those of joints
    are shifted by whole turns so that their median lies within half a turn of zero.

    Args:
        global_orient: the root, world (Z up) from body; heading 0 faces the world's -Y.
        body_pose: joints 1 to 23 relative to their parents, zero the T-pose.
    """
    found = _pelvis(global_orient)
    found |= _spine("trunk", _chain(body_pose, "spine1", "spine2", "spine3"))
    found |= _spine("neck", _chain(body_pose, "neck", "head"))
    for side, sign in (("left", -1.0), ("right", 1.0)):
        angles = _leg(body_pose, side, sign) | _arm(body_pose, side, sign)
        found |= {f"{side}_{name}": angle for name, angle in angles.items()}
    return {name: found[name] for name in ANGLES}


def _chain(body_pose: Tensor, *joints: str) -> Tensor:
    """The last joint's frame relative to the first one's parent."""
    product = body_pose[:, JOINT_INDEX[joints[0]] - 1]
    for joint in joints[1:]:
        product = product @ body_pose[:, JOINT_INDEX[joint] - 1]
    return product


def _near_zero(angles: Tensor) -> Tensor:
    """Shift by whole turns so that the median over time lies within half a turn of zero."""
    return angles - math.tau * torch.round(angles.median(0).values / math.tau)


def _pelvis(global_orient: Tensor) -> dict[str, Tensor]:
    quarter = global_orient.new_tensor(-math.pi / 2)
    upright = axis_rotation("x", quarter) @ global_orient
    rotation, obliquity, tilt = continuous_euler(upright, "yzx").unbind(-1)
    return {"pelvis_rotation": rotation, "pelvis_obliquity": obliquity, "pelvis_tilt": tilt}


def _spine(part: str, rotation: Tensor) -> dict[str, Tensor]:
    flexion, bending, turn = _near_zero(continuous_euler(rotation, "xzy")).unbind(-1)
    names = ("flexion", "lateral_bending", "rotation")
    return {
        f"{part}_{name}": angle for name, angle in zip(names, (flexion, bending, turn), strict=True)
    }


def _leg(body_pose: Tensor, side: str, sign: float) -> dict[str, Tensor]:
    """Turning inward and inversion are about +Y and +Z on the right, -Y and -Z on the left."""
    table = (
        ("hip", -1.0, ("hip_flexion", "hip_adduction", "hip_rotation")),
        ("knee", 1.0, ("knee_flexion", "knee_adduction", "knee_rotation")),
        ("ankle", -1.0, ("ankle_dorsiflexion", "ankle_inversion", "ankle_rotation")),
    )
    found: dict[str, Tensor] = {}
    for joint, forward, names in table:
        angles = _near_zero(continuous_euler(_chain(body_pose, f"{side}_{joint}"), "xzy"))
        signs = (forward, sign, sign)
        found |= {name: angles[:, n] * signs[n] for n, name in enumerate(names)}
    return found


def _arm(body_pose: Tensor, side: str, sign: float) -> dict[str, Tensor]:
    # ``lift`` takes the hanging arm's frame (-Y along the arm, +Z forward) to the T-pose's.
    lift = axis_rotation("z", body_pose.new_tensor(-sign * math.pi / 2))
    humerus = _chain(body_pose, f"{side}_collar", f"{side}_shoulder") @ lift
    forearm = lift.mT @ _chain(body_pose, f"{side}_elbow") @ lift
    hand = lift.mT @ _chain(body_pose, f"{side}_wrist") @ lift
    elbow = _near_zero(continuous_euler(forearm, "xzy"))
    wrist = _near_zero(continuous_euler(hand, "yxz"))
    return _shoulder(humerus, sign) | {
        "elbow_flexion": -elbow[:, 0],
        "elbow_adduction": sign * elbow[:, 1],
        "forearm_pronation": sign * (elbow[:, 2] + wrist[:, 0]),
        "wrist_flexion": sign * wrist[:, 2],
        "wrist_deviation": -wrist[:, 1],
    }


def _shoulder(humerus: Float[Tensor, "frames 3 3"], sign: float) -> dict[str, Tensor]:
    """Swing of the arm from hanging, and the rotation about it that is left."""
    R = humerus.double()
    arm = -R[..., :, 1]
    # The swing turns -Y to ``arm`` about the horizontal axis (-Y) x arm = (-z, 0, x).
    flat = torch.stack((-arm[:, 2], arm[:, 0]), dim=-1)
    length = flat.norm(dim=-1, keepdim=True)
    axis = torch.where(length > 1e-6, flat / length.clamp(min=1e-6), flat.new_tensor((-1.0, 0.0)))
    elevation = torch.atan2(length[:, 0], -arm[:, 1])
    # An axis that turns round between frames is the same axis with the angle's sign changed:
    # so an arm swings through hanging, and round overhead, without a jump.
    turned = (axis[1:] * axis[:-1]).sum(-1) < 0
    flips = torch.cat((turned.new_zeros(1), turned)).cumsum(0) % 2
    along = 1.0 - 2.0 * flips
    swing = axis * (along * _near_zero(unwrap(along * elevation)))[:, None]
    twist = _rotation_about(axis, elevation).mT @ R
    rotation = _near_zero(unwrap(torch.atan2(twist[:, 0, 2], twist[:, 0, 0])))
    found = {
        "shoulder_elevation": elevation,
        "shoulder_flexion": -swing[:, 0],
        "shoulder_abduction": -sign * swing[:, 1],
        "shoulder_rotation": sign * rotation,
    }
    return {name: angle.to(humerus.dtype) for name, angle in found.items()}


def _rotation_about(axis_xz: Tensor, angle: Tensor) -> Tensor:
    """Rotation about a horizontal unit axis (x, 0, z), Rodrigues' formula."""
    x, z = axis_xz.unbind(-1)
    zero = torch.zeros_like(x)
    rows = (zero, -z, zero, z, zero, -x, zero, x, zero)
    K = torch.stack(rows, dim=-1).unflatten(-1, (3, 3))
    sin, cos = torch.sin(angle)[:, None, None], torch.cos(angle)[:, None, None]
    return torch.eye(3).to(K) + sin * K + (1 - cos) * (K @ K)
