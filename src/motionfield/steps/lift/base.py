"""What every lifter is: a final class with one verb."""

from abc import ABC, abstractmethod

from motionfield.core.progress import Progress, silent
from motionfield.data.camera_path import CameraPath
from motionfield.data.keypoints import Keypoints
from motionfield.data.motion import Motion


class Lifter(ABC):
    """The first 3D of one person."""

    @abstractmethod
    def lift(self, keypoints: Keypoints, camera: CameraPath, progress: Progress = silent) -> Motion:
        """A first motion for the frames of ``keypoints``, in the world of ``camera``.

        Raises:
            OptionError: unknown keypoints, records of different lengths, impossible height.
            NoPersonError: no frame has enough keypoints.
        """
