"""What the protocols are run with: a small body, and a method that costs nothing."""

import pytest

from benchmarks.papers.still_method import still
from motionfield.benchmarks.open.case import Tools
from motionfield.benchmarks.open.methods import METHODS
from motionfield.body.registry import load_body
from motionfield.priors.pose_mixture import PoseMixture


@pytest.fixture(scope="module")
def tools() -> Tools:
    return Tools(load_body("toy"), PoseMixture.load())


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """``initial`` is ``still``."""
    monkeypatch.setitem(METHODS, "initial", still)
