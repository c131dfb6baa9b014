"""The pose2sim demos' truth: joints triangulated from four views, with corrected cameras."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from motionfield.benchmarks.multiview import (
    Triangulated,
    Views,
    leave_one_out,
    project_views,
    refine_cameras,
    triangulate,
)
from motionfield.benchmarks.pose2sim_cameras import CAMERA_NAMES
from motionfield.body.base import Body
from motionfield.body.stature import stature_m
from motionfield.core.errors import RecordError
from motionfield.core.history import step
from motionfield.core.keypoint_sets import BLAZEPOSE_33, LIMB_JOINTS
from motionfield.data.record import Record
from motionfield.data.tracks import Tracks

FOOT_POINTS: Final = ("left_heel", "right_heel", "left_foot_index", "right_foot_index")
REFERENCE_POINTS: Final = (*LIMB_JOINTS, *FOOT_POINTS)
"""What is triangulated: BlazePose's points of these names."""
_WRONG_VIEWS: Final = [0, 2]
"""cam01 and cam03 disagree with their videos by about a degree as shipped."""
_PERSON_GATE_PX: Final = 40.0
"""Median residual above which keypoints of several views do not belong to one person."""
_LEAST_VIEWS: Final = 3
_AGREED_SHARE: Final = 0.3
"""Least share of trunk points on which all views of a person agree."""
_TRUNK: Final = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
_EVERY: Final = 5
_UNSEEN_PX: Final = 200.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Reference(Record):
    """One person's joints in the cameras' world (Z up, metres), and the corrected cameras."""

    points_world: Float[ndarray, "frames points 3"]
    """NaN where fewer than two views agree."""
    views_used: Int[ndarray, "frames points"]
    point_names: tuple[str, ...]
    fps: float
    K: Float[ndarray, "views 3 3"]
    distortion: Float[ndarray, "views 5"]
    R_camera_world: Float[ndarray, "views 3 3"]
    t_camera_world: Float[ndarray, "views 3"]
    up_camera: Float[ndarray, "views 3"]
    """True up in each camera's axes: the calibration as published, with which the upright edges
    of the room in the pictures agree better than with the corrected one."""

    @property
    def num_frames(self) -> int:
        return len(self.points_world)

    @property
    def limb_points(self) -> Float[Tensor, "frames 12 3"]:
        """The 12 limb joints in the order of ``LIMB_JOINTS``."""
        at = [self.point_names.index(name) for name in LIMB_JOINTS]
        return torch.from_numpy(self.points_world[:, at])

    @property
    def views(self) -> Views:
        """The corrected cameras as tensors."""
        parts = (self.K, self.distortion, self.R_camera_world, self.t_camera_world)
        return Views(*(torch.from_numpy(np.array(part)).double() for part in parts))

    def _check(self) -> None:
        if len(self.point_names) != self.points_world.shape[1]:
            raise RecordError("Reference: names and points differ in number")


class Built(NamedTuple):
    """A reference, and how well its views agree: each limb joint against the other views."""

    reference: Reference
    loo_median_px: tuple[float, ...]
    """Per camera."""
    loo_mean_px: tuple[float, ...]


def build_references(tracks: Sequence[Tracks], cameras: Views, correct: bool = True) -> list[Built]:
    """Triangulate everyone whom at least three of the four views see, the largest first.

    The persons are put together over the views by trying all combinations: those of one person
    leave the smallest residual. Cameras 1 and 3 are then corrected in all six degrees on the limb
    joints, for each person alone: the second person of Demo_MultiPerson is a rendered one, and
    her cameras are off by other amounts than the man's.

    Args:
        tracks: all persons of each camera, in the order of ``cameras``.
        cameras: the calibration as published.
        correct: False leaves the cameras as they are.
    """
    built = []
    for group in associate(tracks, cameras):
        pixels, weights = _stack(tracks, group, LIMB_JOINTS)
        views = refine_cameras(pixels, weights, cameras, _WRONG_VIEWS) if correct else cameras
        loo = leave_one_out(pixels, weights, views)
        median, mean = loo.nanmedian(1).values.tolist(), loo.nanmean(1).tolist()
        built.append(Built(_reference(tracks, group, views, cameras), tuple(median), tuple(mean)))
    return built


def associate(tracks: Sequence[Tracks], views: Views) -> list[tuple[int | None, ...]]:
    """For each person, its number in each view's tracks (None: not seen there).

    Judged by the trunk, which is seen most often, in every fifth frame.
    """
    choices = [(*range(t.num_persons), None) for t in tracks]
    costs = {}
    for group in product(*choices):
        seen = sum(person is not None for person in group)
        if seen >= _LEAST_VIEWS:
            found = triangulate(*_stack(tracks, group, _TRUNK, _EVERY), views)
            # Every further view that agrees is worth some pixels of residual.
            there = [view for view, person in enumerate(group) if person is not None]
            per_view = found.residual_px[there].nanmedian(1).values
            worst = float(per_view.max())  # NaN where two never meet in time: no person
            agreed = float((found.views_used >= seen).double().mean())
            if worst < _PERSON_GATE_PX and agreed > _AGREED_SHARE:
                costs[group] = worst - 100.0 * seen
    chosen: list[tuple[int | None, ...]] = []
    for group in sorted(costs, key=lambda group: costs[group]):
        if not any(_overlap(group, other) for other in chosen):
            chosen.append(group)
    return sorted(chosen, key=lambda group: -_size(tracks, group))


def match_person(tracks: Tracks, reference: Reference, view: int) -> int:
    """The number of the reference's person among a camera's tracks: nearest in the picture."""
    frames = torch.from_numpy(np.array(tracks.frame_index))
    points = reference.limb_points.double()[frames]
    there = project_views(points.flatten(0, 1), reference.views.only([view]))[0]
    there = there.view(len(frames), -1, 2)
    at = [tracks.keypoint_names.index(name) for name in LIMB_JOINTS]
    seen = torch.from_numpy(np.array(tracks.keypoints_2d[:, :, at, :2])).double()
    # Middle of the body, so that exchanged sides do not matter; an unseen frame counts as far.
    distance = (seen.mean(2) - there.mean(1)).norm(dim=-1).nan_to_num(_UNSEEN_PX)
    return int(distance.mean(1).argmin())


def reference_height_m(reference: Reference, body: Body) -> float:
    """Stature at which the body's legs and trunk are as long as the reference's.

    Nobody measured the man; this is the height that a user with a tape would give, as far as the
    detector's hips, knees, ankles and shoulders tell.
    """
    turned = torch.eye(3)[None]
    zero = torch.zeros(body.num_betas)
    still = torch.zeros(1, 3)
    average = body.pose(turned, turned.expand(1, 23, 3, 3), still, zero, BLAZEPOSE_33.name)
    at = [BLAZEPOSE_33.index(name) for name in LIMB_JOINTS]
    lengths = [
        _leg_and_trunk(points) for points in (reference.limb_points, average.keypoints[:, at])
    ]
    return stature_m(body, zero) * lengths[0] / lengths[1]


def _leg_and_trunk(points: Float[Tensor, "frames 12 3"]) -> float:
    """Median over frames of thigh, shin and trunk, mean of both sides, added up, metres."""
    place = dict(zip(LIMB_JOINTS, points.unbind(1), strict=True))

    def middle(part: str) -> Tensor:
        return (place[f"left_{part}"] + place[f"right_{part}"]) / 2

    trunk = (middle("shoulder") - middle("hip")).norm(dim=-1).nanmedian()
    bones = [
        (place[f"{side}_{upper}"] - place[f"{side}_{lower}"]).norm(dim=-1).nanmedian()
        for side in ("left", "right")
        for upper, lower in (("hip", "knee"), ("knee", "ankle"))
    ]
    return float(trunk + sum(bones) / 2)


def _overlap(a: tuple[int | None, ...], b: tuple[int | None, ...]) -> bool:
    return any(x is not None and x == y for x, y in zip(a, b, strict=True))


def _size(tracks: Sequence[Tracks], group: tuple[int | None, ...]) -> float:
    heights = [
        np.nanmedian(t.bbox_xyxy[p, :, 3] - t.bbox_xyxy[p, :, 1])
        for t, p in zip(tracks, group, strict=True)
        if p is not None
    ]
    return float(np.mean(heights))


def _stack(
    tracks: Sequence[Tracks],
    group: tuple[int | None, ...],
    names: Sequence[str],
    every: int = 1,
) -> tuple[Tensor, Tensor]:
    """Pixels (views, frames * points, 2) and confidences (views, frames * points) of a person."""
    stacked = []
    for view, person in zip(tracks, group, strict=True):
        at = [view.keypoint_names.index(name) for name in names]
        if person is None:
            stacked.append(np.full((len(view.time_s[::every]) * len(at), 3), np.nan))
        else:
            stacked.append(view.keypoints_2d[person][::every, at].reshape(-1, 3))
    keypoints = torch.from_numpy(np.stack(stacked)).double()
    return keypoints[..., :2], keypoints[..., 2].nan_to_num()


def _reference(
    tracks: Sequence[Tracks], group: tuple[int | None, ...], views: Views, published: Views
) -> Reference:
    found: Triangulated = triangulate(*_stack(tracks, group, REFERENCE_POINTS), views)
    shape = (tracks[0].num_frames, len(REFERENCE_POINTS))
    seen = [name for name, person in zip(CAMERA_NAMES, group, strict=True) if person is not None]
    return Reference(
        points_world=found.points_world.view(*shape, 3).float().numpy(),
        views_used=found.views_used.view(shape).to(torch.int8).numpy(),
        point_names=REFERENCE_POINTS,
        fps=tracks[0].fps,
        K=views.K.numpy(),
        distortion=views.distortion.numpy(),
        R_camera_world=views.R_camera_world.numpy(),
        t_camera_world=views.t_camera_world.numpy(),
        up_camera=published.R_camera_world[..., 2].numpy(),
        history=(step("triangulate", views=seen),),
    )
