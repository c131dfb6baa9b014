"""Poses from one view: standing bodies of several headings, and the pose of the coarse 3D, are
bent to what was seen, and one way through them is chosen by what it costs in the picture, against
the coarse 3D, under the pose prior, and in moving from one to the next.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import normalize

from motionfield.body.base import Body
from motionfield.body.ik_config import IKConfig, Targets
from motionfield.body.ik_start import PoseStart
from motionfield.body.inverse_kinematics import solve_ik, solve_ik_from
from motionfield.body.joint_limits import standing_pose
from motionfield.core.keypoint_sets import KeypointSet
from motionfield.geometry.placement import mean_ray, place_in_camera
from motionfield.geometry.resample import resample_rotations
from motionfield.geometry.rotations import axis_rotation
from motionfield.priors.base import PosePrior
from motionfield.steps.lift.evidence import Evidence, person_size
from motionfield.steps.lift.ik.config import IKLiftConfig

_POINT_SPEED_M_S = 2.0
"""Usual speed of a point of the body relative to the body's middle."""
_MOST_CHANGE = 30.0
"""A change between keyframes costs no more than this: tracks may jump."""
_OUTLIER_SDS = 5.0
_COARSE_ALONE_SD_M = 0.05
_NEAREST_M, _FARTHEST_M = 0.3, 300.0


class CameraPoses(NamedTuple):
    """Rotations of the body in the camera's axes."""

    root: Float[Tensor, "frames 3 3"]
    body_pose: Float[Tensor, "frames 23 3 3"]

    def followed_by(self, others: "CameraPoses") -> "CameraPoses":
        """These and others."""
        return CameraPoses(*(torch.cat(pair) for pair in zip(self, others, strict=True)))


class _Scene(NamedTuple):
    """What every fit to the rays needs."""

    evidence: Evidence
    body: Body
    betas: Float[Tensor, "betas"]
    config: IKLiftConfig

    def place(self, poses: CameraPoses) -> Float[Tensor, "frames 3"]:
        """Translations that bring posed bodies onto their rays."""
        t = place_in_camera(self.points(poses), self.evidence.rays, self.evidence.weights)
        # A body whose pose is far off may be placed behind the camera.
        depth = t[:, 2:]
        ahead = depth > _NEAREST_M
        usual = depth[ahead].median() if bool(ahead.any()) else depth.new_tensor(4.0)
        on_ray = mean_ray(self.evidence.rays, self.evidence.weights) * usual
        return torch.where(ahead & (depth < _FARTHEST_M), t, on_ray)

    def fit(
        self, poses: CameraPoses, joint_speed: float = 0.0
    ) -> tuple[CameraPoses, Float[Tensor, "frames"]]:
        """Poses bent to what was seen, and what they still cost (negative log likelihood)."""
        config, evidence = self.config, self.evidence
        transl = self.place(poses)
        seen = evidence.weights > 0
        size = (person_size(evidence.rays[..., :2], seen) * transl[:, 2]).unsqueeze(-1)
        targets = Targets(
            evidence.keypoint_set.name,
            torch.zeros_like(evidence.rays),
            evidence.weights / size.square(),
            torch.where(seen.unsqueeze(-1), normalize(evidence.rays, dim=-1), 0.0),
            *self._coarse(),
        )
        ik = IKConfig(
            target_sd_m=config.image_sd,
            shape_sd_m=config.coarse_sd_m,
            shape_robust_m=config.coarse_outlier_m,
            joint_speed=joint_speed if len(transl) > 1 else 0.0,
        )
        start = PoseStart(torch.cat((poses.root.unsqueeze(1), poses.body_pose), 1), transl)
        found = solve_ik_from(self.body, start, targets, ik, self.betas, evidence.time_s)
        squared = (found.residual_m / (size * config.image_sd)).square().nan_to_num()
        robust = squared / (1 + squared / _OUTLIER_SDS**2)
        cost = 0.5 * (evidence.weights * robust).sum(-1)
        fitted = CameraPoses(found.global_orient, found.body_pose)
        return fitted, cost + self._coarse_cost(self.points(fitted), targets)

    def points(self, poses: CameraPoses) -> Float[Tensor, "frames keypoints 3"]:
        """The body's points with its root at the rest place."""
        nowhere = torch.zeros(len(poses.root), 3)
        name = self.evidence.keypoint_set.name
        return self.body.pose(poses.root, poses.body_pose, nowhere, self.betas, name).keypoints

    def _coarse(self) -> tuple[Tensor, Tensor] | tuple[None, None]:
        coarse = self.evidence.coarse
        if coarse is None:
            return None, None
        known = torch.isfinite(coarse).all(-1)
        return coarse.nan_to_num(), torch.where(known, self.evidence.weights, 0.0)

    def _coarse_cost(self, points: Tensor, targets: Targets) -> Float[Tensor, "frames"]:
        if targets.coarse is None or targets.coarse_weights is None:
            return torch.zeros(len(points))
        weights = targets.coarse_weights
        off = points - targets.coarse
        share = weights / weights.sum(-1, keepdim=True).clamp_min(1e-9)
        squared = (off - (share.unsqueeze(-1) * off).sum(1, keepdim=True)).square().sum(-1)
        robust = squared / (1 + squared / self.config.coarse_outlier_m**2)
        return 0.5 * (weights * robust).sum(-1) / self.config.coarse_sd_m**2


def estimate_poses(
    evidence: Evidence,
    body: Body,
    betas: Float[Tensor, "betas"],
    prior: PosePrior | None,
    config: IKLiftConfig,
) -> CameraPoses:
    """Poses of frames that are all seen."""
    keyframes = _keyframes(evidence.time_s, config.keyframes_per_s)
    some = evidence.frames(keyframes)
    poses = _best_headings(_Scene(some, body, betas, config), prior)
    at = evidence.time_s
    start = CameraPoses(
        resample_rotations(poses.root, some.time_s, at),
        resample_rotations(poses.body_pose, some.time_s, at),
    )
    return _Scene(evidence, body, betas, config).fit(start, config.joint_speed)[0]


def _best_headings(scene: _Scene, prior: PosePrior | None) -> CameraPoses:
    """Fit every heading on every keyframe and choose one way through them."""
    config, evidence = scene.config, scene.evidence
    frames = len(evidence.time_s)
    start = _starts(evidence, config.headings)
    if evidence.coarse is not None:
        start = start.followed_by(_coarse_start(scene))
    states = len(start.root) // frames
    every = scene._replace(evidence=evidence.frames(torch.arange(frames).repeat(states)))
    found, cost = every.fit(start)
    if prior is not None:
        with torch.no_grad():
            cost = cost + config.pose_prior * prior.energy(found.body_pose)
    way = cheapest_way(
        cost.unflatten(0, (states, frames)).T,
        _change_cost(every.points(found).unflatten(0, (states, frames)), evidence.time_s.diff()),
    )
    chosen = way * frames + torch.arange(frames)
    return CameraPoses(found.root[chosen], found.body_pose[chosen])


def _coarse_start(scene: _Scene) -> CameraPoses:
    """Poses of the coarse 3D by itself."""
    evidence, config = scene.evidence, scene.config
    assert evidence.coarse is not None
    ik = IKConfig(target_sd_m=_COARSE_ALONE_SD_M, robust_m=config.coarse_outlier_m, iterations=4)
    name = evidence.keypoint_set.name
    found = solve_ik(scene.body, evidence.coarse, evidence.weights, name, ik, scene.betas)
    return CameraPoses(found.global_orient, found.body_pose)


def cheapest_way(
    cost: Float[Tensor, "frames states"], change: Float[Tensor, "steps states states"]
) -> Int[Tensor, "frames"]:
    """The sequence of states with the least sum of costs (Viterbi).

    Args:
        cost: of each state in each frame.
        change: [step, before, after], cost of going from one state to another.
    """
    total = cost[0]
    came_from = []
    for now, step in zip(cost[1:], change, strict=True):
        best = (total.unsqueeze(1) + step).min(0)
        came_from.append(best.indices)
        total = best.values + now
    state = total.argmin()
    way = [state]
    for back in reversed(came_from):
        state = back[state]
        way.append(state)
    return torch.stack(way[::-1])


def _change_cost(
    points: Float[Tensor, "headings frames keypoints 3"], step_s: Float[Tensor, "steps"]
) -> Float[Tensor, "steps headings headings"]:
    """Speed of the body's points relative to its root, against the usual speed."""
    before, after = points[:, :-1].unsqueeze(1), points[:, 1:].unsqueeze(0)
    squared = (after - before).square().sum(-1).mean(-1)
    cost = squared / (_POINT_SPEED_M_S * step_s).square()
    cost = cost / (1 + cost / _MOST_CHANGE)
    return cost.permute(2, 0, 1)


def _keyframes(time_s: Float[Tensor, "frames"], per_s: float) -> Int[Tensor, "chosen"]:
    """The first frame, then each that comes at least a period after the last; and the last."""
    slot = ((time_s - time_s[0]) * per_s + 1e-3).floor()
    first = torch.cat((torch.ones(1, dtype=torch.bool), slot.diff() > 0))
    first[-1] = True
    return first.nonzero()[:, 0]


def _starts(evidence: Evidence, headings: int) -> CameraPoses:
    """Standing bodies of all headings (slowest) in all frames, turned in the picture's plane so
    that the trunk points as it does there."""
    angles = torch.arange(headings) * (2 * math.pi / headings)
    upright = axis_rotation("z", angles) @ axis_rotation("x", torch.tensor(math.pi / 2))
    turned = _roll(evidence) @ evidence.R_camera_world
    root = (turned.unsqueeze(0) @ upright.unsqueeze(1)).flatten(0, 1)
    return CameraPoses(root, standing_pose().expand(len(root), 23, 3, 3))


def _roll(evidence: Evidence) -> Float[Tensor, "frames 3 3"]:
    """Rotation about the viewing axis from the projected up axis to the trunk's direction."""
    names, rays = evidence.keypoint_set, evidence.rays[..., :2]

    def middle(part: str) -> tuple[Tensor, Tensor]:
        sides = _both(names, part)
        return rays[:, sides].mean(1), (evidence.weights[:, sides] > 0).all(1)

    (hips, hips_seen), (shoulders, shoulders_seen) = middle("hip"), middle("shoulder")
    trunk = shoulders - hips
    up = evidence.R_camera_world[:, :2, 2]
    angle = torch.atan2(up[:, 0] * trunk[:, 1] - up[:, 1] * trunk[:, 0], (up * trunk).sum(-1))
    return axis_rotation("z", torch.where(hips_seen & shoulders_seen, angle, 0.0))


def _both(names: KeypointSet, part: str) -> list[int]:
    return [names.index(f"{side}_{part}") for side in ("left", "right")]
