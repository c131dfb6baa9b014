"""Names and orders that hold in every room of the house; docs/conventions.md explains them.

World: right-handed, Z up, metres, the ground at z = 0. Camera: OpenCV (x right, y down,
z forward), pixels with the first pixel's centre at (0.5, 0.5). ``p_a = T_a_b @ p_b``.
Zero pose is the T-pose: every joint frame +Y up, facing +Z, +X to the body's left.
"""

from typing import Final

JOINT_NAMES: Final[tuple[str, ...]] = (
    "pelvis",
    "left_hip",
    "right_hip",
    "spine1",
    "left_knee",
    "right_knee",
    "spine2",
    "left_ankle",
    "right_ankle",
    "spine3",
    "left_foot",
    "right_foot",
    "neck",
    "left_collar",
    "right_collar",
    "head",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hand",
    "right_hand",
)
"""The 24 joints in SMPL's order."""

JOINT_PARENTS: Final[tuple[int, ...]] = (
    *(-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8),
    *(9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21),
)
"""Index of each joint's parent; the root has -1. Parents come before their children."""

NUM_JOINTS: Final = len(JOINT_NAMES)
NUM_BETAS: Final = 16
"""Coefficients of the linear shape space (as many as AMASS stores)."""

JOINT_INDEX: Final[dict[str, int]] = {name: index for index, name in enumerate(JOINT_NAMES)}


def mirrored_name(name: str) -> str:
    """The name of the same point on the other side of the body (itself where there is none)."""
    for left, right in (("left_", "right_"), ("right_", "left_")):
        if name.startswith(left):
            return right + name[len(left) :]
    return name


def mirror_order(names: tuple[str, ...]) -> tuple[int, ...]:
    """Index of each named point's mirror image within ``names``."""
    position = {name: index for index, name in enumerate(names)}
    return tuple(position[mirrored_name(name)] for name in names)
