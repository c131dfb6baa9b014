"""The open mocap shards as training motions: their own splits, licences and credits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from motionfield.body.base import Body
from motionfield.formats.mocap_npz import MocapShard, read_mocap
from motionfield.training.motion_sources import MotionSource, TrainingClip
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


@dataclass(frozen=True)
class ShardSource(MotionSource):
    """The shards in a folder."""

    shards: tuple[MocapShard, ...]

    @classmethod
    def find(cls, folder: Path, free_data: bool) -> "ShardSource | None":
        names = FREE_SHARDS if free_data else FREE_SHARDS + SHARE_ALIKE_SHARDS
        paths = [folder / f"{name}.npz" for name in names]
        shards = tuple(read_mocap(path) for path in paths if path.is_file())
        return cls(shards) if shards else None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(shard.path.stem for shard in self.shards)

    @property
    def what(self) -> str:
        return f"open mocap shards {', '.join(self.names)}"

    @property
    def licence(self) -> str:
        shared = any(name in SHARE_ALIKE_SHARDS for name in self.names)
        return "CC BY-SA 3.0" if shared else "Apache-2.0"

    @property
    def credit(self) -> str:
        used = [key for key in CREDITS if any(name.startswith(key) for name in self.names)]
        return " ".join(CREDITS[key] for key in used)

    def count(self, splits: Sequence[str]) -> int:
        return sum(len(shard.of_split(*splits)) for shard in self.shards)

    def clips(self, splits: Sequence[str], body: Body) -> Iterator[TrainingClip]:
        for shard in self.shards:
            for info, motion in retarget_clips(shard, shard.of_split(*splits), body):
                source = _ONE_SOURCE.get(info.subject, info.subject)
                yield TrainingClip(shard.path.stem, source, motion)
