"""Known repetitions inside one clip are found, each whole and in the same phase."""

from itertools import pairwise

import numpy as np
import pytest
from jaxtyping import Float
from numpy import ndarray

from motionfield.body.registry import load_body
from motionfield.core.errors import OptionError
from motionfield.data import Motion
from motionfield.steps.cut import CutConfig, find_repetitions
from steps.fit.made_take import make_motion
from steps.fit.nemo.made_action import throw

BODY = load_body("toy")


def once(frames: int = 45, start: float = 0.0, end: float = 1.0) -> Float[ndarray, "frames"]:
    """Out and back, so that the next one can follow."""
    t = np.linspace(start, end, frames)
    return 0.5 - 0.35 * np.cos(2 * np.pi * t)


def rest(frames: int) -> Float[ndarray, "frames"]:
    return np.full(frames, 0.15)


def clip(parts: list[Float[ndarray, "frames"]], noise: float = 0.02) -> Motion:
    return throw(np.concatenate(parts), noise=noise)


def hit(found: list[slice], parts: list[Float[ndarray, "frames"]]) -> list[int]:
    """How many middles of the parts that are no rest lie in each span."""
    edges = np.cumsum([0, *(len(p) for p in parts)])
    middles = [
        (a + b) / 2 for a, b, p in zip(edges[:-1], edges[1:], parts, strict=True) if np.ptp(p) > 0.5
    ]
    return [sum(span.start <= m < span.stop for m in middles) for span in found]


CLIPS = {
    "in a row": [once(), once(), once(), once()],
    "with pauses": [rest(30), once(), rest(60), once(), rest(15), once(), rest(40)],
    "at several paces": [once(45), once(60), once(38), once(45)],
}


@pytest.mark.parametrize("name", CLIPS)
def test_all_are_found(name: str) -> None:
    parts = CLIPS[name]
    found = find_repetitions(clip(parts), BODY)
    wanted = sum(np.ptp(p) > 0.5 for p in parts)
    if name == "with pauses":
        assert hit(found, parts) == [1] * wanted
    else:
        # In a row any phase is as good as another to cut at: the ends may be incomplete.
        assert wanted - 1 <= len(found) <= wanted


def test_spans_are_in_order_and_apart() -> None:
    found = find_repetitions(clip(CLIPS["in a row"]), BODY)
    assert all(a.stop <= b.start for a, b in pairwise(found))
    assert all(span.stop - span.start > 20 for span in found)


def test_each_is_in_the_same_phase() -> None:
    parts = CLIPS["with pauses"]
    phase = np.concatenate(parts)
    for span in find_repetitions(clip(parts), BODY):
        assert phase[span.start] < 0.35
        assert phase[span.stop - 1] < 0.35
        assert phase[span].max() > 0.8


@pytest.mark.parametrize("start", [0, 22])
def test_what_is_incomplete_is_left_out(start: int) -> None:
    """Squats of 45 frames each, three and a half of them."""
    squats = make_motion(45 * 4)
    pose = squats.body_pose.copy()
    pose[:, 15:] = np.eye(3, dtype=np.float32)
    motion = squats.replace(body_pose=pose).at_frames(np.arange(start, start + 45 * 3 + 22))
    found = find_repetitions(motion, BODY)
    assert len(found) == 3
    assert all(abs(span.stop - span.start - 45) < 15 for span in found)


def test_as_many_as_wanted() -> None:
    motion = clip(CLIPS["with pauses"])
    assert len(find_repetitions(motion, BODY, CutConfig(count=2))) == 2
    with pytest.raises(OptionError, match=r"--repetitions 5: 3 were found in .* s; give"):
        find_repetitions(motion, BODY, CutConfig(count=5))


@pytest.mark.parametrize(
    "parts", [[rest(150)], [rest(40), once(), rest(40)], [np.linspace(0, 1, 60)], [rest(3)]]
)
def test_nothing_that_comes_back(parts: list[Float[ndarray, "frames"]]) -> None:
    with pytest.raises(OptionError, match=r"--repetitions auto: no movement .* give single takes"):
        find_repetitions(clip(parts, noise=0.02), BODY)


def test_rate_does_not_matter() -> None:
    parts = CLIPS["with pauses"]
    slow = find_repetitions(clip(parts, noise=0), BODY)
    phase = np.concatenate(parts)
    fine = np.interp(np.arange(0, len(phase), 0.25), np.arange(len(phase)), phase)
    fast = find_repetitions(throw(fine, fps=120), BODY)
    assert len(fast) == len(slow)
    for a, b in zip(slow, fast, strict=True):
        assert abs(b.start / 4 - a.start) < 6
        assert abs(b.stop / 4 - a.stop) < 6
