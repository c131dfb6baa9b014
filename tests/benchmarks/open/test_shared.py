"""What methods share is made once and counted for each."""

import time

import numpy as np

from motionfield.benchmarks.open.case import Given, Tools
from motionfield.benchmarks.open.methods import METHODS, first_motion
from motionfield.benchmarks.open.shared import FirstMotions, Seconds, now
from motionfield.body.registry import load_body
from motionfield.priors.pose_mixture import PoseMixture
from motionfield.steps.fit import FitResult
from steps.lift.made_worlds import make_world


def test_the_same_take_is_solved_once_and_another_anew() -> None:
    world = make_world(6)
    result = FitResult(world.motion, world.camera)
    made = []

    def make() -> FitResult:
        made.append(1)
        time.sleep(0.02)
        return result

    starts = FirstMotions()
    given = Given(world.keypoints, None)
    copy = Given(world.keypoints.replace(keypoints_2d=world.keypoints.keypoints_2d.copy()), None)
    assert starts.get(given, make) is result
    assert starts.spared == Seconds()
    assert starts.get(copy, make) is result
    assert len(made) == 1
    assert starts.spared.wall >= 0.02
    seen = world.keypoints.keypoints_2d.copy()
    seen[3, 5, 0] += 1e-3
    others = (
        Given(world.keypoints.replace(keypoints_2d=seen), None),
        Given(world.keypoints, None, world.camera),
    )
    for other in others:
        starts.get(other, make)
    assert len(made) == 3


def test_methods_give_the_same_with_and_without_what_they_share() -> None:
    world = make_world(6)
    body, prior = load_body("toy"), PoseMixture.load()
    given = Given(world.keypoints, None)
    alone = METHODS["savgol"]([given], Tools(body, prior))[0]
    tools = Tools(body, prior, starts=FirstMotions())
    first_motion(given, tools)
    started = now()
    shared = METHODS["savgol"]([given], tools)[0]
    took = now().minus(started)
    np.testing.assert_array_equal(alone.motion.body_pose, shared.motion.body_pose)
    np.testing.assert_array_equal(alone.motion.transl, shared.motion.transl)
    assert tools.starts is not None
    assert isinstance(tools.starts, FirstMotions)
    assert tools.starts.spared.wall > took.wall
