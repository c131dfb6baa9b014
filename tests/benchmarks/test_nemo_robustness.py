"""Groups of takes that are not all alike: what was changed, and how they are scored."""

from collections.abc import Sequence

import numpy as np
import pytest

from helpers import shared_path
from motionfield.benchmarks.nemo_robustness import (
    RobustGroup,
    at_rate,
    fit_group,
    robust_groups,
    slowed,
    with_frames,
    with_pauses,
)
from motionfield.benchmarks.open.case import BenchTake, Tools
from motionfield.body.registry import load_body
from motionfield.core.errors import OptionError
from motionfield.core.progress import Progress, silent
from motionfield.data.action import Action
from motionfield.priors.pose_mixture import PoseMixture
from motionfield.steps.fit.base import FitResult
from motionfield.steps.fit.group import GroupFitter, GroupResult, GroupTake
from motionfield.worlds.take import make_take
from steps.evaluate.made import made_motion


class KeepsTheStart(GroupFitter):
    """Gives every take as it came."""

    def fit(self, takes: Sequence[GroupTake], progress: Progress = silent) -> GroupResult:
        if len(takes) < 2:
            raise OptionError("one take\nonly")
        frames = [take.initial.num_frames for take in takes]
        action = Action(
            take_names=tuple(take.name for take in takes),
            take=np.repeat(np.arange(len(takes)), frames),
            phase=np.concatenate([np.linspace(0, 1, count) for count in frames]),
            time_s=np.concatenate([take.initial.time_s for take in takes]),
            mirrored=np.array([False] + [True] * (len(takes) - 1)),
            duration_s=1.0,
        )
        kept = [FitResult(take.initial, take.camera) for take in takes]
        return GroupResult(kept, takes[0].initial, action, ("a word",))


def test_what_changes_about_a_take() -> None:
    motion = made_motion(0, 31)  # a second
    assert at_rate(motion, 60).num_frames == 61
    assert at_rate(motion, 15).num_frames == 16
    assert at_rate(motion, 15).time_s[-1] == pytest.approx(1)
    slow = slowed(motion, 4)
    assert (slow.num_frames, slow.fps) == (121, 30)
    assert slow.time_s[-1] == pytest.approx(4)
    short = with_frames(motion, 10)
    assert short.num_frames == 10
    assert short.time_s[-1] == pytest.approx(1)
    np.testing.assert_allclose(short.transl[[0, -1]], motion.transl[[0, -1]], atol=1e-5)
    long = with_pauses(motion, 500)
    assert long.num_frames == 500
    moving = np.abs(np.diff(long.transl, axis=0)).max(1) > 0
    assert moving.sum() == pytest.approx(240, abs=3)
    assert not moving[:125].any()
    assert not moving[-125:].any()


def test_a_group_is_fitted_and_its_changed_takes_are_scored_apart() -> None:
    body = load_body("toy")
    motions = [made_motion(seed, 20) for seed in range(3)]
    made = [make_take(motion, body, 5) for motion in motions]
    takes = tuple(
        BenchTake(str(n), motion, take.camera, take.keypoints)
        for n, (motion, take) in enumerate(zip(motions, made, strict=True))
    )
    tools = Tools(body, PoseMixture.load())
    row = fit_group(RobustGroup("made", takes, (1,)), KeepsTheStart(), tools)
    assert row.frames == 60
    assert set(row.changed) == set(row.others)
    for errors in (row.changed, row.others):
        assert all(first == fitted > 0 for first, fitted in errors.values())
    assert row.changed != row.others
    assert row.lines()[1:] == ["    mirrored: take 2, 3", "    a word"]
    failed = fit_group(RobustGroup("one", takes[:1], ()), KeepsTheStart(), tools)
    assert failed.lines() == ["one             failed: one take only"]


@pytest.mark.slow
def test_the_groups_of_the_command() -> None:
    data = shared_path("mocap")
    body = load_body("anny")
    groups = {group.name: group for group in robust_groups(data, body)}
    frames = {
        name: [take.keypoints.num_frames for take in group.takes] for name, group in groups.items()
    }
    assert frames["as ever"] == [70] * 4
    assert frames["rates"] == [70, 166, 35, 70]
    assert frames["slow motion"] == [70, 70, 277, 70]
    assert frames["ten frames"][2] == 10
    assert frames["2000 frames"][1] == 2000
    assert groups["odd take"].changed == (3,)
    still, moving = (groups[name].takes[0].camera for name in ("as ever", "moving camera"))
    assert (still.moving, moving.moving) == (False, True)
