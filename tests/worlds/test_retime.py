"""A motion at other times: rates, slow motion, pauses."""

import numpy as np
import pytest

from motionfield.worlds.retime import retimed
from steps.evaluate.made import made_motion


def test_at_its_own_times_it_is_the_motion() -> None:
    motion = made_motion(0, 20)
    same = retimed(motion, motion.time_s, motion.fps)
    for name in ("global_orient", "body_pose", "transl", "contacts", "time_s", "observed"):
        np.testing.assert_array_equal(getattr(same, name), getattr(motion, name))


@pytest.mark.parametrize("smooth", [False, True])
def test_twice_the_rate_and_back_again(smooth: bool) -> None:
    motion = made_motion(0, 20)
    double = retimed(motion, np.arange(39) / 60, 60.0, smooth)
    assert double.num_frames == 39
    assert double.time_s[-1] == pytest.approx(motion.time_s[-1])
    back = double.at_frames(np.arange(0, 39, 2))
    np.testing.assert_allclose(back.transl, motion.transl, atol=1e-5)
    np.testing.assert_allclose(back.body_pose, motion.body_pose, atol=1e-4)


def test_slow_motion_takes_longer_and_pauses_stand_still() -> None:
    motion = made_motion(0, 20)
    slow = retimed(motion, np.arange(80) / 120, 30.0)
    assert slow.fps == 30
    np.testing.assert_allclose(slow.transl[4], motion.transl[1], atol=1e-5)
    held = retimed(motion, np.clip(np.arange(-10, 30) / 30, 0, None), 30.0)
    assert (np.diff(held.transl[:11], axis=0) == 0).all()
    assert (np.diff(held.transl[-10:], axis=0) == 0).all()
    np.testing.assert_allclose(held.transl[10:30], motion.transl, atol=1e-5)


def test_frames_that_were_not_seen_stay_so() -> None:
    motion = made_motion(0, 20)
    seen = np.ones(20, bool)
    seen[5:8] = False
    slow = retimed(motion.replace(observed=seen), np.arange(40) / 60, 30.0)
    assert not slow.observed[11:15].any()
    assert slow.observed[:9].all()
