"""Video files: time stamps without decoding, frames as a stream, and a writer (PyAV)."""

import contextlib
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import av
import av.error
import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from motionfield.core.errors import InputError, OutputError
from motionfield.data.video import Video
from motionfield.formats.image_folder import stream_images

QUICKTIME_FOCAL_KEY = "com.apple.quicktime.camera.focal_length.35mm_equivalent"
LONG_SIDE_35MM = 36.0
"""Width of the 35 mm film frame in millimetres, for 35 mm equivalent focal lengths."""


class ProbedVideo(NamedTuple):
    """What a video file says of itself, before a range is chosen."""

    width: int
    height: int
    rotation_deg: int
    playback_s: Float[ndarray, "frames"]
    """Time stamp of every frame in seconds from the first, in display order."""
    fps: float
    exif_focal_px: float | None


def probe_video(path: Path) -> ProbedVideo:
    """Read size, rotation and all time stamps; only the first frame is decoded.

    Raises:
        InputError: the file is no video, or holds no frame that can be decoded.
    """
    with _opened(path) as container:
        stream = container.streams.video[0]
        first = _first_frame(path, container)
        width, height = _upright_size(first)
        metadata = {**container.metadata, **stream.metadata}
    with _opened(path) as container:
        stream = container.streams.video[0]
        stamps = sorted(
            float(packet.pts * packet.time_base)
            for packet in container.demux(stream)
            if packet.pts is not None and packet.size > 0 and not packet.is_discard
        )
        nominal = float(stream.average_rate or stream.guessed_rate or 30)
    if not stamps:
        stamps = [0.0]
    playback_s = np.unique(np.asarray(stamps) - stamps[0])
    fps = nominal
    if len(playback_s) > 1:
        fps = (len(playback_s) - 1) / float(playback_s[-1])
    focal = metadata.get(QUICKTIME_FOCAL_KEY)
    focal_px = float(focal) / LONG_SIDE_35MM * max(width, height) if focal else None
    return ProbedVideo(width, height, _clockwise(first), playback_s, fps, focal_px)


def stream_frames(video: Video) -> Iterator[UInt8[ndarray, "height width 3"]]:
    """Yield the video's frames in order: RGB, upright, one at a time (memory stays flat).

    Raises:
        InputError: a frame cannot be decoded.
    """
    if video.path.is_dir():
        yield from stream_images(video.path, video.frame_index, video.image_size)
        return
    found = 0
    wanted_s = video.playback_s
    # Half the smallest step tells neighbouring time stamps apart.
    tolerance_s = 0.5 * float(np.diff(wanted_s).min()) if len(wanted_s) > 1 else 1e-3
    with _opened(video.path) as container:
        container.streams.video[0].thread_type = "AUTO"
        try:
            for frame, time_s in _decoded_from(container, float(wanted_s[0])):
                if time_s < wanted_s[found] - tolerance_s:
                    continue
                if time_s > wanted_s[found] + tolerance_s:
                    break
                yield _upright(frame, video.image_size)
                found += 1
                if found == len(wanted_s):
                    return
        except av.error.FFmpegError as error:
            raise _damaged(video, found, str(error)) from error
    raise _damaged(video, found, "a frame is missing")


def _damaged(video: Video, found: int, reason: str) -> InputError:
    at = int(video.frame_index[min(found, video.num_frames - 1)])
    good = float(video.playback_s[max(found - 1, 0)])
    cure = f"re-encode it, or keep to the good part with --range 0-{good:.2f}"
    return InputError(video.path, f"is damaged at frame {at} ({reason})", cure)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        container = av.open(str(path))
    except (av.error.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        cure = "give a video file (mp4, mov, avi, webm, …) or a folder of images"
        raise InputError(path, f"cannot be read as a video ({reason})", cure) from error
    with container:
        if not container.streams.video:
            raise InputError(path, "holds no video stream", "give a file with pictures in it")
        yield container


def _first_frame(path: Path, container: Any) -> av.VideoFrame:
    try:
        first = next(container.decode(video=0), None)
    except av.error.FFmpegError as error:
        fault = f"holds no frame that can be decoded ({error.strerror})"
        raise InputError(path, fault, "re-encode it") from error
    if first is None:
        raise InputError(path, "holds no frames", "give a video with at least one frame")
    return first


def _decoded_from(container: Any, start_s: float) -> Iterator[tuple[av.VideoFrame, float]]:
    """Frames with their time in seconds from the file's first frame, from ``start_s`` or before."""
    stream = container.streams.video[0]
    first_s: float | None = None
    for frame in container.decode(stream):
        time_s = 0.0 if frame.pts is None else float(frame.pts * frame.time_base)
        if first_s is None:
            first_s = time_s
            if start_s > 2.0:
                break
        yield frame, time_s - first_s
    else:
        return
    container.seek(int((first_s + start_s) / stream.time_base), stream=stream)
    for frame in container.decode(stream):
        if frame.pts is not None:
            yield frame, float(frame.pts * frame.time_base) - first_s


def _clockwise(frame: av.VideoFrame) -> int:
    """Clockwise turn that shows the frame upright (the file stores it counter-clockwise)."""
    return -round(frame.rotation / 90) * 90 % 360


def _pixel_aspect(frame: av.VideoFrame) -> Fraction:
    aspect = getattr(frame, "sample_aspect_ratio", None)
    return Fraction(aspect) if aspect else Fraction(1)


def _upright_size(frame: av.VideoFrame) -> tuple[int, int]:
    width, height = round(frame.width * _pixel_aspect(frame)), frame.height
    return (height, width) if _clockwise(frame) % 180 else (width, height)


def _upright(frame: av.VideoFrame, image_size: tuple[int, int]) -> UInt8[ndarray, "height width 3"]:
    turn = _clockwise(frame)
    width, height = image_size[::-1] if turn % 180 else image_size
    # A stream may change its size midway; every frame is brought to the size of the first.
    picture = frame.to_ndarray(format="rgb24", width=width, height=height)
    return np.ascontiguousarray(np.rot90(picture, k=-(turn // 90)))


class VideoWriter:
    """Write RGB frames as an H.264 mp4; the name appears only when the file is whole."""

    def __init__(self, path: Path, width: int, height: int, fps: float) -> None:
        self._path = path
        self._part = path.with_name(f".{path.stem}.{os.getpid()}.part.mp4")
        self._size = (width - width % 2, height - height % 2)
        try:
            self._container = av.open(str(self._part), "w", options={"movflags": "faststart"})
        except (av.error.FFmpegError, OSError) as error:
            raise OutputError(path, f"cannot be written ({error})", "check the folder") from error
        rate = Fraction(fps).limit_denominator(1001)
        self._stream = self._container.add_stream("libx264", rate=rate)
        self._stream.width, self._stream.height = self._size
        self._stream.pix_fmt = "yuv420p"
        self._stream.options = {"crf": "23", "preset": "veryfast"}

    def write(self, frame: UInt8[ndarray, "height width 3"]) -> None:
        """Append one frame; an odd last row or column is cut off."""
        width, height = self._size
        picture = np.ascontiguousarray(frame[:height, :width])
        encoded = self._stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24"))
        self._container.mux(encoded)

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._container.mux(self._stream.encode())
            self._container.close()
            if error is None:
                os.replace(self._part, self._path)
        finally:
            self._part.unlink(missing_ok=True)
