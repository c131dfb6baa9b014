"""What every kind of training motions gives, whatever its files."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from motionfield.body.base import Body
from motionfield.data.motion import Motion

_VAL_SHARE: Final = 0.1
_TEST_SHARE: Final = 0.1
_OF_THE_SHARDS: Final = {
    **dict.fromkeys(("cmu07", "cmu43", "cmu49", "cmu90", "cmu127", "cmu135", "cmu140"), "test"),
    **dict.fromkeys(("cmu03", "cmu08", "cmu139", "hdm05mm"), "val"),
    "hdm05tr": "test",
}
"""Whom the open benchmark holds out: nobody shall train on its test by way of other files."""


class TrainingClip(NamedTuple):
    """A motion and where it comes from."""

    shard: str
    """Stem of the shard, or name of the folder's kind."""
    source: str
    """Who is weighed as one: a subject, or the couple that dances together."""
    motion: Motion


class MotionSource(ABC):
    """One kind of motion files in a folder."""

    @property
    @abstractmethod
    def what(self) -> str:
        """For the card."""

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Of its shards, or its kind."""

    @property
    @abstractmethod
    def licence(self) -> str:
        """Of what is trained on it."""

    @property
    @abstractmethod
    def credit(self) -> str:
        """Whom the card has to name."""

    @classmethod
    @abstractmethod
    def find(cls, folder: Path, free_data: bool) -> "MotionSource | None":
        """What the folder holds of this kind; None where there is nothing.

        Raises:
            InputError: a damaged file.
        """

    @abstractmethod
    def count(self, splits: Sequence[str]) -> int:
        """How many clips the splits have."""

    @abstractmethod
    def clips(self, splits: Sequence[str], body: Body) -> Iterator[TrainingClip]:
        """Those clips as motions of a body."""


def split_of(subject: str) -> str:
    """The split of a subject of the user's own data: "train", "val" or "test".

    By the first four bytes of the SHA-256 of the subject's name, as a share of their range: below
    0.1 test, below 0.2 val, else train. So a subject stays in its split whatever else is there.
    Subjects of CMU and HDM05 whom the open benchmark holds out keep its split.
    """
    if subject in _OF_THE_SHARDS:
        return _OF_THE_SHARDS[subject]
    share = int.from_bytes(hashlib.sha256(subject.encode()).digest()[:4], "big") / 2**32
    if share < _TEST_SHARE:
        return "test"
    return "val" if share < _TEST_SHARE + _VAL_SHARE else "train"
