"""Which keypoints the person's own body hides, from the 33 points alone.

Limbs are capsules, the trunk three of them, the head a ball; a point is hidden as far as the ray
from the camera to it runs through one of them well before it.
"""

from typing import Final

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from motionfield.core.keypoint_sets import BLAZEPOSE_33

_TRUNK_M: Final = 0.5
"""Shoulders to hips of a body of the radii below."""
_LEAST_GAP_M: Final = 0.05
"""Only what is this much nearer than the point hides it; or the capsule's radius, if larger."""
_NECK, _GROIN, _SKULL = 33, 34, 35
"""Middles of shoulders, hips and ears, put after the 33 points."""
_ROUNDS: Final = 3


def _at(name: str) -> int:
    return BLAZEPOSE_33.index(name)


def _capsules() -> list[tuple[int, int, float]]:
    """(end, end, radius in metres)."""
    parts = [(_NECK, _GROIN, 0.11), (_SKULL, _SKULL, 0.085)]
    limbs = (
        ("shoulder", "hip", 0.09),
        ("shoulder", "elbow", 0.045),
        ("elbow", "wrist", 0.035),
        ("wrist", "index", 0.035),
        ("hip", "knee", 0.07),
        ("knee", "ankle", 0.05),
        ("heel", "foot_index", 0.04),
    )
    for side in ("left", "right"):
        parts += [(_at(f"{side}_{a}"), _at(f"{side}_{b}"), radius) for a, b, radius in limbs]
    return parts


def _own() -> dict[int, list[int]]:
    """Points that belong to a capsule though they are none of its ends."""
    own: dict[int, list[int]] = {}
    for side in ("left", "right"):
        hand = [_at(f"{side}_{part}") for part in ("wrist", "pinky", "index", "thumb")]
        foot = [_at(f"{side}_{part}") for part in ("ankle", "heel", "foot_index")]
        own |= {_at(f"{side}_wrist"): hand, _at(f"{side}_ankle"): foot, foot[1]: foot}
    return own


_CAPSULES: Final = _capsules()


def _excluded() -> ndarray:
    own = _own()
    table = np.zeros((33, len(_CAPSULES)), dtype=bool)
    for column, (a, b, _) in enumerate(_CAPSULES):
        for end in (a, b):
            if end < 33:
                table[[end, *own.get(end, [])], column] = True
    return table


_EXCLUDED: Final = _excluded()


def self_occlusion(
    points_camera: Float[ndarray, "frames 33 3"],
) -> Float[ndarray, "frames 33"]:
    """How much the body hides each of BlazePose's points: 0 in sight, 1 well behind a part.

    Args:
        points_camera: camera axes, metres.
    """
    points = points_camera.astype(np.float64)
    middles = [points[:, _pair(part)].mean(1) for part in ("shoulder", "hip", "ear")]
    trunk = np.linalg.norm(middles[0] - middles[1], axis=-1).mean() / _TRUNK_M
    every = np.concatenate((points, np.stack(middles, 1)), axis=1)
    start = every[:, [c[0] for c in _CAPSULES]]
    along = every[:, [c[1] for c in _CAPSULES]] - start
    radius = trunk * np.array([c[2] for c in _CAPSULES])
    distance = _from_rays(points, start, along, np.maximum(radius, _LEAST_GAP_M * trunk))
    hidden = np.clip(2 * (radius - distance) / radius, 0.0, 1.0)
    return np.where(_EXCLUDED, 0.0, hidden).max(-1)


def _pair(part: str) -> list[int]:
    return [_at(f"left_{part}"), _at(f"right_{part}")]


def _from_rays(
    points: Float[ndarray, "frames points 3"],
    start: Float[ndarray, "frames capsules 3"],
    along: Float[ndarray, "frames capsules 3"],
    gap: Float[ndarray, "capsules"],
) -> Float[ndarray, "frames points capsules"]:
    """Least distance of the capsules' axes from the ray that ends ``gap`` before the point.

    The distance is convex in both positions: from the middle on each is bettered in turn.
    """
    square = (points**2).sum(-1)[..., None]
    length = np.maximum((along**2).sum(-1), 1e-12)[:, None]
    to_start, to_along = (points @ part.transpose(0, 2, 1) for part in (start, along))
    forth = (start * along).sum(-1)[:, None]
    end = np.maximum(1 - gap / np.sqrt(square), 0.0)
    share: ndarray | float = 0.5
    for _ in range(_ROUNDS):
        on_ray = np.clip((to_start + share * to_along) / square, 0.0, end)
        share = np.clip((on_ray * to_along - forth) / length, 0.0, 1.0)
    apart = on_ray * (on_ray * square - 2 * to_start - 2 * share * to_along)
    apart += (start**2).sum(-1)[:, None] + share * (share * length + 2 * forth)
    return np.sqrt(np.maximum(apart, 0.0))
