"""Laws of the keypoint sets and the body's names."""

import pytest

from motionfield.core.conventions import (
    JOINT_INDEX,
    JOINT_NAMES,
    JOINT_PARENTS,
    mirror_order,
    mirrored_name,
)
from motionfield.core.keypoint_sets import (
    KEYPOINT_SETS,
    LIMB_JOINTS,
    KeypointSet,
    find_keypoint_set,
)

SIZES = {
    "blazepose33": 33,
    "coco17": 17,
    "openpose25": 25,
    "lsp14": 14,
    "h36m17": 17,
    "smpl24": 24,
}
EVERY = pytest.mark.parametrize("keypoint_set", KEYPOINT_SETS.values(), ids=lambda s: s.name)


def test_sizes() -> None:
    assert {name: len(s.keypoint_names) for name, s in KEYPOINT_SETS.items()} == SIZES


@EVERY
def test_names_are_unique_and_the_set_is_found_by_them(keypoint_set: KeypointSet) -> None:
    names = keypoint_set.keypoint_names
    assert len(set(names)) == len(names)
    assert find_keypoint_set(list(names)) is keypoint_set
    assert find_keypoint_set(names[::-1]) is None
    assert [keypoint_set.index(name) for name in names] == list(range(len(names)))


@EVERY
def test_mirroring_twice_changes_nothing(keypoint_set: KeypointSet) -> None:
    mirror = keypoint_set.mirror
    assert [mirror[i] for i in mirror] == list(range(len(mirror)))
    middle = {n for i, n in enumerate(keypoint_set.keypoint_names) if mirror[i] == i}
    assert not any(n.startswith(("left_", "right_")) for n in middle)


@EVERY
def test_limb_joints_are_in_every_set(keypoint_set: KeypointSet) -> None:
    assert set(LIMB_JOINTS) <= set(keypoint_set.keypoint_names)
    assert len(LIMB_JOINTS) == 12


def test_parents_come_first_and_sides_hang_on_their_side() -> None:
    assert JOINT_PARENTS[0] == -1
    assert all(parent < child for child, parent in enumerate(JOINT_PARENTS))
    mirror = mirror_order(JOINT_NAMES)
    for child, parent in enumerate(JOINT_PARENTS[1:], start=1):
        assert JOINT_PARENTS[mirror[child]] == mirror[parent]


def test_known_limbs() -> None:
    def parent(name: str) -> str:
        return JOINT_NAMES[JOINT_PARENTS[JOINT_INDEX[name]]]

    assert parent("left_wrist") == "left_elbow"
    assert parent("right_foot") == "right_ankle"
    assert parent("left_collar") == "spine3"
    assert parent("head") == "neck"


def test_mirrored_names() -> None:
    assert mirrored_name("left_hip") == "right_hip"
    assert mirrored_name("right_big_toe") == "left_big_toe"
    assert mirrored_name("pelvis") == "pelvis"
