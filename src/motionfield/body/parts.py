"""The arrays that a skinned body is made of."""

from collections.abc import Mapping
from typing import NamedTuple

from jaxtyping import Float, Int
from torch import Tensor


class SkinnedMesh(NamedTuple):
    """A mesh in the pose it was modelled in (its rest), body axes, metres."""

    template: Float[Tensor, "vertices 3"]
    directions: Float[Tensor, "betas vertices 3"]
    """Change of the rest vertices per unit of each beta."""
    faces: Int[Tensor, "faces 3"]
    joint_index: Int[Tensor, "vertices 4"]
    joint_weight: Float[Tensor, "vertices 4"]
    """Rows sum to 1."""


class SkinnedPoints(NamedTuple):
    """Points that a few joints carry: linear functions of skinned vertices.

    A point is ``sum_s rotation[j_s] @ offset_s + weight_s * place[j_s]``: any weighted mean of
    vertices skinned by those joints has exactly this form.
    """

    joint_index: Int[Tensor, "points slots"]
    joint_weight: Float[Tensor, "points slots"]
    """Rows sum to 1."""
    offset: Float[Tensor, "points slots 3"]
    """Weighted offsets in the frame of each joint, metres."""
    directions: Float[Tensor, "betas points slots 3"]
    """Change of ``offset`` per unit of each beta."""


class BodyParts(NamedTuple):
    """Everything that ``SkinnedBody`` needs; the tensors are float64 or float32 on the CPU."""

    name: str
    joints: Float[Tensor, "24 3"]
    """Joints in the zero pose (T-pose), body axes, metres."""
    joint_directions: Float[Tensor, "betas 24 3"]
    zero_from_rest: Float[Tensor, "24 3 3"]
    """Rotation of each joint's skin from the mesh's rest pose to the zero pose."""
    meshes: Mapping[str, SkinnedMesh]
    keypoints: Mapping[str, SkinnedPoints]
