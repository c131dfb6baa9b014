"""Clothes and hair over the skin: one mesh with a layer per face, ready to be posed."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from scipy.spatial import ConvexHull

from motionfield.body.base import Body
from motionfield.body.kinematics import forward_kinematics
from motionfield.core.arrays import tensor_of
from motionfield.core.conventions import JOINT_INDEX, JOINT_PARENTS
from motionfield.data.motion import Motion
from motionfield.rendering.ray_casting import vertex_normals
from motionfield.worlds.avatars.cut import cut_mesh
from motionfield.worlds.avatars.figure import Figure, make_figure
from motionfield.worlds.avatars.noise import NoiseVolume
from motionfield.worlds.avatars.outfit import Outfit

_HIDDEN_M: Final = 0.035
"""Skin farther than this inside a garment's hem is left out: nothing can show it."""
_SHOE_M: Final = 0.007
_LEAST_M: Final = 0.003
"""Cloth is at least so far off the skin."""
_FOLD_M: Final = 0.005
_FOLD_PERIODS_M: Final = (0.4, 0.9, 0.4)
"""Folds are longer down the body than round it."""
_DRAPE_ROUNDS: Final = 20
_HEAD: Final = JOINT_INDEX["head"]
_SIDES: Final = ("left", "right")
_ARM: Final = ("shoulder", "elbow", "wrist")


class LayerKind(IntEnum):
    """What a face of an avatar is."""

    SKIN = 0
    TOP = 1
    BOTTOM = 2
    SHOE = 3
    HAIR = 4


class Avatar(NamedTuple):
    """A dressed figure: vertices in the body's bind pose, skinned to 24 joints."""

    bind: Float[ndarray, "vertices 3"]
    canonical: Float[ndarray, "vertices 3"]
    """The place on the average body in the T-pose (see ``Figure``)."""
    weight: Float[ndarray, "vertices 24"]
    faces: Int[ndarray, "faces 3"]
    layer: Int[ndarray, "faces"]
    """``LayerKind`` of each face."""
    inverse_bind: Float[ndarray, "24 4 4"]
    outfit: Outfit
    figure: Figure


class _Shell(NamedTuple):
    """One layer before it is joined with the others."""

    bind: Float[ndarray, "vertices 3"]
    canonical: Float[ndarray, "vertices 3"]
    weight: Float[ndarray, "vertices 24"]
    faces: Int[ndarray, "faces 3"]
    kind: LayerKind


def dress(body: Body, motion: Motion, outfit: Outfit, rng: np.random.Generator) -> Avatar:
    """Dress a motion's shape; ``rng`` draws the folds of the clothes."""
    figure = make_figure(body, motion.betas, motion.bone_scale)
    regions = garment_regions(figure, outfit)
    folds = NoiseVolume(rng, 32, slope=1.5).at(figure.canonical, np.array(_FOLD_PERIODS_M))
    place, ankle = figure.canonical, figure.joints["left_ankle"]
    hidden = np.zeros(len(place), bool)
    shells = []
    for kind, value in regions.items():
        if kind != LayerKind.HAIR:
            hidden |= value < -_HIDDEN_M
        if kind == LayerKind.SHOE:
            # The tip is a hull of its own.
            value = np.maximum(value, place[:, 2] - ankle[2] - 0.03)
        shells.append(_shell(figure, outfit, kind, value, folds))
    bare = figure.faces[~hidden[figure.faces].all(1)]
    naked = _Shell(_bind(figure), figure.canonical, figure.weight, bare, LayerKind.SKIN)
    return _joined([naked, *shells, *_shoes(figure)], figure, outfit)


def pose_avatar(avatar: Avatar, motion: Motion, body: Body) -> Float[ndarray, "frames vertices 3"]:
    """World places of an avatar's vertices in every frame of the motion, metres."""
    scale = None if motion.bone_scale is None else tensor_of(motion.bone_scale)
    with torch.no_grad():
        joints = body.rest_joints(tensor_of(motion.betas), scale)
        parents = torch.tensor((0, *JOINT_PARENTS[1:]))
        offsets = joints - joints[parents]
        chain = forward_kinematics(
            tensor_of(motion.global_orient),
            tensor_of(motion.body_pose),
            offsets,
            joints[0] + tensor_of(motion.transl),
        )
        transforms = chain.transforms.permute(3, 2, 0, 1)  # frames, joints, 3, 4
        skinning = transforms[..., :3] @ tensor_of(avatar.inverse_bind)[:, :3]
        skinning[..., 3] += transforms[..., 3]
        blended = torch.einsum("vj,fjk->fvk", tensor_of(avatar.weight), skinning.flatten(2))
        blended = blended.unflatten(2, (3, 4))
        bind = tensor_of(avatar.bind)
        places = torch.einsum("fvij,vj->fvi", blended[..., :3], bind) + blended[..., 3]
    return places.numpy()


def garment_regions(figure: Figure, outfit: Outfit) -> dict[LayerKind, Float[ndarray, "vertices"]]:
    """How far each vertex lies outside of each garment's rim, roughly in metres; inside < 0."""
    joints, place = figure.joints, figure.canonical
    x, y, z = np.abs(place[:, 0]), place[:, 1], place[:, 2]
    head = figure.weight[:, _HEAD]
    hip_y, knee_y, ankle_y = (joints[f"left_{n}"][1] for n in ("hip", "knee", "ankle"))
    waist_y = joints["spine1"][1]
    sleeve_x = _along(outfit.sleeve, [joints[f"left_{n}"][0] for n in _ARM])
    neck = joints["neck"]
    collar = y - (neck[1] - 0.012 - 0.22 * (z - neck[2])) - 1.5 * np.maximum(0, x - 0.075)
    hem_y = waist_y - outfit.top_hem * (waist_y - hip_y)
    top = np.maximum.reduce([collar, hem_y - y, x - sleeve_x, (head - 0.5) * 0.2])
    leg_y = _along(outfit.leg, [hip_y, knee_y, ankle_y])
    bottom = np.maximum(y - waist_y, leg_y - y)
    shoe = y - (ankle_y + outfit.shoe_height_m)
    return {
        LayerKind.BOTTOM: bottom,
        LayerKind.TOP: top,
        LayerKind.SHOE: shoe,
        LayerKind.HAIR: hair_region(figure, outfit),
    }


def hair_region(figure: Figure, outfit: Outfit) -> Float[ndarray, "vertices"]:
    """Likewise of the hair: the hairline falls from the forehead over the ears to the nape."""
    place, points = figure.canonical, figure.points
    eye_y, mouth_y = points["left_eye"][1], points["left_mouth"][1]
    ear = (points["left_ear"] + points["right_ear"]) / 2
    angle = np.degrees(np.arctan2(np.abs(place[:, 0]), place[:, 2] - ear[2] + 0.02))
    # Forehead, temple, in front of the ear, above it, behind it, nape.
    turn = (0, 35, 60, 75, 105, 118, 180)
    top, low = eye_y + 0.058, mouth_y + (0.0 if outfit.hair_style != "bob" else -0.03)
    side = eye_y + (0.012 if outfit.hair_style != "bob" else -0.05)
    line = np.interp(angle, turn, (top, top - 0.004, eye_y + 0.03, side, side, low, low - 0.01))
    away = (0.5 - figure.weight[:, _HEAD]) * 0.2
    return np.maximum.reduce([line - place[:, 1], away, _eyeballs(figure)])


def _eyeballs(figure: Figure) -> Float[ndarray, "vertices"]:
    """Positive at vertices that lie about the eyes (no hair there)."""
    near = [np.linalg.norm(figure.canonical - figure.points[f"{s}_eye"], axis=1) for s in _SIDES]
    return 0.03 - np.minimum(*near)


def _shell(
    figure: Figure,
    outfit: Outfit,
    kind: LayerKind,
    value: Float[ndarray, "vertices"],
    folds: Float[ndarray, "vertices"],
) -> _Shell:
    bind = _bind(figure)
    normal = vertex_normals(bind, figure.faces)
    off = _thickness(figure, outfit, kind, value)
    if kind in (LayerKind.TOP, LayerKind.BOTTOM):
        # Cloth lies on what faces up and hangs off the rest.
        off = off * (1 - 0.6 * np.clip(normal[:, 1], 0, 1))
        off = np.maximum(off + _FOLD_M * np.clip(folds, -1.5, 2), _LEAST_M)
    moved = bind + normal * off[:, None]
    if kind in (LayerKind.TOP, LayerKind.BOTTOM):
        moved = _draped(moved, normal, figure.faces, value)
    cut = cut_mesh(figure.faces, value.astype(np.float64))
    return _Shell(
        cut.carry(moved), cut.carry(figure.canonical), cut.carry(figure.weight), cut.faces, kind
    )


def _thickness(
    figure: Figure, outfit: Outfit, kind: LayerKind, value: Float[ndarray, "vertices"]
) -> Float[ndarray, "vertices"]:
    """How far a layer lies off the skin, metres."""
    at_rim = np.exp(np.minimum(0, value) / 0.06)
    if kind == LayerKind.TOP:
        under = outfit.bottom.offset_m
        waist = figure.joints["spine1"][1]
        below = np.clip((0.1 + waist - figure.canonical[:, 1]) / 0.12, 0, 1)
        own = outfit.top.offset_m + outfit.top.flare_m * at_rim
        return np.maximum(own, (under + 0.005) * below)
    if kind == LayerKind.BOTTOM:
        leg = figure.canonical[:, 1] < figure.joints["left_hip"][1] - 0.05
        return outfit.bottom.offset_m + outfit.bottom.flare_m * at_rim * leg
    if kind == LayerKind.SHOE:
        sole = figure.canonical[:, 1].min()
        # Thin below, so that feet stay on the ground; shoes are longer than feet.
        height = np.clip((figure.canonical[:, 1] - sole - 0.01) / 0.02, 0.3, 1)
        return _SHOE_M * height
    deep = np.clip(-value / 0.03, 0, 1)
    return outfit.hair_m * deep + 0.002


def _draped(
    moved: Float[ndarray, "vertices 3"],
    normal: Float[ndarray, "vertices 3"],
    faces: Int[ndarray, "faces 3"],
    value: Float[ndarray, "vertices"],
) -> Float[ndarray, "vertices 3"]:
    """Cloth bridges hollows: smoothed where that takes it farther off the skin, never nearer."""
    smooth = _smoothed(moved, faces, _DRAPE_ROUNDS)
    gain = np.einsum("vx,vx->v", smooth - moved, normal).clip(0, 0.03)
    inner = np.clip(-value / 0.05, 0, 1)
    return moved + normal * (gain * inner)[:, None]


def _shoes(figure: Figure) -> list[_Shell]:
    """A shoe round each foot: the hull of its points (a shell would show the toes)."""
    ankle = figure.joints["left_ankle"]
    low = figure.canonical[:, 1] < ankle[1] + 0.01
    bind = _bind(figure)
    shoes = []
    for side in (1, -1):
        foot = np.flatnonzero(low & (side * figure.canonical[:, 0] > 0))
        hull = ConvexHull(figure.canonical[foot].astype(float))
        corners = figure.canonical[foot][hull.simplices]
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        inward = np.einsum("fx,fx->f", normal, hull.equations[:, :3]) < 0
        simplices = np.where(inward[:, None], hull.simplices[:, ::-1], hull.simplices)
        used, faces = np.unique(simplices, return_inverse=True)
        faces, used = faces.reshape(-1, 3), foot[used]
        out = vertex_normals(bind[used], faces).astype(float)
        # Thin below, so that feet stay on the ground.
        out[:, 1] = np.maximum(out[:, 1], -0.3)
        shoes.append(
            _Shell(
                bind[used] + _SHOE_M * out,
                figure.canonical[used],
                figure.weight[used],
                faces,
                LayerKind.SHOE,
            )
        )
    return shoes


def _smoothed(
    places: Float[ndarray, "vertices 3"], faces: Int[ndarray, "faces 3"], rounds: int
) -> Float[ndarray, "vertices 3"]:
    """Every vertex in the middle of its neighbours, so many times."""
    edges = np.concatenate((faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]))
    edges = np.concatenate((edges, edges[:, ::-1]))
    degree = np.bincount(edges[:, 0], minlength=len(places)).clip(1)[:, None]
    for _ in range(rounds):
        summed = [
            np.bincount(edges[:, 0], places[edges[:, 1], k], minlength=len(places))
            for k in range(3)
        ]
        places = np.stack(summed, axis=1) / degree
    return places


def _joined(shells: list[_Shell], figure: Figure, outfit: Outfit) -> Avatar:
    first = np.cumsum([0, *(len(s.bind) for s in shells[:-1])])
    return Avatar(
        bind=np.concatenate([s.bind for s in shells]).astype(np.float32),
        canonical=np.concatenate([s.canonical for s in shells]).astype(np.float32),
        weight=np.concatenate([s.weight for s in shells]).astype(np.float32),
        faces=np.concatenate([s.faces + at for s, at in zip(shells, first, strict=True)]),
        layer=np.concatenate([np.full(len(s.faces), int(s.kind)) for s in shells]),
        inverse_bind=figure.skin.inverse_bind.numpy(),
        outfit=outfit,
        figure=figure,
    )


def _bind(figure: Figure) -> Float[ndarray, "vertices 3"]:
    return figure.skin.bind_vertices.numpy().astype(np.float64)


def _along(share: float, stops: Sequence[np.floating]) -> float:
    """The place ``share`` bones down a limb whose joints lie at ``stops``."""
    slope_before = stops[1] - stops[0]
    if share < 0:
        return float(stops[0] + share * slope_before)
    return float(np.interp(share, np.arange(len(stops)), stops))
