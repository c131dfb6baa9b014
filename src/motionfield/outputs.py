"""The files of a run: what is called how, and that each appears only when it is whole."""

import dataclasses
import importlib.metadata
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from motionfield import __version__
from motionfield.body.base import Body
from motionfield.core.errors import InputError, MotionfieldError, OutputError
from motionfield.core.history import plain
from motionfield.core.progress import Progress
from motionfield.data import Take, Video
from motionfield.data.record import write_whole
from motionfield.formats.angles_csv import write_angles_csv
from motionfield.formats.bvh import write_bvh
from motionfield.formats.glb import write_glb
from motionfield.formats.motion_npz import write_motion_npz
from motionfield.formats.trc import write_trc
from motionfield.formats.video_file import VideoWriter, stream_frames
from motionfield.run_config import RunConfig
from motionfield.stages import StageTime
from motionfield.steps.view import Clip, RunNotes, overlay_frames, report_of_clips

_MARK = "outputs.json"
_PACKAGES = ("ai-edge-litert", "av", "numpy", "opencv-python-headless", "scipy", "torch", "trimesh")


class Source(NamedTuple):
    """One input: a video, a keypoint file, or both."""

    name: str
    """The name of its folder in OUT: the stem, with a suffix where two are equal."""
    folder: Path
    video: Path | None
    keypoints: Path | None
    features: Path | None = None
    """Per-frame image features, where the lift reads them."""

    @property
    def path(self) -> Path:
        """What the user gave."""
        given = self.video or self.keypoints
        if given is None:
            raise InputError(self.name, "has neither video nor keypoints", "give one of them")
        return given


class SourceResult(NamedTuple):
    """What the steps made of one input."""

    source: Source
    video: Video | None
    takes: list[Take]
    warnings: tuple[str, ...]
    times: list[StageTime]
    key: str
    """Names the result: the same inputs, options and version have the same key."""


class Finished(NamedTuple):
    """One input whose files are written."""

    result: SourceResult
    files: list[Path]
    overlay: Path | None


def name_sources(config: RunConfig) -> list[Source]:
    """The inputs with the folders of their outputs; equal stems get a suffix."""
    count = max(len(config.videos), len(config.keypoints))
    videos = config.videos or (None,) * count
    keypoints = config.keypoints or (None,) * count
    features = config.features or (None,) * count
    sources: list[Source] = []
    taken: set[str] = set()
    for video, points, rows in zip(videos, keypoints, features, strict=True):
        given = video or points
        # Names that end in a dot or a space cannot be made on every system.
        stem = (given.resolve().stem if given else "").strip(". ") or "video"
        name, number = stem, 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem}_{number}"
        taken.add(name.casefold())
        sources.append(Source(name, config.out / name, video, points, rows))
    return sources


def check_run(config: RunConfig, sources: Sequence[Source]) -> None:
    """Fail before anything is computed.

    Raises:
        InputError: an input does not exist.
        OutputError: OUT cannot be written, or holds a result that would be lost.
    """
    out = config.out
    for path in (*config.videos, *config.keypoints, *config.features):
        if not path.exists():
            raise InputError(path, "does not exist", "check the path")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=out, prefix=".motionfield-"):
            pass
    except OSError as error:
        cure = "give a folder that can be written as -o"
        raise OutputError(out, f"cannot be written ({error.strerror or error})", cure) from error
    if not config.resume:
        for source in sources:
            if _finished_key(source) is not None:
                fault = "already holds a finished result"
                raise OutputError(source.folder, fault, "give another -o, or delete it")
    others = _others(out, sources)
    if others:
        fault = f"holds results of other videos too ({', '.join(others)})"
        raise OutputError(out, fault, "give another -o")


def check_key(source: Source, key: str) -> None:
    """Refuse to go on over a finished result of another input or of other options.

    Raises:
        OutputError: the source's folder holds one.
    """
    if _finished_key(source) not in (None, key):
        fault = "holds a result made from another input, with other options or another version"
        raise OutputError(source.folder, fault, "give another -o, or delete it")


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
    files = [folder / name for folder in folders for name in _WRITERS]
    files += [overlay] if overlay else []
    if _finished_key(source) == result.key and all(file.exists() for file in files):
        return Finished(result, files, overlay)
    with _reported(source.folder):
        _mark(source, result.key, whole=False)
        if overlay and result.video:
            with _whole(overlay) as part:
                _write_overlay(part, result.video, takes, body, progress)
        with progress("write", len(folders) * len(_WRITERS), "file") as bar:
            for take, folder in zip(takes, folders, strict=True):
                folder.mkdir(parents=True, exist_ok=True)
                for name, write in _WRITERS.items():
                    with _whole(folder / name) as part:
                        write(part, take, body)
                    bar.advance()
        _mark(source, result.key, whole=True)
    return Finished(result, files, overlay)


def write_summary(
    config: RunConfig,
    finished: Sequence[Finished],
    failed: Sequence[tuple[Source, MotionfieldError]],
    body: Body,
    seconds: float,
) -> None:
    """Write report.html and run.json into OUT."""
    with _reported(config.out):
        page = _report(config, finished, body)
        write_whole(config.out / "report.html", page.encode("utf-8"))
        text = json.dumps(_run_json(config, finished, failed, seconds), indent=1)
        write_whole(config.out / "run.json", text.encode("utf-8"))


_WRITERS: dict[str, Callable[[Path, Take, Body], None]] = {
    "motion.bvh": lambda path, take, body: write_bvh(path, take.motion, body),
    "motion.glb": lambda path, take, body: write_glb(path, take.motion, body),
    "motion.trc": lambda path, take, body: write_trc(path, take.motion, body),
    "joint_angles.csv": lambda path, take, _: write_angles_csv(path, take.motion),
    # The last one: a folder with motion.npz is complete.
    "motion.npz": write_motion_npz,
}


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


def _report(config: RunConfig, finished: Sequence[Finished], body: Body) -> str:
    """The page over all inputs."""
    clips = [
        Clip(
            video_name=item.result.source.name,
            takes=item.result.takes,
            overlay_mp4=item.overlay.read_bytes() if item.overlay else None,
            overlay_href=f"{quote(item.result.source.name)}/overlay.mp4",
            warnings=warnings_of(item.result),
            timings={stage.stage: stage.seconds for stage in item.result.times},
        )
        for item in finished
    ]
    return report_of_clips(clips, body, RunNotes(plain(config), _versions()))


def _versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in _PACKAGES}


def _run_json(
    config: RunConfig,
    finished: Sequence[Finished],
    failed: Sequence[tuple[Source, MotionfieldError]],
    seconds: float,
) -> dict[str, Any]:
    return {
        "motionfield": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": _versions(),
        "options": plain(config),
        "seed": config.seed,
        "seconds": round(seconds, 3),
        "videos": [
            {
                "input": str(item.result.source.path),
                "folder": item.result.source.name,
                "persons": len(item.result.takes),
                "frames": item.result.takes[0].motion.num_frames,
                "fps": item.result.takes[0].motion.fps,
                "stages": [dataclasses.asdict(stage) for stage in item.result.times],
                "files": [file.relative_to(config.out).as_posix() for file in item.files],
                "warnings": list(warnings_of(item.result)),
            }
            for item in finished
        ],
        "failed": [{"input": str(source.path), "error": str(error)} for source, error in failed],
    }


def warnings_of(result: SourceResult) -> tuple[str, ...]:
    """What a user should know of one input's result, one sentence each, without repeats."""
    cameras = [warning for take in result.takes for warning in take.camera.warnings]
    lost = [
        f"{take.name} was not seen in {missing} of {len(take.motion.observed)} frames: "
        "the motion is carried over there"
        for take in result.takes
        if result.source.keypoints is not None  # otherwise the tracker has said it
        and (missing := int((~take.motion.observed).sum()))
    ]
    return tuple(dict.fromkeys((*result.warnings, *cameras, *lost)))


def _take_folders(source: Source, count: int) -> list[Path]:
    if count == 1:
        return [source.folder]
    return [source.folder / f"person_{index}" for index in range(count)]


def _mark_path(source: Source) -> Path:
    return source.folder / ".stages" / _MARK


def _mark(source: Source, key: str, whole: bool) -> None:
    """Note whose files lie in the folder, and whether they are complete."""
    _mark_path(source).parent.mkdir(parents=True, exist_ok=True)
    write_whole(_mark_path(source), json.dumps({"key": key, "whole": whole}).encode())


def _finished_key(source: Source) -> str | None:
    """The key of the finished result that lies in the source's folder, or None."""
    try:
        mark = json.loads(_mark_path(source).read_text("utf-8"))
        return str(mark["key"]) if mark["whole"] else None
    except (OSError, ValueError, KeyError, TypeError):
        whole = (source.folder / "motion.npz", source.folder / "person_0" / "motion.npz")
        return "unknown" if any(path.exists() for path in whole) else None


def _others(out: Path, sources: Sequence[Source]) -> list[str]:
    """Folders that OUT's run.json lists and this run would drop from its report."""
    try:
        listed = json.loads((out / "run.json").read_text("utf-8"))["videos"]
        names = {str(video["folder"]) for video in listed}
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return sorted(names - {source.name for source in sources})


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A path to write to; the file gets its name only when the block ends without an error."""
    folder = Path(tempfile.mkdtemp(prefix=".part-", dir=path.parent))
    try:
        part = folder / path.name
        yield part
        os.replace(part, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _reported(folder: Path) -> Iterator[None]:
    """Say clearly that a file could not be written."""
    try:
        yield
    except OSError as error:
        cure = "check the folder's permissions and the free space, then go on with --resume"
        raise OutputError(folder, f"cannot be written ({error.strerror or error})", cure) from error
