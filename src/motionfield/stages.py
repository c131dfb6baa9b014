"""What each stage of a run made, saved as it finishes, so that a cut run can go on there.

A stage is named by a key: the hash of everything that decides its result (the input's content,
the options, the version and the keys of the stages before). A file under the key is therefore
the result; anything else is made again.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from motionfield.core.errors import InputError, RecordError
from motionfield.core.history import KEY_LENGTH
from motionfield.data.record import Record

_ENDS_BYTES = 1 << 20

AnyRecord = TypeVar("AnyRecord", bound=Record)


def fingerprint(path: Path) -> str:
    """A hash of a file's size and its first and last megabyte; of all files of a folder."""
    digest = hashlib.sha256()
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    for file in files:
        size = file.stat().st_size
        name = file.relative_to(path).as_posix() if path.is_dir() else ""
        digest.update(f"{name}\0{size}\0".encode())
        with file.open("rb") as opened:
            digest.update(opened.read(_ENDS_BYTES))
            opened.seek(max(0, size - _ENDS_BYTES))
            digest.update(opened.read(_ENDS_BYTES))
    return digest.hexdigest()[:KEY_LENGTH]


@dataclass(frozen=True)
class StageTime:
    """How long a stage took; ``resumed`` where it was loaded instead of made."""

    stage: str
    seconds: float
    resumed: bool


@dataclass(frozen=True)
class StageStore:
    """The folder of one video's stages."""

    folder: Path
    resume: bool
    times: list[StageTime] = field(default_factory=list)

    def records(
        self,
        stage: str,
        key: str,
        kinds: Sequence[type[Record]],
        make: Callable[[], Sequence[Record]],
    ) -> list[Any]:
        """The stage's records: loaded if a run was cut after it and ``resume``, else made."""
        started = time.monotonic()
        paths = self._paths(stage, key, kinds)
        records = self._load(paths, kinds) if self.resume else None
        resumed = records is not None
        if records is None:
            records = list(make())
            self._save(stage, paths, records)
        self.times.append(StageTime(stage, round(time.monotonic() - started, 3), resumed))
        return records

    def record(
        self, stage: str, key: str, kind: type[AnyRecord], make: Callable[[], AnyRecord]
    ) -> AnyRecord:
        """As ``records``, for a stage that makes one."""
        (found,) = self.records(stage, key, [kind], lambda: [make()])
        return found

    def _paths(self, stage: str, key: str, kinds: Sequence[type[Record]]) -> list[Path]:
        """One file per record; the second of a kind and those after it are numbered."""
        counts: Counter[str] = Counter()
        paths = []
        for kind in kinds:
            name = kind.__name__.lower()
            counts[name] += 1
            name = name if counts[name] == 1 else f"{name}_{counts[name]}"
            paths.append(self.folder / f"{stage}-{key}-{name}.npz")
        return paths

    def _load(self, paths: Sequence[Path], kinds: Sequence[type[Record]]) -> list[Record] | None:
        if not all(path.exists() for path in paths):
            return None
        try:
            return [kind.load(path) for kind, path in zip(kinds, paths, strict=True)]
        except (InputError, RecordError):  # damaged: make it again
            return None

    def _save(self, stage: str, paths: Sequence[Path], records: Sequence[Record]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for path, record in zip(paths, records, strict=True):
            record.save(path)
        for old in self.folder.glob(f"{stage}-*.npz"):
            if old not in paths:
                old.unlink(missing_ok=True)
