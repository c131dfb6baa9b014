"""The frames that a subject of a shard is measured on, and the bones that are measured."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motionfield.formats.mocap_npz import ClipInfo, MocapShard

_UPRIGHT_COS: Final = 0.97
"""A trunk within 14 degrees of the vertical is upright."""
_MAX_FRAMES: Final = 6000
_COLLAR_SHARE: Final = 0.25
_COLLAR_RANGE_RAD: Final = (math.radians(-15), math.radians(25))


class Bone(NamedTuple):
    """One bone of a limb: its joint of ours, the canonical joints, the axis of flexion."""

    joint: str
    child: str
    canon: str
    canon_child: str


UPPER_BONES: Final = (
    Bone("left_hip", "left_knee", "l_hip", "l_knee"),
    Bone("right_hip", "right_knee", "r_hip", "r_knee"),
    Bone("left_shoulder", "left_elbow", "l_shoulder", "l_elbow"),
    Bone("right_shoulder", "right_elbow", "r_shoulder", "r_elbow"),
)
LOWER_BONES: Final = (
    Bone("left_knee", "left_ankle", "l_knee", "l_ankle"),
    Bone("right_knee", "right_ankle", "r_knee", "r_ankle"),
    Bone("left_elbow", "left_wrist", "l_elbow", "l_wrist"),
    Bone("right_elbow", "right_wrist", "r_elbow", "r_wrist"),
)
FEET: Final = (
    Bone("left_ankle", "left_foot", "l_ankle", "l_toe"),
    Bone("right_ankle", "right_foot", "r_ankle", "r_toe"),
)


# Bending moves the lower bone back at the knee, forward at the elbow: about these body axes.
FLEXION_AXIS: Final = {
    "left_knee": (1.0, 0.0, 0.0),
    "right_knee": (1.0, 0.0, 0.0),
    "left_elbow": (0.0, -1.0, 0.0),
    "right_elbow": (0.0, 1.0, 0.0),
}


class Sample(NamedTuple):
    """The frames that a subject is calibrated on."""

    positions: Float[Tensor, "frames joints 3"]
    rotations: Float[Tensor, "frames joints 3 3"]
    joint_names: tuple[str, ...]
    canonical: dict[str, int]
    offsets: Float[Tensor, "joints 3"]
    """Each joint's place in its parent's frame, metres: one subject's."""
    fps: float
    first: Bool[Tensor, "frames"]
    """True at the first frame of a clip, where no speed is known."""

    def place(self, canon: str) -> Float[Tensor, "frames 3"]:
        return self.positions[:, self.canonical[canon]]

    def bone(self, canon: str) -> Float[Tensor, "3"]:
        """From its parent to this joint, in the parent's frame."""
        return self.offsets[self.canonical[canon]]

    def frame(self, canon: str) -> Float[Tensor, "frames 3 3"]:
        return self.rotations[:, self.canonical[canon]]


def take_sample(shard: MocapShard, infos: Sequence[ClipInfo], subject: str) -> Sample:
    """Good frames of evenly chosen clips, up to about twice ``_MAX_FRAMES``."""
    positions, rotations, starts, total = [], [], [], 0
    stride = max(1, sum(info.num_frames for info in infos) // _MAX_FRAMES)
    for info in infos[::stride]:
        clip = shard.clip(info)
        good = torch.tensor(~clip.bad_frame)
        positions.append(clip.positions_world[good])
        rotations.append(clip.rotations_world[good])
        starts.append(torch.arange(int(good.sum())) == 0)
        total += len(positions[-1])
        if total > 2 * _MAX_FRAMES:
            break
    return Sample(
        positions=torch.cat(positions),
        rotations=torch.cat(rotations),
        joint_names=shard.joint_names,
        canonical=shard.canonical,
        offsets=shard.offsets[subject],
        fps=shard.fps,
        first=torch.cat(starts),
    )


def upright_frames(sample: Sample) -> Bool[Tensor, "frames"]:
    """Where the trunk stands upright (or at least leans least)."""
    upright = _trunk_up(sample) > _UPRIGHT_COS
    return upright if upright.sum() > 30 else _trunk_up(sample) > 0.8


def upright_share(sample: Sample) -> float:
    """In how many of the frames the trunk stands upright."""
    return float((_trunk_up(sample) > _UPRIGHT_COS).float().mean())


def _trunk_up(sample: Sample) -> Float[Tensor, "frames"]:
    hips = (sample.place("l_hip") + sample.place("r_hip")) / 2
    shoulders = (sample.place("l_shoulder") + sample.place("r_shoulder")) / 2
    return torch.nn.functional.normalize(shoulders - hips, dim=-1)[:, 2]


def raised_by_arms(
    positions: Float[Tensor, "frames joints 3"],
    canonical: dict[str, int],
    up: Float[Tensor, "frames 3"] | None = None,
) -> Float[Tensor, "frames 2"]:
    """How far the collars (left, right) are raised for the arms' elevation, radians.

    Collars rise with the arms by about a quarter of their angle (Inman et al., 1944), and hang
    below the T-pose's with hanging arms.

    Args:
        positions: the rig's joints in the world.
        canonical: its joint of each canonical name.
        up: the chest's own direction up; None: the world's.
    """
    arms = [
        positions[:, canonical[f"{side}_elbow"]] - positions[:, canonical[f"{side}_shoulder"]]
        for side in "lr"
    ]
    along = torch.nn.functional.normalize(torch.stack(arms, dim=1), dim=-1)
    height = along[..., 2] if up is None else (along * up[:, None]).sum(-1)
    return (_COLLAR_SHARE * torch.asin(height.clamp(-1, 1))).clamp(*_COLLAR_RANGE_RAD)


def median_of(values: Tensor) -> Tensor:
    """Median over the first axis."""
    return values.median(dim=0).values
