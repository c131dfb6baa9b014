"""View: the overlay video beside a world view, and the report in one HTML file."""

from motionfield.steps.view.overlay import OverlayConfig, overlay_frames, overlay_size

__all__ = ["OverlayConfig", "overlay_frames", "overlay_size"]
