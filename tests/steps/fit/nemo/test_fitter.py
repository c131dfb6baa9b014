"""The joint fit: what it gives, what it is better by, and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest
import roma
import torch

from motionfield.core.arrays import tensor_of
from motionfield.core.errors import OptionError
from motionfield.data.motion import Motion
from motionfield.geometry.alignment import align_points
from motionfield.geometry.cameras import project, world_to_camera
from motionfield.steps.fit.group import GroupResult, GroupTake
from motionfield.steps.fit.nemo.config import NemoConfig
from motionfield.steps.fit.nemo.fitter import NemoFitter
from motionfield.steps.fit.nemo.handed import mirror_take
from motionfield.steps.fit.nemo.start import Frames, common_world
from motionfield.steps.fit.sequence import SequenceFitConfig, SequenceFitter
from motionfield.steps.fit.terms import FitWeights
from motionfield.worlds.mirror import mirror_motion
from steps.fit.nemo.made_group import MadeGroup, made_group

# The made action is faster than people are: smoothness would slow it down.
WEIGHTS = FitWeights(acceleration=0.0)
QUICK = NemoConfig(steps=(40, 40, 60), sigmoids=20, field_rate=0.02, own_rate=0.02, weights=WEIGHTS)


@pytest.fixture(scope="module")
def group() -> MadeGroup:
    """Takes whose first 3D errs all the time, each take's in its own way."""
    made = made_group((32, 40, 28), off_rad=0.0)
    generator = torch.Generator().manual_seed(1)
    takes = []
    for take in made.takes:
        off = roma.rotvec_to_rotmat(0.07 * torch.randn(23, 3, generator=generator)).numpy()
        takes.append(
            take._replace(initial=take.initial.replace(body_pose=take.initial.body_pose @ off))
        )
    return made._replace(takes=takes)


@pytest.fixture(scope="module")
def result(group: MadeGroup) -> GroupResult:
    return NemoFitter(QUICK, group.body, None).fit(group.takes)


def joints(motion: Motion, group: MadeGroup) -> torch.Tensor:
    arrays = (motion.global_orient, motion.body_pose, motion.transl, motion.betas)
    return group.body.pose(*(tensor_of(array) for array in arrays)).joints


def off_mm(motion: Motion, truth: Motion, group: MadeGroup) -> float:
    """Mean joint error after one rigid motion of the clip."""
    ours, theirs = joints(motion, group).flatten(0, 1), joints(truth, group).flatten(0, 1)
    moved = align_points(ours[None], theirs[None], with_scale=False).apply(ours[None])[0]
    return float(1000 * (moved - theirs).norm(dim=-1).mean())


def test_every_take_keeps_its_frames_and_the_phases_are_its_warp(
    group: MadeGroup, result: GroupResult
) -> None:
    assert len(result.takes) == len(group.takes)
    for index, (fitted, take) in enumerate(zip(result.takes, group.takes, strict=True)):
        assert np.array_equal(fitted.motion.time_s, take.initial.time_s)
        phase = result.action.phase[result.action.frames_of(index)]
        # Where the action has come equally far, every take has the same phase.
        true = np.interp(np.linspace(0.1, 0.9, 9), group.phases[index], phase)
        first = np.interp(
            np.linspace(0.1, 0.9, 9),
            group.phases[0],
            result.action.phase[result.action.frames_of(0)],
        )
        assert np.abs(true - first).max() < 1.5 / len(group.takes[2].initial.time_s)


def test_takes_tell_of_each_other(group: MadeGroup, result: GroupResult) -> None:
    """Better than the first 3D, and than each take fitted by itself."""
    alone = SequenceFitter(
        SequenceFitConfig(iterations=140, learning_rate=0.04, acceleration=0.0), group.body, None
    )
    ours, theirs, first = [], [], []
    for fitted, take, truth in zip(result.takes, group.takes, group.truths, strict=True):
        ours.append(off_mm(fitted.motion, truth, group))
        first.append(off_mm(take.initial, truth, group))
        single = alone.fit(take.keypoints, take.camera, take.initial)
        theirs.append(off_mm(single.motion, truth, group))
    assert np.mean(ours) < 0.6 * np.mean(first)
    assert np.mean(ours) < 0.9 * np.mean(theirs)


def test_all_takes_live_in_one_world(group: MadeGroup, result: GroupResult) -> None:
    """Facing the same way at the same phase, and each camera sees its take where it was seen."""
    at_middle = []
    for index, (fitted, take) in enumerate(zip(result.takes, group.takes, strict=True)):
        phase = result.action.phase[result.action.frames_of(index)]
        at_middle.append(fitted.motion.global_orient[np.abs(phase - 0.5).argmin()])
        camera = fitted.camera
        seen = joints(fitted.motion, group).numpy() @ camera.R_camera_world[0].T
        seen = seen + camera.t_camera_world[0]
        pixels = (seen / seen[..., 2:]) @ camera.K[0].T
        names = list(take.keypoints.keypoint_names)
        knee = take.keypoints.keypoints_2d[:, names.index("left_knee"), :2]
        size = camera.K[0, 0, 0] / np.median(seen[..., 2])
        assert np.median(np.linalg.norm(pixels[:, 4, :2] - knee, axis=-1)) < 0.1 * size
    for turn in at_middle[1:]:
        angle = np.arccos(np.clip((np.trace(turn @ at_middle[0].T) - 1) / 2, -1, 1))
        assert np.degrees(angle) < 20


def test_the_canonical_motion_stands_at_the_origin_and_lasts_as_takes_do(
    group: MadeGroup, result: GroupResult
) -> None:
    canonical = result.canonical
    lengths = [np.ptp(take.initial.time_s) for take in group.takes]
    assert canonical.time_s[-1] == pytest.approx(np.median(lengths), abs=0.04)
    assert np.linalg.norm(joints(canonical, group)[0, 0, :2]) < 0.15
    assert result.action.duration_s == pytest.approx(np.median(lengths))


def test_the_same_seed_gives_the_same_motion(group: MadeGroup) -> None:
    config = replace(QUICK, steps=(3, 3, 3))
    one, two = (NemoFitter(config, group.body, None).fit(group.takes) for _ in range(2))
    assert np.array_equal(one.takes[1].motion.body_pose, two.takes[1].motion.body_pose)


def test_without_a_part_of_its_own_every_take_is_the_canonical_motion(group: MadeGroup) -> None:
    config = replace(QUICK, instance_specific=False, steps=(3, 3, 3))
    result = NemoFitter(config, group.body, None).fit(group.takes)
    for index, fitted in enumerate(result.takes):
        phase = result.action.phase[result.action.frames_of(index)]
        frames = len(result.canonical.time_s)
        near = np.round(phase * (frames - 1)).astype(int)
        off = fitted.motion.body_pose - result.canonical.body_pose[near]
        assert np.abs(off).mean() < 0.02


def test_one_shape_for_one_person(group: MadeGroup) -> None:
    config = replace(QUICK, steps=(3, 3, 3))
    several = NemoFitter(config, group.body, None).fit(group.takes)
    one = NemoFitter(replace(config, same_person=True), group.body, None).fit(group.takes)
    assert not np.allclose(several.takes[0].motion.betas, several.takes[1].motion.betas)
    assert np.array_equal(one.takes[0].motion.betas, one.takes[1].motion.betas)


def test_a_take_with_the_other_hand_is_told_or_mirrored(group: MadeGroup) -> None:
    other = mirror_take(group.takes[1])
    takes = [group.takes[0], other, group.takes[2]]
    config = replace(QUICK, steps=(4, 4, 4))
    told = NemoFitter(config, group.body, None).fit(takes)
    assert not told.action.mirrored.any()
    (warning,) = told.warnings
    assert other.name in warning
    assert "--mirrored" in warning
    plain = NemoFitter(config, group.body, None).fit(group.takes)
    fixed = NemoFitter(replace(config, mirrored=True), group.body, None).fit(takes)
    assert fixed.action.mirrored.tolist() == [False, True, False]
    assert not fixed.warnings
    expected = mirror_motion(plain.takes[1].motion)
    assert np.allclose(fixed.takes[1].motion.body_pose, expected.body_pose, atol=1e-3)


def test_views_of_the_same_instants_share_one_motion(group: MadeGroup) -> None:
    whole = made_group((16, 16, 16))
    config = replace(QUICK, synchronized=True)
    takes = [
        GroupTake(take.name, take.keypoints, take.camera, take.initial) for take in whole.takes
    ]
    result = NemoFitter(config, whole.body, None).fit(takes)
    first, second = (result.takes[k].motion for k in (0, 1))
    assert np.allclose(first.body_pose, second.body_pose, atol=1e-5)
    assert np.allclose(first.transl, second.transl, atol=1e-5)
    phase = result.action.phase[result.action.frames_of(1)]
    assert np.abs(phase - np.linspace(0, 1, 16)).max() < 1e-5


def test_turning_and_shifting_a_take_changes_nothing(group: MadeGroup) -> None:
    """The common world undoes what a take's world happens to be."""
    phases = [tensor_of(phase) for phase in group.phases]
    frames = Frames.of(group.truths, phases, group.body)
    worlds = common_world(frames, 3)
    there = (worlds.turn[frames.take] @ frames.joints.mT).mT + worlds.shift[frames.take][:, None]
    middles = [there[frames.take == k][len(phases[k]) // 4] for k in range(3)]
    quarter = [float(phases[k][len(phases[k]) // 4]) for k in range(3)]
    assert max(quarter) - min(quarter) < 0.3
    assert float((middles[0][:, 2] - middles[1][:, 2]).abs().max()) < 0.3
    # Up stays up.
    up = torch.tensor([0.0, 0.0, 1.0])
    assert torch.allclose(worlds.turn @ up, up.expand(3, 3), atol=1e-6)


def test_the_less_takes_differ_the_more_they_tell() -> None:
    config = NemoConfig()
    alike, unlike = config.alike(0.01), config.alike(0.05)
    assert alike.coupling > unlike.coupling
    assert alike.doubt < unlike.doubt == 1
    assert alike.std_factor < unlike.std_factor < 1
    assert replace(config, use_3d=False).alike(0.05).doubt == 0


def test_what_all_frames_have_of_their_own_is_the_cameras(group: MadeGroup) -> None:
    """Settling moves no point in any picture, and leaves a mean of nothing."""
    problem = NemoFitter(QUICK, group.body, None).problem(group.takes)
    generator = torch.Generator().manual_seed(0)

    def some(like: torch.Tensor) -> torch.Tensor:
        return 0.1 * torch.randn(like.shape, generator=generator)

    with torch.no_grad():
        problem.own_turn[:, 0] += some(problem.own_turn[:, 0]) + 0.1
        problem.own_place += some(problem.own_place) + 0.2
        problem.tilt += some(problem.tilt)
        problem.lift += some(problem.lift)

    def pixels() -> torch.Tensor:
        state = problem.detached()
        joints = group.body.pose(
            state.rotations[:, 0], state.rotations[:, 1:], state.transl, state.betas
        ).joints
        R, t, K = state.cameras
        return project(world_to_camera(joints, R, t), K)

    before = pixels()
    problem.settle()
    assert torch.allclose(pixels(), before, atol=0.01)
    for take in range(3):
        own = problem.frames_of(take)
        assert problem.own_place[own].mean(0).abs().max() < 1e-5


def test_one_take_and_different_bodies_are_refused(group: MadeGroup) -> None:
    fitter = NemoFitter(QUICK, group.body, None)
    with pytest.raises(OptionError, match="two or more"):
        fitter.fit(group.takes[:1])
    take = group.takes[1]
    other = take._replace(initial=take.initial.replace(body_model="other"))
    with pytest.raises(OptionError, match="different bodies"):
        fitter.fit([group.takes[0], other])
