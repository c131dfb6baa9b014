"""Motions to train on: the open mocap shards in a folder, retargeted to our body."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from motionfield.body.base import Body
from motionfield.core.errors import InputError
from motionfield.core.progress import Progress, silent
from motionfield.data.motion import Motion
from motionfield.formats.mocap_npz import MocapShard, read_mocap
from motionfield.worlds.mocap import retarget_clips

FREE_SHARDS: Final = ("cmu_amc", "cmu8", "cmu_daz", "cmu_dm", "cmu_iclone")
"""CMU: free for all uses."""
SHARE_ALIKE_SHARDS: Final = ("hdm05", "tennis")
"""CC BY-SA 3.0: what is trained on them ships under it, with the credits."""
CREDITS: Final = {
    "cmu": "The data used in this project was obtained from mocap.cs.cmu.edu. "
    "The database was created with funding from NSF EIA-0196217.",
    "hdm05": "Mueller et al., Documentation Mocap Database HDM05, Technical Report CG-2007-2, "
    "Universitaet Bonn, 2007 (CC BY-SA 3.0).",
    "tennis": "Pulgarin-Giraldo et al., LNCS 10125, 309-317, 2017 (CC BY-SA 3.0).",
}
# Two subjects of one salsa couple, a third of all frames of CMU's shards.
_ONE_SOURCE: Final = {"cmu61": "cmu60"}


class TrainingClip(NamedTuple):
    """A motion and where it comes from."""

    shard: str
    source: str
    """Who is weighed as one: a subject, or the couple that dances together."""
    motion: Motion


def read_shards(folder: Path, free_data: bool = False) -> list[MocapShard]:
    """The shards in a folder.

    Args:
        folder: with any of the shards.
        free_data: only those that are free for all uses.

    Raises:
        InputError: there is none, or a damaged one.
    """
    names = FREE_SHARDS if free_data else FREE_SHARDS + SHARE_ALIKE_SHARDS
    found = [read_mocap(p) for p in (folder / f"{name}.npz" for name in names) if p.is_file()]
    if not found:
        listed = ", ".join(f"{name}.npz" for name in names)
        raise InputError(folder, f"holds none of {listed}", "give the folder of the mocap shards")
    return found


def retargeted(
    shards: Sequence[MocapShard],
    splits: Sequence[str],
    body: Body,
    progress: Progress = silent,
) -> Iterator[TrainingClip]:
    """The clips of some splits, one after the other.

    Raises:
        InputError: there are none.
    """
    total = sum(len(shard.of_split(*splits)) for shard in shards)
    if not total:
        folder = shards[0].path.parent
        raise InputError(folder, f"has no clips of {'+'.join(splits)}", "give more shards")
    with progress(f"retarget {'+'.join(splits)}", total, "clip") as bar:
        for shard in shards:
            for info, motion in retarget_clips(shard, shard.of_split(*splits), body):
                bar.advance()
                source = _ONE_SOURCE.get(info.subject, info.subject)
                yield TrainingClip(shard.path.stem, source, motion)


def credit_of(shards: Sequence[MocapShard]) -> str:
    """Whom a card has to name."""
    names = [shard.path.stem for shard in shards]
    used = [key for key in CREDITS if any(name.startswith(key) for name in names)]
    return " ".join(CREDITS[key] for key in used)


def licence_of(shards: Sequence[MocapShard]) -> str:
    """Licence of what is trained on these shards."""
    shared = any(shard.path.stem in SHARE_ALIKE_SHARDS for shard in shards)
    return "CC BY-SA 3.0" if shared else "Apache-2.0"
