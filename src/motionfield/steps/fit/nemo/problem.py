"""The joint fit's loss as a function of field, residuals, phases, cameras and shapes."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import roma
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor, nn

from motionfield.body.base import Body, Posed
from motionfield.core.arrays import tensor_of
from motionfield.fields.encoding import SplineEncoding
from motionfield.fields.motion_field import FieldPose, MotionField, MotionFieldConfig
from motionfield.fields.phase import PhaseNetworks
from motionfield.geometry.rotations import rot6d_to_rotmat, rotmat_to_rot6d
from motionfield.losses.robust import geman_mcclure
from motionfield.priors.base import PosePrior
from motionfield.steps.fit.nemo.config import NemoConfig
from motionfield.steps.fit.nemo.start import Frames, Worlds
from motionfield.steps.fit.terms import Cameras, Clip, FitTerms

Stage = Literal["shared", "own"]

_RIDGE = 1e-2
_SAMPLES = 256


class State(NamedTuple):
    """All frames as the variables have them, in the common world."""

    phase: Float[Tensor, "frames"]
    rotations: Float[Tensor, "frames 24 3 3"]
    transl: Float[Tensor, "frames 3"]
    betas: Float[Tensor, "*frames betas"]
    cameras: Cameras
    shared_rotations: Float[Tensor, "frames 24 3 3"]
    shared_transl: Float[Tensor, "frames 3"]


class NemoProblem(nn.Module):
    """Variables are parameters; ``loss`` is what they are judged by."""

    def __init__(
        self,
        config: NemoConfig,
        body: Body,
        prior: PosePrior | None,
        clips: Sequence[Clip],
        frames: Frames,
        worlds: Worlds,
    ) -> None:
        super().__init__()
        self._stage: Stage = "shared"
        self.weights = config.weights
        """Of the terms; they change from stage to stage."""
        self.coupling = config.shared
        self.std_factor = 1.0
        """On the deviations of the first 3D."""
        self._own = config.instance_specific and not config.synchronized
        self._config, self._body = config, body
        self._terms = FitTerms(body, prior, clips)
        self._take = frames.take
        self._worlds = worlds
        takes = len(clips)
        counts = torch.bincount(frames.take, minlength=takes)
        first = counts.cumsum(0) - counts
        inside = torch.arange(len(frames.take)) - first[frames.take]
        self._time = inside / (counts[frames.take] - 1).clamp_min(1)
        last = first + counts - 1
        self._ends = frames.phase[first], frames.phase[last]
        # Views of the same instants have one clock.
        self._clock = frames.phase if config.synchronized else None
        self.phases = PhaseNetworks(takes, config.sigmoids)
        self._start_phases(frames, first, last)
        self.field = MotionField(
            MotionFieldConfig(hidden=(), code=0, recentred=False),
            SplineEncoding(config.cells),
            torch.Generator().manual_seed(0),
        )
        turn, shift = worlds.turn[frames.take], worlds.shift[frames.take]
        rotations = frames.rotations.clone()
        rotations[:, 0] = turn @ rotations[:, 0]
        roots = (turn @ frames.joints[:, 0, :, None])[..., 0] + shift
        transl = roots - (frames.joints[:, 0] - frames.transl)
        self._start_field(frames.phase, rotations, transl)
        with torch.no_grad():
            shared = self.field(frames.phase, rotations.new_zeros(len(rotations), 0))
            own = rotmat_to_rot6d(shared.rotations.mT @ rotations)
        self._identity = rotmat_to_rot6d(torch.eye(3))
        self.own_turn = nn.Parameter(own - self._identity)
        self.own_place = nn.Parameter(transl - shared.transl)
        self.tilt = nn.Parameter(torch.zeros(takes, 3))
        self.lift = nn.Parameter(torch.zeros(takes, 3))
        self.zoom = nn.Parameter(torch.zeros(takes))
        """Logarithm of the focal length against the camera's, where that is not known."""
        known = [clip.camera.focal_source in ("given", "exif") for clip in clips]
        self._free_lens = ~torch.tensor(known)
        betas = torch.stack([tensor_of(clip.initial.betas) for clip in clips])
        if config.same_person:
            betas = betas.mean(0, keepdim=True)
        free = min(config.free_betas, betas.shape[1])
        self.betas = nn.Parameter(betas[:, :free].clone())
        self._other_betas = betas[:, free:]
        self._fixed_height = [c.camera.scale_source == "given" for c in clips]

    @property
    def take(self) -> Int[Tensor, "frames"]:
        """Which take each frame is of."""
        return self._take

    def frames_of(self, take: int) -> slice:
        """Where a take's frames are."""
        first, last = torch.searchsorted(self._take, torch.tensor([take, take + 1])).tolist()
        return slice(first, last)

    def enter(self, stage: Stage) -> None:
        """ "shared": all takes have the field's pose, each its own root; "own": what each take
        has of its own starts at nothing."""
        self._stage = stage
        if stage == "own":
            with torch.no_grad():
                self.own_turn[:, 1:] = 0

    @torch.no_grad()
    def settle(self) -> None:
        """What all frames of a take have of their own becomes its camera's: the mean turn of its
        root, about the mean place, and the mean shift of its path.

        No point moves in any picture. Gradients hardly do the same: root, path and camera would
        have to change together.
        """
        state, take = self.state(), self._take
        takes = self.phases.num_takes
        own = state.shared_rotations[:, 0].mT @ state.rotations[:, 0]
        # In the world's axes: root = W @ shared root.
        there = state.rotations[:, 0] @ state.shared_rotations[:, 0].mT
        counts = torch.bincount(take, minlength=takes).unsqueeze(1)

        def mean(rows: Tensor) -> Tensor:
            return torch.zeros(takes, 3).index_add(0, take, rows) / counts

        W = roma.rotvec_to_rotmat(mean(roma.rotmat_to_rotvec(there)))
        pivot = mean(state.transl)
        away = pivot - mean(state.shared_transl)
        own = (state.shared_rotations[:, 0].mT @ W[take].mT @ state.shared_rotations[:, 0]) @ own
        self.own_turn[:, 0] = rotmat_to_rot6d(own) - self._identity
        back = (W.mT[take] @ (state.transl - pivot[take]).unsqueeze(-1)).squeeze(-1)
        self.own_place.copy_(back + (pivot - away)[take] - state.shared_transl)
        # p_before = W @ (p_after - pivot + away) + pivot
        turn = roma.rotvec_to_rotmat(self.tilt) @ self._worlds.turn.mT
        after = turn @ W
        moved = (W @ (away - pivot).unsqueeze(-1)).squeeze(-1) + pivot - self._worlds.shift
        move = (turn @ moved.unsqueeze(-1)).squeeze(-1) + self.lift
        self.tilt.copy_(roma.rotmat_to_rotvec(after @ self._worlds.turn))
        self.lift.copy_(move + (after @ self._worlds.shift.unsqueeze(-1)).squeeze(-1))

    def groups(self) -> list[dict[str, Any]]:
        """Parameters by how fast they may move."""
        config = self._config
        field_rate = config.field_rate if self._stage == "shared" else config.own_rate / 4
        return [
            {"params": [self.own_turn, self.own_place, self.betas], "lr": config.own_rate},
            {"params": list(self.field.parameters()), "lr": field_rate},
            {"params": list(self.phases.parameters()), "lr": config.phase_rate},
            {"params": [self.tilt, self.lift, self.zoom], "lr": config.camera_rate},
        ]

    def shared(self, phase: Float[Tensor, "frames"]) -> FieldPose:
        """The motion that the takes share."""
        return self.field(phase, phase.new_zeros(len(phase), 0))

    def all_betas(self) -> Float[Tensor, "shapes betas"]:
        """One shape per take, or one of all."""
        return torch.cat((self.betas, self._other_betas), dim=1)

    def state(self) -> State:
        """What the variables say."""
        take = self._take
        low, high = self._ends
        phase = self._clock
        if phase is None:
            phase = low[take] + (high - low)[take] * self.phases(self._time, take)
        shared = self.shared(phase)
        rotations, transl = shared
        if self._own:
            own = rot6d_to_rotmat(self._identity + self.own_turn)
            if self._stage == "shared":
                root = (rotations[:, 0] @ own[:, 0]).unsqueeze(1)
                rotations = torch.cat((root, rotations[:, 1:]), dim=1)
            else:
                rotations = rotations @ own
            transl = transl + self.own_place
        betas = self.all_betas()
        betas = betas[0] if len(betas) == 1 else betas[take]
        return State(
            phase, rotations, transl, betas, self._cameras(), shared.rotations, shared.transl
        )

    @torch.no_grad()
    def detached(self) -> State:
        """``state`` without gradients."""
        return self.state()

    @torch.no_grad()
    def monotone(self, phase: Float[Tensor, "frames"]) -> Float[Tensor, "frames"]:
        """Without the last digit's doubt: in [0, 1], never falling within a take."""
        rows = [phase[self.frames_of(k)].cummax(0).values for k in range(self.phases.num_takes)]
        return torch.cat(rows).clamp(0, 1)

    @torch.no_grad()
    def spread(self) -> float:
        """How far the takes are from the motion that they share, in body heights (2D)."""
        state = self.state()
        return float(self._terms.residual(self._posed(state), state.cameras))

    def foot_contacts(self) -> Float[ndarray, "frames 2"] | None:
        """See ``FitTerms.foot_contacts``."""
        return self._terms.foot_contacts()

    def loss(self) -> Float[Tensor, ""]:
        """All terms, summed over frames (a negative log posterior)."""
        config, state = self._config, self.state()
        posed = self._posed(state)
        total = self._terms.loss(posed, state.rotations, state.cameras, self.weights)
        shape = self.betas.square() * (len(self._take) / len(self.betas))
        weights = config.weights
        total = total + weights.stature * shape[:, 0].sum() + weights.betas * shape[:, 1:].sum()
        total = total + (self.tilt[:, :2] / config.tilt_rad).square().sum()
        total = total + (self.lift[:, 2] / config.lift_m).square().sum()
        total = total + (self.zoom / config.zoom).square().sum()
        return total + self._apart(posed, state) if self._own else total

    def _posed(self, state: State) -> Posed:
        """The takes' joints and keypoints, common world."""
        return self._body.pose(
            state.rotations[:, 0],
            state.rotations[:, 1:],
            state.transl,
            state.betas,
            self._terms.seen.keypoint_set.name,
        )

    def _apart(self, posed: Posed, state: State) -> Float[Tensor, ""]:
        """How far the takes are from the motion that they share."""
        config = self._config
        turns = state.shared_rotations
        shared = self._body.pose(turns[:, 0], turns[:, 1:], state.shared_transl, state.betas).joints
        off = (posed.joints - posed.joints[:, :1]) - (shared - shared[:, :1])
        total = self.coupling * geman_mcclure(off.square().sum(-1), config.shared_scale).sum()
        turned = self.own_turn if self._stage == "own" else self.own_turn[:, :1]
        total = total + config.shared_turn * turned.square().sum()
        return total + config.shared_place * self.own_place.square().sum()

    def _cameras(self) -> Cameras:
        """The calibrated cameras in the common world, tilted and lifted as found."""
        R, t, K = self._terms.cameras()
        take = self._take
        turn = roma.rotvec_to_rotmat(self.tilt) @ self._worlds.turn.mT
        # p_take = turn @ (p_common - shift) + lift
        move = self.lift - (turn @ self._worlds.shift[..., None])[..., 0]
        R, t = R @ turn[take], (R @ move[take][..., None])[..., 0] + t
        # The principal point stays where it is.
        zoom = torch.ones_like(K)
        zoom[:, :2, :2] = torch.where(self._free_lens, self.zoom, 0.0).exp()[take, None, None]
        return Cameras(R, t, K * zoom)

    @torch.no_grad()
    def _start_phases(self, frames: Frames, first: Tensor, last: Tensor) -> None:
        rows = []
        even = torch.linspace(0, 1, _SAMPLES)
        for a, b in zip(first.tolist(), last.tolist(), strict=True):
            phase = frames.phase[a : b + 1]
            at = even * (len(phase) - 1)
            low = at.long().clamp(0, max(0, len(phase) - 2))
            high = (low + 1).clamp_max(len(phase) - 1)
            warp = phase[low] + (at - low) * (phase[high] - phase[low])
            rows.append((warp - warp[0]) / (warp[-1] - warp[0]).clamp_min(1e-6))
        self.phases.set_to(torch.stack(rows))

    @torch.no_grad()
    def _start_field(self, phase: Tensor, rotations: Tensor, transl: Tensor) -> None:
        """The mean of the takes at each phase: ridge regression of the splines."""
        features = self.field.encoding(phase)
        target = torch.cat((rotmat_to_rot6d(rotations).flatten(1), transl), dim=1)
        mean = target.mean(0)
        gram = features.T @ features + _RIDGE * torch.eye(features.shape[1])
        solved = torch.linalg.solve(gram, features.T @ (target - mean))
        self.field.turn.weight.copy_(solved[:, :-3].T)
        self.field.turn.bias.copy_(mean[:-3])
        self.field.place.weight.copy_(solved[:, -3:].T)
        self.field.place.bias.copy_(mean[-3:])
