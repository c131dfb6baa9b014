"""The sequence fit on made takes with exact truth."""

import numpy as np
import pytest
import torch

from motionfield.core.errors import OptionError
from motionfield.core.keypoint_sets import BLAZEPOSE_33, LIMB_JOINTS
from motionfield.data import Keypoints, Motion
from motionfield.geometry.rotations import axis_rotation
from motionfield.steps.fit import FitResult, SequenceFitConfig, SequenceFitter
from steps.fit.made_take import MadeTake, disturb, make_take, points_of, see

LIMBS = [BLAZEPOSE_33.index(name) for name in LIMB_JOINTS]


def fit(take: MadeTake, initial: Motion, keypoints: Keypoints | None = None) -> FitResult:
    fitter = SequenceFitter(SequenceFitConfig(), take.body, None)
    return fitter.fit(keypoints or take.keypoints, take.camera, initial)


def error_m(motion: Motion, truth: Motion) -> torch.Tensor:
    """Distance of the limb joints in the world, (frames, 12)."""
    return (points_of(motion) - points_of(truth))[:, LIMBS].norm(dim=-1)


@pytest.fixture(scope="module")
def take() -> MadeTake:
    return make_take()


@pytest.fixture(scope="module")
def fitted(take: MadeTake) -> FitResult:
    return fit(take, disturb(take.truth))


def test_a_disturbed_motion_is_brought_back(take: MadeTake, fitted: FitResult) -> None:
    before = error_m(disturb(take.truth), take.truth).mean()
    after = error_m(fitted.motion, take.truth)
    assert before > 0.1
    # Most of it is depth, which one view shows only by foreshortening and resting feet.
    assert after.mean() < 0.03
    # The camera looks along +Y: across the picture there is no excuse.
    off = (points_of(fitted.motion) - points_of(take.truth))[:, LIMBS].abs().mean((0, 1))
    assert off[[0, 2]].max() < 0.008
    assert after.quantile(0.95) < 0.06


def test_the_truth_is_nearly_left_where_it_is(take: MadeTake) -> None:
    """What smoothness, limits and priors cost where the start is right."""
    assert error_m(fit(take, take.truth).motion, take.truth).mean() < 0.015


def test_resting_feet_do_not_slide(fitted: FitResult) -> None:
    heels = points_of(fitted.motion)[:, [BLAZEPOSE_33.index("left_heel")]]
    assert heels.diff(dim=0)[..., :2].norm(dim=-1).mean() < 0.002
    assert fitted.motion.contacts is not None
    assert fitted.motion.contacts.mean() > 0.9


def test_the_same_input_gives_the_same_motion(take: MadeTake, fitted: FitResult) -> None:
    again = fit(take, disturb(take.truth)).motion
    np.testing.assert_array_equal(again.body_pose, fitted.motion.body_pose)
    np.testing.assert_array_equal(again.transl, fitted.motion.transl)


def test_a_given_height_is_kept(take: MadeTake) -> None:
    tall = take.truth.replace(betas=np.eye(1, len(take.truth.betas), dtype=np.float32)[0])
    kept = fit(take, tall).motion
    assert kept.betas[0] == 1.0
    free_camera = take.camera.replace(scale_source="assumed")
    free = fit(take._replace(camera=free_camera), tall).motion
    assert free.betas[0] != 1.0


def test_unseen_frames_are_carried_over_smoothly(take: MadeTake) -> None:
    points, coarse = (
        np.array(a) for a in (take.keypoints.keypoints_2d, take.keypoints.coarse_camera)
    )
    observed = np.array(take.keypoints.observed)
    observed[20:26] = False
    points[20:26], coarse[20:26] = np.nan, np.nan
    seen = take.keypoints.replace(keypoints_2d=points, coarse_camera=coarse, observed=observed)
    motion = fit(take, disturb(take.truth), seen).motion
    error = error_m(motion, take.truth)
    assert error[20:26].mean() < 0.06
    assert error[:18].mean() < 0.03


def test_an_outlier_does_not_drag_the_limb(take: MadeTake) -> None:
    points = np.array(take.keypoints.keypoints_2d)
    wrist = BLAZEPOSE_33.index("left_wrist")
    points[22, wrist, :2] += 300
    motion = fit(take, disturb(take.truth), take.keypoints.replace(keypoints_2d=points)).motion
    assert error_m(motion, take.truth)[22].max() < 0.08


def test_one_frame_is_fitted() -> None:
    single = make_take(frames=1)
    motion = fit(single, disturb(single.truth)).motion
    assert motion.num_frames == 1
    assert error_m(motion, single.truth).mean() < 0.1


def test_records_of_different_lengths_are_refused(take: MadeTake) -> None:
    longer = make_take(frames=50)
    with pytest.raises(OptionError, match="45 frames of keypoints, 50 of camera"):
        fit(take._replace(camera=longer.camera), take.truth)


def test_unknown_keypoints_are_refused(take: MadeTake) -> None:
    names = tuple(f"marker_{i}" for i in range(33))
    with pytest.raises(OptionError, match="no known set"):
        fit(take, take.truth, take.keypoints.replace(keypoint_names=names))


def test_turning_the_world_turns_the_result(take: MadeTake, fitted: FitResult) -> None:
    """A world turned about the vertical and shifted, camera and start alike, changes nothing."""
    angle = torch.tensor(1.1)
    R = np.array(
        [[angle.cos(), -angle.sin(), 0], [angle.sin(), angle.cos(), 0], [0, 0, 1]], np.float32
    )
    t = np.array([3.0, -2.0, 0.0], np.float32)
    start = disturb(take.truth)
    rest = take.body.rest_joints(torch.tensor(start.betas))[0].numpy()
    turned_start = start.replace(
        global_orient=R @ start.global_orient, transl=(start.transl + rest) @ R.T + t - rest
    )
    turned = fit(take._replace(camera=take.camera.moved(R, t)), turned_start)
    expected = points_of(fitted.motion) @ torch.tensor(R).T + torch.tensor(t)
    # Adam works on each coordinate for itself, so the two paths differ a little.
    assert (points_of(turned.motion) - expected).norm(dim=-1).mean() < 0.02


def test_who_stands_on_another_level_is_left_there(take: MadeTake) -> None:
    """Two metres below the ground: the pictures decide, not the floor."""
    down = np.array([0, 0, -2.0], np.float32)
    truth = take.truth.replace(transl=take.truth.transl + down)
    camera = take.camera.moved(np.eye(3, dtype=np.float32), down)
    motion = fit(take._replace(camera=camera), disturb(truth)).motion
    assert error_m(motion, truth).mean() < 0.05


def test_feet_rest_before_a_camera_that_walks(take: MadeTake) -> None:
    """The same take from a moving camera: contact is judged in the world."""
    frames = take.truth.num_frames
    t = torch.arange(frames) / 30
    turn = axis_rotation("y", -0.2 * t) @ torch.tensor(take.camera.R_camera_world[0])
    place = torch.stack((1.2 * (t - 0.75), -4 + 0 * t, 1.2 + 0.02 * torch.sin(15 * t)), -1)
    camera = take.camera.replace(
        R_camera_world=turn.numpy(),
        t_camera_world=-(turn @ place.unsqueeze(-1))[..., 0].numpy(),
        moving=True,
    )
    seen = see(take.truth, camera)
    fitted = SequenceFitter(SequenceFitConfig(), take.body, None).fit(
        seen, camera, disturb(take.truth)
    )
    assert fitted.motion.contacts is not None
    assert fitted.motion.contacts.mean() > 0.9
    # The made coarse 3D is not turned to the viewing ray, which here leaves the picture's middle.
    assert error_m(fitted.motion, take.truth).mean() < 0.04
    still = SequenceFitter(SequenceFitConfig(iterations=1), take.body, None).fit(
        seen, camera.replace(moving=False), take.truth
    )
    assert still.motion.contacts is not None
    assert still.motion.contacts.mean() < 0.5


def test_a_start_that_states_its_doubts_is_followed_where_the_picture_is_mute(
    take: MadeTake,
) -> None:
    """An arm that is not seen stays where a sure start has it, and moves where it is not sure."""
    hidden = take.keypoints.keypoints_2d.copy()
    arm = [
        BLAZEPOSE_33.index(f"left_{part}") for part in ("elbow", "wrist", "pinky", "index", "thumb")
    ]
    hidden[:, arm] = np.nan
    keypoints = take.keypoints.replace(keypoints_2d=hidden, coarse_camera=None)
    path = np.full((take.truth.num_frames, 24, 3), 0.02, np.float32)

    def wrist_error(own: float) -> float:
        std = np.sqrt(path**2 + own**2)
        std[:, 0] = path[:, 0]
        start = take.truth.replace(joints_std=std)
        result = SequenceFitter(SequenceFitConfig(start=1.0, joint_speed=0.5), take.body, None).fit(
            keypoints, take.camera, start
        )
        points = points_of(result.motion) - points_of(take.truth)
        return float(points[:, BLAZEPOSE_33.index("left_wrist")].norm(dim=-1).mean())

    assert wrist_error(0.01) < 0.7 * wrist_error(1.0)
