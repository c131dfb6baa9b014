"""What a paper's benchmark gives back: the paper's rows with ours under them."""

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

Cell = tuple[float, ...]
"""The numbers of one cell, one per part; NaN: not given."""
MEAN: Final = "Mean"


class PaperTable(NamedTuple):
    """One table of a paper, or the part of it about one metric."""

    key: str
    paper: str
    number: str
    metric: str
    unit: str
    better: str
    """"lower", "higher", or "" where the columns differ."""
    columns: tuple[str, ...]
    parts: tuple[str, ...]
    """What the numbers of a cell are; one empty name where there is one number."""
    rows: Mapping[str, tuple[Cell, ...]]
    """Method as the paper writes it → cells in the order of ``columns``."""

    @property
    def title(self) -> str:
        direction = f" ({self.better} is better)" if self.better else ""
        parts = f"; {' / '.join(self.parts)}" if len(self.parts) > 1 else ""
        return f"{self.paper}, {self.number}: {self.metric}, {self.unit}{direction}{parts}"


class OwnRow(NamedTuple):
    """Our figures in a paper's table."""

    key: str
    """Of the ``PaperTable``."""
    label: str
    cells: Mapping[str, Cell]
    """Column → cell; columns without figures are left out."""


@dataclass(frozen=True)
class PaperReport:
    """A method on a paper's data by the paper's protocol."""

    name: str
    method: str
    rows: tuple[OwnRow, ...]
    notes: tuple[str, ...] = ()
    """What was assumed and what differs from the paper, one sentence each."""
    sequences: tuple[Mapping[str, Any], ...] = ()
    """Figures of each sequence: plain data."""
    failures: Mapping[str, str] = field(default_factory=dict)
    """Sequence → why it has no figures."""
    setting: Mapping[str, Any] = field(default_factory=dict)
    """Date, commit, machine, seed, body."""

    @property
    def tables(self) -> tuple[PaperTable, ...]:
        """The tables in which we have rows, in the order of the rows."""
        keys = dict.fromkeys(row.key for row in self.rows)
        return tuple(paper_tables()[key] for key in keys if key in paper_tables())

    def table(self) -> str:
        """Lines of text as printed by the command."""
        lines = [f"{self.name}, method {self.method}"]
        for table in self.tables:
            own = [row for row in self.rows if row.key == table.key]
            lines += ["", table.title, *_grid(table, own)]
        known = paper_tables()
        for row in self.rows:
            if row.key not in known:
                cells = "  ".join(f"{c} {_text(v)}" for c, v in row.cells.items())
                lines += ["", f"{row.label}: {cells}"]
        count = len(self.sequences)
        lines += ["", f"{count} sequences scored, {len(self.failures)} failed"]
        lines += [f"failed: {name}: {reason}" for name, reason in self.failures.items()]
        lines += [f"note: {note}" for note in self.notes]
        return "\n".join(lines)

    def summary(self) -> dict[str, Any]:
        """Plain data for a file; NaN becomes None."""
        papers = {
            table.key: {
                "paper": table.paper,
                "number": table.number,
                "metric": table.metric,
                "unit": table.unit,
                "columns": list(table.columns),
                "parts": list(table.parts),
                "rows": {name: [list(cell) for cell in row] for name, row in table.rows.items()},
            }
            for table in self.tables
        }
        ours = [
            {
                "key": row.key,
                "label": row.label,
                "cells": {c: list(v) for c, v in row.cells.items()},
            }
            for row in self.rows
        ]
        return _finite(
            {
                "benchmark": self.name,
                "method": self.method,
                **self.setting,
                "ours": ours,
                "papers": papers,
                "sequences": [dict(entry) for entry in self.sequences],
                "failures": dict(self.failures),
                "notes": list(self.notes),
            }
        )


@cache
def paper_tables() -> Mapping[str, PaperTable]:
    """All transcribed tables by their keys."""
    text = files("motionfield.benchmarks.papers").joinpath("rows.toml").read_text("utf-8")
    return {entry["key"]: _table(entry) for entry in tomllib.loads(text)["table"]}


def _table(entry: dict[str, Any]) -> PaperTable:
    rows = {
        name: tuple(tuple(c) if isinstance(c, list) else (float(c),) for c in cells)
        for name, cells in entry["rows"].items()
    }
    head = {name: entry[name] for name in ("key", "paper", "number", "metric", "unit", "better")}
    return PaperTable(
        **head, columns=tuple(entry["columns"]), parts=tuple(entry["parts"]), rows=rows
    )


def _grid(table: PaperTable, own: Sequence[OwnRow]) -> list[str]:
    rows = [(name, [_text(cell) for cell in cells]) for name, cells in table.rows.items()]
    nothing = (math.nan,) * len(table.parts)
    for row in own:
        rows.append((row.label, [_text(row.cells.get(c, nothing)) for c in table.columns]))
    first = max(len(name) for name, _ in rows)
    widths = [
        max(len(column), *(len(cells[k]) for _, cells in rows))
        for k, column in enumerate(table.columns)
    ]

    def line(name: str, cells: Sequence[str]) -> str:
        aligned = (f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
        return "  ".join((f"{name:{first}}", *aligned))

    return [line("", table.columns), *(line(name, cells) for name, cells in rows)]


def _text(cell: Cell) -> str:
    return " / ".join("–" if math.isnan(value) else f"{value:.1f}" for value in cell)


def mean_cell(cells: Sequence[Cell]) -> Cell:
    """Mean of cells, part by part, over those that have the part; NaN where none has."""
    return tuple(
        _mean([v for v in values if not math.isnan(v)]) for values in zip(*cells, strict=True)
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def with_mean(cells: Mapping[str, Cell]) -> dict[str, Cell]:
    """The cells and their mean under "Mean"."""
    return {**cells, MEAN: mean_cell(list(cells.values()))} if cells else {}


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
