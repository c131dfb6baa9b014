"""Sliding of feet that should rest."""

from typing import Final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motionfield.steps.evaluate.score import MM_PER_M, Score

SLIDE_INTERVAL_S: Final = 1 / 30
"""Foot slide is the way during this time, whatever the frame rate."""


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
    from the truth, or from the picture (``contact.seen_contact``), never from the judged method.

    Source: foot sliding as in GLAMR, CVPR 2022 and WHAM, CVPR 2024, there per frame of 30 fps.
    """
    return Score(slide_way(points_world, contact, fps).nanmean(-1) * MM_PER_M, "mm per 1/30 s")
