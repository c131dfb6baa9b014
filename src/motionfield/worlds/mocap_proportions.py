"""The lengths of a mocap subject as a shape of our body and factors on its bones."""

from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.conventions import JOINT_INDEX, JOINT_PARENTS, NUM_JOINTS
from motionfield.geometry.rotations import axis_rotation
from motionfield.worlds.mocap_rigs import Rig
from motionfield.worlds.mocap_sample import Sample, median_of, raised_by_arms, upright_frames

_RANGES: Final = {"hips": (0.85, 1.2), "shoulders": (0.85, 1.12), "trunk": (0.85, 1.15)}
_SPREAD_M: Final = {
    "hips": 0.03,
    "thigh": 0.01,
    "shank": 0.01,
    "trunk": 0.03,
    "shoulders": 0.03,
    "upper_arm": 0.015,
    "forearm": 0.015,
}
"""How far a rig's lengths lie from a person's: where hips and shoulders are is convention."""
_STEPS: Final = 5


def unit_bones(
    body: Body, betas: Float[Tensor, "betas"], scale: Float[Tensor, "24"]
) -> Float[Tensor, "24 3"]:
    """Directions of the bones that end in each joint, in the T-pose."""
    joints = body.rest_joints(betas, scale)
    return torch.nn.functional.normalize(bone_offsets(joints), dim=-1)


def bone_offsets(joints: Float[Tensor, "24 3"]) -> Float[Tensor, "24 3"]:
    """Each joint relative to its parent (zero for the root), in the T-pose."""
    return joints - joints[[0, *JOINT_PARENTS[1:]]]


def measure_proportions(
    sizes: Sample, rig: Rig, body: Body
) -> tuple[Float[Tensor, "betas"], Float[Tensor, "24"]]:
    """The most usual shape with about the subject's lengths, and factors for what is left.

    Both sides are alike: rigs differ from left to right by up to 3 cm, people hardly do.
    """
    raised = median_of(raised_by_arms(sizes.positions, sizes.canonical)[upright_frames(sizes)])
    raise_rad = raised.mean()
    theirs = _lengths_of(sizes, rig)
    betas = _fit_betas(body, theirs, raise_rad)
    joints = body.rest_joints(betas)
    ours = dict(zip(_SPREAD_M, _our_lengths(joints, raise_rad), strict=True))
    factor = {name: theirs[name] / ours[name] for name in _SPREAD_M}
    spine = joints[JOINT_INDEX["spine3"], 1] - joints[0, 1]
    factor["trunk"] = 1 + (theirs["trunk"] - ours["trunk"]) / spine
    for name, (low, high) in _RANGES.items():
        factor[name] = factor[name].clamp(low, high)
    scale = torch.ones(NUM_JOINTS)
    for name, bones in _BONES.items():
        scale[[JOINT_INDEX[bone] for bone in bones]] = factor[name]
    return betas, scale


# The joints at whose ends a length's bones are. Where a rig puts the toes is convention: feet
# keep the body's own length, and so do neck, head and hands.
_BONES: Final = {
    "hips": ("left_hip", "right_hip"),
    "thigh": ("left_knee", "right_knee"),
    "shank": ("left_ankle", "right_ankle"),
    "trunk": ("spine1", "spine2", "spine3"),
    "shoulders": ("left_collar", "right_collar", "left_shoulder", "right_shoulder"),
    "upper_arm": ("left_elbow", "right_elbow"),
    "forearm": ("left_wrist", "right_wrist"),
}


def _lengths_of(sizes: Sample, rig: Rig) -> dict[str, Tensor]:
    place = sizes.place

    def apart(*bones: tuple[str, str]) -> Tensor:
        lengths = [median_of((place(a) - place(b)).norm(dim=-1)) for a, b in bones]
        return torch.stack(lengths).mean()

    forearm = apart(("l_elbow", "l_wrist"), ("r_elbow", "r_wrist"))
    forearm = forearm * (1 + wrist_share_of(sizes, rig))
    middle = {n: (place(f"l_{n}") + place(f"r_{n}")) / 2 for n in ("hip", "shoulder")}
    trunk = (middle["shoulder"] - middle["hip"]).norm(dim=-1)
    return {
        "hips": apart(("l_hip", "r_hip")),
        "thigh": apart(("l_hip", "l_knee"), ("r_hip", "r_knee")),
        "shank": apart(("l_knee", "l_ankle"), ("r_knee", "r_ankle")),
        "trunk": median_of(trunk[upright_frames(sizes)]),
        "shoulders": apart(("l_shoulder", "r_shoulder")),
        "upper_arm": apart(("l_shoulder", "l_elbow"), ("r_shoulder", "r_elbow")),
        "forearm": forearm,
    }


def wrist_share_of(sizes: Sample, rig: Rig) -> float:
    """How much farther out the wrist lies than the rig's, as a share of the rig's forearm."""
    if not rig.wrist_share or rig.hands is None:
        return 0.0
    shares = []
    for side, hand in zip(("l", "r"), rig.hands, strict=True):
        joint = sizes.positions[:, sizes.joint_names.index(hand[0])]
        wrist = sizes.place(f"{side}_wrist")
        forearm = (wrist - sizes.place(f"{side}_elbow")).norm(dim=-1)
        shares.append(median_of((joint - wrist).norm(dim=-1) / forearm))
    return rig.wrist_share * float(torch.stack(shares).mean())


def _our_lengths(joints: Float[Tensor, "24 3"], raise_rad: Tensor) -> Float[Tensor, "lengths"]:
    """In the order of ``_SPREAD_M``, with the collars raised by an angle."""
    at = {name: joints[JOINT_INDEX[name]] for name in JOINT_INDEX if name.startswith("left")}
    lift = axis_rotation("z", raise_rad)
    shoulder = at["left_collar"] + lift @ (at["left_shoulder"] - at["left_collar"])

    def bone(first: str, second: str) -> Tensor:
        return (at[f"left_{first}"] - at[f"left_{second}"]).norm()

    hips, across = at["left_hip"], joints.new_tensor((2.0, 0.0, 0.0))
    depth = joints.new_tensor((0.0, 1.0, 1.0))
    lengths = (
        hips @ across,
        bone("hip", "knee"),
        bone("knee", "ankle"),
        ((shoulder - hips) * depth).norm(),
        shoulder @ across,
        bone("shoulder", "elbow"),
        bone("elbow", "wrist"),
    )
    return torch.stack(lengths)


def _fit_betas(body: Body, theirs: dict[str, Tensor], raise_rad: Tensor) -> Float[Tensor, "betas"]:
    """Gauss-Newton: lengths by their spreads, and coefficients of unit variance."""
    target = torch.stack([theirs[name] for name in _SPREAD_M])
    spread = torch.tensor(list(_SPREAD_M.values()))

    def residual(betas: Tensor) -> Tensor:
        return (_our_lengths(body.rest_joints(betas), raise_rad) - target) / spread

    betas = torch.zeros(body.num_betas)
    for _ in range(_STEPS):
        slope = torch.func.jacrev(residual)(betas)
        normal = slope.mT @ slope + torch.eye(body.num_betas)
        betas = betas - torch.linalg.solve(normal, slope.mT @ residual(betas) + betas)
    return betas


def sole_depth(body: Body, betas: Float[Tensor, "betas"], scale: Float[Tensor, "24"]) -> float:
    """Height of the ankle above the sole in the T-pose."""
    vertices = body.skin(betas, bone_scale=scale).rest_vertices
    ankle = body.rest_joints(betas, scale)[JOINT_INDEX["left_ankle"], 1]
    return float(ankle - vertices[:, 1].min())
