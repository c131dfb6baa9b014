"""The naive twin of NeMo's step: the same network and losses, written the straightforward way.

One take after the other, one joint after the other, one keypoint after the other, all frames:
what ``steps.fit.nemo`` is tested and timed against.
"""

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.body.base import Body, MeshName, Posed, Skin
from motionfield.body.parts import BodyParts
from motionfield.body.skinned import SkinnedBody
from motionfield.core.conventions import JOINT_PARENTS
from motionfield.fields.motion_field import FieldPose
from motionfield.priors.base import PosePrior
from motionfield.steps.fit.nemo.paper_config import PaperNemoConfig
from motionfield.steps.fit.nemo.paper_model import PaperModel, Seen


@final
class LoopBody(Body):
    """A body posed joint by joint and keypoint by keypoint with small matrices."""

    def __init__(self, parts: BodyParts) -> None:
        self._parts = parts
        self._fast = SkinnedBody(parts)
        self.name, self.num_betas = self._fast.name, self._fast.num_betas

    def pose(
        self,
        global_orient: Float[Tensor, "frames 3 3"],
        body_pose: Float[Tensor, "frames 23 3 3"],
        transl: Float[Tensor, "frames 3"],
        betas: Float[Tensor, "*frames betas"],
        keypoint_set: str | None = None,
        bone_scale: Float[Tensor, "24"] | None = None,
    ) -> Posed:
        parts = self._parts
        rest = parts.joints + torch.tensordot(betas, parts.joint_directions, 1)
        rotations, places = [global_orient], [rest[..., 0, :] + transl]
        for joint, parent in enumerate(JOINT_PARENTS[1:], start=1):
            bone = (rest[..., joint, :] - rest[..., parent, :]).unsqueeze(-1)
            places.append(places[parent] + (rotations[parent] @ bone).squeeze(-1))
            rotations.append(rotations[parent] @ body_pose[:, joint - 1])
        joints = torch.stack(places, dim=1)
        if keypoint_set is None:
            return Posed(joints, joints[:, :0])
        points = parts.keypoints[keypoint_set]
        offset = points.offset + torch.tensordot(betas, points.directions, 1)
        keypoints = []
        for point, carriers in enumerate(points.joint_index.tolist()):
            total = torch.zeros_like(transl)
            for slot, joint in enumerate(carriers):
                moved = (rotations[joint] @ offset[..., point, slot, :].unsqueeze(-1)).squeeze(-1)
                total = total + moved + points.joint_weight[point, slot] * places[joint]
            keypoints.append(total)
        return Posed(joints, torch.stack(keypoints, dim=1))

    def rest_joints(
        self, betas: Float[Tensor, "*frames betas"], bone_scale: Float[Tensor, "24"] | None = None
    ) -> Float[Tensor, "*frames 24 3"]:
        return self._fast.rest_joints(betas, bone_scale)

    def vertices(
        self,
        global_orient: Float[Tensor, "frames 3 3"],
        body_pose: Float[Tensor, "frames 23 3 3"],
        transl: Float[Tensor, "frames 3"],
        betas: Float[Tensor, "*frames betas"],
        mesh: MeshName = "render",
        bone_scale: Float[Tensor, "24"] | None = None,
    ) -> Float[Tensor, "frames vertices 3"]:
        return self._fast.vertices(global_orient, body_pose, transl, betas, mesh, bone_scale)

    def faces(self, mesh: MeshName = "render") -> Tensor:
        return self._fast.faces(mesh)

    def skin(
        self,
        betas: Float[Tensor, "betas"],
        mesh: MeshName = "render",
        bone_scale: Float[Tensor, "24"] | None = None,
    ) -> Skin:
        return self._fast.skin(betas, mesh, bone_scale)


@final
class NaiveNemo:
    """``PaperLoss.whole`` of all frames, in loops."""

    def __init__(
        self,
        config: PaperNemoConfig,
        model: PaperModel,
        seen: Seen,
        body: LoopBody,
        priors: tuple[PosePrior | None, PosePrior | None],
    ) -> None:
        self._config, self._model, self._seen = config, model, seen
        self._body, self._priors = body, priors

    def network(self) -> list[FieldPose]:
        """Every take's poses: its own phase network, its own pass through the field."""
        model, poses = self._model, []
        for n, part in enumerate(self._parts()):
            time = self._seen.time[part]
            if self._config.instance_specific:
                a, b = model.phases.scale[n].relu(), model.phases.shift[n].relu()
                g = torch.sigmoid(a * (time[:, None] - b)).mean(1)
                g0 = torch.sigmoid(-a * b).mean()
                g1 = torch.sigmoid(a * (1 - b)).mean()
                time = (g - g0) / (g1 - g0)
            poses.append(model.field(time, model.codes[n].expand(len(time), -1)))
        return poses

    def kinematics(self, poses: list[FieldPose]) -> list[Tensor]:
        """Every take's keypoints in the field's axes."""
        betas = torch.zeros(self._body.num_betas)
        return [
            self._body.pose(
                pose.rotations[:, 0],
                pose.rotations[:, 1:],
                pose.transl,
                betas,
                self._seen.keypoint_set,
            ).keypoints
            for pose in poses
        ]

    def loss(self, poses: list[FieldPose], points: list[Tensor]) -> Float[Tensor, ""]:
        """Image, priors and first 3D, from what the two methods above give."""
        config, parts = self._config, self._parts()
        image = torch.stack([self._image(n, points[n]) for n in range(len(parts))]).mean()
        frames = len(self._seen.take)
        total = image
        for weight, prior in zip((config.mixture, config.pose_vae), self._priors, strict=True):
            if prior is not None and weight > 0:
                energies = [prior.energy(pose.rotations[:, 1:]).sum() for pose in poses]
                total = total + weight * torch.stack(energies).sum() / frames
        if config.use_3d and config.initial_3d > 0:
            apart = total.new_zeros(())
            for pose, part in zip(poses, parts, strict=True):
                for joint in range(23):
                    turn = pose.rotations[:, 1 + joint] - self._seen.body_pose[part, joint]
                    squared = turn.square().sum((-1, -2)) / 2
                    apart = apart + (squared * self._seen.found[part]).sum()
            total = total + config.initial_3d * apart / (69 * frames)
        return total

    def whole(self) -> Float[Tensor, ""]:
        """The loss of the joint fit over all frames."""
        poses = self.network()
        return self.loss(poses, self.kinematics(poses))

    def _image(self, n: int, points: Float[Tensor, "frames keypoints 3"]) -> Float[Tensor, ""]:
        """Robust squared pixels of one take."""
        seen, model, part = self._seen, self._model, self._parts()[n]
        rho = self._config.robust_px
        R, t = model.R_camera_field[n], model.camera_place[n]
        total = points.new_zeros(())
        for k in range(points.shape[1]):
            x, y, z = (points[:, k] @ R.T + t).unbind(-1)
            for axis, value in ((0, x), (1, y)):
                pixel = seen.K[part, axis, axis] * value / z + seen.K[part, axis, 2]
                off = (pixel - seen.pixels[part, k, axis]) * seen.zoom[part]
                robust = rho**2 * off**2 / (rho**2 + off**2)
                total = total + (seen.weight[part, k] * robust).sum()
        return total / (2 * points.shape[0] * points.shape[1])

    def _parts(self) -> list[slice]:
        first, length = self._seen.first.tolist(), self._seen.length.tolist()
        return [slice(f, f + n) for f, n in zip(first, length, strict=True)]
