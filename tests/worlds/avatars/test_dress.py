"""Dressing: the skin is the body's own, clothes lie outside of it, seams stay where they are."""

import numpy as np
import pytest
import torch
from numpy import ndarray

from motionfield.body.registry import load_body
from motionfield.rendering.ray_casting import vertex_normals
from motionfield.worlds.avatars.dress import Avatar, LayerKind, dress, pose_avatar
from motionfield.worlds.avatars.outfit import draw_outfit
from worlds.avatars.stages import bent_motion

_SEEDS = (0, 3, 7)


def _avatar(seed: int, betas: float = 0.0) -> Avatar:
    rng = np.random.default_rng(seed)
    return dress(load_body(), bent_motion(betas=betas), draw_outfit(rng), rng)


def _off_skin(avatar: Avatar, kind: LayerKind) -> tuple[ndarray, ndarray]:
    """How far a layer's uncut vertices lie off the skin along its normal; and which they are."""
    figure = avatar.figure
    skin = figure.skin.bind_vertices.numpy()
    normal = vertex_normals(skin, figure.faces)
    known = {tuple(place): at for at, place in enumerate(figure.canonical)}
    mine = np.unique(avatar.faces[avatar.layer == kind])
    pairs = [(v, known[key]) for v in mine if (key := tuple(avatar.canonical[v])) in known]
    outer, inner = np.array(pairs).T
    return np.einsum("vx,vx->v", avatar.bind[outer] - skin[inner], normal[inner]), inner


def test_skin_moves_as_the_body() -> None:
    """All vertices of the naked figure, against the body's own skinning."""
    body, motion = load_body(), bent_motion(betas=0.7)
    avatar = _avatar(0, betas=0.7)
    figure = avatar.figure
    naked = avatar._replace(
        bind=figure.skin.bind_vertices.numpy(), canonical=figure.canonical, weight=figure.weight
    )
    pose = (motion.global_orient, motion.body_pose, motion.transl, motion.betas)
    expected = body.vertices(*(torch.tensor(np.array(part)) for part in pose)).numpy()
    assert np.abs(pose_avatar(naked, motion, body) - expected).max() < 1e-4


@pytest.mark.parametrize("seed", _SEEDS)
@pytest.mark.parametrize("kind", [LayerKind.TOP, LayerKind.BOTTOM])
def test_cloth_lies_outside_of_the_skin(seed: int, kind: LayerKind) -> None:
    off, _ = _off_skin(_avatar(seed), kind)
    assert len(off) > 200
    assert off.min() > 0.0025
    assert off.max() < 0.08


@pytest.mark.parametrize("seed", _SEEDS)
def test_shirt_hangs_over_trousers(seed: int) -> None:
    avatar = _avatar(seed)
    top, bottom = (dict(zip(*_off_skin(avatar, k)[::-1], strict=True)) for k in (1, 2))
    both = top.keys() & bottom.keys()
    assert len(both) > 50
    assert min(top[v] - bottom[v] for v in both) > 0.0005


def test_hair_and_shoes_lie_outside_of_the_skin() -> None:
    avatar = _avatar(3)
    for kind in (LayerKind.HAIR, LayerKind.SHOE):
        off, _ = _off_skin(avatar, kind)
        assert off.min() > -1e-6


def test_feet_stay_on_the_ground() -> None:
    """Shoes add only millimetres below the soles."""
    avatar = _avatar(0)
    shoes = avatar.bind[np.unique(avatar.faces[avatar.layer == LayerKind.SHOE])]
    assert avatar.figure.skin.bind_vertices[:, 1].min() - shoes[:, 1].min() < 0.005


def test_seams_do_not_move_with_the_shape() -> None:
    """The same clothes on another body have the same triangles and the same places."""
    slim, stout = _avatar(5, -1.5), _avatar(5, 1.5)
    assert (slim.faces == stout.faces).all()
    assert (slim.canonical == stout.canonical).all()
    assert np.abs(slim.bind - stout.bind).max() > 0.02
