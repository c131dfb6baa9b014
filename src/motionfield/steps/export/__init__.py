"""Export: motion files in the forms of animation, biomechanics and statistics."""

from motionfield.steps.export.export import EXPORTERS, export_motion

__all__ = ["EXPORTERS", "export_motion"]
