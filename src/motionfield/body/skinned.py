"""A body of 24 joints with linear shape and linear blend skinning: anny, toy, SMPL-like files.

The mesh keeps the pose it was modelled in (for anny an A-pose); one fixed rotation per joint,
``zero_from_rest``, takes each joint's skin from there to the T-pose, so that the zero pose is
the T-pose and no skin is deformed twice. In symbols, with rotations ``G_j`` of the joint frames
(identity in the T-pose), places ``x_j``, rest places ``r_j`` and ``A_j = zero_from_rest``:

    v = sum_j w_j (G_j A_j (v_rest - r_j) + x_j)
"""

from typing import NamedTuple, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from motionfield.body.base import Body, MeshName, Posed, Skin
from motionfield.body.kinematics import Kinematics, forward_kinematics
from motionfield.body.parts import BodyParts, SkinnedMesh, SkinnedPoints
from motionfield.core.conventions import JOINT_INDEX, JOINT_PARENTS, NUM_JOINTS
from motionfield.core.errors import OptionError

_MANY_POINTS = 512
"""Beyond this a frame's points are laid out together: meshes are read frame by frame."""
_PARENTS = torch.tensor((0, *JOINT_PARENTS[1:]))

# Joints with several children stretch along an axis of the body; the rest along their one bone.
_AXIS_STRETCH = {
    "left_hip": (0.5, 0, 0),
    "right_hip": (0.5, 0, 0),
    "spine1": (0, 1, 0),
    "left_collar": (0.5, 0, 0),
    "right_collar": (0.5, 0, 0),
    "neck": (0, 1, 0),
}


class _Shaped(NamedTuple):
    """The body of one shape (no leading axis) or of one shape per frame."""

    joints: Float[Tensor, "*frames 24 3"]
    offsets: Float[Tensor, "*frames 24 3"]
    """From each joint's parent; the root's is its rest place."""
    stretch: Float[Tensor, "24 3 3"] | None
    """What bone_scale does to the offsets of each joint's skin; None: nothing."""


@final
class SkinnedBody(Body):
    """``Body`` from ``BodyParts``."""

    def __init__(self, parts: BodyParts) -> None:
        self.name = parts.name
        self.num_betas = len(parts.joint_directions)
        self._parts = parts
        self._bone_stretch = _bone_stretch(parts.joints)
        self._converted: dict[tuple[torch.dtype, torch.device, str], Tensor] = {}

    @property
    def zero_from_rest(self) -> Float[Tensor, "24 3 3"]:
        """Rotation of each joint's skin from the mesh's own pose to the T-pose."""
        return self._parts.zero_from_rest

    # --- Body ---------------------------------------------------------------------------------

    def rest_joints(
        self, betas: Float[Tensor, "*frames betas"], bone_scale: Float[Tensor, "24"] | None = None
    ) -> Float[Tensor, "*frames 24 3"]:
        return self._shape(betas, bone_scale).joints

    def pose(
        self,
        global_orient: Float[Tensor, "frames 3 3"],
        body_pose: Float[Tensor, "frames 23 3 3"],
        transl: Float[Tensor, "frames 3"],
        betas: Float[Tensor, "*frames betas"],
        keypoint_set: str | None = None,
        bone_scale: Float[Tensor, "24"] | None = None,
    ) -> Posed:
        betas = betas.to(global_orient)
        shaped = self._shape(betas, bone_scale)
        kinematics = _chain(shaped, global_orient, body_pose, transl)
        if keypoint_set is None:
            return Posed(kinematics.joints, kinematics.joints[:, :0])
        points = self._points(keypoint_set)
        prefix = f"keypoints/{keypoint_set}"
        index = points.joint_index.to(betas.device)
        if betas.ndim == 2 and shaped.stretch is None:
            return Posed(
                kinematics.joints,
                _carry_shapes(kinematics, self._rows(prefix, points, betas), betas),
            )
        offset = self._linear(prefix, points.offset, points.directions, betas)
        if shaped.stretch is not None:
            offset = (shaped.stretch[index] @ offset.unsqueeze(-1)).squeeze(-1)
        weight = self._as(betas, f"{prefix}/weight", points.joint_weight)
        return Posed(kinematics.joints, _carry(kinematics, index, weight, offset))

    def vertices(
        self,
        global_orient: Float[Tensor, "frames 3 3"],
        body_pose: Float[Tensor, "frames 23 3 3"],
        transl: Float[Tensor, "frames 3"],
        betas: Float[Tensor, "*frames betas"],
        mesh: MeshName = "render",
        bone_scale: Float[Tensor, "24"] | None = None,
    ) -> Float[Tensor, "frames vertices 3"]:
        betas = betas.to(global_orient)
        shaped = self._shape(betas, bone_scale)
        kinematics = _chain(shaped, global_orient, body_pose, transl)
        part = self._mesh(mesh)
        rest = self._linear(f"mesh/{mesh}", part.template, part.directions, betas)
        turn, pivot = self._bind(betas, shaped)
        index = part.joint_index.to(betas.device)
        weight = self._as(betas, f"mesh/{mesh}/weight", part.joint_weight)
        local = rest.unsqueeze(-2) - pivot[..., index, :]
        offset = (turn[index] @ local.unsqueeze(-1)).squeeze(-1) * weight.unsqueeze(-1)
        return _carry(kinematics, index, weight, offset)

    def faces(self, mesh: MeshName = "render") -> Int[Tensor, "faces 3"]:
        return self._mesh(mesh).faces

    def skin(
        self,
        betas: Float[Tensor, "betas"],
        mesh: MeshName = "render",
        bone_scale: Float[Tensor, "24"] | None = None,
    ) -> Skin:
        part = self._mesh(mesh)
        eye = torch.eye(3).to(betas).expand(1, NUM_JOINTS, 3, 3)
        zero = torch.zeros(1, 3).to(betas)
        shaped = self._shape(betas, bone_scale)
        turn, pivot = self._bind(betas, shaped)
        inverse_bind = torch.eye(4).to(betas).repeat(NUM_JOINTS, 1, 1)
        inverse_bind[:, :3, :3] = turn
        inverse_bind[:, :3, 3] = -(turn @ pivot.unsqueeze(-1)).squeeze(-1)
        return Skin(
            rest_vertices=self.vertices(eye[:, 0], eye[:, 1:], zero, betas, mesh, bone_scale)[0],
            faces=part.faces,
            joint_index=part.joint_index,
            joint_weight=self._as(betas, f"mesh/{mesh}/weight", part.joint_weight),
            bind_vertices=self._linear(f"mesh/{mesh}", part.template, part.directions, betas),
            inverse_bind=inverse_bind,
        )

    # --- what the public methods share --------------------------------------------------------

    def _mesh(self, mesh: str) -> SkinnedMesh:
        if mesh not in self._parts.meshes:
            known = ", ".join(self._parts.meshes)
            raise OptionError(f"body {self.name}: no mesh {mesh!r}; choose one of {known}")
        return self._parts.meshes[mesh]

    def _points(self, keypoint_set: str) -> SkinnedPoints:
        if keypoint_set not in self._parts.keypoints:
            known = ", ".join(self._parts.keypoints)
            raise OptionError(
                f"body {self.name}: no keypoint set {keypoint_set!r}; choose one of {known}"
            )
        return self._parts.keypoints[keypoint_set]

    def _as(self, like: Tensor, key: str, value: Tensor) -> Tensor:
        """A constant in the dtype and on the device of ``like``, converted once."""
        slot = (like.dtype, like.device, key)
        if slot not in self._converted:
            self._converted[slot] = value.to(like)
        return self._converted[slot]

    def _rows(
        self, prefix: str, points: SkinnedPoints, betas: Tensor
    ) -> Float[Tensor, "shapes points 96"]:
        """``_matrix`` of the mean shape and of each direction of the shape space, made once."""
        key = f"{prefix}/rows/{betas.shape[-1]}"
        slot = (betas.dtype, betas.device, key)
        if slot not in self._converted:
            offset = torch.cat((points.offset[None], points.directions[: betas.shape[-1]])).to(
                betas
            )
            weight = torch.zeros_like(offset[..., :1])
            weight[0, ..., 0] = points.joint_weight.to(betas)
            columns = torch.cat((offset, weight), dim=-1)
            self._converted[slot] = _matrix(points.joint_index.to(betas.device), columns).flatten(2)
        return self._converted[slot]

    def _linear(self, key: str, template: Tensor, directions: Tensor, betas: Tensor) -> Tensor:
        """``template + betas @ directions`` for one shape or one per frame."""
        count = betas.shape[-1]
        if count > self.num_betas:
            raise OptionError(
                f"body {self.name}: {count} betas given; it has {self.num_betas}: drop the rest"
            )
        base = self._as(betas, f"{key}/template", template)
        change = self._as(betas, f"{key}/directions", directions.flatten(1))[:count]
        return base + (betas @ change).reshape(*betas.shape[:-1], *base.shape)

    def _shape(self, betas: Tensor, bone_scale: Tensor | None) -> _Shaped:
        parts = self._parts
        joints = self._linear("joints", parts.joints, parts.joint_directions, betas)
        parents = _PARENTS.to(betas.device)
        offsets = joints - joints[..., parents, :]
        offsets = torch.cat((joints[..., :1, :], offsets[..., 1:, :]), dim=-2)
        if bone_scale is None:
            return _Shaped(joints, offsets, None)
        scale = bone_scale.to(betas)
        offsets = torch.cat((offsets[..., :1, :], offsets[..., 1:, :] * scale[1:, None]), dim=-2)
        per_bone = (scale - 1)[:, None, None] * self._as(betas, "stretch", self._bone_stretch)
        stretch = torch.eye(3).to(betas).expand(NUM_JOINTS, 3, 3)
        stretch = stretch.index_add(0, parents[1:], per_bone[1:])
        return _Shaped(_accumulate(offsets), offsets, stretch)

    def _bind(self, betas: Tensor, shaped: _Shaped) -> tuple[Tensor, Tensor]:
        """``A_j`` (stretched by bone_scale) and the rest places ``r_j`` of the joints."""
        turn = self._as(betas, "zero_from_rest", self._parts.zero_from_rest)
        parents = _PARENTS.to(betas.device)
        plain = self._shape(betas, None) if shaped.stretch is not None else shaped
        back = turn.mT[parents] @ plain.offsets.unsqueeze(-1)
        offsets = torch.cat((plain.offsets[..., :1, :], back.squeeze(-1)[..., 1:, :]), dim=-2)
        if shaped.stretch is not None:
            turn = shaped.stretch @ turn
        return turn, _accumulate(offsets)


def _chain(shaped: _Shaped, global_orient: Tensor, body_pose: Tensor, transl: Tensor) -> Kinematics:
    root = shaped.offsets[..., 0, :] + transl
    return forward_kinematics(global_orient, body_pose, shaped.offsets, root)


def _carry(
    kinematics: Kinematics,
    index: Int[Tensor, "points slots"],
    weight: Float[Tensor, "points slots"],
    offset: Float[Tensor, "*frames points slots 3"],
) -> Float[Tensor, "frames points 3"]:
    """``sum_s rotation[j_s] @ offset_s + weight_s * place[j_s]``.

    One shape for all frames is one product of a (points, 96) matrix with all frames.
    """
    columns = torch.cat((offset, weight.unsqueeze(-1).expand(*offset.shape[:-1], 1)), dim=-1)
    transforms = kinematics.transforms
    if offset.ndim == 4:
        # (components, points, frames): the slots of each point, one after the other.
        total = transforms.new_zeros(3, len(index), transforms.shape[-1])
        for slot in range(index.shape[1]):
            chosen = transforms[:, :, index[:, slot]]
            total = total + (chosen * columns[:, :, slot].permute(2, 1, 0)).sum(1)
        return total.permute(2, 1, 0)
    matrix = _matrix(index, columns)
    if len(index) > _MANY_POINTS:
        frames_first = transforms.permute(3, 0, 1, 2).reshape(-1, 4 * NUM_JOINTS)
        return (frames_first @ matrix.flatten(1).mT).unflatten(0, (-1, 3)).mT
    return torch.bmm(matrix.flatten(1).expand(3, -1, -1), transforms.flatten(1, 2)).permute(2, 1, 0)


def _carry_shapes(
    kinematics: Kinematics,
    rows: Float[Tensor, "shapes points 96"],
    betas: Float[Tensor, "frames betas"],
) -> Float[Tensor, "frames points 3"]:
    """``_carry`` for a shape per frame.

    Points are linear in the shape: each direction is carried by one product with all frames, and
    then weighed.
    """
    transforms = kinematics.transforms.flatten(1, 2)
    carried = (rows.flatten(0, 1) @ transforms).unflatten(1, (len(rows), -1))
    mean, change = carried[:, 0], carried[:, 1:]
    return (mean + (change * betas.mT[:, None]).sum(1)).permute(2, 1, 0)


def _matrix(
    index: Int[Tensor, "points slots"], columns: Float[Tensor, "*shapes points slots 4"]
) -> Float[Tensor, "*shapes points 4 24"]:
    """Slots of joints as one row over all joints."""
    matrix = columns.new_zeros(*columns.shape[:-2], 4, NUM_JOINTS)
    where = index.unsqueeze(1).expand(*columns.shape[:-2], 4, -1)
    return matrix.scatter_add(-1, where, columns.mT)


def _accumulate(offsets: Float[Tensor, "*frames 24 3"]) -> Float[Tensor, "*frames 24 3"]:
    """Places in the zero pose from offsets between joints whose frames are all parallel."""
    placed = [offsets[..., 0, :]]
    for joint, parent in enumerate(JOINT_PARENTS[1:], start=1):
        placed.append(placed[parent] + offsets[..., joint, :])
    return torch.stack(placed, dim=-2)


def _bone_stretch(joints: Float[Tensor, "24 3"]) -> Float[Tensor, "24 3 3"]:
    """What scaling the bone to each joint does to its parent's skin, per unit of scale."""
    bones = joints - joints[_PARENTS]
    unit = torch.nn.functional.normalize(bones, dim=-1)
    stretch = unit.unsqueeze(-1) * unit.unsqueeze(-2)
    for name, diagonal in _AXIS_STRETCH.items():
        stretch[JOINT_INDEX[name]] = torch.diag(torch.tensor(diagonal)).to(joints)
    stretch[0] = 0
    return stretch
