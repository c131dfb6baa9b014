"""Variation over takes: laws that hold whatever the figures are, and truths made by formula."""

import math

import numpy as np
import pytest

from made_action import MadeAction, action_of, eased, made_action, moved, movement, turned_joint
from motionfield.body.registry import load_body
from motionfield.core.conventions import JOINT_INDEX
from motionfield.core.errors import RecordError
from motionfield.data import Variation
from motionfield.steps.evaluate import variation_of
from motionfield.steps.evaluate.variation import SIGNALS, _by_chance
from motionfield.worlds.mirror import mirror_motion

PACES = (eased(60), eased(90, 1.6), eased(41, 0.7), eased(75, 1.2))


def varied(made: MadeAction) -> Variation:
    return variation_of(made.takes, made.action, made.canonical, load_body("toy"))


@pytest.fixture(scope="module")
def same() -> Variation:
    """Takes that differ in pace alone."""
    return varied(made_action(PACES))


def test_pace_alone_is_no_variation_of_movement(same: Variation) -> None:
    angles = [i for i, name in enumerate(SIGNALS) if name.endswith("_deg")]
    assert np.nanmax(same.sd[:, angles]) < 0.3
    assert same.spread_mm.max() < 3
    assert same.spread_world_mm.max() < 5
    np.testing.assert_allclose(same.mean[:, angles], same.canonical[:, angles], atol=0.3)
    assert same.outlier() is None


def test_pace_is_told_by_time_and_tempo(same: Variation) -> None:
    time = same.values[:, :, same.signal("time_s")]
    np.testing.assert_allclose(time[:, 0], 0, atol=1e-9)
    np.testing.assert_allclose(time[:, -1], same.duration_s)
    np.testing.assert_allclose(same.duration_s, [59 / 50, 89 / 50, 40 / 50, 74 / 50])
    # phase = share^1.6 of 1.78 s: half of the phase is reached at share 0.5^(1 / 1.6).
    assert time[1, 50] == pytest.approx(0.5 ** (1 / 1.6) * 89 / 50, abs=1e-3)
    tempo = same.values[:, :, same.signal("tempo_percent_per_s")]
    np.testing.assert_allclose(tempo[0], 100 * 50 / 59, rtol=1e-6)
    assert tempo[1, 90] > 1.5 * tempo[1, 10], "hurries at its end"
    assert tempo[2, 90] < tempo[2, 10]


def test_a_known_spread_of_one_angle_is_found_and_no_other() -> None:
    made = made_action(PACES)
    bends = np.radians([0.0, 5.0, -4.0, 12.0])
    takes = [turned_joint(t, "left_knee", "x", b) for t, b in zip(made.takes, bends, strict=True)]
    found = varied(made._replace(takes=takes))
    knee = found.signal("left_knee_flexion_deg")
    np.testing.assert_allclose(found.sd[:, knee], np.degrees(bends).std(ddof=1), atol=0.2)
    extra = found.mean[:, knee] - found.canonical[:, knee]
    np.testing.assert_allclose(extra, np.degrees(bends).mean(), atol=0.2)
    others = [i for i, n in enumerate(SIGNALS) if n.endswith("_deg") and i != knee]
    assert np.nanmax(found.sd[:, others]) < 0.3


def test_mean_and_spread_are_those_of_the_takes_values() -> None:
    made = made_action(PACES)
    made.takes[2] = turned_joint(made.takes[2], "right_elbow", "y", 0.4)
    found = varied(made)
    for point in (0, 33, 100):
        for index in range(len(SIGNALS)):
            values = [float(v) for v in found.values[:, point, index] if math.isfinite(v)]
            assert found.mean[point, index] == pytest.approx(np.mean(values), abs=1e-9)
            assert found.sd[point, index] == pytest.approx(np.std(values, ddof=1), abs=1e-9)


def test_headings_on_both_sides_of_half_a_turn_are_near() -> None:
    """170, -170 and 180 degrees: their mean is 180 and their spread 10, not 190."""
    made = made_action(PACES[:3])
    headings = np.radians((170.0, -170.0, 180.0))
    takes = [moved(t, h, (0, 0, 0)) for t, h in zip(made.takes, headings, strict=True)]
    canonical = moved(made.canonical, math.pi, (0, 0, 0))
    found = varied(made._replace(takes=takes, canonical=canonical))
    index = found.signal("pelvis_rotation_deg")
    np.testing.assert_allclose(found.sd[:, index], 10, atol=0.1)
    np.testing.assert_allclose(np.abs(found.mean[:, index]), 180, atol=0.1)


def test_turning_the_world_changes_no_relation(same: Variation) -> None:
    made = made_action(PACES)
    made.takes[1] = turned_joint(made.takes[1], "spine2", "y", 0.3)
    before = varied(made)
    takes = [moved(take, 0.8, (2.0, -3.0, 0.0)) for take in made.takes]
    after = varied(
        made._replace(takes=takes, canonical=moved(made.canonical, 0.8, (2.0, -3.0, 0.0)))
    )
    heading = before.signal("pelvis_rotation_deg")
    kept = [i for i in range(len(SIGNALS)) if i != heading]
    np.testing.assert_allclose(after.mean[:, kept], before.mean[:, kept], atol=2e-2)
    np.testing.assert_allclose(after.sd, before.sd, atol=2e-2)
    for name in ("spread_mm", "spread_world_mm", "difference_mm"):
        np.testing.assert_allclose(getattr(after, name), getattr(before, name), atol=0.05)


def test_the_root_is_told_along_the_actions_axes(same: Variation) -> None:
    """The made step goes 1.2 m ahead, sways 0.1 m to the left, and bobs by 0.05 m."""
    ahead, aside, up = (
        same.mean[:, same.signal(f"root_{name}_m")] for name in ("forward", "sideways", "height")
    )
    np.testing.assert_allclose(ahead, 1.2 * same.phase, atol=3e-3)
    np.testing.assert_allclose(aside, 0.1 * np.sin(math.tau * same.phase), atol=3e-3)
    np.testing.assert_allclose(up - up[0], 0.05 * np.cos(math.tau * same.phase) - 0.05, atol=2e-3)


def test_where_a_take_does_not_reach_it_is_not_counted() -> None:
    made = made_action([eased(60), eased(50, start=0.2, end=0.7), eased(55)])
    made.takes[2] = made.takes[2].replace(observed=np.arange(55) < 40)
    found = varied(made)
    counts = found.covered.sum(0)
    assert counts[10] == 2
    assert counts[40] == 3
    assert counts[90] == 1
    assert np.isnan(found.values[1, 10]).all()
    assert np.isfinite(found.values[1, 40]).all()
    assert np.isfinite(found.mean[90]).all()
    assert np.isnan(found.sd[90]).all(), "one take has no spread"
    assert np.isfinite(found.joints_world).all(), "pictures hold the last pose"


def test_a_take_with_the_other_hand_is_mirrored_before_it_is_compared() -> None:
    made = made_action(PACES[:3])
    takes = [*made.takes[:2], mirror_motion(made.takes[2])]
    as_filmed = varied(made._replace(takes=takes))
    assert as_filmed.spread_mm.max() > 100
    action = action_of(PACES[:3], (False, False, True))
    found = varied(made._replace(takes=takes, action=action))
    assert found.spread_mm.max() < 3
    assert found.mirrored.tolist() == [False, False, True]


def test_the_take_that_differs_is_named_and_where() -> None:
    made = made_action(PACES)
    raised = 1.2 * np.exp(-(((PACES[1] - 0.6) / 0.05) ** 2))
    made.takes[1] = turned_joint(made.takes[1], "left_shoulder", "z", raised)
    found = varied(made)
    assert found.outlier() == 1
    told = found.difference(1)
    assert told.phase == pytest.approx(0.6, abs=0.015)
    assert told.joint in ("left_wrist", "left_hand")
    assert told.most_mm > 200
    assert found.difference(0).mean_mm < told.mean_mm / 2


def test_differences_are_from_the_mean_of_the_others() -> None:
    made = made_action([eased(60), eased(50, start=0.2, end=0.7), eased(55)])
    made.takes[0] = turned_joint(made.takes[0], "right_hip", "z", 0.3)
    found = varied(made)
    joint, body = JOINT_INDEX["right_foot"], load_body("toy")
    local = found.joints_world - found.joints_world[:, :, :1]
    assert body.num_betas == len(made.canonical.betas)
    for point in (10, 45, 80):
        here = [k for k in range(3) if found.covered[k, point]]
        for take in here:
            others = [local[k, point, joint] for k in here if k != take]
            expected = 1000 * np.linalg.norm(local[take, point, joint] - np.mean(others, axis=0))
            assert found.difference_mm[take, point, joint] == pytest.approx(expected, abs=0.01)
    assert np.isnan(found.difference_mm[1, 10]).all()


def test_two_takes_differ_equally_and_neither_stands_out() -> None:
    made = made_action(PACES[:2])
    made.takes[0] = turned_joint(made.takes[0], "left_elbow", "y", 0.5)
    found = varied(made)
    first, second = found.difference(0), found.difference(1)
    assert first.mean_mm == pytest.approx(second.mean_mm)
    assert first.mean_mm > 1
    assert found.outlier() is None
    knee = found.values[:, :, found.signal("left_elbow_flexion_deg")]
    gap = np.abs(knee[0] - knee[1])
    np.testing.assert_allclose(found.sd[:, found.signal("left_elbow_flexion_deg")], gap / 2**0.5)


def test_build_is_no_variation_of_movement() -> None:
    """A taller person moves alike: places in the world differ, movement does not."""
    made = made_action(PACES[:3])
    made.takes[1] = made.takes[1].replace(bone_scale=np.full(24, 1.15, np.float32))
    found = varied(made)
    assert found.spread_mm.max() < 3
    assert found.spread_world_mm.max() > 20


def test_measurement_alone_passes_for_clear_as_often_as_is_said() -> None:
    generator = np.random.default_rng(3)
    std = np.array((0.01, 0.04, 0.015))
    takes = generator.normal(0, std, (5, 4000, 24, 3))
    spread = np.sqrt(np.var(takes, axis=0, ddof=1).sum(-1))
    limit = _by_chance(np.broadcast_to(std**2, (4000, 24, 3)), np.full((4000, 1), 5))
    assert (spread > limit).mean() == pytest.approx(0.05, abs=0.01)
    assert (3 * spread > limit).mean() > 0.9, "what varies three times as much is mostly told"


def test_spread_is_clear_only_above_the_measurement() -> None:
    made = made_action(PACES)
    bends = (0.0, 0.5, -0.4, 0.2)
    takes = [turned_joint(t, "left_knee", "x", b) for t, b in zip(made.takes, bends, strict=True)]
    std = np.full((24, 3), 0.05, np.float32)
    std[JOINT_INDEX["left_foot"]] = 0.06
    std[JOINT_INDEX["right_foot"]] = 0.3
    known = [t.replace(joints_std=np.tile(std, (t.num_frames, 1, 1))) for t in takes]
    found = varied(made._replace(takes=known))
    left, right = JOINT_INDEX["left_foot"], JOINT_INDEX["right_foot"]
    np.testing.assert_allclose(found.measured_world_mm[:, left], 60 * 3**0.5, rtol=1e-4)
    own = (0.06**2 - 0.05**2) ** 0.5
    np.testing.assert_allclose(found.measured_mm[:, left], 1000 * own * 3**0.5, rtol=1e-4)
    assert found.clear[:, left].all()
    assert not found.clear[:, right].any()
    height = found.signal("root_height_m")
    np.testing.assert_allclose(found.measured_sd[:, height], 0.05, rtol=1e-4)
    unknown = varied(made._replace(takes=takes))
    assert np.isnan(unknown.measured_mm).all()
    assert not unknown.clear.any()


def test_signals_have_a_unit_and_speeds_are_true(same: Variation) -> None:
    units = ("_deg", "_m", "_m_s", "_s", "_percent_per_s")
    assert all(name.endswith(units) for name in same.signal_names)
    # The first take passes 1.2 m in 1.18 s, evenly.
    speed = same.values[0, :, same.signal("pelvis_speed_m_s")]
    path = same.joints_world[0, :, 0]
    step = np.linalg.norm(np.gradient(path, 1.18 / 100, axis=0), axis=-1)
    np.testing.assert_allclose(speed[5:-5], step[5:-5], rtol=0.05)


def test_a_rest_and_a_single_frame_do_no_harm() -> None:
    resting = np.concatenate(
        (np.zeros(20), eased(40, end=0.5), np.full(15, 0.5), eased(40, 1, 0.5))
    )
    found = varied(made_action([resting, eased(60), np.array([0.5])]))
    assert found.spread_mm[np.isfinite(found.spread_mm)].max() < 3
    assert found.covered[2].sum() == 1
    assert found.duration_s[2] == 0


def test_it_is_saved_and_read_back(tmp_path, same: Variation) -> None:
    same.save(tmp_path / "variation.npz")
    again = Variation.load(tmp_path / "variation.npz")
    np.testing.assert_array_equal(again.values, same.values)
    assert again.take_names == same.take_names


def test_an_action_of_other_takes_is_refused() -> None:
    made = made_action(PACES)
    body = load_body("toy")
    with pytest.raises(RecordError, match="an action of 4 takes for 3 motions"):
        variation_of(made.takes[:3], made.action, made.canonical, body)
    takes = [movement(eased(10)), *made.takes[1:]]
    with pytest.raises(RecordError, match="60 phases for the 10 frames of take 1"):
        variation_of(takes, made.action, made.canonical, body)
    with pytest.raises(RecordError, match="two takes or more"):
        variation_of(made.takes[:1], action_of(PACES[:1]), made.canonical, body)
