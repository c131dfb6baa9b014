"""Made takes: the same for a seed, true to the camera, mirrored with their truth."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from motionfield.body.base import Body
from motionfield.body.registry import load_body
from motionfield.core.conventions import NUM_JOINTS
from motionfield.data.motion import Motion
from motionfield.geometry.rotations import rot6d_to_rotmat
from motionfield.steps.lift.meva.network import project_weak
from motionfield.training.meva_data import Example, TakeMaker, TakeMix, resized, stretch
from motionfield.training.motion_data import TrainingClip
from motionfield.worlds.detector_error import DetectorErrorConfig
from steps.lift.made_worlds import walk

EXACT = DetectorErrorConfig(noise=0, bias=0, volatility=0, lost=0, swaps=0, coarse=0)
PLAIN = TakeMix(other_upper=0, bent=0, wrong_focal=0, fewer_points=0, half_body=0, gap=0)


@pytest.fixture(scope="module")
def body() -> Body:
    return load_body("anny")


@pytest.fixture(scope="module")
def clips(body: Body) -> list[TrainingClip]:
    motions = [walk(body, frames, 30.0, heading) for frames, heading in ((120, 0.0), (200, 2.0))]
    return [
        TrainingClip("made", f"person {index}", motion.replace(contacts=_contacts(motion)))
        for index, motion in enumerate(motions)
    ]


def _contacts(motion: Motion) -> np.ndarray:
    left = (np.sin(5 * motion.time_s) > 0).astype(np.float32)
    return np.stack((left, 1 - left), axis=-1)


def _make(clips: list[TrainingClip], body: Body, mix: TakeMix, count: int = 4) -> list[Example]:
    maker = TakeMaker(clips, body, 7, mix)
    return [maker.make(number) for number in range(count)]


def test_a_take_depends_on_seed_and_number_alone(clips: list[TrainingClip], body: Body) -> None:
    first, again = (TakeMaker(clips, body, 7) for _ in range(2))
    again.make(3)
    for one, two in zip(first.make(5), again.make(5), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    other = TakeMaker(clips, body, 8).make(5)
    ours = first.make(5)
    assert ours.features.points.shape != other.features.points.shape or not torch.equal(
        ours.features.points, other.features.points
    )


def test_truth_projects_onto_what_an_exact_detector_sees(
    clips: list[TrainingClip], body: Body
) -> None:
    for take in _make(clips, body, replace(PLAIN, detector=EXACT)):
        features, truth = take
        seen = project_weak(truth.points[:, NUM_JOINTS:], truth.camera, features.size)
        off = (seen - features.points[..., :2]).abs()[features.points[..., 2] > 0]
        assert off.max() < 2e-3
        # Coarse 3D without error is the truth from the middle of the hips, but for the small angle
        # between the mean ray, which it is given along, and the crop's middle.
        hips = truth.points[:, [NUM_JOINTS + 23, NUM_JOINTS + 24]].mean(1, keepdim=True)
        deep = truth.points[:, NUM_JOINTS:] - hips - features.coarse
        assert deep.abs().max() < 0.09


def test_truth_of_the_mirrored_take_projects_onto_mirrored_points(
    clips: list[TrainingClip], body: Body
) -> None:
    take = _make(clips, body, replace(PLAIN, detector=EXACT))[0]
    features, truth = take.features.mirrored(), take.truth.mirrored()
    seen = project_weak(truth.points[:, NUM_JOINTS:], truth.camera, features.size)
    assert (seen - features.points[..., :2]).abs()[features.points[..., 2] > 0].max() < 2e-3
    # Its rotations drive the body to its points.
    root, pose = rot6d_to_rotmat(truth.root), rot6d_to_rotmat(truth.body_pose)
    nowhere = torch.zeros(len(root), 3)
    joints = body.pose(root, pose, nowhere, truth.betas).joints
    off = joints - joints[:, :1] - truth.points[:, :NUM_JOINTS]
    assert off.abs().max() < 2e-3


def test_rotations_and_points_of_the_truth_agree(clips: list[TrainingClip], body: Body) -> None:
    for take in _make(clips, body, TakeMix()):
        truth = take.truth
        root, pose = rot6d_to_rotmat(truth.root), rot6d_to_rotmat(truth.body_pose)
        joints = body.pose(root, pose, torch.zeros(len(root), 3), truth.betas).joints
        off = joints - joints[:, :1] - truth.points[:, :NUM_JOINTS]
        assert off.abs().max() < 1e-3
        assert torch.allclose(truth.up.norm(dim=-1), torch.ones(len(root)), atol=1e-4)
        assert all(torch.isfinite(value).all() for value in (*truth, take.features.inputs))


def test_twice_as_fast_is_half_as_long(clips: list[TrainingClip]) -> None:
    rng = np.random.default_rng(0)
    motion = clips[0].motion
    fast = stretch(motion, 2.0, 1000, rng)
    assert fast.num_frames == motion.num_frames // 2
    # It starts within the first frame or two, at random.
    way = np.linalg.norm(fast.transl[30] - fast.transl[10])
    assert way == pytest.approx(np.linalg.norm(motion.transl[60] - motion.transl[20]), rel=0.05)
    assert stretch(motion, 1.0, 50, rng).num_frames == 50


def test_resized_keeps_the_pose_and_scales_the_way(clips: list[TrainingClip], body: Body) -> None:
    motion = clips[0].motion
    betas = np.zeros(body.num_betas, np.float32)
    assert np.allclose(resized(motion, betas, body).transl, motion.transl, atol=1e-5)
    betas[0] = 2.0
    tall = resized(motion, betas, body)
    way = np.linalg.norm(np.ptp(tall.transl, axis=0)) / np.linalg.norm(
        np.ptp(motion.transl, axis=0)
    )
    assert 1.02 < way < 1.3
    assert np.array_equal(tall.body_pose, motion.body_pose)
