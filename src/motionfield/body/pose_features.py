"""How alike two poses are, whoever has them and whichever way they face."""

from typing import Final, NamedTuple

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.arrays import tensor_of
from motionfield.core.conventions import JOINT_INDEX, JOINT_NAMES, mirror_order
from motionfield.data.motion import Motion
from motionfield.geometry.filters import SavgolConfig, savgol

_JOINTS: Final = tuple(
    JOINT_INDEX[name]
    for name in (
        *("left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"),
        *("left_shoulder", "right_shoulder", "left_elbow", "right_elbow"),
        *("left_wrist", "right_wrist", "left_hand", "right_hand", "neck", "head"),
    )
)
"""Points that tell a pose: toes are left out, which a first 3D often has wrong."""
_MIRROR: Final = mirror_order(tuple(JOINT_NAMES[joint] for joint in _JOINTS))


class PoseFeatures(NamedTuple):
    """Points of a pose about its root, in metres, turned about the vertical at will.

    The horizontal part is complex (x + iy), so that turning the person is a factor of modulus 1
    and the best turn between two poses has a closed form.
    """

    flat: Complex[Tensor, "frames points"]
    height: Float[Tensor, "frames points"]

    def mirrored(self) -> "PoseFeatures":
        """The features of the mirror image."""
        order = torch.tensor(_MIRROR)
        order = torch.cat([order + at for at in range(0, self.flat.shape[1], len(order))])
        return PoseFeatures(-self.flat.conj()[:, order], self.height[:, order])

    def joined(self, other: "PoseFeatures", weight: float) -> "PoseFeatures":
        """Both sets of points, the other's weighted."""
        flat = torch.cat((self.flat, weight * other.flat), 1)
        return PoseFeatures(flat, torch.cat((self.height, weight * other.height), 1))

    def turned_to(self, other: "PoseFeatures") -> "PoseFeatures":
        """Each frame turned about the vertical until it is most like the other's."""
        overlap = (self.flat.conj() * other.flat).sum(-1, keepdim=True)
        return self._replace(flat=self.flat * torch.sgn(overlap))

    def distance_to(self, other: "PoseFeatures") -> Float[Tensor, "frames"]:
        """Root mean square distance of the points, frame by frame, after the best turn."""
        turned = self.turned_to(other)
        flat = (turned.flat - other.flat).abs().square()
        return (flat + (self.height - other.height).square()).mean(-1).sqrt()


def pose_features(motion: Motion, body: Body, smooth_s: float = 0.0) -> PoseFeatures:
    """Joints of a person of average shape about the root, world axes.

    Args:
        smooth_s: reach of the smoothing over time; 0 for none.
    """
    with torch.no_grad():
        joints = body.pose(
            tensor_of(motion.global_orient),
            tensor_of(motion.body_pose),
            torch.zeros(motion.num_frames, 3),
            torch.zeros(body.num_betas),
        ).joints
    points = joints[:, list(_JOINTS)] - joints[:, :1]
    if smooth_s > 0 and motion.num_frames > 3:
        time = torch.tensor(motion.time_s)
        points = savgol(points, time, SavgolConfig(reach_s=smooth_s))
    return PoseFeatures(torch.complex(points[..., 0], points[..., 1]), points[..., 2])


def pose_distances(a: PoseFeatures, b: PoseFeatures) -> Float[Tensor, "frames_a frames_b"]:
    """``distance_to`` of every frame of one from every frame of the other."""
    square_a = (a.flat.abs().square() + a.height.square()).sum(-1)
    square_b = (b.flat.abs().square() + b.height.square()).sum(-1)
    common = (a.flat @ b.flat.mH).abs() + a.height @ b.height.mT
    square = square_a[:, None] + square_b - 2 * common
    return (square.clamp_min(0) / a.flat.shape[-1]).sqrt()
