"""What a comparison gives: figures by name, each with its unit, frames, points and alignment."""

import math
from dataclasses import dataclass
from typing import Any

from motionfield.steps.evaluate.catalogue import METRICS
from motionfield.steps.evaluate.score import Score


@dataclass(frozen=True)
class NamedScore:
    """One figure with all that one needs to know to compare it with another's."""

    value: float
    """NaN where no frame could be scored."""
    unit: str
    frames_used: int
    frames_total: int
    joints: str
    alignment: str
    source: str


@dataclass(frozen=True)
class Comparison:
    """The figures of one prediction, by their names in ``catalogue.METRICS``."""

    scores: dict[str, NamedScore]

    def table(self) -> str:
        """Text, one figure a line."""
        width = max((len(name) for name in self.scores), default=0)
        lines = []
        for name, score in self.scores.items():
            value = "–" if math.isnan(score.value) else f"{score.value:.2f}"
            frames = f"{score.frames_used}/{score.frames_total}"
            lines.append(
                f"{name:{width}} {value:>10} {score.unit:13} {frames:>11}  "
                f"{score.joints}; {score.alignment}; {score.source}"
            )
        return "\n".join(lines)

    def summary(self) -> dict[str, Any]:
        """Plain values for a JSON file; what is NaN here is None there."""
        return {
            name: vars(score) | {"value": None if math.isnan(score.value) else score.value}
            for name, score in self.scores.items()
        }


def named(
    name: str, score: Score, joints: str | None = None, alignment: str | None = None
) -> NamedScore:
    """A score under its name; ``joints`` and ``alignment`` say what was really compared."""
    return named_value(name, score.mean, (score.frames_used, score.frames_total), joints, alignment)


def named_value(
    name: str,
    value: float,
    frames: tuple[int, int],
    joints: str | None = None,
    alignment: str | None = None,
) -> NamedScore:
    """A figure that is no mean over frames; ``frames`` are those used and all."""
    metric = METRICS[name]
    return NamedScore(
        value=value,
        unit=metric.unit,
        frames_used=frames[0],
        frames_total=frames[1],
        joints=joints or metric.points,
        alignment=alignment or metric.alignment,
        source=metric.source,
    )
