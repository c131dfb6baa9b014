"""How true the retargeted mocap is: every clip of every shard against its source.

``motionfield benchmark retargeting --data DIR`` prints the tables of docs/mocap.md;
``python -m motionfield.benchmarks.retargeting --data DIR --sheet OUT`` draws contact sheets.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy import ndarray

from motionfield.benchmarks.retargeting_score import (
    GROUPS,
    TRUNK_LIMITS_DEG,
    WRONG_BEND_DEG,
    ClipScore,
    joints_of,
    score_clip,
    source_in_world,
)
from motionfield.benchmarks.retargeting_sheet import Shot, draw_sheet
from motionfield.body.base import Body
from motionfield.body.registry import load_body
from motionfield.core.errors import InputError, OptionError
from motionfield.core.progress import Progress, silent, tracked
from motionfield.formats.mocap_npz import ClipInfo, MocapShard, read_mocap
from motionfield.worlds.mirror import mirror_motion
from motionfield.worlds.mocap import retarget
from motionfield.worlds.mocap_calibration import calibrate_subject
from motionfield.worlds.mocap_pose import Calibration

SHARDS: Final = ("cmu_amc", "cmu8", "cmu_daz", "cmu_dm", "cmu_iclone", "hdm05", "tennis")
SPLITS: Final = ("train", "val", "test")
_ROWS_OF_SHEET: Final = 6


@dataclass(frozen=True)
class Row:
    """The clips of one split of one shard."""

    shard: str
    split: str
    fps: float
    scores: tuple[ClipScore, ...]
    mirror_m: float
    """Largest median distance, over the subjects' first clips, between the mirrored clip
    retargeted and the retargeted clip mirrored."""

    def figures(self) -> dict[str, float]:
        """Plain numbers; NaN where nothing was measured."""
        errors = np.concatenate([self._all(group) for group in (*GROUPS, "head")])
        bends = np.concatenate([score.flexion_deg for score in self.scores])
        soles = np.concatenate([score.sole_m for score in self.scores])
        frames = sum(len(score.observed) for score in self.scores)
        return {
            "clips": len(self.scores),
            "minutes": frames / self.fps / 60,
            "error_median_mm": _quantile(errors, 0.5),
            "error_p95_mm": _quantile(errors, 0.95),
            **{f"{g}_median_mm": _quantile(self._all(g), 0.5) for g in (*GROUPS, "head")},
            "slide_source_mm": _mean([score.slide_source_m for score in self.scores]),
            "slide_mm": _mean([score.slide_m for score in self.scores]),
            "contact_share": float(np.mean(np.concatenate([s.contact for s in self.scores]))),
            "sole_p5_mm": _quantile(soles, 0.05),
            "sole_p95_mm": _quantile(soles, 0.95),
            "wrong_bends_percent": 100 * float(np.mean(bends < -WRONG_BEND_DEG)),
            "mirror_mm": 1000 * self.mirror_m,
            "unobserved_percent": 100 * (1 - sum(s.observed.sum() for s in self.scores) / frames),
            **self._trunk(),
        }

    def _all(self, group: str) -> ndarray:
        return np.concatenate([score.errors_m[group] for score in self.scores])

    def _trunk(self) -> dict[str, float]:
        angles = {
            name: np.concatenate([score.trunk_deg[name] for score in self.scores])
            for name in TRUNK_LIMITS_DEG
        }
        outside = np.zeros(len(angles["trunk_flexion"]), dtype=bool)
        for name, (low, high) in TRUNK_LIMITS_DEG.items():
            outside |= (angles[name] < low) | (angles[name] > high)
        low, middle, high = np.quantile(angles["trunk_flexion"], (0.01, 0.5, 0.99))
        return {
            "trunk_flexion_p1_deg": float(low),
            "trunk_flexion_median_deg": float(middle),
            "trunk_flexion_p99_deg": float(high),
            "trunk_outside_percent": 100 * float(outside.mean()),
        }


@dataclass(frozen=True)
class RetargetingReport:
    """All rows, one per shard and split."""

    rows: tuple[Row, ...]

    def summary(self) -> dict[str, Any]:
        """Plain data: shard/split -> figures."""
        return {f"{row.shard}/{row.split}": row.figures() for row in self.rows}

    def table(self) -> str:
        """Two tables in Markdown: truth by shard, joint errors by group."""
        first = [_line(_HEAD), _line(["---"] * len(_HEAD))]
        second = [
            _line(["shard", "split", *GROUPS, "head"]),
            _line(["---"] * (3 + len(GROUPS))),
        ]
        for row in self.rows:
            f = row.figures()
            name = [row.shard, row.split]
            first.append(
                _line(
                    [
                        *name,
                        f"{f['clips']:.0f}",
                        f"{f['minutes']:.1f}",
                        f"{f['error_median_mm']:.0f}",
                        f"{f['error_p95_mm']:.0f}",
                        f"{f['slide_source_mm']:.1f}",
                        f"{f['slide_mm']:.1f}",
                        f"{f['sole_p5_mm']:.0f} … {f['sole_p95_mm']:.0f}",
                        f"{f['wrong_bends_percent']:.2f}",
                        f"{f['mirror_mm']:.1f}",
                        f"{f['unobserved_percent']:.1f}",
                        f"{f['trunk_flexion_p1_deg']:.0f} … {f['trunk_flexion_median_deg']:.0f}"
                        f" … {f['trunk_flexion_p99_deg']:.0f}",
                        f"{f['trunk_outside_percent']:.1f}",
                    ]
                )
            )
            second.append(_line(name + [f"{f[g + '_median_mm']:.0f}" for g in (*GROUPS, "head")]))
        middle = "Median joint error by group, mm (the head about its median place):"
        return "\n".join([*first, "", middle, "", *second])


_HEAD: Final = (
    *("shard", "split", "clips", "min", "error mm", "95 %", "slide, source", "slide"),
    *("sole 5…95 %, mm", "wrong bends %", "mirror mm", "not observed %"),
    *("trunk flexion 1…50…99 %, °", "trunk beyond limits %"),
)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _quantile(values_m: ndarray, share: float) -> float:
    return 1000 * float(np.quantile(values_m, share)) if len(values_m) else float("nan")


def _mean(values_m: Sequence[ndarray]) -> float:
    together = np.concatenate(values_m)
    return 1000 * float(together.mean()) if len(together) else float("nan")


def measure_retargeting(data: Path | None, progress: Progress = silent) -> RetargetingReport:
    """Retarget every clip of train, val and test and compare it with its source.

    Args:
        data: folder of the open-mocap shards.
        progress: told of every clip.

    Raises:
        OptionError: no folder.
        InputError: the folder has no shard.
    """
    body = load_body("anny")
    rows: list[Row] = []
    for path in _paths(data):
        shard = read_mocap(path)
        known = _Calibrations(shard, body)
        done = tracked(shard.of_split(*SPLITS), progress, path.stem, None, "clip")
        scores = {info.index: known.score(info) for info in done}
        for split in SPLITS:
            infos = shard.of_split(split)
            if infos:
                found = tuple(scores[info.index] for info in infos)
                mirror = max(_mirror_error(known, infos))
                rows.append(Row(path.stem, split, shard.fps, found, mirror))
    return RetargetingReport(tuple(rows))


class _Calibrations:
    """A shard with its subjects calibrated when they are first met."""

    def __init__(self, shard: MocapShard, body: Body) -> None:
        self.shard, self.body = shard, body
        self._known: dict[str, Calibration] = {}

    def of(self, info: ClipInfo) -> Calibration:
        if info.subject not in self._known:
            how = calibrate_subject(self.shard, info.subject, self.body)
            self._known[info.subject] = how
        return self._known[info.subject]

    def score(self, info: ClipInfo) -> ClipScore:
        clip, how = self.shard.clip(info), self.of(info)
        motion = retarget(clip, self.body, how)
        return score_clip(clip, motion, self.body, how.wrist_share)


def _mirror_error(known: _Calibrations, infos: Sequence[ClipInfo]) -> Iterator[float]:
    """Of each subject's first clip: mirrored before and after, metres."""
    twin = _Calibrations(known.shard.mirrored(), known.body)
    first = {info.subject: info for info in reversed(infos)}
    for info in first.values():
        motion = retarget(known.shard.clip(info), known.body, known.of(info))
        other = retarget(twin.shard.clip(info), known.body, twin.of(info))
        places = [joints_of(m, known.body) for m in (mirror_motion(motion), other)]
        yield float((places[0] - places[1]).norm(dim=-1).median())


def _paths(data: Path | None) -> list[Path]:
    if data is None:
        raise OptionError("benchmark retargeting: needs the mocap shards; give --data DIR")
    paths = [data / f"{name}.npz" for name in SHARDS]
    found = [path for path in paths if path.is_file()]
    if not found:
        cure = f"give the folder of the open-mocap shards ({', '.join(SHARDS)}), see docs/mocap.md"
        raise InputError(data, "holds no shard", cure)
    return found


def draw_sheets(data: Path | None, out: Path) -> list[Path]:
    """A contact sheet per shard, of clips of its train and val splits taken evenly.

    Raises:
        OptionError, InputError: see ``measure_retargeting``.
        OutputError: a picture cannot be written.
    """
    body = load_body("anny")
    out.mkdir(parents=True, exist_ok=True)
    sheets = []
    for path in _paths(data):
        shard = read_mocap(path)
        known = _Calibrations(shard, body)
        infos = sorted(shard.of_split("train", "val"), key=lambda info: info.subject)
        chosen = np.linspace(0, len(infos) - 1, min(_ROWS_OF_SHEET, len(infos))).astype(int)
        shots = [_shot(known, infos[i]) for i in chosen]
        sheets.append(out / f"{path.stem}.png")
        draw_sheet(shots, body, sheets[-1])
    return sheets


def _shot(known: _Calibrations, info: ClipInfo) -> Shot:
    clip = known.shard.clip(info)
    motion = retarget(clip, known.body, known.of(info))
    with torch.no_grad():
        source = source_in_world(clip, motion, joints_of(motion, known.body))
    title = f"{known.shard.path.stem} {info.name}, {info.subject}: {info.description[:60]}"
    return Shot(title, motion, source, known.shard.parents)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=draw_sheets.__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sheet", type=Path, required=True)
    options = parser.parse_args()
    draw_sheets(options.data, options.sheet)
