"""Chained clips: heading and place go on, joins are smooth, feet stand, the best cut is found."""

import math
from itertools import pairwise

import numpy as np
import pytest
import roma
import torch

from motionfield.body.base import Body
from motionfield.body.registry import load_body
from motionfield.core.arrays import tensor_of
from motionfield.core.conventions import JOINT_INDEX
from motionfield.core.errors import OptionError
from motionfield.data import Motion
from motionfield.geometry.rotations import axis_rotation
from motionfield.worlds.chain import chain, chain_order, find_cut
from motionfield.worlds.foothold import lowest_point, resting, sole_points, velocity
from worlds.walks import slide_mm, walk


@pytest.fixture(scope="module")
def body() -> Body:
    return load_body("toy")


def _joins(motion: Motion) -> list[int]:
    return [at for at, _ in motion.history[-1].options["joins"]]


def _speed(motion: Motion) -> np.ndarray:
    return np.diff(motion.transl, axis=0) * motion.fps


def _turns(motion: Motion) -> torch.Tensor:
    """Radians by which joints turn from frame to frame."""
    pose = tensor_of(motion.body_pose)
    return roma.rotmat_geodesic_distance(pose[:-1], pose[1:])


def test_walks_of_all_headings_become_one_straight_walk(body: Body) -> None:
    clips = [walk(body, 80, heading, phase) for heading, phase in ((0, 0), (2, 1), (-1, 4))]
    whole = chain(clips, body)
    np.testing.assert_array_equal(whole.transl[:40], clips[0].transl[:40])
    way = whole.transl[-1, :2] - whole.transl[0, :2]
    first = clips[0].transl[-1, :2] - clips[0].transl[0, :2]
    turn = math.atan2(*way[::-1]) - math.atan2(*first[::-1])
    assert abs(math.remainder(turn, 2 * math.pi)) < 0.1
    seconds = whole.num_frames / whole.fps
    pace = np.linalg.norm(first) / (80 / 30)
    assert np.linalg.norm(way) == pytest.approx(pace * seconds, rel=0.15)
    np.testing.assert_allclose(np.diff(whole.time_s), 1 / 30)
    np.testing.assert_array_equal(whole.frame_index, np.arange(whole.num_frames))


def test_joins_are_as_smooth_as_the_clips_and_feet_stand(body: Body) -> None:
    clips = [walk(body, 80, heading, phase) for heading, phase in ((0, 0), (2, 1), (-1, 4))]
    whole = chain(clips, body)
    assert len(_joins(whole)) == 2
    jolts = np.linalg.norm(np.diff(_speed(whole), axis=0), axis=-1)
    own = np.linalg.norm(np.diff(_speed(clips[0]), axis=0), axis=-1)
    assert jolts.max() < 1.3 * own.max()
    assert _turns(whole).max() < 1.2 * _turns(clips[0]).max()
    low = lowest_point(whole, body)
    assert low.min() > -0.005
    assert low.max() < 0.01
    assert slide_mm(whole, body) < 1.2 * slide_mm(clips[0], body) + 0.1


def test_gaits_that_differ_are_joined_without_jerk_slide_or_sinking(body: Body) -> None:
    """Long strides into short ones, deep knees into straight: no join is perfect."""
    clips = [walk(body, 80, swing_rad=swing) for swing in (0.65, 0.2, 0.65)]
    whole = chain(clips, body)
    assert all(difference > 0.02 for _, difference in whole.history[-1].options["joins"])
    assert _turns(whole).max() < 1.3 * max(_turns(clip).max() for clip in clips)
    jolts = np.linalg.norm(np.diff(_speed(whole), axis=0), axis=-1)
    own = np.linalg.norm(np.diff(_speed(clips[0]), axis=0), axis=-1)
    assert jolts.max() < 1.5 * own.max()
    low = lowest_point(whole, body)
    assert low.min() > -0.004
    assert low.max() < 0.004
    joins = np.concatenate([np.arange(at, at + 10) for at in _joins(whole)])
    between = np.setdiff1d(np.arange(whole.num_frames), joins)
    sliding = [_slide(whole, body, frames) for frames in (joins, between)]
    assert sliding[0] < 1.5 * sliding[1]


def test_one_who_rises_from_a_squat_keeps_his_soles_on_the_ground(body: Body) -> None:
    """Halfway between two poses the legs are not half as long."""
    stand = walk(body, 30, swing_rad=0.0).at_frames(np.full(30, 15))
    pose = stand.body_pose.copy()
    for side in ("left", "right"):
        for part, angle in (("hip", -1.2), ("knee", 2.0), ("ankle", -0.8)):
            bend = axis_rotation("x", torch.tensor(angle)).numpy()
            pose[:, JOINT_INDEX[f"{side}_{part}"] - 1] = bend
    squat = stand.replace(body_pose=pose)
    down = np.array([0, 0, float(lowest_point(squat, body)[0])], np.float32)
    squat = squat.replace(transl=squat.transl - down)
    whole = chain([stand, squat], body)
    low = lowest_point(whole, body) - lowest_point(stand, body)[0]
    assert low.abs().max() < 0.01


def _slide(motion: Motion, body: Body, frames: np.ndarray) -> float:
    """Metres per second of resting points of the soles."""
    soles = sole_points(motion, body)
    weight = resting(soles, motion.fps)[frames]
    speed = velocity(soles, motion.fps)[frames, :, :2].norm(dim=-1)
    return float((weight * speed).sum() / weight.sum())


def test_the_cut_is_where_the_clips_are_alike_whatever_way_they_head(body: Body) -> None:
    """The clip after is the same walk, turned and moved: a perfect join exists."""
    long = walk(body, 120)
    before = long.at_frames(np.arange(0, 80))
    after = walk(body, 120, heading=1.3).at_frames(np.arange(60, 120))
    after = after.replace(transl=after.transl + np.array([4.0, -2.0, 0.0], np.float32))
    cut = find_cut(before, after, body, 9)
    assert cut.difference_m < 2e-3
    assert (cut.leave - (60 + cut.enter)) % 30 == 0  # a stride is a second
    assert math.remainder(cut.yaw + 1.3, 2 * math.pi) == pytest.approx(0, abs=1e-2)


def test_unobserved_frames_are_not_joined_in(body: Body) -> None:
    after = walk(body, 80)
    hidden = after.observed.copy()
    hidden[:20] = False
    cut = find_cut(walk(body, 80), after.replace(observed=hidden), body, 9)
    assert cut.enter >= 20


def test_clips_of_other_shapes_take_the_first_shape(body: Body) -> None:
    other = walk(body, 60).replace(betas=np.full(16, 0.7, np.float32))
    whole = chain([walk(body, 60), other], body)
    np.testing.assert_array_equal(whole.betas, np.zeros(16))


def test_one_clip_is_itself_and_contacts_go_along(body: Body) -> None:
    clip = walk(body, 60).replace(contacts=np.ones((60, 2), np.float32))
    np.testing.assert_array_equal(chain([clip], body).transl, clip.transl)
    whole = chain([clip, clip], body)
    assert whole.contacts is not None
    np.testing.assert_allclose(whole.contacts, 1)
    assert chain([clip, clip.replace(contacts=None)], body).contacts is None


def test_an_order_leads_far_enough_and_repeats_no_clip_at_once(body: Body) -> None:
    clips = [walk(body, 70, heading, phase) for heading, phase in ((0, 0), (1, 2), (2, 5))]
    order = chain_order(clips, body, 400, 3.0)
    assert set(order) == {0, 1, 2}
    assert all(a != b for a, b in pairwise(order))
    whole = chain([clips[index] for index in order], body)
    assert whole.num_frames >= 400
    assert np.linalg.norm((whole.transl[-1] - whole.transl[0])[:2]) >= 2.8


def test_what_cannot_be_chained_is_refused(body: Body) -> None:
    clip = walk(body, 60)
    with pytest.raises(OptionError, match="no motions"):
        chain([], body)
    with pytest.raises(OptionError, match="frames per second"):
        chain([clip, walk(body, 60, fps=50.0)], body)
    with pytest.raises(OptionError, match="two joins"):
        chain([clip, walk(body, 10)], body)
    with pytest.raises(OptionError, match="several"):
        chain_order([clip], body)
