"""NeMo as it was published: what is seen of the takes, what is learnt, the loss."""

from collections.abc import Sequence
from typing import NamedTuple, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from motionfield.body.base import Body
from motionfield.core.arrays import tensor_of
from motionfield.core.errors import OptionError
from motionfield.fields.encoding import PhaseEncoding, QuadraticRBF, RawPhase
from motionfield.fields.motion_field import FieldPose, MotionField, MotionFieldConfig
from motionfield.fields.phase import PhaseNetworks
from motionfield.geometry.cameras import project, world_to_camera
from motionfield.geometry.rotations import rot6d_to_rotmat, rotmat_to_rot6d
from motionfield.losses.robust import geman_mcclure
from motionfield.priors.base import PosePrior
from motionfield.steps.fit.group import GroupTake
from motionfield.steps.fit.nemo.paper_config import PaperNemoConfig
from motionfield.steps.fit.observations import Observations

_SMALL = 1e-4
"""Spread of codes and cameras at the start (code)."""


class Seen(NamedTuple):
    """What is known of all takes: flat lists of frames, one take after another."""

    keypoint_set: str
    take: Int[Tensor, "frames"]
    time: Float[Tensor, "frames"]
    """0 at a take's first frame, 1 at its last."""
    pixels: Float[Tensor, "frames keypoints 2"]
    weight: Float[Tensor, "frames keypoints"]
    K: Float[Tensor, "frames 3 3"]
    zoom: Float[Tensor, "frames"]
    """What carries pixels to those of an image of ``image_side_px``."""
    body_pose: Float[Tensor, "frames 23 3 3"]
    """The first 3D's."""
    found: Float[Tensor, "frames"]
    """1 where the person was found."""
    first: Int[Tensor, "takes"]
    """Index of each take's first frame."""
    length: Int[Tensor, "takes"]
    """Frames of each take."""

    @property
    def num_takes(self) -> int:
        return len(self.first)


def see(takes: Sequence[GroupTake], config: PaperNemoConfig) -> Seen:
    """Collect the takes.

    Raises:
        OptionError: fewer than two takes, unknown keypoints, or takes that differ in keypoints
            or body.
    """
    _check(takes)
    seen = [Observations.of(take.keypoints, take.camera) for take in takes]
    length = torch.tensor([len(one.time_s) for one in seen])
    sides = [float(max(take.camera.image_size)) for take in takes]
    lenses = []
    for one, side in zip(seen, sides, strict=True):
        K = one.K[:1].expand(len(one.K), -1, -1).clone()
        if config.focal_px is not None:
            K[:, [0, 1], [0, 1]] = config.focal_px * side / config.image_side_px
        lenses.append(K)
    confidences = [tensor_of(take.keypoints.keypoints_2d[..., 2]).nan_to_num() for take in takes]
    return Seen(
        keypoint_set=seen[0].keypoint_set.name,
        take=torch.arange(len(takes)).repeat_interleave(length),
        time=torch.cat([(one.time_s / one.time_s[-1].clamp_min(1e-6)).float() for one in seen]),
        pixels=torch.cat([one.pixels for one in seen]),
        weight=torch.cat(
            [
                one.weight * (confidence > config.least_confidence)
                for one, confidence in zip(seen, confidences, strict=True)
            ]
        ),
        K=torch.cat(lenses),
        zoom=(config.image_side_px / torch.tensor(sides)).repeat_interleave(length),
        body_pose=torch.cat([tensor_of(take.initial.body_pose) for take in takes]),
        found=torch.cat([torch.tensor(take.keypoints.observed).float() for take in takes]),
        first=length.cumsum(0) - length,
        length=length,
    )


def _check(takes: Sequence[GroupTake]) -> None:
    if len(takes) < 2:
        raise OptionError(
            f"nemo: {len(takes)} take; give two or more of one action, or take another method"
        )
    for take in takes[1:]:
        if take.keypoints.keypoint_names != takes[0].keypoints.keypoint_names:
            raise OptionError(
                f"nemo: {take.name} has other keypoints than {takes[0].name}; use one detector"
            )
        if take.initial.body_model != takes[0].initial.body_model:
            raise OptionError(
                f"nemo: {take.name} has body {take.initial.body_model}, {takes[0].name} "
                f"{takes[0].initial.body_model}; use one body"
            )


@final
class PaperModel(nn.Module):
    """Everything that is learnt: field, phases, instance codes, cameras."""

    def __init__(
        self, config: PaperNemoConfig, takes: Sequence[GroupTake], seen: Seen, body: Body
    ) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(config.seed)
        encoding: PhaseEncoding = RawPhase()
        if config.encoding == "quadratic":
            encoding = QuadraticRBF(config.rbf_features)
        sizes = MotionFieldConfig(config.hidden, config.code_size, config.recentred)
        self.field = MotionField(sizes, encoding, generator)
        self.phases = PhaseNetworks(seen.num_takes, config.sigmoids)
        codes = _SMALL * torch.randn(seen.num_takes, config.code_size, generator=generator)
        self.codes = nn.Parameter(codes if config.instance_specific else torch.zeros_like(codes))
        turn, place = _camera_start(config, takes, seen, body)
        noise = _SMALL * torch.randn(seen.num_takes, 9, generator=generator)
        self.camera_turn = nn.Parameter(rotmat_to_rot6d(turn) + noise[:, :6])
        self.camera_place = nn.Parameter(place + noise[:, 6:])
        self._linear = not config.instance_specific

    @property
    def R_camera_field(self) -> Float[Tensor, "takes 3 3"]:
        """Rotations of the cameras, camera from field."""
        return rot6d_to_rotmat(self.camera_turn)

    def phase(
        self, time: Float[Tensor, "frames"], take: Int[Tensor, "frames"]
    ) -> Float[Tensor, "frames"]:
        """Phases at normalised times."""
        return time if self._linear else self.phases(time, take)

    def pose(self, time: Float[Tensor, "frames"], take: Int[Tensor, "frames"]) -> FieldPose:
        """What the field says of these frames."""
        return self.field(self.phase(time, take), self.codes.index_select(0, take))


def _camera_start(
    config: PaperNemoConfig, takes: Sequence[GroupTake], seen: Seen, body: Body
) -> tuple[Float[Tensor, "takes 3 3"], Float[Tensor, "takes 3"]]:
    """Rotations, camera from field, and translations (metres)."""
    if config.camera_start == "identity":
        height = torch.tensor([float(take.camera.image_height) for take in takes])
        place = torch.zeros(len(takes), 3)
        place[:, 2] = 2 * seen.K[seen.first, 1, 1] / height
        return torch.eye(3).repeat(len(takes), 1, 1), place
    # The field's root is unturned at the start, its pelvis at the body's rest place.
    turns, places = [], []
    for take in takes:
        R_camera_world = tensor_of(take.camera.R_camera_world[0])
        turn = R_camera_world @ tensor_of(take.initial.global_orient[0])
        rest = body.rest_joints(tensor_of(take.initial.betas))[0]
        pelvis = R_camera_world @ (rest + tensor_of(take.initial.transl[0]))
        pelvis = pelvis + tensor_of(take.camera.t_camera_world[0])
        turns.append(turn)
        places.append(pelvis - turn @ body.rest_joints(torch.zeros(body.num_betas))[0])
    return torch.stack(turns), torch.stack(places)


@final
class PaperLoss:
    """The terms of NeMo's loss, for any frames of any takes."""

    def __init__(
        self,
        config: PaperNemoConfig,
        seen: Seen,
        body: Body,
        priors: tuple[PosePrior | None, PosePrior | None],
    ) -> None:
        """Keep what the terms need; ``priors`` are the mixture and the pose autoencoder."""
        self._config, self._seen, self._body = config, seen, body
        self._priors = tuple(zip((config.mixture, config.pose_vae), priors, strict=True))
        self._betas = torch.zeros(body.num_betas)

    def pose(self, model: PaperModel, frames: Int[Tensor, "drawn"]) -> FieldPose:
        """The field at these frames."""
        return model.pose(self._seen.time[frames], self._seen.take[frames])

    def points(self, pose: FieldPose) -> Float[Tensor, "drawn keypoints 3"]:
        """Keypoints of the posed body in the field's axes, metres (eq. 1)."""
        turns = pose.rotations
        posed = self._body.pose(
            turns[:, 0], turns[:, 1:], pose.transl, self._betas, self._seen.keypoint_set
        )
        return posed.keypoints

    def image(
        self,
        model: PaperModel,
        points: Float[Tensor, "drawn keypoints 3"],
        frames: Int[Tensor, "drawn"],
        times: Float[Tensor, "drawn"],
    ) -> Float[Tensor, ""]:
        """Robust squared pixels (eq. 4), means over x and y and keypoints of each take's frames.

        Args:
            model: whose cameras look.
            points: ``points`` of the field at ``frames``.
            frames: which, of all takes.
            times: how often each counts.
        """
        seen, config = self._seen, self._config
        take = seen.take[frames]
        camera = world_to_camera(
            points,
            model.R_camera_field.index_select(0, take),
            model.camera_place.index_select(0, take),
        )
        off = (project(camera, seen.K[frames]) - seen.pixels[frames]) * seen.zoom[
            frames, None, None
        ]
        robust = geman_mcclure(off.square(), config.robust_px).mean(-1)
        of_frame = (seen.weight[frames] * robust).mean(-1) * times
        zero = of_frame.new_zeros(seen.num_takes)
        total, count = zero.index_add(0, take, of_frame), zero.index_add(0, take, times)
        return (total / count.clamp_min(1)).sum() / (count > 0).sum()

    def initial(
        self, pose: FieldPose, frames: Int[Tensor, "drawn"], times: Float[Tensor, "drawn"]
    ) -> Float[Tensor, ""]:
        """Squared angle between the field's joints and the first 3D's, a 69th of their sum.

        The code subtracts rotation vectors; a chord is the same for small angles and does not
        jump at half a turn.
        """
        seen = self._seen
        apart = (pose.rotations[:, 1:] - seen.body_pose[frames]).square().sum((-1, -2)) / 2
        return (apart.sum(-1) / 69 * seen.found[frames] * times).sum() / times.sum()

    def prior(self, pose: FieldPose, times: Float[Tensor, "drawn"]) -> Float[Tensor, ""]:
        """Energies of the pose priors, means over frames."""
        total = pose.transl.new_zeros(())
        for weight, prior in self._priors:
            if prior is not None and weight > 0:
                energy = prior.energy(pose.rotations[:, 1:])
                total = total + weight * (energy * times).sum() / times.sum()
        return total

    def terms(
        self,
        model: PaperModel,
        pose: FieldPose,
        points: Float[Tensor, "drawn keypoints 3"],
        frames: Int[Tensor, "drawn"],
        times: Float[Tensor, "drawn"],
    ) -> Float[Tensor, ""]:
        """The loss of the joint fit, of what field and body give."""
        total = self.image(model, points, frames, times) + self.prior(pose, times)
        if self._config.use_3d and self._config.initial_3d > 0:
            total = total + self._config.initial_3d * self.initial(pose, frames, times)
        return total

    def whole(
        self, model: PaperModel, frames: Int[Tensor, "drawn"], times: Float[Tensor, "drawn"]
    ) -> Float[Tensor, ""]:
        """The loss of the joint fit."""
        pose = self.pose(model, frames)
        return self.terms(model, pose, self.points(pose), frames, times)


def draw_frames(
    seen: Seen, batch: int | None, generator: torch.Generator
) -> tuple[Int[Tensor, "drawn"], Float[Tensor, "drawn"]]:
    """Which frames a step sees, and how often each: each take is as likely, then each frame.

    Frames that are drawn several times are computed once.
    """
    if batch is None:
        every = len(seen.take)
        return torch.arange(every), torch.ones(every)
    take = torch.randint(seen.num_takes, (batch,), generator=generator)
    within = (torch.rand(batch, generator=generator) * seen.length[take]).long()
    frames, times = (seen.first[take] + within).unique(return_counts=True)
    return frames, times.float()
