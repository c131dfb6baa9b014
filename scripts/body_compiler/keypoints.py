"""What each detector marks, as points that a few joints carry.

A point is a mean of a few basic ones: anny's regressors of the COCO points (``coco:``), single
vertices of the face (``face:``), heads of bones that a joint carries (``bone:``), or joints
(``joint:``); ``move:`` shifts it along an axis of a joint's frame (positive outwards for x) by so
many metres on the average adult. Names are those of the left side; the right side is mirrored.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from body_compiler.rig import Joints
from body_compiler.source import Source, joint_of_bone
from motionfield.core.conventions import JOINT_INDEX, JOINT_NAMES, NUM_JOINTS, mirrored_name
from motionfield.core.keypoint_sets import KEYPOINT_SETS

# Places on the average adult's face, metres, in anny's frame turned to our axes.
_FACE: dict[str, tuple[float, float, float]] = {
    "nose_tip": (0, 0.7215, 0.17),
    "left_eye_inner": (0.0165, 0.757, 0.131),
    "left_eye": (0.031, 0.759, 0.139),
    "left_eye_outer": (0.0435, 0.759, 0.128),
    "left_mouth": (0.0236, 0.692, 0.146),
    "head_top": (0, 0.8717, 0.06),
}

_COCO = {
    **{name: {f"coco:{name}": 1.0} for name in ("nose", "left_eye", "left_ear")},
    **{
        f"left_{part}": {f"coco:left_{part}": 1.0}
        for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    },
}
_FEET = {f"left_{part}": {f"coco:left_{part}": 1.0} for part in ("big_toe", "small_toe", "heel")}
_MID_SHOULDER = {"coco:left_shoulder": 0.5, "coco:right_shoulder": 0.5}

_SETS: dict[str, Mapping[str, Mapping[str, float]]] = {
    "coco17": _COCO,
    # BODY_25 is trained on COCO and foot labels; its neck and mid hip are means of two.
    "openpose25": {
        **_COCO,
        **_FEET,
        "neck": _MID_SHOULDER,
        "mid_hip": {"coco:left_hip": 0.5, "coco:right_hip": 0.5},
    },
    # Face points are the face's own; "index", "pinky" and "thumb" are the knuckles where those
    # fingers leave the palm. The moves, wider shoulders and lower knees, bring the lengths of
    # segments towards those of the network's own 3D, its median over six people of other videos
    # than the benchmarks'.
    "blazepose33": {
        **{name: place for name, place in _COCO.items() if name != "nose"},
        "nose": {"face:nose_tip": 1},
        **{f"left_{part}": {f"face:left_{part}": 1} for part in ("eye", "eye_inner", "eye_outer")},
        "left_mouth": {"face:left_mouth": 1},
        "left_pinky": {"bone:finger5-1.L": 1},
        "left_index": {"bone:finger2-1.L": 1},
        "left_thumb": {"bone:finger1-2.L": 1},
        "left_shoulder": {
            "coco:left_shoulder": 1,
            "move:left_collar.x": 0.009,
        },
        "left_knee": {"coco:left_knee": 1, "move:left_hip.y": -0.010},
        "left_heel": {"coco:left_heel": 1},
        "left_foot_index": {"coco:left_big_toe": 1},
    },
    # LSP marks joint centres by eye, the neck between the collar bones.
    "lsp14": {
        **_COCO,
        "neck": {"joint:neck": 0.5, **{point: 0.25 for point in _MID_SHOULDER}},
        "head_top": {"face:head_top": 1},
    },
    # Human3.6M's hips are those of its marker set, wider and higher than joint centres; "neck"
    # is the point near the jaw, "thorax" the base of the neck.
    "h36m17": {
        **_COCO,
        "left_hip": {"bone:upperleg01.L": 1.1, "bone:upperleg01.R": -0.1},
        "pelvis": {"bone:upperleg01.L": 0.5, "bone:upperleg01.R": 0.5},
        "left_shoulder": {"joint:left_shoulder": 1},
        "left_elbow": {"joint:left_elbow": 1},
        "left_wrist": {"joint:left_wrist": 1},
        "left_knee": {"joint:left_knee": 1},
        "left_ankle": {"joint:left_ankle": 1},
        "spine": {"joint:spine2": 1},
        "thorax": {"joint:neck": 0.6, **{point: 0.2 for point in _MID_SHOULDER}},
        "neck": {"joint:head": 0.5, "face:left_mouth": 0.25, "face:right_mouth": 0.25},
        "head_top": {"face:head_top": 1},
    },
    "smpl24": {name: {f"joint:{name}": 1.0} for name in JOINT_NAMES},
}
_LEAST_WEIGHT = 0.02
_GROWTH_PER_BETA = 0.06
"""Relative change of stature per unit of the first beta; moves grow with it."""


class Points(NamedTuple):
    """The arrays of ``SkinnedPoints``, the template first among ``offset``."""

    joint_index: np.ndarray
    joint_weight: np.ndarray
    offset: np.ndarray
    """(1 + betas, points, slots, 3)."""


class Shaped(NamedTuple):
    """anny in the shape space: the average adult, then the change per beta."""

    vertices: np.ndarray
    """(1 + betas, vertices, 3) with the pelvis at the origin."""
    bones: dict[str, np.ndarray]
    """(1 + betas, 3) per bone."""
    origin: np.ndarray
    """(3,) the average adult's pelvis in anny's frame, our axes."""


def make_keypoints(source: Source, shaped: Shaped, joints: Joints) -> dict[str, Points]:
    """Every known set's points."""
    made = {}
    for set_name, keypoint_set in KEYPOINT_SETS.items():
        dense = [
            _mean(_recipe(set_name, name), source, shaped, joints)
            for name in keypoint_set.keypoint_names
        ]
        weight = np.stack([w for w, _ in dense])
        offset = np.stack([o for _, o in dense], axis=1)
        made[set_name] = _sparse(weight, offset)
    return made


def _recipe(set_name: str, name: str) -> Mapping[str, float]:
    table = _SETS[set_name]
    if name in table:
        return table[name]
    return {_mirrored_point(point): w for point, w in table[mirrored_name(name)].items()}


def _mirrored_point(point: str) -> str:
    kind, _, name = point.partition(":")
    if kind == "bone":
        return point[:-2] + {".L": ".R", ".R": ".L"}.get(point[-2:], point[-2:])
    return f"{kind}:{mirrored_name(name)}"


def _mean(
    recipe: Mapping[str, float], source: Source, shaped: Shaped, joints: Joints
) -> tuple[np.ndarray, np.ndarray]:
    """Weights (24,) and offsets (1 + betas, 24, 3) of a mean of basic points."""
    weight = np.zeros(NUM_JOINTS)
    offset = np.zeros((len(joints.rest), NUM_JOINTS, 3))
    for point, share in recipe.items():
        w, o = _basic(point, source, shaped, joints)
        weight += share * w
        offset += share * o
    return weight, offset


def _basic(
    point: str, source: Source, shaped: Shaped, joints: Joints
) -> tuple[np.ndarray, np.ndarray]:
    kind, _, name = point.partition(":")
    weight = np.zeros(NUM_JOINTS)
    offset = np.zeros((len(joints.rest), NUM_JOINTS, 3))
    if kind == "joint":
        weight[JOINT_INDEX[name]] = 1
        return weight, offset
    if kind == "move":
        index, direction = _move(name)
        offset[0, index] = direction
        offset[1, index] = _GROWTH_PER_BETA * direction
        return weight, offset
    if kind == "bone":
        joint = JOINT_INDEX[_carrier(name)]
        weight[joint] = 1
        offset[:, joint] = (shaped.bones[name] - joints.rest[:, joint]) @ (
            joints.zero_from_rest[joint].T
        )
        return weight, offset
    regressor = source.coco[name] if kind == "coco" else _face_regressor(name, shaped)
    carried = regressor[:, None] * source.weights
    weight = carried.sum(0)
    moment = np.einsum("vj,bvi->bji", carried, shaped.vertices)
    local = moment - weight[:, None] * joints.rest
    return weight, np.einsum("jxy,bjy->bjx", joints.zero_from_rest, local)


def _carrier(bone: str) -> str:
    """The joint that carries a bone's head: thighs start in the pelvis, fingers in the palm."""
    if bone.startswith("upperleg01"):
        return "pelvis"
    if bone.startswith("finger"):
        return {"L": "left_", "R": "right_"}[bone[-1]] + "wrist"
    return joint_of_bone(bone)


def _move(name: str) -> tuple[int, np.ndarray]:
    """The joint and the unit direction, in its frame, of a ``move:``."""
    joint, _, axis = name.partition(".")
    direction = np.eye(3)["xyz".index(axis)]
    if axis == "x" and joint.startswith("right_"):
        direction = -direction
    return JOINT_INDEX[joint], direction


def _face_regressor(name: str, shaped: Shaped) -> np.ndarray:
    """One for the vertex nearest to the place, on the named side."""
    if name in _FACE:
        place, flip = np.array(_FACE[name]), np.ones(3)
    else:
        place, flip = np.array(_FACE[mirrored_name(name)]), np.array((-1.0, 1, 1))
    mirrored = (shaped.vertices[0] + shaped.origin) * flip
    regressor = np.zeros(len(mirrored))
    regressor[np.linalg.norm(mirrored - place, axis=1).argmin()] = 1
    return regressor


def _sparse(weight: np.ndarray, offset: np.ndarray) -> Points:
    """Keep the joints of most weight: as many for each point as the neediest point has."""
    size = np.abs(weight)
    slots = int((size > _LEAST_WEIGHT * size.sum(1, keepdims=True)).sum(1).max())
    order = np.argsort(-size, axis=1, kind="stable")[:, :slots]
    kept = np.take_along_axis(weight, order, axis=1)
    rescale = 1 / kept.sum(1, keepdims=True)
    offsets = np.take_along_axis(offset, order[None, :, :, None], axis=2)
    return Points(order, kept * rescale, offsets * rescale[None, :, :, None])
