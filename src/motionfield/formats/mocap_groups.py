"""Repetitions of one action in the open mocap: which frames of which clips are alike.

Three files beside the shards say so: ``tennis_strokes.csv`` (single strokes), ``segments.csv``
(repetitions inside one clip) and ``groups.json`` (whole clips); ``index.csv`` names each clip's
subject, shard and split.
"""

import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from motionfield.core.errors import InputError

_CURE: Final = "give the folder of the open-mocap shards as docs/mocap.md describes it"


class Repetition(NamedTuple):
    """One execution of an action."""

    shard: str
    """Stem of the shard's file."""
    clip: str
    subject: str
    start: int
    """First frame in the clip."""
    end: int
    """Frame after the last."""
    hand: str | None = None
    """The hand that was fastest ("left" or "right"), where the file says it."""
    peak_frame: int | None = None
    """Frame of the clip at which it was fastest (a stroke's contact), where the file says it."""


class RepetitionGroup(NamedTuple):
    """Executions of one action by people of one split."""

    action: str
    """"tennis_serve", "front_kick_reps", "hdm_squat1Reps" and so on."""
    split: str
    """"train", "val", "test" or "unused"."""
    items: tuple[Repetition, ...]

    def by_subject(self) -> dict[str, tuple[Repetition, ...]]:
        """Each person's own repetitions."""
        own: dict[str, list[Repetition]] = defaultdict(list)
        for item in self.items:
            own[item.subject].append(item)
        return {subject: tuple(items) for subject, items in own.items()}


class _Clip(NamedTuple):
    shard: str
    subject: str
    frames: int
    split: str


def read_groups(folder: Path | str) -> list[RepetitionGroup]:
    """All groups of the open mocap in ``folder``; a group never mixes splits.

    Raises:
        InputError: a file is missing, lacks a column, or names a clip or frames that
            ``index.csv`` does not have.
    """
    folder = Path(folder)
    index = {
        row["clip"]: _Clip(row["shard"], row["subject"], int(row["frames"]), row["split"])
        for row in _rows(folder / "index.csv", ("clip", "subject", "frames", "split", "shard"))
    }
    groups: dict[tuple[str, str], list[Repetition]] = defaultdict(list)
    for path, read in _READERS.items():
        for action, item in read(folder / path, index):
            if not 0 <= item.start < item.end <= index[item.clip].frames:
                fault = f"{item.clip} has no frames {item.start} to {item.end}"
                raise InputError(folder / path, fault, _CURE)
            groups[action, index[item.clip].split].append(item)
    return [RepetitionGroup(*key, tuple(items)) for key, items in groups.items()]


def _strokes(path: Path, index: dict[str, _Clip]) -> Iterator[tuple[str, Repetition]]:
    columns = ("clip", "stroke", "hand", "start", "end", "contact_frame")
    for row in _rows(path, columns):
        clip = _clip(path, index, row["clip"])
        place = (clip.shard, row["clip"], clip.subject, int(row["start"]), int(row["end"]))
        action = "tennis_" + row["stroke"].replace(" ", "_")
        yield action, Repetition(*place, row["hand"], int(row["contact_frame"]))


def _segments(path: Path, index: dict[str, _Clip]) -> Iterator[tuple[str, Repetition]]:
    for row in _rows(path, ("group", "clip", "start", "end")):
        clip = _clip(path, index, row["clip"])
        place = (clip.shard, row["clip"], clip.subject, int(row["start"]), int(row["end"]))
        yield row["group"], Repetition(*place)


def _whole_clips(path: Path, index: dict[str, _Clip]) -> Iterator[tuple[str, Repetition]]:
    try:
        groups = json.loads(path.read_text(encoding="utf-8"))
        named = [(str(action), str(row["clip"])) for action in groups for row in groups[action]]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise InputError(path, f"cannot be read as groups of clips ({error!r})", _CURE) from error
    for action, name in named:
        clip = _clip(path, index, name)
        yield action, Repetition(clip.shard, name, clip.subject, 0, clip.frames)


_READERS: Final = {
    "tennis_strokes.csv": _strokes,
    "segments.csv": _segments,
    "groups.json": _whole_clips,
}


def _clip(path: Path, index: dict[str, _Clip], name: str) -> _Clip:
    if name not in index:
        raise InputError(path, f"clip {name!r} is not in index.csv", _CURE)
    return index[name]


def _rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(path, f"cannot be read ({error})", _CURE) from error
    if missing:
        raise InputError(path, f"lacks the column {', '.join(missing)}", _CURE)
    numbers = [n for n in ("start", "end", "contact_frame", "frames") if n in columns]
    for line, row in enumerate(rows, start=2):
        if not all((row[name] or "").isdigit() for name in numbers):
            raise InputError(path, f"line {line}: {', '.join(numbers)} must be numbers", _CURE)
    return rows
