"""NeMo: one motion field for the takes of one action."""

from motionfield.steps.fit.nemo.paper import PaperNemoFitter
from motionfield.steps.fit.nemo.paper_config import PaperNemoConfig

__all__ = ["PaperNemoConfig", "PaperNemoFitter"]
