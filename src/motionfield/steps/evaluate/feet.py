"""Sliding of feet that should rest."""

from typing import Final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motionfield.steps.evaluate.score import MM_PER_M, Score, check_same_shape, mean_over_points

SLIDE_INTERVAL_S: Final = 1 / 30
"""Foot slide is the way during this time, whatever the frame rate."""
RESTING_M: Final = 0.01
"""A true point that moves less than this during 1/30 s rests (WHAM)."""


def slide_way(
    points_world: Float[Tensor, "frames points 3"],
    contact: Bool[Tensor, "frames points"],
    fps: float,
) -> Float[Tensor, "frames points"]:
    """Horizontal way in metres of each point during the 1/30 s that follows each frame.

    Between frames the place is interpolated; below 30 fps the way to the next frame is taken in
    proportion. NaN where the point is not in contact during the whole time.
    """
    frames = len(points_world)
    way = torch.full_like(points_world[..., 0], float("nan"))
    ahead = SLIDE_INTERVAL_S * fps
    reach = max(1, int(-(-ahead // 1)))  # frames that the interval touches, rounded up
    if frames <= reach:
        return way
    at = min(ahead, float(reach))
    share = at - (reach - 1)
    later = torch.lerp(points_world[reach - 1 : frames - 1], points_world[reach:], share)
    moved = (later - points_world[: frames - reach])[..., :2].norm(dim=-1)
    held = contact.unfold(0, reach + 1, 1).all(-1)
    way[: frames - reach] = torch.where(held, moved, way[: frames - reach])
    return way


def foot_slide(
    points_world: Float[Tensor, "frames points 3"],
    contact: Bool[Tensor, "frames points"],
    fps: float,
) -> Score:
    """Mean horizontal way of the points in contact during 1/30 s, mm; NaN with none in contact.

    The frames are those with at least one point in contact for the whole interval. Contact comes
    from the truth (``resting_points``), or from the picture (``contact.seen_contact``), never from
    the judged method.

    Source: foot sliding as in GLAMR, CVPR 2022 and WHAM, CVPR 2024, there per frame of 30 fps.
    """
    return Score(slide_way(points_world, contact, fps).nanmean(-1) * MM_PER_M, "mm per 1/30 s")


def resting_points(
    true_points: Float[Tensor, "frames points 3"],
    foot_contact: Bool[Tensor, "frames points"],
    fps: float,
) -> Bool[Tensor, "frames points"]:
    """Points of the truth that rest: their foot bears, and they move under 0.3 m/s horizontally.

    Of a foot that rolls only the part on the ground rests: the heel goes while the toes stay.
    """
    speed = torch.full_like(true_points[..., 0], torch.inf)
    if len(true_points) > 1:
        step = torch.diff(true_points[..., :2], dim=0).norm(dim=-1) * fps
        # The slower of the steps to and from a frame: the first frame of a rest belongs to it.
        speed[:-1] = step
        speed[1:] = torch.minimum(speed[1:], step)
    return foot_contact & (speed < RESTING_M / SLIDE_INTERVAL_S)


def wham_foot_slide(
    predicted: Float[Tensor, "frames points 3"],
    truth: Float[Tensor, "frames points 3"],
    fps: float = 30.0,
) -> Score:
    """Mean way of foot points from frame to frame while the true ones move less than 1 cm, mm.

    Way and threshold are in all three directions and per 1/30 s (per frame of the published
    30 fps), and the mean is over all resting points of all frames.

    Source: FS of WHAM's evaluation code, points 3216, 3387, 6617 and 6787 of SMPL's mesh (toe and
    heel of either foot). Other bodies have not these vertices: here toes and heels of the body's
    own keypoints.
    """
    check_same_shape(predicted, truth)
    way = torch.full_like(predicted[..., 0], torch.nan)
    if len(predicted) > 1:
        ours, theirs = (torch.diff(p, dim=0).norm(dim=-1) * fps / 30 for p in (predicted, truth))
        way[:-1] = torch.where(theirs < RESTING_M, ours, torch.nan)
    return mean_over_points(way * MM_PER_M, "mm per 1/30 s")
