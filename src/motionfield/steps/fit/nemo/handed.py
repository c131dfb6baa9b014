"""Takes that were done with the other hand or leg than most: found, and mirrored."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy import ndarray
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.conventions import mirror_order
from motionfield.core.history import step
from motionfield.data.camera_path import CameraPath
from motionfield.data.keypoints import Keypoints
from motionfield.data.motion import Motion
from motionfield.steps.fit.base import FitResult
from motionfield.steps.fit.group import GroupTake
from motionfield.steps.fit.nemo.pairs import PairCosts, pair_costs
from motionfield.worlds.mirror import mirror_motion

_NEARER: Final = 1.2
"""A mirror image has to be so many times nearer to the others than the take itself …"""
_NEARER_M: Final = 0.025
"""… and by so much: symmetric actions have no other hand."""


class Handedness(NamedTuple):
    """Who did the action with the other hand."""

    mirrored: Bool[Tensor, "takes"]
    nearer: Float[Tensor, "takes"]
    """How many times nearer each take's mirror image is to what the others did with the usual
    hand than the take itself; about 1 where the action is symmetric."""


def mirrored_takes(motions: Sequence[Motion], body: Body) -> Handedness:
    """Find the takes that were done with the other hand than most.

    Of two halves the one that the first take belongs to is taken as usual.
    """
    return handedness(pair_costs(motions, body))


def handedness(costs: PairCosts) -> Handedness:
    """``mirrored_takes`` of takes that are so far apart."""
    side = _sides(costs)
    if side.sum() < 0 or (side.sum() == 0 and side[0] < 0):
        side = -side
    alike, unlike = _nearness(costs, side)
    mirrored = (side < 0) & (unlike > _NEARER * alike) & (unlike - alike > _NEARER_M)
    # ``alike`` is the cost on the side found: the take's own where it is the usual one.
    own = np.where(side > 0, alike, unlike)
    image = np.where(side > 0, unlike, alike)
    nearer = torch.tensor(own / np.maximum(image, 1e-6), dtype=torch.float32)
    return Handedness(torch.tensor(mirrored), nearer)


def _sides(costs: PairCosts) -> Float[ndarray, "takes"]:
    """+1 or -1 per take such that takes of one side are like each other, and like the mirror
    images of the other side's."""
    # What speaks for one side; the main direction of all pairs is where to start.
    bond = costs.mirrored - costs.same
    np.fill_diagonal(bond, 0)
    side = np.sign(np.linalg.eigh(bond)[1][:, -1])
    side[side == 0] = 1
    for _ in range(len(side)):
        pull = bond @ side
        worst = int((side * pull).argmin())
        if side[worst] * pull[worst] >= 0:
            break
        side[worst] *= -1
    return side


def _nearness(
    costs: PairCosts, side: Float[ndarray, "takes"]
) -> tuple[Float[ndarray, "takes"], Float[ndarray, "takes"]]:
    """Median distance of each take from the others on the side found, and on the other side."""
    one_side = side[:, None] == side
    away = ~np.eye(len(side), dtype=bool)

    def medians(table: Float[ndarray, "takes takes"]) -> Float[ndarray, "takes"]:
        return np.array([np.median(row[rest]) for row, rest in zip(table, away, strict=True)])

    if len(side) < 2:
        return np.zeros(len(side)), np.zeros(len(side))
    return (
        medians(np.where(one_side, costs.same, costs.mirrored)),
        medians(np.where(one_side, costs.mirrored, costs.same)),
    )


def mirror_take(take: GroupTake) -> GroupTake:
    """The take as its video shows it in a mirror; twice gives the take back."""
    return GroupTake(
        take.name,
        mirror_keypoints(take.keypoints),
        mirror_camera(take.camera),
        mirror_motion(take.initial),
    )


def mirror_result(result: FitResult) -> FitResult:
    """The result of a mirrored take as the result of the take."""
    return FitResult(mirror_motion(result.motion), mirror_camera(result.camera))


def mirror_keypoints(keypoints: Keypoints) -> Keypoints:
    """Left for right in the picture, in the names and in the coarse 3D."""
    order = list(mirror_order(keypoints.keypoint_names))
    width = keypoints.image_width
    seen = keypoints.keypoints_2d[:, order].copy()
    seen[..., 0] = width - seen[..., 0]
    coarse, box = keypoints.coarse_camera, keypoints.bbox_xyxy
    if coarse is not None:
        coarse = coarse[:, order] * np.array([-1, 1, 1], coarse.dtype)
    if box is not None:
        box = box[:, [2, 1, 0, 3]].copy()
        box[:, [0, 2]] = width - box[:, [0, 2]]
    changes = {"keypoints_2d": seen, "coarse_camera": coarse, "bbox_xyxy": box}
    return keypoints.replace(step("mirror"), **changes)


def mirror_camera(camera: CameraPath) -> CameraPath:
    """The camera that sees the mirrored world (x negated) as the mirrored picture."""
    flip = np.array([-1.0, 1.0, 1.0], camera.K.dtype)
    K = camera.K.copy()
    K[:, 0, 1] *= -1
    K[:, 0, 2] = camera.image_width - K[:, 0, 2]
    # Of OpenCV's k1, k2, p1, p2, k3 only p2 is odd in x.
    return camera.replace(
        step("mirror"),
        K=K,
        distortion=camera.distortion * np.array([1, 1, 1, -1, 1], camera.distortion.dtype),
        R_camera_world=camera.R_camera_world * flip[:, None] * flip,
        t_camera_world=camera.t_camera_world * flip,
    )
