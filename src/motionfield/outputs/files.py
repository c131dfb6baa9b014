"""The files of one input: motion in all its forms, and the overlay."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from motionfield.body.base import Body
from motionfield.core.progress import Bar, Progress
from motionfield.data import Motion, Take, Video
from motionfield.formats.angles_csv import write_angles_csv
from motionfield.formats.bvh import write_bvh
from motionfield.formats.glb import write_glb
from motionfield.formats.motion_npz import write_motion_npz
from motionfield.formats.trc import write_trc
from motionfield.formats.video_file import VideoWriter, stream_frames
from motionfield.outputs.sources import Source, finished_key, mark
from motionfield.outputs.written import Finished, SourceResult, told_where, whole_file
from motionfield.run_config import RunConfig
from motionfield.steps.view import overlay_frames

FORMS: dict[str, Callable[[Path, Motion, Body], None]] = {
    "motion.bvh": write_bvh,
    "motion.glb": write_glb,
    "motion.trc": write_trc,
    "joint_angles.csv": lambda path, motion, _: write_angles_csv(path, motion),
}
"""Beside ``motion.npz``, which is written last: a folder with it is complete."""
NUM_FORMS = len(FORMS) + 1


def motion_files(folder: Path) -> list[Path]:
    """The files of one motion."""
    return [folder / name for name in (*FORMS, "motion.npz")]


def write_motion(
    folder: Path, motion: Motion, body: Body, write_npz: Callable[[Path], None], bar: Bar
) -> None:
    """Write a motion in all its forms."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, write in FORMS.items():
        with whole_file(folder / name) as part:
            write(part, motion, body)
        bar.advance()
    with whole_file(folder / "motion.npz") as part:
        write_npz(part)
    bar.advance()


def write_source(
    result: SourceResult, body: Body, config: RunConfig, progress: Progress
) -> Finished:
    """Write the files of one input; those of a finished run with the same key are kept.

    Raises:
        OutputError: the folder cannot be written.
    """
    source, takes = result.source, result.takes
    folders = _take_folders(source, len(takes))
    overlay = source.folder / "overlay.mp4" if result.video and config.overlay else None
    files = [file for folder in folders for file in motion_files(folder)]
    files += [overlay] if overlay else []
    if finished_key(source.folder) == result.key and all(file.exists() for file in files):
        return Finished(result, files, overlay)
    with told_where(source.folder):
        mark(source.folder, result.key, whole=False)
        if overlay and result.video:
            with whole_file(overlay) as part:
                _write_overlay(part, result.video, takes, body, progress)
        with progress("write", len(folders) * NUM_FORMS, "file") as bar:
            for take, folder in zip(takes, folders, strict=True):
                npz = partial(write_motion_npz, take=take, body=body)
                write_motion(folder, take.motion, body, npz, bar)
        mark(source.folder, result.key, whole=True)
    return Finished(result, files, overlay)


def _take_folders(source: Source, count: int) -> list[Path]:
    if count == 1:
        return [source.folder]
    return [source.folder / f"person_{index}" for index in range(count)]


def _write_overlay(
    path: Path, video: Video, takes: Sequence[Take], body: Body, progress: Progress
) -> None:
    """Draw the overlay; it plays at the speed of the file (slow motion stays slow)."""
    span_s = float(video.playback_s[-1] - video.playback_s[0])
    fps = (video.num_frames - 1) / span_s if span_s > 0 else video.fps
    frames = overlay_frames(stream_frames(video), takes, body, progress=progress)
    first = next(frames)
    height, width = first.shape[:2]
    with VideoWriter(path, width, height, fps) as writer:
        writer.write(first)
        for frame in frames:
            writer.write(frame)
