"""A stick-and-capsule body of about 1.70 m, built in code: tests of everything need no asset.

Its proportions are those of an average adult in per cent of stature. The mesh is modelled with
the arms hanging, so that the path from a rest pose to the T-pose is exercised too.
"""

import math
from typing import Final

import torch
from torch import Tensor

from motionfield.body.parts import BodyParts, SkinnedMesh, SkinnedPoints
from motionfield.body.skinned import SkinnedBody
from motionfield.core.conventions import JOINT_INDEX, JOINT_NAMES, NUM_BETAS, NUM_JOINTS
from motionfield.core.keypoint_sets import KEYPOINT_SETS
from motionfield.geometry.rotations import axis_rotation

STATURE_M: Final = 1.70

# Per cent of stature above the sole / to the left / forward, in the T-pose.
_LEFT_JOINTS_PERCENT: Final[dict[str, tuple[float, float, float]]] = {
    "pelvis": (0, 55, 0),
    "left_hip": (5, 50, 0),
    "spine1": (0, 60, -1),
    "left_knee": (5.5, 27.5, 0.3),
    "spine2": (0, 67, -1.5),
    "left_ankle": (5.5, 4.5, -1.5),
    "spine3": (0, 73, -1),
    "left_foot": (6.5, 1.2, 6),
    "neck": (0, 84.5, -1),
    "left_collar": (3.5, 80, -0.5),
    "head": (0, 90, 0.5),
    "left_shoulder": (10.2, 81, -1),
    "left_elbow": (25.5, 81, -1.5),
    "left_wrist": (40, 81, -1),
    "left_hand": (45, 80.7, -0.5),
}
# The end of the capsule of joints without children.
_TIPS_PERCENT: Final = {"head": (0, 96, 1.5), "left_foot": (7, 1.2, 9), "left_hand": (50, 80.5, 0)}
_RADIUS_PERCENT: Final = {
    "pelvis": 7.0,
    "spine1": 7.0,
    "spine2": 7.0,
    "spine3": 7.5,
    "neck": 3.5,
    "head": 4.6,
    "hip": 4.2,
    "knee": 3.0,
    "ankle": 2.2,
    "foot": 1.2,
    "collar": 3.5,
    "shoulder": 2.6,
    "elbow": 2.2,
    "wrist": 1.8,
    "hand": 1.2,
}
# Points that detectors mark: carried by a joint, offset in per cent of stature.
_LEFT_POINTS_PERCENT: Final[dict[str, tuple[str, tuple[float, float, float]]]] = {
    "nose": ("head", (0, 1.5, 6.5)),
    "left_eye": ("head", (1.9, 3.2, 5.2)),
    "left_eye_inner": ("head", (1.1, 3.2, 5.4)),
    "left_eye_outer": ("head", (2.7, 3.2, 4.8)),
    "left_ear": ("head", (4.4, 2.2, 0.2)),
    "left_mouth": ("head", (1.4, -0.8, 5.4)),
    "left_pinky": ("left_hand", (0, 0, -2)),
    "left_index": ("left_hand", (0.8, 0, 1.6)),
    "left_thumb": ("left_wrist", (2.5, -0.5, 2.5)),
    "left_heel": ("left_ankle", (0, -3, -3)),
    "left_foot_index": ("left_foot", (0, 0, 3.6)),
    "left_big_toe": ("left_foot", (-0.8, 0, 3.6)),
    "left_small_toe": ("left_foot", (2.0, 0, 2)),
    "neck": ("neck", (0, -3, 0)),
    "mid_hip": ("pelvis", (0, -5, 0)),
    "head_top": ("head", (0, 9.8, 0)),
    "spine": ("spine2", (0, 0, 0)),
    "thorax": ("neck", (0, -3, 0)),
}
_ARM_DROP_RAD: Final = math.radians(45)


def toy_parts() -> BodyParts:
    """The toy body's arrays, float64. The first betas: stature, arms, legs, girth, torso."""
    joints = torch.stack([_place(name) for name in JOINT_NAMES])
    joint_directions = _directions(joints)
    ground_to_pelvis = joints[0].clone()
    pelvis_directions = joint_directions[:, :1].clone()
    drop = torch.eye(3, dtype=torch.float64).repeat(NUM_JOINTS, 1, 1)
    for name in ("shoulder", "elbow", "wrist", "hand"):
        for side, sign in (("left", 1), ("right", -1)):
            angle = torch.tensor(sign * _ARM_DROP_RAD, dtype=torch.float64)
            drop[JOINT_INDEX[f"{side}_{name}"]] = axis_rotation("z", angle)
    mesh = _mesh(joints, joint_directions, drop)
    return BodyParts(
        name="toy",
        joints=joints - ground_to_pelvis,
        joint_directions=joint_directions - pelvis_directions,
        zero_from_rest=drop,
        meshes={
            name: mesh._replace(
                template=mesh.template - ground_to_pelvis,
                directions=mesh.directions - pelvis_directions,
            )
            for name in ("render", "full")
        },
        keypoints={name: _points(s.keypoint_names) for name, s in KEYPOINT_SETS.items()},
    )


def load_toy() -> SkinnedBody:
    """The toy body."""
    return SkinnedBody(toy_parts())


def _percent(xyz: tuple[float, float, float]) -> Tensor:
    return torch.tensor(xyz, dtype=torch.float64) * (STATURE_M / 100)


def _flip(name: str) -> Tensor:
    """What carries the left point to the one called ``name``."""
    return torch.tensor((-1.0 if name.startswith("right_") else 1.0, 1, 1), dtype=torch.float64)


def _left(name: str) -> str:
    return name.replace("right_", "left_", 1) if name.startswith("right_") else name


def _place(name: str) -> Tensor:
    return _percent(_LEFT_JOINTS_PERCENT[_left(name)]) * _flip(name)


def _directions(joints: Tensor) -> Tensor:
    """Change of the T-pose joints per beta: stature, arms, legs, (girth), torso."""
    directions = torch.zeros(NUM_BETAS, NUM_JOINTS, 3, dtype=torch.float64)
    directions[0] = 0.04 * joints
    for index, name in enumerate(JOINT_NAMES):
        part = name.split("_")[-1]
        if part in ("elbow", "wrist", "hand"):
            shoulder = joints[JOINT_INDEX[name.split("_")[0] + "_shoulder"]]
            directions[1, index] = 0.03 * (joints[index] - shoulder)
        legs = 0.03 * (joints[JOINT_INDEX["left_hip"], 1] - joints[index, 1]).clamp_min(0)
        directions[2, index, 1] = -legs
        directions[4, index, 1] = 0.03 * (joints[index, 1] - joints[0, 1]).clamp_min(0)
    return directions


def _ring(start: Tensor, end: Tensor, radius: float) -> tuple[Tensor, Tensor]:
    """A closed eight-sided capsule: vertices (rings of 8 and two poles), faces."""
    along = torch.nn.functional.normalize(end - start, dim=0)
    helper = torch.tensor((0.0, 0, 1) if abs(along[2]) < 0.9 else (0.0, 1, 0), dtype=along.dtype)
    u = torch.nn.functional.normalize(torch.linalg.cross(helper, along), dim=0)
    w = torch.linalg.cross(along, u)
    turn = torch.arange(8, dtype=along.dtype) * (math.pi / 4)
    circle = torch.cos(turn)[:, None] * u + torch.sin(turn)[:, None] * w
    rings = [
        start + radius * (circle * 0.7 - along * 0.7),
        start + radius * circle,
        end + radius * circle,
        end + radius * (circle * 0.7 + along * 0.7),
    ]
    vertices = torch.cat((*rings, (start - radius * along)[None], (end + radius * along)[None]))
    faces = []
    for a in range(8):
        b = (a + 1) % 8
        for ring in (0, 8, 16):
            faces += [(ring + a, ring + b, ring + 8 + b), (ring + a, ring + 8 + b, ring + 8 + a)]
        faces += [(32, b, a), (33, 24 + a, 24 + b)]
    return vertices, torch.tensor(faces)


def _bone_end(name: str) -> Tensor:
    chain = {
        "pelvis": "spine1",
        "spine1": "spine2",
        "spine2": "spine3",
        "spine3": "neck",
        "neck": "head",
        "hip": "knee",
        "knee": "ankle",
        "ankle": "foot",
        "collar": "shoulder",
        "shoulder": "elbow",
        "elbow": "wrist",
        "wrist": "hand",
    }
    side, _, part = name.rpartition("_")
    if part in chain:
        return _place(f"{side}_{chain[part]}" if side else chain[part])
    return _percent(_TIPS_PERCENT[_left(name)]) * _flip(name)


def _mesh(joints: Tensor, joint_directions: Tensor, drop: Tensor) -> SkinnedMesh:
    """One capsule per joint; the arms hang by the inverse of ``drop``."""
    vertices, directions, faces, owners = [], [], [], []
    count = 0
    for index, name in enumerate(JOINT_NAMES):
        radius = _RADIUS_PERCENT[name.split("_")[-1]] * STATURE_M / 100
        ring, triangles = _ring(joints[index], _bone_end(name), radius)
        side = name.split("_")[0]
        pivot = JOINT_INDEX[f"{side}_shoulder"] if bool(drop[index, 0, 1] != 0) else index
        back = drop[index].mT
        vertices.append((ring - joints[pivot]) @ back.mT + joints[pivot])
        change = joint_directions[:, index : index + 1].repeat(1, len(ring), 1)
        shift = joint_directions[:, index] - joint_directions[:, pivot]
        change = joint_directions[:, None, pivot] + (shift @ back.mT)[:, None] + 0 * change
        change[0] += 0.04 * (ring - joints[index]) @ back.mT
        change[3] += 0.08 * (ring - ring.mean(0)) @ back.mT
        directions.append(change)
        faces.append(triangles + count)
        owners += [index] * len(ring)
        count += len(ring)
    joint_index = torch.zeros(count, 4, dtype=torch.long)
    joint_index[:, 0] = torch.tensor(owners)
    joint_weight = torch.zeros(count, 4, dtype=torch.float64)
    joint_weight[:, 0] = 1
    return SkinnedMesh(
        torch.cat(vertices), torch.cat(directions, 1), torch.cat(faces), joint_index, joint_weight
    )


def _points(names: tuple[str, ...]) -> SkinnedPoints:
    joint_index = torch.zeros(len(names), 4, dtype=torch.long)
    joint_weight = torch.zeros(len(names), 4, dtype=torch.float64)
    joint_weight[:, 0] = 1
    offset = torch.zeros(len(names), 4, 3, dtype=torch.float64)
    for row, name in enumerate(names):
        joint, place = _LEFT_POINTS_PERCENT.get(_left(name), (_left(name), (0, 0, 0)))
        if len(names) == NUM_JOINTS and name in JOINT_INDEX:
            joint, place = _left(name), (0, 0, 0)
        if name.startswith("right_"):
            joint = joint.replace("left_", "right_", 1)
        joint_index[row, 0] = JOINT_INDEX[joint]
        offset[row, 0] = _percent(place) * _flip(name)
    directions = torch.zeros(NUM_BETAS, len(names), 4, 3, dtype=torch.float64)
    directions[0] = 0.04 * offset
    return SkinnedPoints(joint_index, joint_weight, offset, directions)
