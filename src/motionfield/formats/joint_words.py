"""What joints and markers are called elsewhere, and what they are called here.

The same word means different joints in different programs (an animator's ``LeftShoulder`` is the
collar, ``LeftFoot`` the ankle), so all names of a file are read in the words of one family: the one
that knows most of them. Spines differ too much between skeletons to be matched by name. A name
that no family knows stays as it is: two files of one marker set still share it.
"""

import re
from collections.abc import Sequence
from typing import Final

from motionfield.core.conventions import JOINT_NAMES
from motionfield.core.keypoint_sets import BLAZEPOSE_33, OPENPOSE_25


def _sides(words: dict[str, str], left: str, right: str) -> dict[str, str]:
    """Words of both sides: ``{"thigh": "hip"}`` gives ``lthigh`` and ``rthigh``."""
    return {
        prefix + word: f"{side}_{ours}"
        for prefix, side in ((left, "left"), (right, "right"))
        for word, ours in words.items()
    }


_MIDDLE: Final = {"hips": "pelvis", "pelvis": "pelvis", "neck": "neck", "head": "head"}
_LIMBS: Final = {
    word: word for word in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist", "foot", "hand")
}
_OURS: Final = {
    re.sub("_", "", name): name
    for name in (*BLAZEPOSE_33.keypoint_names, *OPENPOSE_25.keypoint_names, *JOINT_NAMES)
}
_ANIMATION: Final = {
    "upleg": "hip",
    "leg": "knee",
    "thigh": "hip",
    "shin": "knee",
    "foot": "ankle",
    "toebase": "foot",
    "toe": "foot",
    "shoulder": "collar",
    "arm": "shoulder",
    "forearm": "elbow",
    "hand": "wrist",
}
_BIPED: Final = {
    "thigh": "hip",
    "calf": "knee",
    "foot": "ankle",
    "toe0": "foot",
    "clavicle": "collar",
    "upperarm": "shoulder",
    "forearm": "elbow",
    "hand": "wrist",
}
_KEYPOINTS: Final = {
    **{word: word for word in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")},
    "bigtoe": "big_toe",
    "smalltoe": "small_toe",
    "heel": "heel",
    "eye": "eye",
    "ear": "ear",
}
FAMILIES: Final[dict[str, dict[str, str]]] = {
    "motionfield, SMPL": {**_OURS, **_sides({**_LIMBS, "collar": "collar"}, "l", "r")},
    "Biovision": {**_MIDDLE, **_sides({**_LIMBS, "collar": "collar"}, "left", "right")},
    "Mixamo, CMU, LAFAN1": {**_MIDDLE, **_sides(_ANIMATION, "left", "right")},
    "Biped": {**_MIDDLE, **_sides(_BIPED, "l", "r")},
    "OpenPose, Pose2Sim": {
        "hip": "mid_hip",
        "midhip": "mid_hip",
        "neck": "neck",
        "nose": "nose",
        **_sides(_KEYPOINTS, "l", "r"),
    },
}
"""Words without their separators and capitals, and our names; families in order of preference."""


def our_names(names: Sequence[str]) -> tuple[tuple[str, ...], str | None]:
    """Our name of every joint of a file, and the family whose words were found.

    A name that is unknown, or that would be given twice, stays as it is in the file. The family is
    None where fewer than three names are known.
    """
    words = [_word(name) for name in names]
    counts = {
        family: len({table[word] for word in words if word in table})
        for family, table in FAMILIES.items()
    }
    best = max(counts, key=lambda family: counts[family])
    if counts[best] < 3:
        return tuple(names), None
    given: set[str] = set()
    found = []
    for name, word in zip(names, words, strict=True):
        ours = FAMILIES[best].get(word, name)
        found.append(name if ours in given else ours)
        given.add(found[-1])
    return tuple(found), best


def _word(name: str) -> str:
    """Without namespace, prefix, separators and capitals."""
    if name.lower().startswith("skin_"):
        return name  # points of the skin beside joints of the same name
    word = re.sub(r"[^a-z0-9]", "", name.rsplit(":", 1)[-1].lower())
    return re.sub(r"^(mixamorig\d*|bip0*1)(?=.)", "", word)
