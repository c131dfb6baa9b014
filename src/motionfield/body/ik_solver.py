"""Damped Gauss-Newton for inverse kinematics, all frames batched.

Unknown per frame: an increment to each of 24 rotations (axis-angle in the joint's own frame) and
to the translation, 75 numbers. Frames meet in the shape (eliminated by its Schur complement) and
in the penalties on speed (conjugate gradients with the frames' own inverses as preconditioner).
"""

from typing import NamedTuple

import roma
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motionfield.body.base import Body, Posed
from motionfield.body.ik_config import IKConfig, Targets
from motionfield.body.ik_start import world_rotations
from motionfield.body.joint_limits import JOINT_RANGES, beyond_limits, swing_twist
from motionfield.core.conventions import JOINT_NAMES, NUM_JOINTS, mirror_order

_PROBE_RAD = 1e-3
_SIZE = 3 * NUM_JOINTS + 3
_FIRST_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 1e-2, 1e-6, 1e4
_DAMPING_UP, _DAMPING_DOWN = 8.0, 0.25
_LONGEST_STEP_RAD = 0.7
_SPEED_STEPS = 12
_ENOUGH = 3e-4
"""Relative decrease of the cost below which the solver stops."""


class State(NamedTuple):
    """What is solved for."""

    rotations: Float[Tensor, "frames 24 3 3"]
    """Relative to the parent; the root's in the world."""
    transl: Float[Tensor, "frames 3"]
    betas: Float[Tensor, "betas"]
    bone_scale: Float[Tensor, "24"] | None
    """None: every bone has its own length."""


class _Values(NamedTuple):
    """A state's points, coordinates and cost."""

    posed: Posed
    coordinates: Float[Tensor, "frames 23 3"]
    cost: Float[Tensor, "frames"]


class _System(NamedTuple):
    """Normal equations: ``H`` per frame, ``B`` between frame and shape, ``C`` of the shape."""

    H: Float[Tensor, "frames 75 75"]
    g: Float[Tensor, "frames 75"]
    B: Float[Tensor, "frames 75 shape"]
    C: Float[Tensor, "shape shape"]
    g_shape: Float[Tensor, "shape"]


class Problem:
    """The cost of a state, and its normal equations."""

    def __init__(
        self,
        config: IKConfig,
        body: Body,
        targets: Targets,
        time_s: Float[Tensor, "frames"] | None = None,
    ) -> None:
        self._config, self._body, self._set = config, body, targets.keypoint_set
        self._targets = targets
        self._precision = targets.weights / config.target_sd_m**2
        self._coarse_precision = self._coarse_share = torch.zeros_like(targets.weights)
        if targets.coarse_weights is not None:
            self._coarse_precision = targets.coarse_weights / config.shape_sd_m**2
            total = targets.coarse_weights.sum(-1, keepdim=True).clamp_min(1e-9)
            self._coarse_share = targets.coarse_weights / total
        points = targets.points
        self._follow = _follow_weights(body, targets.keypoint_set).to(points)
        ranges = JOINT_RANGES.to(points)
        self._standing = ranges.standing
        self._stiffness = config.standing / (0.5 * (ranges.high - ranges.low)).square()
        self._limit = config.limit_sd_rad**-2
        self._speed = self._speed_weights(time_s)
        self._bones = _tied_bones().to(points) if config.free_bone_scale else None

    @property
    def couples_frames(self) -> bool:
        return self._speed is not None

    def pose(self, state: State) -> Posed:
        root, local = state.rotations[:, 0], state.rotations[:, 1:]
        return self._body.pose(root, local, state.transl, state.betas, self._set, state.bone_scale)

    def values(self, state: State) -> _Values:
        """Points and cost of every frame (each step between frames counts half to both)."""
        posed = self.pose(state)
        coordinates = swing_twist(state.rotations[:, 1:])
        squared = self._residual(posed).square().sum(-1)
        cost = (self._precision * _robust(squared, self._config.robust_m)).sum(-1)
        if self._targets.coarse is not None:
            off = self._coarse_residual(posed, self._targets.coarse).square().sum(-1)
            off = _robust(off, self._config.shape_robust_m)
            cost = cost + (self._coarse_precision * off).sum(-1)
        cost = cost + self._limit * beyond_limits(coordinates).square().sum((-1, -2))
        off = coordinates - self._standing
        cost = cost + (self._stiffness * off.square()).sum((-1, -2))
        if self._speed is not None:
            steps = self._speed * self._steps(state).square()
            half = 0.5 * steps.sum(-1)
            nothing = half.new_zeros(1)
            cost = cost + torch.cat((half, nothing)) + torch.cat((nothing, half))
        return _Values(posed, coordinates, cost)

    def linearise(self, state: State, values: _Values) -> _System:
        """Normal equations at a state, float64."""
        by_pose = self._point_jacobian(state, values.posed)
        by_shape = self._shape_jacobian(state, values.posed.keypoints)
        residual = self._residual(values.posed)
        precision = self._precision * _trust(residual, self._config.robust_m)
        rows = [_weighted(precision, self._across(by_pose), self._across(by_shape), residual)]
        if self._targets.coarse is not None:
            residual = self._coarse_residual(values.posed, self._targets.coarse)
            precision = self._coarse_precision * _trust(residual, self._config.shape_robust_m)
            rows.append(
                _weighted(precision, self._centred(by_pose), self._centred(by_shape), residual)
            )
        J, S, r = (torch.cat(parts, dim=1) for parts in zip(*rows, strict=True))
        H, g = J.mT @ J, (J.mT @ r.unsqueeze(-1)).squeeze(-1)
        blocks, slopes = self._angle_terms(state, values.coordinates)
        joints = torch.arange(1, NUM_JOINTS)
        H.unflatten(1, (-1, 3)).unflatten(3, (-1, 3))[:, joints, :, joints] += blocks.transpose(
            0, 1
        )
        g[:, 3:-3] += slopes.flatten(1)
        if self._speed is not None:
            pull = self._speed * self._steps(state)
            g[:-1] -= pull
            g[1:] += pull
            both = torch.zeros_like(g)
            both[:-1] += self._speed
            both[1:] += self._speed
            H.diagonal(dim1=-2, dim2=-1).add_(both)
        prior, off = self._shape_prior(state)
        C = (S.mT @ S).sum(0) + torch.diag(prior)
        g_shape = (S.mT @ r.unsqueeze(-1)).sum((0, 2)) + prior * off
        return _System(H, g, J.mT @ S, C, g_shape)

    def couple(self, x: Float[Tensor, "frames 75"]) -> Float[Tensor, "frames 75"]:
        """What the penalties on speed add to ``H @ x`` from the neighbouring frames."""
        assert self._speed is not None
        result = torch.zeros_like(x)
        result[1:] -= self._speed * x[:-1]
        result[:-1] -= self._speed * x[1:]
        return result

    def moved(
        self, state: State, step: Float[Tensor, "frames 75"], shape: Float[Tensor, "shape"]
    ) -> State:
        """The state after increments."""
        turn = step[:, :-3].unflatten(1, (-1, 3)).to(state.rotations)
        turn = turn * (_LONGEST_STEP_RAD / turn.norm(dim=-1, keepdim=True)).clamp_max(1)
        rotations = roma.special_gramschmidt(state.rotations @ roma.rotvec_to_rotmat(turn))
        free = self._config.free_betas
        betas, scale = state.betas, state.bone_scale
        if free:
            betas = torch.cat((betas[:free] + shape[:free].to(betas), betas[free:]))
        if self._bones is not None and scale is not None:
            scale = (scale + shape[free:].to(scale) @ self._bones).clamp(0.2, 3.0)
        return State(rotations, state.transl + step[:, -3:].to(state.transl), betas, scale)

    def _residual(self, posed: Posed) -> Float[Tensor, "frames keypoints 3"]:
        off = posed.keypoints - self._targets.points
        return self._across(off.unsqueeze(-1)).squeeze(-1)

    def _across(
        self, vectors: Float[Tensor, "frames keypoints 3 columns"]
    ) -> Float[Tensor, "frames keypoints 3 columns"]:
        """What is left of vectors without their part along the unknown direction."""
        if self._targets.along is None:
            return vectors
        along = self._targets.along.unsqueeze(-1)
        return vectors - along * (along * vectors).sum(-2, keepdim=True)

    def _coarse_residual(self, posed: Posed, coarse: Tensor) -> Float[Tensor, "frames keypoints 3"]:
        return self._centred((posed.keypoints - coarse).unsqueeze(-1)).squeeze(-1)

    def _centred(
        self, vectors: Float[Tensor, "frames keypoints 3 columns"]
    ) -> Float[Tensor, "frames keypoints 3 columns"]:
        """Vectors without their mean over the points."""
        mean = (self._coarse_share[..., None, None] * vectors).sum(1, keepdim=True)
        return vectors - mean

    # --- Jacobians ----------------------------------------------------------------------------

    def _point_jacobian(self, state: State, posed: Posed) -> Float[Tensor, "frames keypoints 3 75"]:
        """A point turns with each joint above it, by the share of its skin that follows it."""
        world = world_rotations(state.rotations)
        lever = posed.keypoints.unsqueeze(2) - posed.joints.unsqueeze(1)
        lever = lever * self._follow.unsqueeze(-1)
        a = world.mT.unsqueeze(1).unbind(-1)
        m = lever.unsqueeze(-2).unbind(-1)
        # Each joint's three axes, crossed with the lever.
        cross = [a[i - 2] * m[i - 1] - a[i - 1] * m[i - 2] for i in range(3)]
        by_turn = torch.stack(cross, dim=2).flatten(3)
        by_shift = torch.eye(3).to(by_turn).expand(*by_turn.shape[:2], 3, 3)
        return torch.cat((by_turn, by_shift), dim=-1)

    def _shape_jacobian(
        self, state: State, keypoints: Tensor
    ) -> Float[Tensor, "frames keypoints 3 shape"]:
        """Points are linear in the shape, so differences are exact."""
        changed = []
        for index in range(self._config.free_betas):
            betas = state.betas.clone()
            betas[index] += 1
            changed.append(self.pose(state._replace(betas=betas)).keypoints - keypoints)
        for bone in () if self._bones is None or state.bone_scale is None else self._bones:
            scaled = state._replace(bone_scale=state.bone_scale + bone)
            changed.append(self.pose(scaled).keypoints - keypoints)
        if not changed:
            return keypoints.new_zeros(*keypoints.shape, 0)
        return torch.stack(changed, dim=-1)

    def _shape_prior(self, state: State) -> tuple[Float[Tensor, "shape"], Float[Tensor, "shape"]]:
        """Precision and distance from the mean of each shape variable."""
        config = self._config
        free = config.free_betas
        precision = [torch.full((free,), config.beta_sd**-2)]
        off = [state.betas[:free]]
        if self._bones is not None and state.bone_scale is not None:
            precision.append(torch.full((len(self._bones),), config.bone_scale_sd**-2))
            off.append((self._bones @ (state.bone_scale - 1)) / self._bones.sum(1))
        return torch.cat(precision).double(), torch.cat(off).double()

    def _angle_terms(
        self, state: State, coordinates: Tensor
    ) -> tuple[Float[Tensor, "frames 23 3 3"], Float[Tensor, "frames 23 3"]]:
        """Blocks of ``H`` and slopes of ranges and of the pull to the standing pose."""
        local = state.rotations[:, 1:]
        probes = roma.rotvec_to_rotmat(_PROBE_RAD * torch.eye(3).to(local))
        ahead = [swing_twist(local @ probe) for probe in probes]
        J = (torch.stack(ahead, dim=-1) - coordinates.unsqueeze(-1)).double() / _PROBE_RAD
        beyond = beyond_limits(coordinates).double()
        stiffness = self._stiffness.double()
        force = self._limit * beyond + stiffness * (coordinates - self._standing).double()
        weight = stiffness + self._limit * (beyond != 0)
        blocks = J.mT @ (weight.unsqueeze(-1) * J)
        return blocks, (J.mT @ force.unsqueeze(-1)).squeeze(-1)

    # --- speed --------------------------------------------------------------------------------

    def _speed_weights(self, time_s: Tensor | None) -> Float[Tensor, "steps 75"] | None:
        config = self._config
        if time_s is None or len(time_s) < 2 or not (config.joint_speed or config.speed):
            return None
        per_second = torch.full((_SIZE,), config.joint_speed, dtype=torch.float64)
        per_second[-3:] = config.speed
        return per_second / time_s.diff().double().square().unsqueeze(-1)

    @staticmethod
    def _steps(state: State) -> Float[Tensor, "steps 75"]:
        """Change from each frame to the next, radians and metres."""
        turn = roma.rotmat_to_rotvec(state.rotations[:-1].mT @ state.rotations[1:])
        return torch.cat((turn.flatten(1), state.transl.diff(dim=0)), dim=-1).double()


def _robust(squared: Tensor, scale: float | None) -> Tensor:
    """Geman-McClure of squared distances; None: as they are."""
    return squared if scale is None else squared / (1 + squared / scale**2)


def _trust(residual: Tensor, scale: float | None) -> Tensor | float:
    """What a robust penalty leaves of each point's precision."""
    if scale is None:
        return 1.0
    return (1 + residual.square().sum(-1) / scale**2).pow(-2)


def _weighted(
    precision: Float[Tensor, "frames keypoints"],
    by_pose: Tensor,
    by_shape: Tensor,
    residual: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Both Jacobians and the residual in standard deviations, one row per coordinate, float64."""
    root = precision.sqrt()[..., None, None]
    J, S = ((root * jacobian).flatten(1, 2).double() for jacobian in (by_pose, by_shape))
    return J, S, (root * residual.unsqueeze(-1)).flatten(1).double()


def solve(problem: Problem, state: State, iterations: int) -> State:
    """Lower the cost; every frame has a damping of its own and never gets worse by itself."""
    values = problem.values(state)
    damping = values.cost.new_full(values.cost.shape, _FIRST_DAMPING).double()
    for _ in range(iterations):
        system = problem.linearise(state, values)
        step, shape = _increments(problem, system, damping)
        trial = problem.moved(state, step, shape)
        trial_values = problem.values(trial)
        better = trial_values.cost <= values.cost * (1 + 1e-5) + 1e-9
        before = values.cost.sum()
        damping = torch.where(better, damping * _DAMPING_DOWN, damping * _DAMPING_UP)
        damping = damping.clamp(_LEAST_DAMPING, _MOST_DAMPING)
        state = _choose(better, trial, state)
        values = trial_values if bool(better.all()) else problem.values(state)
        settled = better.float().mean() > 0.9
        if bool(settled & (before - values.cost.sum() <= _ENOUGH * before)):
            break
    return state


def _choose(better: Bool[Tensor, "frames"], trial: State, state: State) -> State:
    """The trial's frames where they are better; always its shape."""
    return trial._replace(
        rotations=torch.where(better[:, None, None, None], trial.rotations, state.rotations),
        transl=torch.where(better[:, None], trial.transl, state.transl),
    )


def _increments(
    problem: Problem, system: _System, damping: Float[Tensor, "frames"]
) -> tuple[Float[Tensor, "frames 75"], Float[Tensor, "shape"]]:
    diagonal = system.H.diagonal(dim1=-2, dim2=-1)
    damped = system.H + torch.diag_embed(damping.unsqueeze(-1) * (diagonal + 1e-3) + 1e-6)
    factor = torch.linalg.cholesky(damped)
    shape = system.g_shape
    right = -system.g
    if len(shape):
        both = torch.cat((system.B, system.g.unsqueeze(-1)), dim=-1)
        solved = torch.cholesky_solve(both, factor)
        B = system.B.mT
        schur = system.C - (B @ solved[..., :-1]).sum(0)
        shape = torch.linalg.solve(schur, -shape + (B @ solved[..., -1:]).sum((0, 2)))
        right = right - system.B @ shape
    if not problem.couples_frames:
        return torch.cholesky_solve(right.unsqueeze(-1), factor).squeeze(-1), shape
    return _conjugate_gradients(problem, damped, torch.cholesky_inverse(factor), right), shape


def _conjugate_gradients(
    problem: Problem, H: Tensor, inverse: Tensor, right: Tensor
) -> Float[Tensor, "frames 75"]:
    """Solve ``(H + coupling) x = right`` with ``inverse`` of H as preconditioner."""

    def times(matrix: Tensor, x: Tensor) -> Tensor:
        return (matrix @ x.unsqueeze(-1)).squeeze(-1)

    x = torch.zeros_like(right)
    residual = right
    direction = z = times(inverse, residual)
    product = (residual * z).sum()
    for _ in range(_SPEED_STEPS):
        applied = times(H, direction) + problem.couple(direction)
        length = product / (direction * applied).sum().clamp_min(1e-30)
        x = x + length * direction
        residual = residual - length * applied
        z = times(inverse, residual)
        product, last = (residual * z).sum(), product
        direction = z + product / last.clamp_min(1e-30) * direction
    return x


def _follow_weights(body: Body, keypoint_set: str) -> Float[Tensor, "keypoints 24"]:
    """Which share of each point's skin turns with each joint (and with what hangs on it).

    Found by turning every joint of the standing body a little: the point then moves by
    ``share * angle x (point - joint)``, exactly so where it is skinned to one side of the joint.
    """
    frames = 3 * NUM_JOINTS
    turn = torch.eye(3, dtype=torch.float64).repeat(frames, NUM_JOINTS, 1, 1)
    probe = roma.rotvec_to_rotmat(_PROBE_RAD * torch.eye(3, dtype=torch.float64))
    for joint in range(NUM_JOINTS):
        turn[3 * joint : 3 * joint + 3, joint] = probe
    nowhere = turn.new_zeros(frames + 1, 3)
    turn = torch.cat((turn, torch.eye(3).to(turn).expand(1, NUM_JOINTS, 3, 3)))
    betas = turn.new_zeros(body.num_betas)
    posed = body.pose(turn[:, 0], turn[:, 1:], nowhere, betas, keypoint_set)
    moved = (posed.keypoints[:-1] - posed.keypoints[-1]).unflatten(0, (-1, 3)) / _PROBE_RAD
    # Lever m of a point: turning about axis e moves it by e x m; sum of e x (e x m) is -2 m.
    axes = torch.eye(3).to(moved)[None, :, None].expand_as(moved)
    lever = -0.5 * torch.linalg.cross(axes, moved).sum(1)
    whole = posed.keypoints[-1:] - posed.joints[-1].unsqueeze(1)
    share = (lever * whole).sum(-1) / whole.square().sum(-1).clamp_min(1e-8)
    return share.clamp(0, 1).T.float()


def _tied_bones() -> Float[Tensor, "bones 24"]:
    """One row of ones per free bone: left and right share a row, the root has none."""
    mirror = mirror_order(JOINT_NAMES)
    rows = torch.eye(NUM_JOINTS)
    kept = [joint for joint in range(1, NUM_JOINTS) if joint <= mirror[joint]]
    return (rows[kept] + rows[[mirror[joint] for joint in kept]]).clamp_max(1)
