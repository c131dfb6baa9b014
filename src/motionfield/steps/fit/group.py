"""What every fitter of several takes is: repetitions of one action in, one action out."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from motionfield.core.progress import Progress, silent
from motionfield.data.action import Action
from motionfield.data.camera_path import CameraPath
from motionfield.data.keypoints import Keypoints
from motionfield.data.motion import Motion
from motionfield.steps.fit.base import FitResult


class GroupTake(NamedTuple):
    """One take, with its first 3D; all records have the same frames."""

    name: str
    keypoints: Keypoints
    camera: CameraPath
    initial: Motion


class GroupResult(NamedTuple):
    """All takes and the canonical motion in one world, facing the same way at the same phase."""

    takes: list[FitResult]
    canonical: Motion
    """What the takes have in common; its frames are at phases ``linspace(0, 1, frames)``."""
    action: Action
    warnings: tuple[str, ...] = ()


class GroupFitter(ABC):
    """Fits the takes of one action together."""

    @abstractmethod
    def fit(self, takes: Sequence[GroupTake], progress: Progress = silent) -> GroupResult:
        """Motions of all takes, in their order.

        Raises:
            OptionError: fewer than two takes, unknown keypoints, different bodies.
        """
