"""The open benchmark: cases with exact truth, and what a method is shown of them."""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, Protocol

from motionfield.body.base import Body
from motionfield.data.camera_path import CameraPath
from motionfield.data.keypoints import Keypoints
from motionfield.data.motion import Motion
from motionfield.formats.calib_file import Intrinsics
from motionfield.priors.base import PosePrior
from motionfield.steps.fit.base import FitResult

Tier = Literal["points", "render"]
Track = Literal["single", "nemo", "moving", "moving_long", "views"]
"""Views: static cameras that see the same instants."""
Split = Literal["val", "test"]


class BenchTake(NamedTuple):
    """One take: the truth, and what a detector and a camera tracker made of it."""

    name: str
    truth: Motion
    """World: Z up, metres, ground at z = 0; ``contacts`` filled."""
    camera: CameraPath
    """The true camera, in the truth's world."""
    keypoints: Keypoints
    """What the detector reports (with ``coarse_camera``)."""
    camera_motion: CameraPath | None = None
    """Where the camera moves: its path as a camera tracker estimates it, in the axes of the first
    frame's camera, of unknown scale, with drift. None: a static camera."""


class Case(NamedTuple):
    """Takes that are solved together: one, or repetitions of an action, or views of one instant."""

    name: str
    tier: Tier
    track: Track
    split: Split
    action: str
    """Figures are means over actions."""
    takes: tuple[BenchTake, ...]
    synchronized: bool = False
    """The takes are views of the same instants."""


class Given(NamedTuple):
    """What a method is shown of a take."""

    keypoints: Keypoints
    intrinsics: Intrinsics | None
    """The true lens, or None: the method's default focal."""
    camera_motion: CameraPath | None = None
    """See ``BenchTake``."""


class Starts(Protocol):
    """First motions that several methods start from (``shared.FirstMotions``)."""

    def get(self, given: Given, make: Callable[[], FitResult]) -> FitResult:
        """What ``make`` gives, or gave before for the same take."""
        ...


class Tools(NamedTuple):
    """What is loaded once for all methods."""

    body: Body
    prior: PosePrior
    seed: int = 0
    starts: Starts | None = None
    """None: every method makes its own."""


Method = Callable[[Sequence[Given], Tools], list[FitResult]]
"""A method: takes of one case in, motion and camera of each take out, in the same order.

Each result lives in a world of its own (Z up, ground at z = 0), as ``motionfield run`` gives it.
"""
