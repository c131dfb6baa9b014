"""Videos with image features and what is known of the person in them: windows to train on.

Unknown truth is NaN, or confidence 0; every window may have any of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Generator, Tensor

from motionfield.core.errors import OptionError
from motionfield.core.keypoint_sets import LSP_14, OPENPOSE_25, SMPL_24, KeypointSet


def _of(keypoint_set: KeypointSet) -> tuple[str, ...]:
    return tuple(f"{keypoint_set.name}.{name}" for name in keypoint_set.keypoint_names)


POINT_NAMES: Final = _of(OPENPOSE_25) + _of(LSP_14)
"""2D points, as SPIN has them (of its 49 those that our body defines)."""
JOINT_NAMES: Final = _of(SMPL_24) + _of(LSP_14)
"""3D points: data sets give either."""
NUM_BETAS: Final = 10


class ImageTruth(NamedTuple):
    """What is known; NaN is not known. Leading dimensions: frames, or windows and frames."""

    points: Float[Tensor, "*windows frames 39 3"]
    """``POINT_NAMES``: x, y in the crop (its sides at -1 and 1), confidence (0: not known)."""
    joints: Float[Tensor, "*windows frames 38 3"]
    """``JOINT_NAMES``: metres, camera axes, any origin."""
    pose: Float[Tensor, "*windows frames 24 3 3"]
    """Root in camera axes, then the joints."""
    betas: Float[Tensor, "*windows frames 10"]
    """Of the body that is trained."""


class ImageVideo(NamedTuple):
    """One person in one video."""

    dataset: str
    name: str
    features: Any
    """(frames, width): slices of it are arrays."""
    points: Float[ndarray, "frames 39 3"]
    joints: Float[ndarray, "frames 38 3"]
    pose: Float[ndarray, "frames 24 3 3"]
    betas: Float[ndarray, "frames 10"]

    @property
    def num_frames(self) -> int:
        return len(self.points)

    @property
    def has_3d(self) -> bool:
        """Whether any joint or rotation is known."""
        return bool(np.isfinite(self.joints).any() or np.isfinite(self.pose).any())

    def window(self, start: int, length: int) -> tuple[Float[Tensor, "frames width"], ImageTruth]:
        """Features and truth of some frames."""
        rows = slice(start, start + length)
        parts = (self.points[rows], self.joints[rows], self.pose[rows], self.betas[rows])
        truth = ImageTruth(*(torch.tensor(part, dtype=torch.float32) for part in parts))
        return torch.tensor(np.asarray(self.features[rows]), dtype=torch.float32), truth


class Batch(NamedTuple):
    """Windows side by side."""

    features: Float[Tensor, "windows frames width"]
    truth: ImageTruth

    def to(self, device: str) -> "Batch":
        """On another device."""
        return Batch(self.features.to(device), ImageTruth(*(p.to(device) for p in self.truth)))


@dataclass(frozen=True)
class WindowChoice:
    """Which windows a training may draw."""

    length: int = 90
    overlaps: tuple[tuple[str, float], ...] = (
        ("3dpw", 0.75),
        ("penn", 0.75),
        ("posetrack", 0.75),
        ("h36m", 0.5),
    )
    """Share that neighbouring windows of a data set have in common; of others none."""
    share_2d: float = 0.6
    """Share of a batch that has 2D alone, where there are data of both kinds."""

    def starts(self, dataset: str, frames: int) -> range:
        """First frames of a video's windows."""
        overlap = dict(self.overlaps).get(dataset, 0.0)
        stride = max(1, int(self.length * (1 - overlap)))
        return range(0, frames - self.length + 1, stride)


class WindowPool:
    """All windows of some videos, those with 3D truth apart."""

    def __init__(self, videos: Sequence[ImageVideo], choice: WindowChoice) -> None:
        """Raises OptionError where no video is long enough."""
        self._choice = choice
        self._flat: list[tuple[ImageVideo, int]] = []
        self._deep: list[tuple[ImageVideo, int]] = []
        for video in videos:
            kind = self._deep if video.has_3d else self._flat
            kind += [(video, start) for start in choice.starts(video.dataset, video.num_frames)]
        if not self._flat and not self._deep:
            raise OptionError(
                f"meva_images: none of {len(videos)} videos has {choice.length} frames"
            )

    def counts(self) -> tuple[int, int]:
        """Windows with 2D alone, and with 3D."""
        return len(self._flat), len(self._deep)

    def draw(self, count: int, generator: Generator) -> Batch:
        """A random batch."""
        flat = int(count * self._choice.share_2d) if self._deep else count
        flat = flat if self._flat else 0
        chosen = []
        for kind, wanted in ((self._flat, flat), (self._deep, count - flat)):
            if wanted:
                at = torch.randint(len(kind), (wanted,), generator=generator)
                chosen += [kind[i] for i in at.tolist()]
        return self._stack(chosen)

    def blocks(self, size: int) -> list[Batch]:
        """Every window once (those with 3D, if there are any), some at a time."""
        every = self._deep or self._flat
        return [self._stack(every[at : at + size]) for at in range(0, len(every), size)]

    def _stack(self, chosen: Sequence[tuple[ImageVideo, int]]) -> Batch:
        windows = [video.window(start, self._choice.length) for video, start in chosen]
        truths = zip(*(truth for _, truth in windows), strict=True)
        return Batch(
            torch.stack([features for features, _ in windows]),
            ImageTruth(*(torch.stack(parts) for parts in truths)),
        )
