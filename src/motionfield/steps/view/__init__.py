"""View: the overlay video beside a world view, and the report in one HTML file."""

from motionfield.steps.view.group import Group
from motionfield.steps.view.overlay import OverlayConfig, overlay_frames, overlay_size
from motionfield.steps.view.report import Clip, RunNotes, report_html, report_of_clips

__all__ = [
    "Clip",
    "Group",
    "OverlayConfig",
    "RunNotes",
    "overlay_frames",
    "overlay_size",
    "report_html",
    "report_of_clips",
]
