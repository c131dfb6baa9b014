import numpy as np
import pytest

from motionfield.core.errors import RecordError
from motionfield.data.action import Action


def _action(**changes: object) -> Action:
    plain = {
        "take_names": ("a", "b"),
        "take": np.array([0, 0, 0, 1, 1]),
        "phase": np.array([0, 0.5, 1, 0, 1], np.float32),
        "time_s": np.array([0, 0.1, 0.2, 0, 0.1], np.float32),
        "mirrored": np.array([False, True]),
        "duration_s": 0.15,
    }
    return Action(**{**plain, **changes})


def test_frames_of_a_take_are_its_own() -> None:
    action = _action()
    assert action.num_takes == 2
    assert action.frames_of(0) == slice(0, 3)
    assert action.phase[action.frames_of(1)].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"take": np.array([0, 1, 0, 1, 1])}, "ordered by take"),
        ({"take": np.array([1, 1, 1, 1, 1])}, "ordered by take"),
        ({"take": np.array([0, 0, 0, 0, 0])}, "differ in number"),
        ({"take_names": ("a", "b", "c")}, "differ in number"),
        ({"phase": np.array([0, 0.5, 1.1, 0, 1], np.float32)}, "leaves"),
        ({"phase": np.array([0, np.nan, 1, 0, 1], np.float32)}, "leaves"),
        ({"phase": np.array([0, 0.5, 0.4, 0, 1], np.float32)}, "falls"),
    ],
)
def test_a_contradiction_is_told(changes: dict[str, object], message: str) -> None:
    with pytest.raises(RecordError, match=message):
        _action(**changes)


def test_phase_may_fall_from_one_take_to_the_next_and_survives_a_file(tmp_path) -> None:
    action = _action()
    action.save(tmp_path / "action.npz")
    again = Action.load(tmp_path / "action.npz")
    assert np.array_equal(again.phase, action.phase)
    assert again.take_names == action.take_names
