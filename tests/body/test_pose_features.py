"""Likeness of poses: facing does not matter, sides do."""

import torch

from motionfield.body.pose_features import PoseFeatures, pose_distances, pose_features
from motionfield.body.registry import load_body
from motionfield.data import Motion
from motionfield.geometry.rotations import axis_rotation
from motionfield.worlds.mirror import mirror_motion
from steps.fit.made_take import disturb, make_motion

BODY = load_body("toy")


def wild() -> Motion:
    return disturb(make_motion(12), angle=0.5)


def turned(motion: Motion, angle: float) -> Motion:
    turn = axis_rotation("z", torch.tensor(angle))
    orient = turn @ torch.tensor(motion.global_orient)
    return motion.replace(global_orient=orient.numpy(), transl=motion.transl + 3)


def test_facing_place_and_shape_do_not_matter() -> None:
    motion = wild()
    other = turned(motion, 2.0).replace(betas=motion.betas + 1)
    far = pose_features(motion, BODY).distance_to(pose_features(other, BODY))
    assert far.max() < 1e-5


def test_tilt_matters() -> None:
    motion = wild()
    tilt = axis_rotation("x", torch.tensor(0.5)) @ torch.tensor(motion.global_orient)
    other = motion.replace(global_orient=tilt.numpy())
    assert pose_features(motion, BODY).distance_to(pose_features(other, BODY)).min() > 0.05


def test_best_turn_is_best() -> None:
    a, b = pose_features(wild(), BODY), pose_features(make_motion(12), BODY)
    best = a.distance_to(b)
    for angle in torch.linspace(0, 2 * torch.pi, 90):
        flat = a.flat * torch.polar(torch.tensor(1.0), angle)
        square = (flat - b.flat).abs().square() + (a.height - b.height).square()
        assert (square.mean(-1).sqrt() >= best - 1e-6).all()


def test_table_is_the_distances() -> None:
    a, b = pose_features(wild(), BODY), pose_features(make_motion(9), BODY)
    table = pose_distances(a, b)
    for i in range(12):
        row = PoseFeatures(a.flat[i : i + 1].expand(9, -1), a.height[i : i + 1].expand(9, -1))
        torch.testing.assert_close(table[i], row.distance_to(b), atol=1e-4, rtol=1e-4)


def test_mirrored_features_are_the_mirrored_motions() -> None:
    motion = wild()
    mirrored = pose_features(motion, BODY).mirrored()
    assert mirrored.distance_to(pose_features(mirror_motion(motion), BODY)).max() < 1e-5
    assert mirrored.distance_to(pose_features(motion, BODY)).max() > 0.02
    torch.testing.assert_close(mirrored.mirrored(), pose_features(motion, BODY))
