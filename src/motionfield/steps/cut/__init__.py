"""Cut: one long clip becomes the repetitions of a movement in it."""

from motionfield.steps.cut.repetitions import CutConfig, find_repetitions

__all__ = ["CutConfig", "find_repetitions"]
