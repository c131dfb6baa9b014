"""Inverse kinematics: places of named points → rotations, translation and shape of a body.

All frames at once: a closed-form start (``ik_start``), then damped Gauss-Newton on the squared
distances to the targets, on hinges and ranges of joints, on a faint pull to a standing pose that
settles what no point sees, and optionally on the speed of joints.
"""

import dataclasses
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from motionfield.body.base import Body
from motionfield.body.ik_config import IKConfig, Targets
from motionfield.body.ik_solver import Problem, State, solve
from motionfield.body.ik_start import PoseStart, closed_form_start
from motionfield.core.conventions import NUM_JOINTS
from motionfield.core.errors import OptionError
from motionfield.core.keypoint_sets import KEYPOINT_SETS

_BLOCK = 500
"""Frames that are solved together."""
_OVERLAP = 12
"""Frames that neighbouring blocks share where speed couples them."""
_SHAPE_FRAMES = 150
"""Frames, evenly chosen, that decide the shape."""
_SOFT_LIMIT_RAD = 0.1
_SOFT_ITERATIONS = 6


class IKSolution(NamedTuple):
    """Body parameters (as ``Body.pose`` takes them) and what is left of the distances."""

    global_orient: Float[Tensor, "frames 3 3"]
    body_pose: Float[Tensor, "frames 23 3 3"]
    transl: Float[Tensor, "frames 3"]
    betas: Float[Tensor, "betas"]
    bone_scale: Float[Tensor, "24"] | None
    """None unless it was solved for."""
    residual_m: Float[Tensor, "frames keypoints"]
    """Distance from each target; NaN where there is none."""


def solve_ik(
    body: Body,
    targets_world: Float[Tensor, "frames keypoints 3"],
    weights: Float[Tensor, "frames keypoints"],
    keypoint_set: str,
    config: IKConfig | None = None,
    betas: Float[Tensor, "betas"] | None = None,
    time_s: Float[Tensor, "frames"] | None = None,
) -> IKSolution:
    """Pose ``body`` so that its keypoints lie at the targets. Any axes do: it is equivariant.

    Args:
        targets_world: metres; NaN where there is none.
        weights: 0 leaves a target out; 1 is an error of ``target_sd_m``.
        keypoint_set: what the targets are, a name of ``core.keypoint_sets``.
        betas: known shape, or the start of it; 0 by default.
        time_s: time of each frame, for the penalties on speed.

    Raises:
        OptionError: an unknown keypoint set, or speed penalties without ``time_s``.
    """
    config = config or IKConfig()
    _check(keypoint_set, config, time_s)
    seen = torch.isfinite(targets_world).all(-1) & (weights > 0)
    targets = torch.where(seen.unsqueeze(-1), targets_world, 0.0)
    weights = torch.where(seen, weights, 0.0)
    if betas is None:
        betas = targets.new_zeros(body.num_betas)
    # Far from the origin float32 has no millimetres left.
    centre = targets.sum((0, 1)) / seen.sum().clamp_min(1)
    targets = torch.where(seen.unsqueeze(-1), targets - centre, 0.0)
    job = _Job(body, config, Targets(keypoint_set, targets, weights), time_s)
    betas, bone_scale = job.shape(betas)
    state = job.poses(betas, bone_scale)
    posed = body.pose(
        state.rotations[:, 0], state.rotations[:, 1:], state.transl, betas, keypoint_set, bone_scale
    )
    distance = (posed.keypoints - targets).norm(dim=-1)
    return IKSolution(
        global_orient=state.rotations[:, 0],
        body_pose=state.rotations[:, 1:],
        transl=state.transl + centre,
        betas=betas,
        bone_scale=bone_scale,
        residual_m=torch.where(seen, distance, torch.nan),
    )


def solve_ik_from(
    body: Body,
    start: PoseStart,
    targets: Targets,
    config: IKConfig | None = None,
    betas: Float[Tensor, "betas"] | None = None,
    time_s: Float[Tensor, "frames"] | None = None,
) -> IKSolution:
    """As ``solve_ik`` from a given start, with targets that may be rays and coarse shapes.

    A viewing ray from a camera at the origin is a target at zero that is unknown along the ray.

    Args:
        betas: the known shape; 0 by default. It is not solved for.

    Returns:
        The solution; ``residual_m`` holds the known part of the distances.
    """
    config = dataclasses.replace(config or IKConfig(), free_betas=0, free_bone_scale=False)
    _check(targets.keypoint_set, config, time_s)
    if betas is None:
        betas = targets.points.new_zeros(body.num_betas)
    state = _Job(body, config, targets, time_s, start).poses(betas, None)
    root, local = state.rotations[:, 0], state.rotations[:, 1:]
    points = body.pose(root, local, state.transl, betas, targets.keypoint_set).keypoints
    off = points - targets.points
    if targets.along is not None:
        off = off - targets.along * (targets.along * off).sum(-1, keepdim=True)
    distance = torch.where(targets.weights > 0, off.norm(dim=-1), torch.nan)
    return IKSolution(root, local, state.transl, betas, None, distance)


def _check(keypoint_set: str, config: IKConfig, time_s: Tensor | None) -> None:
    if keypoint_set not in KEYPOINT_SETS:
        known = ", ".join(KEYPOINT_SETS)
        raise OptionError(f"no keypoint set {keypoint_set!r}; choose one of {known}")
    if (config.joint_speed or config.speed) and time_s is None:
        raise OptionError("IKConfig: joint_speed and speed need time_s; give it, or set them to 0")


class _Job(NamedTuple):
    """What is solved, block by block."""

    body: Body
    config: IKConfig
    targets: Targets
    time_s: Float[Tensor, "frames"] | None
    start: PoseStart | None = None
    """None: closed form."""

    def shape(
        self, betas: Float[Tensor, "betas"]
    ) -> tuple[Float[Tensor, "betas"], Float[Tensor, "24"] | None]:
        """The shape that suits some of the frames, poses and shape solved together."""
        config = self.config
        if not (config.free_betas or config.free_bone_scale):
            return betas, None
        seen = (self.targets.weights.sum(-1) > 0).nonzero()[:, 0]
        if len(seen) == 0:
            return betas, torch.ones(NUM_JOINTS).to(betas) if config.free_bone_scale else None
        some = seen[torch.linspace(0, len(seen) - 1, min(len(seen), _SHAPE_FRAMES)).long()]
        still = dataclasses.replace(config, joint_speed=0.0, speed=0.0)
        scale = torch.ones(NUM_JOINTS).to(betas) if config.free_bone_scale else None
        state = self._solve(still, some, betas, scale)
        return state.betas, state.bone_scale

    def poses(self, betas: Float[Tensor, "betas"], bone_scale: Float[Tensor, "24"] | None) -> State:
        """All frames with a known shape, block by block."""
        fixed = dataclasses.replace(self.config, free_betas=0, free_bone_scale=False)
        overlap = _OVERLAP if fixed.joint_speed or fixed.speed else 0
        frames = len(self.targets.points)
        rotations, transl = [], []
        for first in range(0, frames, _BLOCK):
            last = min(first + _BLOCK, frames)
            start, stop = max(first - overlap, 0), min(last + overlap, frames)
            state = self._solve(fixed, torch.arange(start, stop), betas, bone_scale)
            rotations.append(state.rotations[first - start : last - start])
            transl.append(state.transl[first - start : last - start])
        return State(torch.cat(rotations), torch.cat(transl), betas, bone_scale)

    def _solve(
        self,
        config: IKConfig,
        frames: Int[Tensor, "chosen"],
        betas: Float[Tensor, "betas"],
        bone_scale: Float[Tensor, "24"] | None,
    ) -> State:
        targets = self.targets.frames(frames)
        time_s = None if self.time_s is None else self.time_s[frames]
        if self.start is None:
            places = (targets.points, targets.weights, targets.keypoint_set)
            start = closed_form_start(self.body, betas, *places)
        else:
            start = PoseStart(self.start.rotations[frames], self.start.transl[frames])
        state = State(start.rotations, start.transl, betas, bone_scale)
        # Stiff limits are walls that a first rough pose can be caught behind.
        soft = dataclasses.replace(config, limit_sd_rad=max(config.limit_sd_rad, _SOFT_LIMIT_RAD))
        for stage, iterations in ((soft, _SOFT_ITERATIONS), (config, config.iterations)):
            problem = Problem(stage, self.body, targets, time_s)
            state = solve(problem, state, iterations)
        return state
