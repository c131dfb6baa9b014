"""motionfield: videos in, true 3D human motion out, in world coordinates, in metres."""

__version__ = "0.1.0"
