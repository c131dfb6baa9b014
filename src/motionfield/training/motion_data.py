"""Motions to train on, from a folder: the open mocap shards, AMASS, CMU's ASF and AMC, or BVH."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from motionfield.body.base import Body
from motionfield.core.errors import InputError
from motionfield.core.progress import Progress, silent
from motionfield.training.motion_sources import MotionSource
from motionfield.training.motion_sources import TrainingClip as TrainingClip
from motionfield.training.shard_source import ShardSource
from motionfield.training.user_sources import AcclaimSource, AmassSource, BvhSource

_SOURCES: tuple[type[MotionSource], ...] = (ShardSource, AmassSource, AcclaimSource, BvhSource)
_CURE = "give the folder of the mocap shards, of AMASS, of CMU's ASF and AMC, or of BVH files"


@dataclass(frozen=True)
class TrainingData:
    """All motions in a folder, and what has to be said of what is trained on them."""

    folder: Path
    sources: tuple[MotionSource, ...]

    @property
    def what(self) -> str:
        """For the card."""
        return "; ".join(source.what for source in self.sources)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the shards, or the kinds of files: short, for the header of a weight file."""
        return tuple(name for source in self.sources for name in source.names)

    @property
    def licence(self) -> str:
        """Of what is trained on it: the strictest."""
        return max((source.licence for source in self.sources), key=_STRICTNESS.index)

    @property
    def credit(self) -> str:
        """Whom a card has to name."""
        return " ".join(source.credit for source in self.sources if source.credit)

    def has(self, split: str) -> bool:
        """Whether a split has any clips: a folder of few subjects may have none to hold out."""
        return any(source.count((split,)) for source in self.sources)

    def clips(
        self, splits: Sequence[str], body: Body, progress: Progress = silent
    ) -> Iterator[TrainingClip]:
        """The clips of some splits ("train", "val", "test") as motions of a body, one by one.

        Raises:
            InputError: there are none, or a damaged one.
        """
        counts = [source.count(splits) for source in self.sources]
        if not sum(counts):
            fault = f"has no clips of {'+'.join(splits)}"
            raise InputError(self.folder, fault, "give more motions")
        given = 0
        with progress(f"retarget {'+'.join(splits)}", sum(counts), "clip") as bar:
            for source in self.sources:
                for clip in source.clips(splits, body):
                    bar.advance()
                    given += 1
                    yield clip
        if not given:
            fault = f"has only clips of {'+'.join(splits)} that are too short"
            raise InputError(self.folder, fault, "give some that last longer than half a second")


_STRICTNESS = ("Apache-2.0", "CC BY-SA 3.0", "that of the user's data")


def find_training_data(folder: Path | str, free_data: bool = False) -> TrainingData:
    """What a folder holds.

    Args:
        folder: with any of the kinds that the module's first line names.
        free_data: of the shards only those that are free for all uses.

    Raises:
        InputError: there is nothing, or a damaged file.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(folder, "is no folder", _CURE)
    found = (source.find(folder, free_data) for source in _SOURCES)
    sources = tuple(source for source in found if source is not None)
    if not sources:
        raise InputError(folder, "holds no motions", _CURE)
    return TrainingData(folder, sources)


def read_training_clips(
    folder: Path | str,
    splits: Sequence[str],
    free_data: bool,
    body: Body,
    progress: Progress = silent,
) -> Iterator[TrainingClip]:
    """``find_training_data(folder, free_data).clips(splits, body, progress)``."""
    return find_training_data(folder, free_data).clips(splits, body, progress)
