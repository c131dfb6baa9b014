"""What the animation files share: a motion in Y-up axes, on even time stamps where asked."""

from typing import Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.conventions import JOINT_INDEX, JOINT_NAMES, JOINT_PARENTS
from motionfield.data.motion import Motion
from motionfield.geometry.resample import resample_positions, resample_rotations

R_YUP_WORLD: Final = torch.tensor(((1.0, 0, 0), (0, 0, 1), (0, -1, 0)), dtype=torch.float64)
"""From our Z-up world to the Y-up world of BVH, glTF and OpenSim: (x, y, z) -> (x, z, -y)."""

CHILDREN: Final[tuple[tuple[int, ...], ...]] = tuple(
    tuple(child for child, parent in enumerate(JOINT_PARENTS) if parent == joint)
    for joint in range(len(JOINT_NAMES))
)

_TIP_AXIS: Final = {
    "head": (0.0, 1.0, 0.0),
    "left_foot": (0.0, 0.0, 1.0),
    "right_foot": (0.0, 0.0, 1.0),
    "left_hand": (1.0, 0.0, 0.0),
    "right_hand": (-1.0, 0.0, 0.0),
}
"""Where the bones without a child point in the T-pose."""
_SHORTEST_TIP_M: Final = 0.01


class Animation(NamedTuple):
    """A motion of a tree of joints in a Y-up world, metres, float64."""

    time_s: Float[Tensor, "frames"]
    """Seconds from the first frame."""
    rotations: Float[Tensor, "frames 24 3 3"]
    """Relative to the parent; the root's in the world."""
    root: Float[Tensor, "frames 3"]
    """Place of the root joint in the world."""
    rest: Float[Tensor, "24 3"]
    """Joints in the T-pose, +Y up, facing +Z."""

    @property
    def offsets(self) -> Float[Tensor, "24 3"]:
        """Each joint's place relative to its parent in the T-pose; the root's is zero."""
        parents = torch.tensor((0, *JOINT_PARENTS[1:]))
        return self.rest - self.rest[parents]


def tensor(array: np.ndarray) -> Tensor:
    """A float64 tensor of a record's array (which is read-only, so a copy)."""
    return torch.from_numpy(np.array(array, dtype=np.float64))


def bone_scale_of(motion: Motion) -> Tensor | None:
    return None if motion.bone_scale is None else tensor(motion.bone_scale)


def to_y_up(points_world: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
    """Points of our Z-up world in the Y-up world."""
    return points_world @ R_YUP_WORLD.to(points_world).mT


def animation_of(motion: Motion, body: Body) -> Animation:
    """The motion in Y-up axes, on its own time stamps."""
    rest = body.rest_joints(tensor(motion.betas), bone_scale_of(motion))
    orient = R_YUP_WORLD @ tensor(motion.global_orient)
    return Animation(
        time_s=tensor(motion.time_s - motion.time_s[0]),
        rotations=torch.cat((orient.unsqueeze(1), tensor(motion.body_pose)), dim=1),
        root=to_y_up(rest[0] + tensor(motion.transl)),
        rest=rest,
    )


def evenly_timed(animation: Animation, fps: float) -> Animation:
    """The same animation at ``fps``: resampled only where its frames are not there already."""
    count = round(float(animation.time_s[-1]) * fps) + 1
    even = torch.arange(count, dtype=torch.float64) / fps
    if count == len(animation.time_s):
        late = (even - animation.time_s).abs().max() * fps
        # Files round their time stamps to a millisecond or so: no reason to touch the poses.
        if late < 0.05:
            return animation._replace(time_s=even)
    return at_times(animation, even)


def at_times(
    animation: Animation, at_s: Float[Tensor, "samples"], smooth: bool = False
) -> Animation:
    """The same animation at other moments; held beyond its ends."""
    return animation._replace(
        time_s=at_s,
        rotations=resample_rotations(animation.rotations, animation.time_s, at_s, smooth),
        root=resample_positions(animation.root, animation.time_s, at_s, smooth),
    )


def tips(motion: Motion, body: Body) -> dict[int, Float[Tensor, "3"]]:
    """End of each bone without a child, from its joint, in the T-pose: as far as its skin goes."""
    skin = body.skin(tensor(motion.betas), bone_scale=bone_scale_of(motion))
    rest = body.rest_joints(tensor(motion.betas), bone_scale_of(motion))
    owner = skin.joint_index.gather(1, skin.joint_weight.argmax(1, keepdim=True))[:, 0]
    found = {}
    for name, direction in _TIP_AXIS.items():
        joint = JOINT_INDEX[name]
        axis = tensor(np.array(direction))
        reach = (skin.rest_vertices[owner == joint] - rest[joint]) @ axis
        longest = float(reach.max()) if len(reach) else 0.0
        found[joint] = axis * max(longest, _SHORTEST_TIP_M)
    return found
