"""evaluate: how good a motion is, against the truth or against what was seen."""

from motionfield.steps.evaluate.quality import QualityConfig, assess

__all__ = ["QualityConfig", "assess"]
