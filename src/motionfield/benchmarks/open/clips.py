"""Where the truth comes from: the clips of a collection as motions of our body."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, final

import numpy as np

from motionfield.benchmarks.open.spec import Collection, Piece
from motionfield.body.base import Body
from motionfield.core.assets import fetch_asset
from motionfield.core.errors import InputError, OptionError
from motionfield.core.progress import Progress, silent, tracked
from motionfield.data.motion import Motion
from motionfield.formats.deepmimic import read_deepmimic
from motionfield.formats.mocap_npz import MocapShard, read_mocap
from motionfield.worlds.mocap import retarget_clips

_SUFFIX: Final = {"mocap": ".npz", "pybullet": ".txt"}


@final
class ClipSource:
    """The clips of one collection, retargeted when they are asked for."""

    def __init__(self, clips: Collection, folder: Path, body: Body) -> None:
        self._clips = clips
        self._folder = folder
        self._body = body
        self._motions: dict[tuple[str, str], Motion] = {}

    def load(self, pieces: Iterable[Piece], progress: Progress = silent) -> None:
        """Retarget all clips of these pieces, each file once.

        Raises:
            InputError: a file is missing or is no file of clips.
            OptionError: a file has no such clip.
        """
        wanted: dict[str, list[str]] = {}
        for piece in pieces:
            key = piece.file, piece.clip
            if key not in self._motions and piece.clip not in wanted.setdefault(piece.file, []):
                wanted[piece.file].append(piece.clip)
        for shard, names in self._shards({f: names for f, names in wanted.items() if names}):
            infos = [shard.find(name) for name in names]
            made = retarget_clips(shard, infos, self._body)
            for info, motion in tracked(made, progress, f"truth {shard.path.name}", len(infos)):
                file = shard.path.name if self._clips == "mocap" else f"{info.name}.txt"
                self._motions[file, info.name] = motion

    def motion(self, piece: Piece) -> Motion:
        """The frames of a piece.

        Raises:
            OptionError: the clip has fewer frames.
        """
        self.load([piece])
        whole = self._motions[piece.file, piece.clip]
        if piece.end > whole.num_frames:
            raise OptionError(
                f"{piece.file}: clip {piece.clip} has {whole.num_frames} frames, not {piece.end}"
            )
        return cut(whole, piece.start, piece.end)

    def _shards(
        self, wanted: Mapping[str, Sequence[str]]
    ) -> Iterable[tuple[MocapShard, Sequence[str]]]:
        if self._clips == "mocap":
            for file, names in wanted.items():
                yield read_mocap(self._path(file)), names
        elif wanted:
            # The humanoid is calibrated on all clips, whichever are asked for.
            paths = sorted(self._folder.glob("humanoid3d_*.txt"))
            yield read_deepmimic(paths), [name for names in wanted.values() for name in names]

    def _path(self, file: str) -> Path:
        path = self._folder / file
        if not path.is_file():
            raise InputError(path, "is not there", "give the folder of the shards with --data DIR")
        return path


def clip_folder(clips: Collection, data: Path | None, progress: Progress = silent) -> Path:
    """The folder of a collection: yours, or fetched.

    Raises:
        OptionError: the collection cannot be fetched and no folder is given.
        InputError: the folder does not exist.
        MissingAssetError: it cannot be fetched.
    """
    if data is not None:
        if not data.is_dir():
            raise InputError(data, "is no folder", "give the folder of the clips")
        return data
    if clips == "mocap":
        raise OptionError(
            "benchmark open --clips mocap: give the folder of the mocap shards with --data DIR; "
            "without it --clips pybullet runs anywhere"
        )
    return fetch_asset("pybullet_clips", progress)


def check_sources(folder: Path, sources: Mapping[str, str], used: Iterable[str]) -> None:
    """Compare the files that are used with those that the version was made of.

    Raises:
        InputError: one is missing or is another file.
    """
    for file in sorted(set(used)):
        path = folder / file
        if not path.is_file():
            raise InputError(path, "is not there", "give the folder of the clips with --data DIR")
        if sha256(path) != sources[file]:
            fault = "is another file than the one that the benchmark was made of"
            raise InputError(path, fault, "get the original file")


def sha256(path: Path) -> str:
    """Of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cut(motion: Motion, start: int, end: int) -> Motion:
    """Frames ``start`` to ``end`` (not included) as a motion of its own, its time from 0.

    The person's first place is moved over the origin; heights stay.
    """
    part = motion.at_frames(np.arange(start, end))
    transl = part.transl.copy()
    transl[:, :2] -= part.transl[0, :2]
    frames = np.arange(part.num_frames)
    return part.replace(transl=transl, time_s=frames / motion.fps, frame_index=frames)
