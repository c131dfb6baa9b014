"""read: a video file or a folder of images → ``Video``."""

from motionfield.steps.read.read_video import ReadConfig, read_video

__all__ = ["ReadConfig", "read_video"]
