"""A user's own motions to train on: AMASS, CMU's ASF and AMC, BVH files, by subject.

Each becomes shards of one subject, which are retargeted as the open ones are (``worlds.mocap``).
"""

import re
from abc import abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from motionfield.body.base import Body
from motionfield.core.errors import InputError
from motionfield.formats.bvh_shard import plan_of, read_bvh_shard
from motionfield.formats.datasets.cmu import list_cmu, read_cmu
from motionfield.formats.mocap_npz import MocapShard
from motionfield.training.amass_shard import read_amass_shards
from motionfield.training.motion_sources import MotionSource, TrainingClip, split_of
from motionfield.training.shard_source import CREDITS
from motionfield.worlds.mocap import retarget_clips

_SHORTEST_S: Final = 0.5
"""Clips that are shorter are left out."""
_CMU_TRIAL: Final = re.compile(r"(\d{1,3})_\d{1,3}(_.*)?$")
_NAMED_SUBJECT: Final = re.compile(r"subject\d+", re.IGNORECASE)


@dataclass(frozen=True)
class FileSource(MotionSource):
    """Motion files by subject; read one subject at a time."""

    folder: Path
    files: dict[str, tuple[Path, ...]]
    """Subject → its files."""

    @property
    @abstractmethod
    def kind(self) -> str:
        """What ``TrainingClip.shard`` says."""

    @abstractmethod
    def shards(self, subject: str, body: Body) -> Iterable[MocapShard]:
        """The subject's files; a file that cannot be read is an InputError."""

    @property
    def what(self) -> str:
        count = sum(map(len, self.files.values()))
        return (
            f"trained on user data in {self.folder} ({self.kind}: {count:,} files of "
            f"{len(self.files):,} subjects)"
        )

    @property
    def names(self) -> tuple[str, ...]:
        return (self.kind,)

    @property
    def licence(self) -> str:
        return "that of the user's data"

    @property
    def credit(self) -> str:
        return ""

    def count(self, splits: Sequence[str]) -> int:
        return sum(
            len(files) for subject, files in self.files.items() if split_of(subject) in splits
        )

    def clips(self, splits: Sequence[str], body: Body) -> Iterator[TrainingClip]:
        for subject in self.files:
            if split_of(subject) in splits:
                for shard in self.shards(subject, body):
                    yield from _retargeted(shard, self.kind, subject, body)


def _retargeted(shard: MocapShard, kind: str, subject: str, body: Body) -> Iterator[TrainingClip]:
    long = [info for info in shard.clips if info.num_frames >= _SHORTEST_S * shard.fps]
    try:
        for _, motion in retarget_clips(shard, long, body):
            yield TrainingClip(kind, subject, motion)
    except (RuntimeError, IndexError) as error:
        # What calibration cannot find: medians of no frames at all.
        fault = f"cannot be retargeted: it is too short, or never stands upright ({error})"
        raise InputError(shard.path, fault, "take it out of the folder") from error


class AmassSource(FileSource):
    """AMASS as it is downloaded: ``<set>/<subject>/<motion>_poses.npz``."""

    kind = "AMASS"

    @classmethod
    def find(cls, folder: Path, free_data: bool) -> "AmassSource | None":
        files = defaultdict(list)
        for pattern in ("*_poses.npz", "*_stageii.npz"):
            for path in sorted(folder.rglob(pattern)):
                files[_amass_subject(path)].append(path)
        return cls(folder, {s: tuple(paths) for s, paths in files.items()}) if files else None

    def shards(self, subject: str, body: Body) -> Iterable[MocapShard]:
        return read_amass_shards(self.files[subject], subject, body)


class AcclaimSource(FileSource):
    """As CMU's whole database: ``<subject>.asf`` with ``<subject>_<trial>.amc`` beside it.

    Subjects whose names are numbers are taken for CMU's.
    """

    kind = "ASF and AMC"

    @classmethod
    def find(cls, folder: Path, free_data: bool) -> "AcclaimSource | None":
        if next(folder.rglob("*.asf"), None) is None:
            return None
        found = list_cmu(folder)
        return cls(folder, {_acclaim(s): tuple(amcs) for s, (_, amcs) in found.items()})

    @property
    def licence(self) -> str:
        return "Apache-2.0" if self._all_of_cmu else super().licence

    @property
    def credit(self) -> str:
        return CREDITS["cmu"] if self._all_of_cmu else ""

    @property
    def _all_of_cmu(self) -> bool:
        return all(re.fullmatch(r"cmu\d+", subject) for subject in self.files)

    def shards(self, subject: str, body: Body) -> Iterable[MocapShard]:
        motions = self.files[subject]
        skeleton = motions[0].with_name(f"{motions[0].stem.rsplit('_', 1)[0]}.asf")
        return [read_cmu(skeleton, list(motions))]


class BvhSource(FileSource):
    """BVH files anywhere below a folder. A subject is a folder, or what a file's name says."""

    kind = "BVH"

    @classmethod
    def find(cls, folder: Path, free_data: bool) -> "BvhSource | None":
        files = defaultdict(list)
        for path in sorted(folder.rglob("*.[bB][vV][hH]")):
            plan_of(path)  # what cannot be mapped is refused before an hour is spent
            files[_bvh_subject(path, folder)].append(path)
        return cls(folder, {s: tuple(paths) for s, paths in files.items()}) if files else None

    def shards(self, subject: str, body: Body) -> Iterable[MocapShard]:
        alike = defaultdict(list)
        for path in self.files[subject]:
            alike[plan_of(path)].append(path)
        return (read_bvh_shard(paths, subject) for paths in alike.values())


def _amass_subject(path: Path) -> str:
    """``<set>/<subject>``; those of CMU and HDM05 as the open shards call them."""
    mocap_set, subject = path.parent.parent.name, path.parent.name
    if mocap_set == "CMU" and subject.isdigit():
        return _cmu(subject)
    return f"hdm05{subject}" if mocap_set == "MPI_HDM05" else f"{mocap_set}/{subject}"


def _bvh_subject(path: Path, folder: Path) -> str:
    """CMU's trials and names with ``subjectN`` by name, others by folder, at last by file."""
    trial, named = _CMU_TRIAL.match(path.stem), _NAMED_SUBJECT.search(path.stem)
    if trial is not None:
        return _cmu(trial[1])
    if named is not None:
        return named[0].lower()
    inside = path.parent.relative_to(folder).as_posix()
    return path.stem if inside == "." else inside


def _acclaim(stem: str) -> str:
    """A skeleton file's subject; HDM05's files are called ``HDM_<actor>``."""
    if stem.isdigit():
        return _cmu(stem)
    return f"hdm05{stem[4:]}" if stem.startswith("HDM_") else stem


def _cmu(number: str) -> str:
    return f"cmu{int(number):02d}"
