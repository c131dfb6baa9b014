"""Left for right: found, mirrored exactly, and back."""

import numpy as np
import pytest
import torch

from motionfield.body.registry import load_body
from motionfield.core.arrays import tensor_of
from motionfield.core.keypoint_sets import KEYPOINT_SETS
from motionfield.data import CameraPath, Motion, Record
from motionfield.geometry.cameras import project, world_to_camera
from motionfield.steps.fit.base import FitResult
from motionfield.steps.fit.group import GroupTake
from motionfield.steps.fit.nemo.handed import mirror_result, mirror_take, mirrored_takes
from motionfield.worlds.mirror import mirror_motion
from steps.fit.made_take import disturb, make_camera, make_motion, make_take, points_of, see
from steps.fit.nemo.made_action import throw

BODY = load_body("toy")
EVEN = np.linspace(0, 1, 45)


def throws(count: int) -> list[Motion]:
    return [throw(EVEN, heading=0.5 * k, noise=0.05, seed=k) for k in range(count)]


@pytest.mark.parametrize("others", [(), (1,), (0, 3), (4,)])
def test_the_other_hand_is_found(others: tuple[int, ...]) -> None:
    motions = throws(5)
    for take in others:
        motions[take] = mirror_motion(motions[take])
    found = mirrored_takes(motions, BODY)
    assert found.mirrored.tolist() == [take in others for take in range(5)]
    assert ((found.nearer > 1) == found.mirrored).all()


def test_most_are_usual() -> None:
    motions = [mirror_motion(m) for m in throws(3)] + throws(1)
    assert mirrored_takes(motions, BODY).mirrored.tolist() == [False, False, False, True]


def test_of_two_the_first_is_usual() -> None:
    first, second = throws(2)
    assert mirrored_takes([first, mirror_motion(second)], BODY).mirrored.tolist() == [False, True]
    assert mirrored_takes([mirror_motion(first), second], BODY).mirrored.tolist() == [False, True]


def test_symmetric_actions_have_no_other_hand() -> None:
    motions = [disturb(squat(), angle=0.1, seed=k) for k in range(4)]
    motions[2] = mirror_motion(motions[2])
    assert not mirrored_takes(motions, BODY).mirrored.any()


def squat() -> Motion:
    """The made squat without the waving, which has sides."""
    motion = make_motion(45)
    pose = motion.body_pose.copy()
    pose[:, 15:] = np.eye(3, dtype=np.float32)
    return motion.replace(body_pose=pose)


def skewed(camera: CameraPath) -> CameraPath:
    """Off centre, turned and with a lens that bends."""
    K = camera.K.copy()
    K[:, 0, 2] += 70
    turn = np.array([[0.96, -0.28, 0], [0.28, 0.96, 0], [0, 0, 1]], np.float32)
    return camera.replace(
        K=K,
        R_camera_world=turn @ camera.R_camera_world,
        distortion=np.array([0.1, -0.05, 0.01, 0.02, 0.01], np.float32),
    )


def pixels(motion: Motion, camera: CameraPath) -> torch.Tensor:
    R, t = tensor_of(camera.R_camera_world), tensor_of(camera.t_camera_world)
    in_camera = world_to_camera(points_of(motion), R, t)
    return project(in_camera, tensor_of(camera.K), tensor_of(camera.distortion))


def test_projections_are_mirrored() -> None:
    motion, camera = disturb(make_motion(10)), skewed(make_camera(10))
    keypoints = see(motion, camera)
    seen = torch.cat((pixels(motion, camera), torch.ones(10, 33, 1)), -1)
    keypoints = keypoints.replace(keypoints_2d=seen.numpy())
    image = mirror_take(GroupTake("a", keypoints, camera, motion))
    found = pixels(image.initial, image.camera)
    torch.testing.assert_close(
        found, torch.tensor(image.keypoints.keypoints_2d[..., :2]), atol=0.02, rtol=0
    )
    names = KEYPOINT_SETS["blazepose33"].keypoint_names
    left, right = names.index("left_wrist"), names.index("right_wrist")
    width = keypoints.image_width
    np.testing.assert_allclose(
        image.keypoints.keypoints_2d[:, left, 0], width - seen[:, right, 0].numpy(), rtol=1e-6
    )


def test_coarse_3d_is_mirrored() -> None:
    """It is what the mirrored camera sees of the mirrored motion."""
    take = make_take(8)
    image = mirror_take(GroupTake("a", take.keypoints, take.camera, take.truth))
    found = see(image.initial, image.camera).coarse_camera
    assert found is not None
    assert image.keypoints.coarse_camera is not None
    np.testing.assert_allclose(image.keypoints.coarse_camera, found, atol=1e-5)


def same(a: Record, b: Record) -> None:
    for name, value in vars(a).items():
        if isinstance(value, np.ndarray):
            np.testing.assert_allclose(getattr(b, name), value, atol=2e-5, err_msg=name)


def test_twice_is_the_identity() -> None:
    take = make_take(8)
    keypoints = take.keypoints.replace(bbox_xyxy=np.tile([10.0, 20.0, 110.0, 220.0], (8, 1)))
    whole = GroupTake("a", keypoints, skewed(take.camera), disturb(take.truth))
    again = mirror_take(mirror_take(whole))
    for a, b in zip(whole[1:], again[1:], strict=True):
        same(a, b)
    result = FitResult(whole.initial, whole.camera)
    for a, b in zip(result, mirror_result(mirror_result(result)), strict=True):
        same(a, b)
