"""Scores of what a method made of a take."""

from typing import NamedTuple

from motionfield.benchmarks.open.case import BenchTake
from motionfield.body.base import Body
from motionfield.core.errors import OptionError
from motionfield.steps.evaluate.compare import compare_motions
from motionfield.steps.fit.base import FitResult


class TakeScore(NamedTuple):
    """One figure of one take."""

    value: float
    """NaN: nothing could be scored."""
    unit: str
    frames_used: int


def score_take(result: FitResult, take: BenchTake, body: Body) -> dict[str, TakeScore]:
    """All figures of one take, by name.

    Raises:
        OptionError: the method's motion has other frames than the take.
    """
    motion, camera = result
    if motion.num_frames != take.truth.num_frames:
        raise OptionError(f"{motion.num_frames} frames for a take of {take.truth.num_frames}")
    compared = compare_motions(
        motion,
        take.truth,
        body,
        predicted_camera=camera,
        truth_camera=take.camera,
        keypoints=take.keypoints,
    )
    return {
        name: TakeScore(score.value, score.unit, score.frames_used)
        for name, score in compared.scores.items()
    }
