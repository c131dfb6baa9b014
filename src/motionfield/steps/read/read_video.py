"""From a path to a ``Video``: true time stamps, the chosen range, capture time."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motionfield.core.errors import InputError, OptionError
from motionfield.core.history import step
from motionfield.data.video import Video
from motionfield.formats.image_folder import probe_images
from motionfield.formats.video_file import LONG_SIDE_35MM, ProbedVideo, probe_video

IMAGE_FOLDER_FPS = 30.0
"""Rate of a folder of images when ``capture_fps`` is not given (images carry no clock)."""


@dataclass(frozen=True)
class ReadConfig:
    """What to read of a video."""

    range_s: tuple[float, float] | None = None
    """Start and end in seconds of the file as played (the end is left out)."""
    capture_fps: float | None = None
    """Rate at which the world was filmed, where the file plays at another (slow motion)."""


def read_video(path: Path, config: ReadConfig = ReadConfig()) -> Video:
    """Probe a video file or a folder of images; no picture but the first is decoded.

    Raises:
        InputError: missing, not a video, no frames, or none in the range.
        OptionError: a range or rate that makes no sense.
    """
    _check(config)
    if not path.exists():
        raise InputError(path, "does not exist", "check the path")
    probed = _probe_folder(path) if path.is_dir() else probe_video(path)
    chosen = np.arange(len(probed.playback_s))
    if config.range_s is not None:
        start, end = config.range_s
        chosen = np.flatnonzero((probed.playback_s >= start) & (probed.playback_s < end))
        if len(chosen) == 0:
            length = probed.playback_s[-1]
            fault = f"has no frame between {start:g} s and {end:g} s"
            raise InputError(path, fault, f"it is {length:.2f} s long: give another --range")
    slowdown = 1.0 if config.capture_fps is None else config.capture_fps / probed.fps
    return Video(
        path=path,
        image_width=probed.width,
        image_height=probed.height,
        rotation_deg=probed.rotation_deg,
        fps=probed.fps * slowdown,
        frame_index=chosen,
        time_s=probed.playback_s[chosen] / slowdown,
        playback_s=probed.playback_s[chosen],
        exif_focal_px=probed.exif_focal_px,
        history=(step("read", config, path=path.name),),
    )


def _check(config: ReadConfig) -> None:
    if config.range_s is not None:
        start, end = config.range_s
        if not 0 <= start < end:
            raise OptionError(f"--range {start:g}-{end:g}: the start must lie before the end")
    if config.capture_fps is not None and not 1 <= config.capture_fps <= 100_000:
        raise OptionError(
            f"--capture-fps {config.capture_fps:g}: give frames per second, 1 or more"
        )


def _probe_folder(folder: Path) -> ProbedVideo:
    images = probe_images(folder)
    long_side = max(images.width, images.height)
    focal = images.exif_focal_35mm
    return ProbedVideo(
        width=images.width,
        height=images.height,
        rotation_deg=0,
        playback_s=np.arange(images.num_images) / IMAGE_FOLDER_FPS,
        fps=IMAGE_FOLDER_FPS,
        exif_focal_px=None if focal is None else focal / LONG_SIDE_35MM * long_side,
    )
