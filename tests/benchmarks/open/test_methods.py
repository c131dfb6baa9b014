"""The baselines on small made cases."""

from collections.abc import Sequence

import numpy as np
import pytest

from motionfield.benchmarks.open.case import Given, Tools
from motionfield.benchmarks.open.methods import METHODS
from motionfield.body.registry import load_body
from motionfield.formats.calib_file import Intrinsics
from motionfield.priors.pose_mixture import PoseMixture
from steps.lift.made_worlds import DISTORTION, FOCAL, SIZE, make_world

LENS = Intrinsics(FOCAL, FOCAL, SIZE[0] / 2, SIZE[1] / 2, DISTORTION)


def tools() -> Tools:
    return Tools(load_body("toy"), PoseMixture.load())


def walks(count: int = 1, lens: Intrinsics | None = LENS) -> Sequence[Given]:
    """Walks with different headings, each before its own camera."""
    worlds = [make_world(30, heading=0.6 + index) for index in range(count)]
    return [Given(world.keypoints, lens) for world in worlds]


@pytest.mark.parametrize("name", METHODS)
def test_every_method_gives_each_take_its_motion_in_order(name: str) -> None:
    takes = walks(2)
    results = METHODS[name](takes, tools())
    assert len(results) == 2
    for given, (motion, camera) in zip(takes, results, strict=True):
        np.testing.assert_array_equal(motion.time_s, given.keypoints.time_s)
        np.testing.assert_allclose(camera.K[:, 0, 0], FOCAL)
        assert camera.focal_source == "given"


@pytest.mark.parametrize("name", ["initial", "fit"])
def test_the_same_seed_gives_the_same_motion(name: str) -> None:
    takes = walks(2)
    first, again = (METHODS[name](takes, tools())[1].motion for _ in range(2))
    np.testing.assert_array_equal(first.body_pose, again.body_pose)
    alone = METHODS[name](takes[1:], tools())[0].motion
    np.testing.assert_array_equal(first.transl, alone.transl)


def test_without_a_lens_the_focal_length_is_assumed() -> None:
    (result,) = METHODS["initial"](walks(lens=None), tools())
    assert result.camera.focal_source == "assumed"
