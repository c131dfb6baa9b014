"""The interface that every body has. Stateless: parameters in, points out."""

from abc import ABC, abstractmethod
from typing import Literal, NamedTuple

from jaxtyping import Float, Int
from torch import Tensor

MeshName = Literal["render", "full"]
"""The decimated mesh for drawing, or the full one for evaluation and export."""


class Posed(NamedTuple):
    """Points of a posed body in the world, metres."""

    joints: Float[Tensor, "frames 24 3"]
    keypoints: Float[Tensor, "frames keypoints 3"]


class Skin(NamedTuple):
    """What an animation file needs: the mesh and up to four joints per vertex.

    Skinning ``rest_vertices`` from the T-pose is simple and differs from ``Body.vertices`` by
    up to a few centimetres round the shoulders; ``bind_vertices`` with ``inverse_bind`` (what
    glTF calls the inverse bind matrices) is exact.
    """

    rest_vertices: Float[Tensor, "vertices 3"]
    """Vertices in the zero pose (T-pose), body axes (+Y up, facing +Z), metres."""
    faces: Int[Tensor, "faces 3"]
    joint_index: Int[Tensor, "vertices 4"]
    joint_weight: Float[Tensor, "vertices 4"]
    """Rows sum to 1."""
    bind_vertices: Float[Tensor, "vertices 3"]
    """Vertices in the pose that the mesh was modelled in: what to skin for exact results."""
    inverse_bind: Float[Tensor, "24 4 4"]
    """Per joint: posed vertex = sum of weight * T_world_joint @ inverse_bind @ bind vertex."""


class Body(ABC):
    """24 joints in SMPL's order; zero pose is the T-pose (core.conventions).

    Rotations are matrices. ``betas`` is (betas,) for one shape, or (frames, betas);
    ``bone_scale`` multiplies each joint's offset from its parent. Results have the dtype and
    device of ``global_orient``. Every method is differentiable in every argument.
    """

    name: str
    num_betas: int

    @abstractmethod
    def rest_joints(
        self, betas: Float[Tensor, "*frames betas"], bone_scale: Float[Tensor, "24"] | None = None
    ) -> Float[Tensor, "*frames 24 3"]:
        """Joints in the zero pose, body axes, metres; the pelvis keeps its rest place."""

    @abstractmethod
    def pose(
        self,
        global_orient: Float[Tensor, "frames 3 3"],
        body_pose: Float[Tensor, "frames 23 3 3"],
        transl: Float[Tensor, "frames 3"],
        betas: Float[Tensor, "*frames betas"],
        keypoint_set: str | None = None,
        bone_scale: Float[Tensor, "24"] | None = None,
    ) -> Posed:
        """Joints and the named set's keypoints (none if None): the path of every fit.

        ``keypoint_set`` is a name of ``core.keypoint_sets``. The root joint is at its rest
        place plus ``transl``; rotating the root leaves it there.
        """

    @abstractmethod
    def vertices(
        self,
        global_orient: Float[Tensor, "frames 3 3"],
        body_pose: Float[Tensor, "frames 23 3 3"],
        transl: Float[Tensor, "frames 3"],
        betas: Float[Tensor, "*frames betas"],
        mesh: MeshName = "render",
        bone_scale: Float[Tensor, "24"] | None = None,
    ) -> Float[Tensor, "frames vertices 3"]:
        """Skinned vertices: the path of evaluation and rendering."""

    @abstractmethod
    def faces(self, mesh: MeshName = "render") -> Int[Tensor, "faces 3"]:
        """Triangles, counter-clockwise seen from outside."""

    @abstractmethod
    def skin(
        self,
        betas: Float[Tensor, "betas"],
        mesh: MeshName = "render",
        bone_scale: Float[Tensor, "24"] | None = None,
    ) -> Skin:
        """The T-posed mesh with its weights, for animation files."""
