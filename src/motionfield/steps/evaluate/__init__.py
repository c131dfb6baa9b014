"""evaluate: how good a motion is, against the truth or against what was seen."""

from motionfield.steps.evaluate.compare import compare_joints, compare_motions
from motionfield.steps.evaluate.comparison import Comparison, NamedScore
from motionfield.steps.evaluate.quality import QualityConfig, assess
from motionfield.steps.evaluate.variation import variation_of

__all__ = [
    "Comparison",
    "NamedScore",
    "QualityConfig",
    "assess",
    "compare_joints",
    "compare_motions",
    "variation_of",
]
