"""A take of another action is named, and nobody else."""

import numpy as np
import pytest

from motionfield.body.registry import load_body
from motionfield.data import Motion
from motionfield.steps.fit.nemo.odd import odd_takes
from motionfield.worlds.mirror import mirror_motion
from steps.fit.made_take import disturb, make_motion
from steps.fit.nemo.made_action import throw

BODY = load_body("toy")
EVEN = np.linspace(0, 1, 45)


def throws(count: int) -> list[Motion]:
    paces = (EVEN, EVEN**1.3, np.linspace(0, 1, 20), 1 - (1 - EVEN) ** 1.3, np.linspace(0, 1, 200))
    return [throw(paces[k % 5], heading=0.5 * k, noise=0.1, seed=k) for k in range(count)]


def squat(seed: int) -> Motion:
    return disturb(make_motion(45), angle=0.1, seed=seed)


@pytest.mark.parametrize("count", [3, 4, 6])
@pytest.mark.parametrize("where", [0, -1])
def test_a_squat_among_throws(count: int, where: int) -> None:
    motions = throws(count)
    motions[where] = squat(0)
    found = odd_takes(motions, BODY)
    assert found.odd.nonzero().flatten().tolist() == [where % count]
    assert found.distance_m.argmax() == where % count
    assert found.usual_m < 0.5 * found.distance_m.max()


def test_several_of_another_action() -> None:
    found = odd_takes([*throws(2), squat(0), squat(1), *throws(5)[2:]], BODY)
    assert found.odd.tolist() == [False, False, True, True, False, False, False]


@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_one_action_has_no_odd_take(count: int) -> None:
    assert not odd_takes(throws(count), BODY).odd.any()


def test_the_other_hand_is_not_another_action() -> None:
    motions = throws(4)
    motions[1] = mirror_motion(motions[1])
    assert not odd_takes(motions, BODY).odd.any()


def test_of_two_both_differ() -> None:
    lying = throws(1)[0]
    lying = lying.replace(global_orient=np.tile(np.eye(3, dtype=np.float32), (45, 1, 1)))
    assert odd_takes([*throws(1), lying], BODY).odd.tolist() == [True, True]
