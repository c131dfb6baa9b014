"""What the network reads: independent of place and lens, mirrored right, finite whatever comes."""

import numpy as np
import pytest
import torch

from motionfield.steps.lift.meva.features import INPUTS, CropFeatures, keypoint_features
from steps.lift.made_worlds import FOCAL, SIZE, World, make_world


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(frames=60)


def _features(world: World, **changes: np.ndarray) -> CropFeatures:
    camera, keypoints = world.camera, world.keypoints
    given = {
        "keypoints_2d": keypoints.keypoints_2d,
        "coarse_camera": keypoints.coarse_camera,
        "K": camera.K,
        "distortion": camera.distortion,
        "R_camera_world": camera.R_camera_world,
    }
    return keypoint_features(**(given | changes))


def test_points_lie_in_a_box_of_unit_size_round_the_middle(world: World) -> None:
    xy = _features(world).points[..., :2]
    side = (xy.amax(1) - xy.amin(1)).amax(-1)
    assert side.min() > 0.8
    assert side.max() < 1.25
    assert ((xy.amax(1) + xy.amin(1)) / 2).abs().max() < 0.15


def test_another_lens_on_the_same_rays_gives_the_same_features(world: World) -> None:
    keypoints = world.keypoints.keypoints_2d.copy()
    lens = world.camera.K.copy()
    middle = lens[:, None, :2, 2]
    keypoints[..., :2] = (keypoints[..., :2] - middle) * 1.5 + middle
    lens[:, :2, :2] *= 1.5
    # Distortion acts on the plane z = 1, so it stays what it was.
    same = _features(world, keypoints_2d=keypoints, K=lens)
    assert torch.allclose(same.inputs, _features(world).inputs, atol=2e-3)


def test_twice_mirrored_is_unchanged_and_once_is_not(world: World) -> None:
    features = _features(world)
    for before, after in zip(features, features.mirrored().mirrored(), strict=True):
        assert torch.equal(before, after)
    assert not torch.allclose(features.inputs, features.mirrored().inputs, atol=0.05)


def test_mirrored_picture_gives_mirrored_features(world: World) -> None:
    features = _features(world, distortion=np.zeros(5, np.float32))
    keypoints = world.keypoints.keypoints_2d.copy()
    centre = world.camera.K[:, None, 0, 2]
    keypoints[..., 0] = 2 * centre - keypoints[..., 0]
    order = _mirror_order(world)
    keypoints = keypoints[:, order]
    coarse = world.keypoints.coarse_camera
    assert coarse is not None
    coarse = coarse[:, order] * np.array([-1, 1, 1], np.float32)
    seen = _features(
        world, keypoints_2d=keypoints, coarse_camera=coarse, distortion=np.zeros(5, np.float32)
    )
    for name in ("points", "coarse", "path", "size"):
        ours, theirs = getattr(seen, name), getattr(features.mirrored(), name)
        assert torch.allclose(ours, theirs, atol=2e-3), name


def _mirror_order(world: World) -> list[int]:
    names = world.keypoints.keypoint_names
    swap = {"left": "right", "right": "left"}
    return [
        names.index("_".join((swap.get(n.split("_")[0], n.split("_")[0]), *n.split("_")[1:])))
        for n in names
    ]


def test_turning_camera_is_told_as_its_velocity(world: World) -> None:
    frames = world.keypoints.num_frames
    angle = 0.5 * np.arange(frames) / 30
    cos, sin, zero, one = np.cos(angle), np.sin(angle), 0 * angle, 1 + 0 * angle
    # A camera that turns about its y axis with 0.5 rad/s: p_world = turn @ p_camera.
    turn = np.stack((cos, zero, sin, zero, one, zero, -sin, zero, cos), -1).reshape(-1, 3, 3)
    features = _features(world, R_camera_world=turn.transpose(0, 2, 1).astype(np.float32))
    in_camera = (features.R_camera_crop @ features.turning.unsqueeze(-1))[..., 0]
    assert torch.allclose(in_camera, torch.tensor([0.0, 0.5, 0.0]).expand(frames, 3), atol=1e-3)


def test_gaps_and_nothing_at_all_give_finite_numbers(world: World) -> None:
    keypoints = world.keypoints.keypoints_2d.copy()
    keypoints[10:30] = np.nan
    features = _features(world, keypoints_2d=keypoints)
    assert torch.isfinite(features.inputs).all()
    assert features.inputs.shape[-1] == INPUTS
    assert features.seen[10:30].sum() == 0
    assert features.seen[30:].min() == 1
    # The crop goes on in a straight line where nobody is seen.
    assert features.path[10:30].diff(dim=0).abs().max() < 0.05
    nothing = _features(world, keypoints_2d=np.full_like(keypoints, np.nan), coarse_camera=None)
    assert torch.isfinite(nothing.inputs).all()
    assert nothing.seen.sum() == 0


def test_points_without_confidence_are_not_shown(world: World) -> None:
    keypoints = world.keypoints.keypoints_2d.copy()
    keypoints[:, 15] = [SIZE[0], FOCAL, 0.0]
    features = _features(world, keypoints_2d=keypoints)
    assert features.points[:, 15].abs().max() == 0
