"""Rows made into tables: a table per tier, track, split and lens, a line per method."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from motionfield.benchmarks.open.run import Row
from motionfield.benchmarks.open.statistics import Estimate, Sample, estimate


class Column(NamedTuple):
    """A figure that a table shows."""

    score: str
    """Name in ``Comparison.scores``."""
    title: str
    digits: int = 1


_PA = Column("pa_mpjpe_mm", "PA-MPJPE mm")
_MPJPE = Column("mpjpe_mm", "MPJPE mm")
_PVE = Column("pve_mm", "PVE mm")
_G = Column("g_mpjpe_mm", "G-MPJPE mm")
_ACCEL = Column("accel_m_s2", "accel m/s²", 2)
_SLIDE = Column("foot_slide_mm", "foot slide mm per 1/30 s", 2)
_ANGLE = Column("angle_rmse_deg", "angles RMSE °")
_UP = Column("up_axis_error_deg", "up axis °")
_RTE = Column("rte_percent", "RTE %")

COLUMNS: Final[dict[str, tuple[Column, ...]]] = {
    "single": (_PA, _MPJPE, _PVE, _G, _ACCEL, _SLIDE, _ANGLE, _UP),
    "nemo": (
        _PA,
        Column("nemo_local_mpjpe_mm", "NeMo local MPJPE mm"),
        Column("nemo_dynamic_mpjpe_mm", "NeMo local, dynamic range mm"),
        Column("nemo_local_mpvpe_mm", "NeMo local MPVPE mm"),
        Column("nemo_global_mpjpe_mm", "NeMo global MPJPE mm"),
        Column("nemo_global_mpvpe_mm", "NeMo global MPVPE mm"),
        _ACCEL,
        _SLIDE,
        Column("stroke_speed_error_percent", "stroke speed %"),
        Column("stroke_time_ms", "stroke time ms"),
        Column("contact_timing_ms", "contact time ms"),
        Column("std_within_1_percent", "within 1 sd %"),
        Column("std_within_2_percent", "within 2 sd %"),
    ),
    "moving": (
        _PA,
        _MPJPE,
        _G,
        Column("wa_mpjpe100_mm", "WA-MPJPE100 mm"),
        Column("w_mpjpe100_mm", "W-MPJPE100 mm"),
        _RTE,
        _ACCEL,
        _SLIDE,
    ),
    "views": (_PA, _MPJPE, _G, _ACCEL, _ANGLE, _UP),
}
"""By track."""
COLUMNS["moving_long"] = COLUMNS["moving"]
_ORDER: Final = (
    *("points", "render", "pose2sim"),
    *("single", "nemo", "moving", "moving_long", "views", "SinglePerson", "MultiPerson"),
    *("val", "test", "true lens", "default focal"),
)
_REAL: Final = (
    _PA,
    Column("s_mpjpe_mm", "one similarity, MPJPE mm"),
    _G,
    _ACCEL,
    Column("flexion_rmse_deg", "knee, hip, elbow RMSE °"),
    _UP,
)


@dataclass(frozen=True)
class Line:
    """One method in a table."""

    method: str
    figures: dict[str, Estimate]
    """By name of the score."""
    takes: int
    failed: int
    errors: tuple[str, ...]
    """What the failures said, each once."""
    seconds_per_100_frames: float
    processor_seconds_per_100_frames: float


@dataclass(frozen=True)
class Table:
    """Methods compared on the same takes."""

    tier: str
    track: str
    split: str
    lens: str
    cases: int
    takes: int
    frames: int
    frames_seen: int
    actions: int
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    action: str | None = None
    """The one action that it is of; None: all."""

    @property
    def title(self) -> str:
        words = (self.tier, self.track, self.split, self.lens, self.action)
        return ", ".join(word for word in words if word is not None)

    @property
    def size(self) -> str:
        return (
            f"{_count(self.cases, 'case')}, {_count(self.takes, 'take')}, {self.frames} frames "
            f"({self.frames_seen / self.frames:.1%} seen), {_count(self.actions, 'action')}"
        )

    def grid(self) -> list[list[str]]:
        """Head and lines as text; of one action without intervals, which have few clips there."""
        whole = self.action is None
        head = [
            "method",
            *(column.title for column in self.columns),
            "failed",
            "s / 100 frames (processor)",
        ]
        rows = [head]
        for line in self.lines:
            figures = [
                _figure(line.figures[column.score], column.digits, line.takes, whole)
                for column in self.columns
            ]
            failed = f"{line.failed} of {line.takes}" if line.failed else "0"
            wall, processor = line.seconds_per_100_frames, line.processor_seconds_per_100_frames
            rows.append([line.method, *figures, failed, f"{wall:.1f} ({processor:.1f})"])
        return rows

    def text(self) -> str:
        """For a terminal."""
        grid = self.grid()
        widths = [max(len(row[index]) for row in grid) for index in range(len(grid[0]))]
        lines = [
            "  ".join(
                cell.ljust(width) if index == 0 else cell.rjust(width)
                for index, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in grid
        ]
        return "\n".join((f"{self.title} ({self.size})", *lines, *self.notes()))

    def markdown(self) -> str:
        """For a page."""
        head, *rows = self.grid()
        lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
        lines += ["| " + " | ".join(row) + " |" for row in rows]
        notes = [f"\n{note}" for note in self.notes()]
        return "\n".join((f"**{self.lens}** ({self.size})", "", *lines, *notes))

    def notes(self) -> list[str]:
        """What the failures said."""
        return [
            f"{line.method} failed on {line.failed} of {line.takes}: {'; '.join(line.errors)}"
            for line in self.lines
            if line.failed
        ]

    def summary(self) -> dict[str, Any]:
        """Plain data for a file; None where there is no figure."""
        return {
            "tier": self.tier,
            "track": self.track,
            "split": self.split,
            "lens": self.lens,
            "cases": self.cases,
            "takes": self.takes,
            "frames": self.frames,
            "frames_seen": self.frames_seen,
            "actions": self.actions,
            "action": self.action,
            "columns": [column._asdict() for column in self.columns],
            "lines": [
                {
                    "method": line.method,
                    "takes": line.takes,
                    "failed": line.failed,
                    "errors": list(line.errors),
                    "seconds_per_100_frames": _finite(line.seconds_per_100_frames),
                    "processor_seconds_per_100_frames": _finite(
                        line.processor_seconds_per_100_frames
                    ),
                    "figures": {
                        name: {key: _finite(value) for key, value in figure._asdict().items()}
                        for name, figure in line.figures.items()
                    },
                }
                for line in self.lines
            ],
        }


def make_tables(rows: Sequence[Row], seed: int = 0, by_action: bool = False) -> list[Table]:
    """A table per tier, track, split and lens (and action)."""
    groups: dict[tuple[str, str, str, str, str | None], list[Row]] = {}
    for row in rows:
        action = row.action if by_action else None
        groups.setdefault((row.tier, row.track, row.split, row.lens, action), []).append(row)
    return [_table(key, groups[key], seed) for key in sorted(groups, key=_place)]


def _place(key: tuple[str | None, ...]) -> tuple[int, ...]:
    """Where a table stands among the others; what is not in ``_ORDER`` keeps its place behind."""
    return tuple(_ORDER.index(word) if word in _ORDER else len(_ORDER) for word in key)


def table_of(plain: dict[str, Any]) -> Table:
    """From ``Table.summary``."""

    def figure(values: dict[str, Any]) -> Estimate:
        mean, low, high, *counts = (_number(value) for value in values.values())
        return Estimate(mean, low, high, *(int(count) for count in counts))

    lines = tuple(
        Line(
            method=line["method"],
            figures={name: figure(values) for name, values in line["figures"].items()},
            takes=line["takes"],
            failed=line["failed"],
            errors=tuple(line["errors"]),
            seconds_per_100_frames=_number(line["seconds_per_100_frames"]),
            processor_seconds_per_100_frames=_number(line["processor_seconds_per_100_frames"]),
        )
        for line in plain["lines"]
    )
    columns = tuple(Column(**column) for column in plain["columns"])
    return Table(**{**plain, "columns": columns, "lines": lines})


def _table(key: tuple[str, str, str, str, str | None], rows: Sequence[Row], seed: int) -> Table:
    tier, track, split, lens, action = key
    known = {name for row in rows for name in row.scores}
    columns = tuple(column for column in COLUMNS.get(track, _REAL) if column.score in known)
    first = [row for row in rows if row.method == rows[0].method]
    methods = list(dict.fromkeys(row.method for row in rows))
    names = sorted(known)
    return Table(
        tier=tier,
        track=track,
        split=split,
        lens=lens,
        cases=len({row.case for row in first}),
        takes=len(first),
        frames=sum(row.frames for row in first),
        frames_seen=sum(row.frames_seen for row in first),
        actions=len({row.action for row in first}),
        action=action,
        columns=columns,
        lines=tuple(
            _line(method, [row for row in rows if row.method == method], names, seed)
            for method in methods
        ),
    )


def _line(method: str, rows: Sequence[Row], names: Iterable[str], seed: int) -> Line:
    failed = [row for row in rows if row.error is not None]
    figures = {}
    for name in names:
        samples = [
            Sample(row.action, row.clip, row.scores[name].value)
            for row in rows
            if name in row.scores
        ]
        figures[name] = estimate(samples, seed)
    solved = [row for row in rows if row.error is None]
    frames = sum(row.frames for row in solved)
    return Line(
        method=method,
        figures=figures,
        takes=len(rows),
        failed=len(failed),
        errors=tuple(dict.fromkeys(str(row.error) for row in failed)),
        seconds_per_100_frames=_per_100(sum(row.seconds for row in solved), frames),
        processor_seconds_per_100_frames=_per_100(
            sum(row.processor_seconds for row in solved), frames
        ),
    )


def _per_100(seconds: float, frames: int) -> float:
    return round(100 * seconds / frames, 3) if frames else math.nan


def _figure(figure: Estimate, digits: int, takes: int, with_interval: bool) -> str:
    """Mean and interval; how many takes it is of, where not of all."""
    if figure.takes == 0:
        return "–"
    mean, low, high = (f"{value:.{digits}f}" for value in figure[:3])
    some = f" ({figure.takes} of {takes})" if figure.takes < takes else ""
    interval = f" [{low}, {high}]" if with_interval and math.isfinite(figure.low) else ""
    return f"{mean}{interval}{some}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _finite(value: float) -> float | None:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _number(value: float | None) -> float:
    return math.nan if value is None else value
