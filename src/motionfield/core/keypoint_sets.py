"""The sets of 2D keypoints that detectors give, by name, in the order of their files."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from motionfield.core.conventions import JOINT_NAMES, mirror_order
from motionfield.core.errors import OptionError


@dataclass(frozen=True)
class KeypointSet:
    """A named, ordered set of keypoints as one detector defines them.

    The same word means different points of the body in different sets (a COCO hip is not a
    BlazePose hip), so the body knows each set for itself.
    """

    name: str
    keypoint_names: tuple[str, ...]

    def index(self, keypoint: str) -> int:
        return self.keypoint_names.index(keypoint)

    @property
    def mirror(self) -> tuple[int, ...]:
        """Index of each keypoint's mirror image."""
        return mirror_order(self.keypoint_names)


def _both(*names: str) -> tuple[str, ...]:
    return tuple(f"{side}_{name}" for name in names for side in ("left", "right"))


BLAZEPOSE_33: Final = KeypointSet(
    "blazepose33",
    (
        "nose",
        *("left_eye_inner", "left_eye", "left_eye_outer"),
        *("right_eye_inner", "right_eye", "right_eye_outer"),
        *_both("ear"),
        *("left_mouth", "right_mouth"),
        *_both("shoulder", "elbow", "wrist", "pinky", "index", "thumb"),
        *_both("hip", "knee", "ankle", "heel", "foot_index"),
    ),
)
COCO_17: Final = KeypointSet(
    "coco17",
    ("nose", *_both("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")),
)
OPENPOSE_25: Final = KeypointSet(
    "openpose25",
    (
        *("nose", "neck"),
        *("right_shoulder", "right_elbow", "right_wrist"),
        *("left_shoulder", "left_elbow", "left_wrist"),
        *("mid_hip", "right_hip", "right_knee", "right_ankle"),
        *("left_hip", "left_knee", "left_ankle"),
        *("right_eye", "left_eye", "right_ear", "left_ear"),
        *("left_big_toe", "left_small_toe", "left_heel"),
        *("right_big_toe", "right_small_toe", "right_heel"),
    ),
)
LSP_14: Final = KeypointSet(
    "lsp14",
    (
        *("right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle"),
        *("right_wrist", "right_elbow", "right_shoulder"),
        *("left_shoulder", "left_elbow", "left_wrist"),
        *("neck", "head_top"),
    ),
)
H36M_17: Final = KeypointSet(
    "h36m17",
    (
        *("pelvis", "right_hip", "right_knee", "right_ankle"),
        *("left_hip", "left_knee", "left_ankle"),
        *("spine", "thorax", "neck", "head_top"),
        *("left_shoulder", "left_elbow", "left_wrist"),
        *("right_shoulder", "right_elbow", "right_wrist"),
    ),
)
SMPL_24: Final = KeypointSet("smpl24", JOINT_NAMES)

KEYPOINT_SETS: Final[dict[str, KeypointSet]] = {
    s.name: s for s in (BLAZEPOSE_33, COCO_17, OPENPOSE_25, LSP_14, H36M_17, SMPL_24)
}

LIMB_JOINTS: Final[tuple[str, ...]] = _both("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
"""The 12 limb joints of the field's tables; every set above has them under these names."""


def known_keypoint_set(names: Sequence[str]) -> KeypointSet:
    """The known set with exactly these names in this order.

    Raises:
        OptionError: there is none.
    """
    found = find_keypoint_set(names)
    if found is None:
        some = ", ".join(list(names)[:3])
        raise OptionError(f"keypoints {some}, …: no known set has these names in this order")
    return found


def find_keypoint_set(names: Sequence[str]) -> KeypointSet | None:
    """The known set with exactly these names in this order, or None."""
    names = tuple(names)
    return next((s for s in KEYPOINT_SETS.values() if s.keypoint_names == names), None)
