"""The skeletons of the mocap shards: which of their joints carries which part of our body."""

import re
from dataclasses import dataclass
from typing import Final

from motionfield.core.errors import InputError
from motionfield.formats.mocap_npz import MocapShard

TRUNK: Final = ("pelvis", "spine1", "spine2", "spine3", "neck", "head")
"""Our joints whose frames follow frames of the rig (the limbs follow bones)."""


@dataclass(frozen=True)
class Rig:
    """What calibration needs to know of a skeleton; everything else is measured from its clips."""

    name: str
    trunk: dict[str, tuple[str, str, float]]
    """Per joint of ``TRUNK``: two joints of the rig, and the share of the way from the first's
    frame to the second's."""
    hands: tuple[tuple[str, str], tuple[str, str]] | None
    """Left and right: the joint whose frame the hand follows, and the joint its bone points to."""
    wrist_share: float = 0.0
    """The wrist lies this share of the way from the rig's wrist to the hand's joint."""
    levelled: tuple[str, ...] = TRUNK
    """Joints of ``TRUNK`` whose rest pitch means nothing: upright persons hold them level."""


def _one(joint: str) -> tuple[str, str, float]:
    return joint, joint, 0.0


def _asf(root: str, spine: tuple[str, ...], head: tuple[str, ...], hands: tuple[str, ...]) -> Rig:
    """Acclaim skeletons: the forearm's roll lies in a wrist joint some 10 cm before the hand."""
    return Rig(
        name="asf",
        trunk={
            "pelvis": _one(root),
            "spine1": _one(spine[0]),
            "spine2": _one(spine[1]),
            "spine3": _one(spine[2]),
            "neck": (head[0], head[1], 0.5),
            "head": _one(head[2]),
        },
        hands=((hands[0], hands[1]), (hands[2], hands[3])),
        wrist_share=0.5,
    )


def _short_spine(name: str, root: str, chest: str, neck: tuple[str, str, float], head: str) -> Rig:
    return Rig(
        name=name,
        trunk={
            "pelvis": _one(root),
            "spine1": (root, chest, 1 / 3),
            "spine2": (root, chest, 2 / 3),
            "spine3": _one(chest),
            "neck": neck,
            "head": _one(head),
        },
        hands=None,
    )


# By a joint that only this skeleton has.
_RIGS: Final[dict[str, Rig]] = {
    "lfemur": _asf(
        "root",
        ("lowerback", "upperback", "thorax"),
        ("lowerneck", "upperneck", "head"),
        ("lhand", "lfingers", "rhand", "rfingers"),
    ),
    "LHipJoint": _asf(
        "Hips",
        ("LowerBack", "Spine", "Spine1"),
        ("Neck", "Neck1", "Head"),
        ("j24", "j25", "j33", "j34"),
    ),
    "lButtock": Rig(
        name="daz",
        trunk={
            "pelvis": _one("hip"),
            "spine1": _one("abdomen"),
            "spine2": ("abdomen", "chest", 0.5),
            "spine3": _one("chest"),
            "neck": _one("neck"),
            "head": _one("head"),
        },
        hands=(("lHand", "lMid1"), ("rHand", "rMid1")),
    ),
    "CC_Base_Hip": Rig(
        name="iclone",
        trunk={
            "pelvis": _one("CC_Base_Pelvis"),
            "spine1": _one("CC_Base_Waist"),
            "spine2": _one("CC_Base_Spine01"),
            "spine3": _one("CC_Base_Spine02"),
            "neck": _one("CC_Base_NeckTwist01"),
            "head": _one("CC_Base_Head"),
        },
        hands=(("CC_Base_L_Hand", "CC_Base_L_Mid1"), ("CC_Base_R_Hand", "CC_Base_R_Mid1")),
    ),
    "left_collar": Rig(
        name="ours",
        trunk={joint: _one(joint) for joint in TRUNK},
        hands=(("left_wrist", "left_hand"), ("right_wrist", "right_hand")),
        levelled=(),
    ),
    "left_toe_end": _short_spine("dm", "root", "chest", ("chest", "neck", 0.5), "neck"),
    "LeftCollar": _short_spine("tennis", "Hips", "Chest", _one("Neck"), "Head"),
}


def _by_parts(names: tuple[str, ...]) -> Rig:
    """A skeleton whose parts are named by where they are (``formats.bvh_shard``)."""
    spine = [name for name in names if re.fullmatch(r"trunk\d+", name)]
    neck = [name for name in names if re.fullmatch(r"neck\d+", name)]
    chest = spine[-1]
    if len(spine) == 1:
        lower = {"spine1": ("pelvis", chest, 1 / 3), "spine2": ("pelvis", chest, 2 / 3)}
    elif len(spine) == 2:
        lower = {"spine1": _one(spine[0]), "spine2": (spine[0], chest, 0.5)}
    else:
        lower = {"spine1": _one(spine[0]), "spine2": _one(spine[len(spine) // 2])}
    if len(neck) == 1:
        through = _one(neck[0])
    else:
        through = (neck[0], neck[-1], 0.5) if neck else (chest, "head", 0.5)
    trunk = {"pelvis": _one("pelvis"), **lower, "spine3": _one(chest)}
    hands = (("left_wrist", "left_hand"), ("right_wrist", "right_hand"))
    return Rig(
        name="by parts",
        trunk={**trunk, "neck": through, "head": _one("head")},
        hands=hands if all(hand in names for _, hand in hands) else None,
    )


def rig_of(shard: MocapShard) -> Rig:
    """The rig of a shard, known by its joint names.

    Raises:
        InputError: no known skeleton.
    """
    if "trunk1" in shard.joint_names:
        return _by_parts(shard.joint_names)
    for joint, rig in _RIGS.items():
        if joint in shard.joint_names:
            return rig
    cure = "describe it in worlds/mocap_rigs.py"
    raise InputError(shard.path, f"skeleton with joints {shard.joint_names[:4]}… unknown", cure)
