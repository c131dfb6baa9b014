"""The inputs of a run, the folders of their results, and whose result lies in a folder."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from motionfield.core.errors import InputError, OutputError
from motionfield.data.record import write_whole
from motionfield.run_config import RunConfig
from motionfield.steps.read import ReadConfig

CANONICAL = "canonical"
"""The folder of what the takes of a group have in common; no input's folder is called so."""
_MARK = "outputs.json"


class Source(NamedTuple):
    """One input: a video, a keypoint file, or both; or one repetition that was cut from it."""

    name: str
    """The name of its folder in OUT: the stem, with a suffix where two are equal."""
    folder: Path
    video: Path | None
    keypoints: Path | None
    features: Path | None = None
    """Per-frame image features, where the lift reads them."""
    read: ReadConfig = ReadConfig()
    repetition: str = ""
    """Of which part of the input it is, in words, where it was cut."""

    @property
    def path(self) -> Path:
        """What the user gave."""
        given = self.video or self.keypoints
        if given is None:
            raise InputError(self.name, "has neither video nor keypoints", "give one of them")
        return given

    @property
    def called(self) -> str:
        """The file, and the repetition within it, as messages name them."""
        return f"{self.path} ({self.repetition})" if self.repetition else str(self.path)


def name_sources(config: RunConfig) -> list[Source]:
    """The inputs with the folders of their outputs; equal stems get a suffix."""
    count = max(len(config.videos), len(config.keypoints))
    videos = config.videos or (None,) * count
    keypoints = config.keypoints or (None,) * count
    features = config.features or (None,) * count
    reads = config.read if len(config.read) == count else config.read * count
    sources: list[Source] = []
    taken = {CANONICAL} if config.method == "nemo" else set()
    for video, points, rows, read in zip(videos, keypoints, features, reads, strict=True):
        given = video or points
        # Names that end in a dot or a space cannot be made on every system.
        stem = (given.resolve().stem if given else "").strip(". ") or "video"
        name, number = stem, 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem}_{number}"
        taken.add(name.casefold())
        sources.append(Source(name, config.out / name, video, points, rows, read))
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
        for folder in (out, *(source.folder for source in sources)):
            if finished_key(folder) is not None:
                fault = "already holds a finished result"
                raise OutputError(folder, fault, "give another -o, or delete it")
    others = _others(out, sources)
    if others:
        fault = f"holds results of other videos too ({', '.join(others)})"
        raise OutputError(out, fault, "give another -o")


def check_key(folder: Path, key: str | None) -> None:
    """Refuse to go on over a finished result of another input or of other options.

    Raises:
        OutputError: the folder holds one.
    """
    if finished_key(folder) not in (None, key):
        fault = "holds a result made from another input, with other options or another version"
        raise OutputError(folder, fault, "give another -o, or delete it")


def mark(folder: Path, key: str, whole: bool) -> None:
    """Note whose files lie in the folder, and whether they are complete."""
    path = folder / ".stages" / _MARK
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps({"key": key, "whole": whole}).encode())


def finished_key(folder: Path) -> str | None:
    """The key of the finished result that lies in an input's folder (or in OUT), or None."""
    try:
        found = json.loads((folder / ".stages" / _MARK).read_text("utf-8"))
        return str(found["key"]) if found["whole"] else None
    except (OSError, ValueError, KeyError, TypeError):
        whole = (folder / part / "motion.npz" for part in ("", "person_0", CANONICAL))
        return "unknown" if any(path.exists() for path in whole) else None


def _others(out: Path, sources: Sequence[Source]) -> list[str]:
    """Folders that OUT's run.json lists and this run would drop from its report."""
    try:
        listed = json.loads((out / "run.json").read_text("utf-8"))["videos"]
        names = {PurePosixPath(str(video["folder"])).parts[0] for video in listed}
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return []
    return sorted(names - {source.name for source in sources})
