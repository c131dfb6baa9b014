"""Triangulation of synchronised static views whose places are not known.

Each view's own first 3D is laid on the others' (one rigid motion per pair over all frames and
points); the cameras are refined together with the points (``bundle``), with their focal lengths
where no lens is given; all frames are triangulated; inverse kinematics turns points into motion.
Scale is that of an average adult, as everywhere; up and the ground come from what each view's
calibration says of them, averaged.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from motionfield.benchmarks.multiview import Views, triangulate
from motionfield.benchmarks.open.baselines.bundle import BundleConfig, Rig, Seen, adjust
from motionfield.body.base import Body
from motionfield.body.ik_config import IKConfig
from motionfield.body.inverse_kinematics import IKSolution, solve_ik
from motionfield.core.arrays import tensor_of
from motionfield.core.errors import OptionError
from motionfield.core.history import step
from motionfield.core.keypoint_sets import KeypointSet, known_keypoint_set
from motionfield.data.camera_path import CameraPath
from motionfield.data.keypoints import Keypoints
from motionfield.data.motion import Motion
from motionfield.geometry.alignment import align_points
from motionfield.geometry.cameras import back_project, world_to_camera
from motionfield.steps.fit import FitResult
from motionfield.steps.fit.observations import person_height_px
from motionfield.steps.lift.evidence import part_weights

_ALIGN_ROUNDS: Final = 10
_SOLES: Final = ("heel", "toe", "foot")
_SLOW_M_S: Final = 0.4


@dataclass(frozen=True)
class ViewsConfig:
    """Options of the triangulation baseline."""

    align_outlier_m: float = 0.3
    """Geman-McClure scale when the views' own 3D are laid on each other."""
    bundle: BundleConfig = field(default_factory=BundleConfig)
    bundle_points: int = 2000
    """The cameras are refined on about so many points, of evenly chosen frames."""
    log_focal_sd: float = 0.25
    """How far an assumed focal length may be off."""
    ik: IKConfig = field(
        default_factory=lambda: IKConfig(
            target_sd_m=0.02, robust_m=0.05, joint_speed=0.2, speed=0.2, free_betas=10
        )
    )


class View(NamedTuple):
    """One view, and what it alone makes of the person."""

    keypoints: Keypoints
    alone: FitResult
    """Its first motion and its camera."""
    known_lens: bool


def triangulate_views(
    views: Sequence[View], body: Body, config: ViewsConfig = ViewsConfig()
) -> list[FitResult]:
    """One motion, with the camera of each view in its world.

    Raises:
        OptionError: fewer than two views, moving cameras, or views of different instants.
    """
    _check(views)
    names = known_keypoint_set(views[0].keypoints.keypoint_names)
    seen, confidence = _seen(views)
    shapes = torch.stack([_own_points(view, body, names) for view in views])
    R, t = relative_cameras(shapes, confidence, config.align_outlier_m)
    rig = Rig(R, t, torch.ones(len(views), dtype=R.dtype))
    rig = _refined(seen, confidence, shapes, rig, views, config)
    cameras = _as_views(views, rig)
    pixels = torch.stack([_pixels(view) for view in views])
    found = triangulate(pixels.flatten(1, 2), confidence.flatten(1), cameras).points_world
    points = found.unflatten(0, confidence.shape[1:])
    rig, points = _of_body_size(rig, points, shapes, names)
    up = _up(views, rig)
    return _results(views, body, names, rig, points, up, config)


def relative_cameras(
    shapes: Float[Tensor, "views frames points 3"],
    weights: Float[Tensor, "views frames points"],
    outlier_m: float,
) -> tuple[Float[Tensor, "views 3 3"], Float[Tensor, "views 3"]]:
    """R and t of each view from the first: ``p_view = R @ p_first + t``.

    Every view is laid on every other; the one that suits the rest best is the go-between, so that
    one view with a wrong 3D does not spoil the others.

    Args:
        shapes: the same points as each view alone has them, in its camera axes, metres.
        weights: of each; 0 leaves it out.
    """
    count = len(shapes)
    points = shapes.double().flatten(1, 2)
    weights = weights.double().flatten(1)
    R = torch.eye(3, dtype=torch.float64).repeat(count, count, 1, 1)
    t = torch.zeros(count, count, 3, dtype=torch.float64)
    off = torch.zeros(count, count, dtype=torch.float64)
    for a in range(count):
        for b in range(count):
            if a == b:
                continue
            trust = weights[a] * weights[b]
            for _ in range(_ALIGN_ROUNDS):
                motion = align_points(points[a], points[b], trust)
                squared = (motion.apply(points[a]) - points[b]).square().sum(-1)
                trust = weights[a] * weights[b] * (1 + squared / outlier_m**2) ** -2
            R[b, a], t[b, a] = motion.R_b_a, motion.t_b_a
            off[b, a] = -trust.sum()
    between = int((off + off.T).sum(0).argmin())
    back_R = R[between, 0]
    back_t = t[between, 0]
    return R[:, between] @ back_R, R[:, between] @ back_t + t[:, between]


def _check(views: Sequence[View]) -> None:
    if len(views) < 2:
        raise OptionError("triangulation: one view shows no depth; give two or more")
    if any(view.alone.camera.moving for view in views):
        raise OptionError("triangulation: a camera moves; give views that stand still")
    first = views[0].keypoints
    for view in views[1:]:
        same = view.keypoints.num_frames == first.num_frames
        if not same or abs(view.keypoints.time_s - first.time_s).max() > 0.5 / first.fps:
            raise OptionError("triangulation: the takes are not views of the same instants")


def _pixels(view: View) -> Float[Tensor, "frames points 2"]:
    return torch.tensor(view.keypoints.keypoints_2d[..., :2], dtype=torch.float64)


def _seen(
    views: Sequence[View],
) -> tuple[list[Tensor], Float[Tensor, "views frames points"]]:
    """Viewing rays (x, y at z = 1) per view, zero where not seen, and the weights."""
    rays, confidence = [], []
    for view in views:
        camera, points = view.alone.camera, view.keypoints.keypoints_2d
        known = torch.isfinite(torch.tensor(points)).all(-1)
        pixels = torch.where(known.unsqueeze(-1), tensor_of(points[..., :2]), 0.0)
        ray = back_project(pixels, tensor_of(camera.K), tensor_of(camera.distortion))
        rays.append(ray[..., :2].double())
        weight = torch.where(known, tensor_of(points[..., 2]), 0.0)
        confidence.append(weight.clamp(0, 1).double())
    return rays, torch.stack(confidence)


def _own_points(view: View, body: Body, names: KeypointSet) -> Float[Tensor, "frames points 3"]:
    """The view's own 3D in its camera's axes."""
    motion, camera = view.alone
    posed = body.pose(
        tensor_of(motion.global_orient),
        tensor_of(motion.body_pose),
        tensor_of(motion.transl),
        tensor_of(motion.betas),
        names.name,
    )
    R, t = tensor_of(camera.R_camera_world), tensor_of(camera.t_camera_world)
    return world_to_camera(posed.keypoints, R, t)


def _refined(
    rays: list[Tensor],
    confidence: Float[Tensor, "views frames points"],
    shapes: Float[Tensor, "views frames points 3"],
    rig: Rig,
    views: Sequence[View],
    config: ViewsConfig,
) -> Rig:
    """The cameras after bundle adjustment on some of the frames."""
    frames, points = confidence.shape[1:]
    some = torch.linspace(0, frames - 1, min(frames, max(1, config.bundle_points // points)))
    some = some.long()
    heights = [
        float(person_height_px(view.keypoints).mean()) / float(view.alone.camera.K[0, 0, 0])
        for view in views
    ]
    seen = Seen(
        rays=torch.stack(rays)[:, some].flatten(1, 2),
        weights=confidence[:, some].flatten(1),
        height=torch.tensor(heights, dtype=torch.float64),
    )
    # Points of one view alone have no depth: they would only be carried along.
    both = (seen.weights > 0).sum(0) >= 2
    seen = Seen(seen.rays[:, both], seen.weights[:, both], seen.height)
    at_first = (shapes.double()[:, some] - rig.t[:, None, None]) @ rig.R[:, None]
    start = at_first.median(0).values.flatten(0, 1)[both]
    options = config.bundle
    if not all(view.known_lens for view in views):
        options = BundleConfig(options.error, options.outlier, config.log_focal_sd, options.rounds)
    return adjust(seen, start, rig, options)[0]


def _as_views(views: Sequence[View], rig: Rig) -> Views:
    K = torch.stack([torch.tensor(view.alone.camera.K[0], dtype=torch.float64) for view in views])
    K[:, :2, :2] *= rig.focal[:, None, None]
    distortion = [torch.tensor(v.alone.camera.distortion, dtype=torch.float64) for v in views]
    return Views(K, torch.stack(distortion), rig.R, rig.t)


def _of_body_size(
    rig: Rig,
    points: Float[Tensor, "frames points 3"],
    shapes: Float[Tensor, "views frames points 3"],
    names: KeypointSet,
) -> tuple[Rig, Float[Tensor, "frames points 3"]]:
    """Everything as large as the body: no picture shows the scale."""
    wanted = torch.stack([_limb_length(shape, names).median() for shape in shapes.double()])
    size = _limb_length(points, names)
    size = size[torch.isfinite(size)]
    ratio = wanted.mean() / size.median() if len(size) else torch.ones(())
    return rig._replace(t=ratio * rig.t), ratio * points


def _limb_length(
    points: Float[Tensor, "frames points 3"], names: KeypointSet
) -> Float[Tensor, "frames"]:
    """Both legs and both sides of the trunk."""
    total = torch.zeros(len(points), dtype=points.dtype)
    for upper, lower in pairwise(("shoulder", "hip", "knee", "ankle")):
        for side in ("left", "right"):
            bone = (
                points[:, names.index(f"{side}_{upper}")]
                - points[:, names.index(f"{side}_{lower}")]
            )
            total = total + bone.norm(dim=-1)
    return total


def _up(views: Sequence[View], rig: Rig) -> Float[Tensor, "3"]:
    """Mean of what each view takes for up, in the first view's axes."""
    ups = [torch.tensor(view.alone.camera.R_camera_world[0, :, 2]).double() for view in views]
    return normalize((rig.R.mT @ torch.stack(ups).unsqueeze(-1)).squeeze(-1).mean(0), dim=0)


def _results(
    views: Sequence[View],
    body: Body,
    names: KeypointSet,
    rig: Rig,
    points: Float[Tensor, "frames points 3"],
    up: Float[Tensor, "3"],
    config: ViewsConfig,
) -> list[FitResult]:
    """The body on the points, in a world with Z up and the ground at z = 0."""
    R_world_first = _upright(up)
    in_world = (points @ R_world_first.mT).float()
    weights = part_weights(names).expand(in_world.shape[:2])
    keypoints = views[0].keypoints
    time_s = tensor_of(keypoints.time_s - keypoints.time_s[0])
    found = solve_ik(body, in_world, weights, names.name, config.ik, None, time_s)
    shift = _to_ground(found, body, names, time_s)
    transl = found.transl + shift
    motion = Motion(
        global_orient=found.global_orient.numpy(),
        body_pose=found.body_pose.numpy(),
        transl=transl.numpy(),
        betas=found.betas.numpy(),
        body_model=body.name,
        fps=keypoints.fps,
        time_s=keypoints.time_s,
        frame_index=keypoints.frame_index,
        observed=torch.isfinite(points).all(-1).any(-1).numpy(),
        history=(*keypoints.history, step("triangulation", config)),
    )
    return [
        FitResult(motion, _camera(view, index, rig, R_world_first, shift))
        for index, view in enumerate(views)
    ]


def _upright(up: Float[Tensor, "3"]) -> Float[Tensor, "3 3"]:
    """R_world_first with Z along up and X along the first camera's right."""
    x = torch.tensor([1.0, 0, 0], dtype=up.dtype)
    x = normalize(x - (x @ up) * up, dim=0)
    return torch.stack((x, torch.linalg.cross(up, x), up))


def _to_ground(
    found: IKSolution, body: Body, names: KeypointSet, time_s: Float[Tensor, "frames"]
) -> Float[Tensor, "3"]:
    """What puts the lowest resting sole on z = 0 (median), and the first hips over the origin."""
    soles = [i for i, n in enumerate(names.keypoint_names) if any(w in n for w in _SOLES)]
    soles = soles or [names.index("left_ankle"), names.index("right_ankle")]
    eye = torch.eye(3)
    standing = body.pose(
        eye[None], eye.expand(1, 23, 3, 3), torch.zeros(1, 3), found.betas, names.name
    ).keypoints[0, soles, 1]
    standing = standing - body.skin(found.betas).rest_vertices[:, 1].min()
    posed = body.pose(found.global_orient, found.body_pose, found.transl, found.betas, names.name)
    height = posed.keypoints[:, soles, 2] - standing
    lowest, which = height.min(1)
    if len(time_s) > 1:
        place = posed.keypoints[:, soles]
        speed = (place.diff(dim=0) / time_s.diff()[:, None, None]).norm(dim=-1)
        speed = torch.cat((speed, speed[-1:])).gather(1, which.unsqueeze(1))[:, 0]
        slow = speed < _SLOW_M_S
        lowest = lowest[slow] if bool(slow.any()) else lowest
    root = posed.joints[0, 0]
    return torch.stack((-root[0], -root[1], -lowest.median()))


def _camera(
    view: View,
    index: int,
    rig: Rig,
    R_world_first: Float[Tensor, "3 3"],
    shift: Float[Tensor, "3"],
) -> CameraPath:
    """The view's camera in the world of the motion."""
    alone = view.alone.camera
    frames = alone.num_frames
    R = rig.R[index] @ R_world_first.mT
    t = rig.t[index] - R @ shift.double()
    K = alone.K.copy()
    factor = float(rig.focal[index])
    K[:, :2, :2] *= factor
    refined = not view.known_lens
    low, high = alone.focal_range_px
    return alone.replace(
        K=K,
        R_camera_world=R.float().expand(frames, 3, 3).numpy(),
        t_camera_world=t.float().expand(frames, 3).numpy(),
        focal_source="estimated" if refined else alone.focal_source,
        focal_range_px=(factor * low, factor * high) if refined else alone.focal_range_px,
    )
