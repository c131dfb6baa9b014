"""A moving skeleton by its joints' frames in the world, and how its limbs are made to reach."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.core.conventions import JOINT_INDEX, JOINT_PARENTS
from motionfield.worlds.mocap_sample import FLEXION_AXIS, Bone

_STRAIGHT_M: Final = 0.005
"""A limb that is bent out by less than about this bends about its hinge."""
_TIP: Final = 1e-4
_SOFT: Final = 0.004
"""The last share of a limb's length, in which reaching costs more and more."""


class Figure(NamedTuple):
    """Our skeleton over time."""

    rotations: Float[Tensor, "frames 24 3 3"]
    """World from joint."""
    root: Float[Tensor, "frames 3"]
    """Place of the pelvis, metres."""
    offsets: Float[Tensor, "24 3"]
    """Each joint in its parent's frame, metres."""

    @property
    def joints(self) -> Float[Tensor, "frames 24 3"]:
        """Places in the world, metres."""
        places = [self.root]
        for joint, parent in enumerate(JOINT_PARENTS[1:], start=1):
            bone = self.rotations[:, parent] @ self.offsets[joint]
            places.append(places[parent] + bone)
        return torch.stack(places, dim=1)

    def rotation(self, joint: str) -> Float[Tensor, "frames 3 3"]:
        return self.rotations[:, JOINT_INDEX[joint]]

    def turned(self, joints: Sequence[str], turn: Float[Tensor, "frames 3 3"]) -> "Figure":
        """With these joints' frames turned in the world; the others keep theirs."""
        rotations = self.rotations.clone()
        for joint in joints:
            rotations[:, JOINT_INDEX[joint]] = turn @ rotations[:, JOINT_INDEX[joint]]
        return self._replace(rotations=rotations)


def swing(start: Float[Tensor, "frames 3"], end: Float[Tensor, "frames 3"]) -> Tensor:
    """The smallest rotations (frames, 3, 3) that carry ``start``'s direction onto ``end``'s."""
    a = torch.nn.functional.normalize(start, dim=-1)
    b = torch.nn.functional.normalize(end, dim=-1)
    # The unit quaternion (a x b, 1 + a.b), normalised.
    quat = torch.cat((torch.linalg.cross(a, b), 1 + (a * b).sum(-1, keepdim=True)), dim=-1)
    return roma.unitquat_to_rotmat(torch.nn.functional.normalize(quat, dim=-1))


def reach(figure: Figure, upper: Bone, lower: Bone, target: Float[Tensor, "frames 3"]) -> Figure:
    """A limb whose end is put at ``target``, or as near as its length allows.

    The middle joint stays on its side of the line between the ends; a straight limb bends about
    its hinge. Both bones turn by the smallest rotations, so that no limb is twisted.
    """
    joints = figure.joints
    places = [joints[:, JOINT_INDEX[name]] for name in (upper.joint, lower.joint, lower.child)]
    start, middle, end = places
    a, b = (figure.offsets[JOINT_INDEX[bone.child]].norm() for bone in (upper, lower))
    way = target - start
    along = torch.nn.functional.normalize(way, dim=-1)
    far = _within(way.norm(dim=-1, keepdim=True), float((a - b).abs()), float(a + b))
    hinge = figure.rotation(upper.joint) @ torch.tensor(FLEXION_AXIS[lower.joint])
    out = across(middle - start, end - start) + _STRAIGHT_M * torch.linalg.cross(along, hinge)
    aside = torch.nn.functional.normalize(across(out, along), dim=-1)
    share = (a.square() + far.square() - b.square()) / (2 * a * far)
    elbow = a * (share * along + (1 - share.square()).clamp(min=0).sqrt() * aside)
    figure = figure.turned((upper.joint,), swing(middle - start, elbow))
    return figure.turned((lower.joint,), swing(end - middle, far * along - elbow))


def _within(far: Float[Tensor, "frames 1"], least: float, most: float) -> Tensor:
    """How far a limb reaches (frames, 1): it straightens softly, so that no knee snaps."""
    soft = (1 - _SOFT) * most
    eased = soft + _SOFT * most * torch.tanh((far - soft) / (_SOFT * most))
    return torch.where(far > soft, eased, far).clamp(least + _TIP, most * (1 - _TIP))


def across(vectors: Float[Tensor, "frames 3"], line: Float[Tensor, "frames 3"]) -> Tensor:
    """The part (frames, 3) of vectors that is orthogonal to a line."""
    unit = torch.nn.functional.normalize(line, dim=-1)
    return vectors - (vectors * unit).sum(-1, keepdim=True) * unit
