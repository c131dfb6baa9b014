"""The baselines on small made cases."""

from collections.abc import Sequence

import numpy as np
import pytest

from motionfield.benchmarks.open.case import Given, Tools
from motionfield.benchmarks.open.methods import (
    METHODS,
    SYNCHRONIZED_ONLY,
    TOGETHER_ONLY,
    first_motion,
    together,
)
from motionfield.benchmarks.open.shared import FirstMotions
from motionfield.body.registry import load_body
from motionfield.core.errors import OptionError
from motionfield.core.progress import Progress, silent
from motionfield.data import CameraPath
from motionfield.data.action import Action
from motionfield.formats.calib_file import Intrinsics
from motionfield.priors.pose_mixture import PoseMixture
from motionfield.steps.fit.base import FitResult
from motionfield.steps.fit.group import GroupFitter, GroupResult, GroupTake
from steps.lift.made_worlds import DISTORTION, FOCAL, SIZE, camera_at, make_world, seen, walk

LENS = Intrinsics(FOCAL, FOCAL, SIZE[0] / 2, SIZE[1] / 2, DISTORTION)
FRAMES = 8
MARKS = {"smplify": pytest.mark.slow, "fit": pytest.mark.slow}
ALONE = [
    pytest.param(name, marks=MARKS.get(name, ()))
    for name in METHODS
    if name not in SYNCHRONIZED_ONLY | TOGETHER_ONLY
]


@pytest.fixture(scope="module")
def tools() -> Tools:
    return Tools(load_body("toy"), PoseMixture.load(), starts=FirstMotions())


@pytest.fixture(scope="module")
def walks() -> Sequence[Given]:
    """Walks with different headings, each before its own camera."""
    worlds = [make_world(FRAMES, heading=0.6 + index) for index in range(2)]
    return [Given(world.keypoints, LENS) for world in worlds]


@pytest.mark.parametrize("name", ALONE)
def test_every_method_gives_each_take_its_motion_in_order(
    name: str, walks: Sequence[Given], tools: Tools
) -> None:
    results = METHODS[name](walks, tools)
    assert len(results) == 2
    for given, (motion, camera) in zip(walks, results, strict=True):
        np.testing.assert_array_equal(motion.time_s, given.keypoints.time_s)
        np.testing.assert_allclose(camera.K[:, 0, 0], FOCAL)
        assert camera.focal_source == "given"
        if name != "initial":
            start = first_motion(given, tools).motion
            assert np.abs(motion.body_pose - start.body_pose).max() > 1e-4
            assert np.abs(motion.transl - start.transl).max() < 1
    alone = METHODS[name](walks[1:], tools)[0].motion
    np.testing.assert_array_equal(results[1].motion.transl, alone.transl)
    np.testing.assert_array_equal(results[1].motion.body_pose, alone.body_pose)


class _Backwards(GroupFitter):
    """Gives every take the first motion that it came with; keeps what it was shown."""

    def __init__(self) -> None:
        self.shown: list[GroupTake] = []

    def fit(self, takes: Sequence[GroupTake], progress: Progress = silent) -> GroupResult:
        self.shown += takes
        frames = [take.initial.num_frames for take in takes]
        action = Action(
            take_names=tuple(take.name for take in takes),
            take=np.repeat(np.arange(len(takes)), frames),
            phase=np.concatenate([np.linspace(0, 1, count) for count in frames]),
            time_s=np.concatenate([take.initial.time_s for take in takes]),
            mirrored=np.zeros(len(takes), bool),
            duration_s=1.0,
        )
        kept = [FitResult(take.initial, take.camera) for take in takes]
        return GroupResult(kept, takes[0].initial, action)


def test_takes_that_are_fitted_together_start_where_meva_ends(
    walks: Sequence[Given], tools: Tools
) -> None:
    fitter = _Backwards()
    results = together(lambda _: fitter)(walks, tools)
    alone = METHODS["meva"](walks, tools)
    assert [take.name for take in fitter.shown] == ["take 1", "take 2"]
    for given, take, result, start in zip(walks, fitter.shown, results, alone, strict=True):
        assert take.keypoints is given.keypoints
        np.testing.assert_array_equal(result.motion.body_pose, start.motion.body_pose)
        np.testing.assert_array_equal(take.camera.K, start.camera.K)


@pytest.mark.slow
def test_nemo_gives_every_take_its_own_frames_in_order(
    walks: Sequence[Given], tools: Tools
) -> None:
    results = METHODS["nemo"](walks, tools)
    for given, (motion, camera) in zip(walks, results, strict=True):
        np.testing.assert_array_equal(motion.time_s, given.keypoints.time_s)
        np.testing.assert_allclose(camera.K[:, 0, 0], FOCAL)
        assert motion.joints_std is not None
    with pytest.raises(OptionError, match="two or more"):
        METHODS["nemo"](walks[:1], tools)


def test_without_a_lens_the_focal_length_is_assumed(walks: Sequence[Given], tools: Tools) -> None:
    (result,) = METHODS["initial"]([walks[0]._replace(intrinsics=None)], tools)
    assert result.camera.focal_source == "assumed"


def test_the_path_of_a_moving_camera_is_used(tools: Tools) -> None:
    body = tools.body
    motion = walk(body, FRAMES)
    still = camera_at(FRAMES, (0.2, -4.5, 1.5))
    along = np.linspace(0, 0.3, FRAMES)[:, None] * np.array([1.0, 0, 0])
    place = still.position_world + along
    t = -np.einsum("tij,tj->ti", still.R_camera_world, place).astype(np.float32)
    camera: CameraPath = still.replace(t_camera_world=t, moving=True)
    given = Given(seen(body, motion, camera), LENS, camera)
    (result,) = METHODS["initial"]([given], tools)
    assert result.camera.moving
    assert np.linalg.norm(np.ptp(result.camera.position_world, axis=0)) > 0.1


def test_triangulation_joins_views_and_refuses_a_single_take(
    walks: Sequence[Given], tools: Tools
) -> None:
    body = tools.body
    motion = walk(body, FRAMES)
    cameras = [camera_at(FRAMES, (0.2, -4.5, 1.5)), camera_at(FRAMES, (4.5, -0.5, 1.4), yaw=1.5)]
    takes = [Given(seen(body, motion, camera), LENS) for camera in cameras]
    first, second = METHODS["triangulation"](takes, tools)
    assert first.motion is second.motion
    turn = second.camera.R_camera_world[0] @ first.camera.R_camera_world[0].T
    true = cameras[1].R_camera_world[0] @ cameras[0].R_camera_world[0].T
    assert np.rad2deg(np.arccos((np.trace(turn @ true.T) - 1) / 2)) < 4
    with pytest.raises(OptionError, match="one view"):
        METHODS["triangulation"](walks[:1], tools)
