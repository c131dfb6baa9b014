"""What every fitter is: a frozen config beside a final class with one verb."""

from abc import ABC, abstractmethod
from typing import NamedTuple

from motionfield.core.progress import Progress, silent
from motionfield.data.camera_path import CameraPath
from motionfield.data.keypoints import Keypoints
from motionfield.data.motion import Motion


class FitResult(NamedTuple):
    """The final motion, and the camera in the same world (its ground may have been refined)."""

    motion: Motion
    camera: CameraPath


class Fitter(ABC):
    """Fits one person's motion to 2D keypoints."""

    @abstractmethod
    def fit(
        self,
        keypoints: Keypoints,
        camera: CameraPath,
        initial: Motion,
        progress: Progress = silent,
    ) -> FitResult:
        """Improve ``initial``; all records have the same frames."""
