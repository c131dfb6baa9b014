"""A metric frame by frame, and the rules that all metrics share.

Points are metres, arrays are (frames, points, 3). A value that is missing (NaN) in the prediction
or in the truth takes its frame out of the score; ``Score`` says how many frames were used, and a
score over no frame is NaN. Which points are compared is the caller's choice: pass those alone, in
one order (``core.keypoint_sets.LIMB_JOINTS`` for the tables of this project).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motionfield.core.errors import OptionError

MM_PER_M = 1000.0


@dataclass(frozen=True)
class Score:
    """A metric, frame by frame.

    ``per_frame`` is NaN in frames that could not be scored; mean and median are over the others,
    and NaN where there are none.
    """

    per_frame: Float[Tensor, "frames"]
    unit: str
    weight: Float[Tensor, "frames"] | None = None
    """How many values the figure of each frame is the mean of, where the published figure is the
    mean of them all; None: frames count alike."""

    @property
    def frames_used(self) -> int:
        return int(self._used.sum())

    @property
    def frames_total(self) -> int:
        return len(self.per_frame)

    @property
    def mean(self) -> float:
        if not self.frames_used:
            return float("nan")
        values = self.per_frame[self._used].double()
        if self.weight is None:
            return float(values.mean())
        weight = self.weight[self._used].double()
        return float((weight * values).sum() / weight.sum())

    @property
    def median(self) -> float:
        """Over frames, each counting alike."""
        used = self.per_frame[self._used].double()
        return float(used.quantile(0.5)) if self.frames_used else float("nan")

    def only(self, frames: Bool[Tensor, "frames"]) -> "Score":
        """The score over these frames alone; the others count as not used."""
        nothing = torch.full_like(self.per_frame, torch.nan)
        return Score(torch.where(frames, self.per_frame, nothing), self.unit, self.weight)

    @property
    def _used(self) -> Tensor:
        return torch.isfinite(self.per_frame)


def mean_over_points(values: Float[Tensor, "frames points"], unit: str) -> Score:
    """The mean over all values of all frames that are there (NaN: not there)."""
    known = torch.isfinite(values)
    return Score(values.nanmean(-1), unit, known.sum(-1).to(values.dtype))


def whole_frames(points: Float[Tensor, "frames points dims"]) -> Bool[Tensor, "frames"]:
    """Frames in which no point is missing."""
    return torch.isfinite(points).all(-1).all(-1)


def check_same_shape(predicted: Tensor, truth: Tensor) -> None:
    """Raises ``OptionError`` where the frames or the points differ in number."""
    if predicted.shape != truth.shape:
        raise OptionError(
            f"metrics: the prediction has shape {tuple(predicted.shape)}, the truth "
            f"{tuple(truth.shape)}; resample one to the frames of the other"
        )


def check_same_clock(frames: tuple[int, int], fps: tuple[float, float]) -> None:
    """Raises ``OptionError`` where prediction and truth differ in length or in frame rate.

    Rates within one per cent are the same: 29.97 is sold as 30.
    """
    if abs(fps[0] - fps[1]) > 0.01 * fps[1]:
        raise OptionError(
            f"metrics: the prediction has {fps[0]:g} frames per second, the truth {fps[1]:g}; "
            "resample the truth to the times of the prediction (geometry.resample)"
        )
    if frames[0] != frames[1]:
        raise OptionError(
            f"metrics: the prediction has {frames[0]} frames, the truth {frames[1]}; cut both to "
            "the frames that they share (frame_index, or --range START-END when running)"
        )
