"""The papers' rows, and how they are printed beside ours."""

import json
import math
from importlib import import_module

import pytest

from motionfield.benchmarks.papers.registry import PAPER_BENCHMARKS
from motionfield.benchmarks.papers.report import (
    OwnRow,
    PaperReport,
    mean_cell,
    paper_tables,
    with_mean,
)

WITH_MEAN = [table for table in paper_tables().values() if "Mean" in table.columns]


@pytest.mark.parametrize("key", paper_tables())
def test_every_row_has_every_column_and_part(key: str) -> None:
    table = paper_tables()[key]
    for name, row in table.rows.items():
        assert len(row) == len(table.columns), name
        assert {len(cell) for cell in row} == {len(table.parts)}, name


@pytest.mark.parametrize("table", WITH_MEAN, ids=lambda t: t.key)
def test_printed_means_are_the_means_of_the_printed_columns(table) -> None:  # type: ignore[no-untyped-def]
    """A wrong digit in a transcribed row would show here (the papers' own sums agree)."""
    decimals = 0.11 if "joints" in table.key or "vertices" in table.key else 0.06
    for name, row in table.rows.items():
        mean = mean_cell(row[:-1])
        for ours, printed in zip(mean, row[-1], strict=True):
            assert ours == pytest.approx(printed, abs=decimals), name


def test_some_cells_of_the_papers() -> None:
    tables = paper_tables()
    nemo = tables["nemo-mocap.mpjpe"]
    assert nemo.rows["NeMo"][nemo.columns.index("Tennis Serve")] == (80.6, 97.9)
    diffopt = tables["emdb-diffopt.joints"]
    assert diffopt.rows["DiffOpt"][diffopt.columns.index("Outdoor Run")] == (82.6, 130.8)
    assert tables["emdb-neuhmr"].rows["NeuHMR (init. Hybrik)"] == ((95.4,), (109.6,))
    assert math.isnan(tables["h36m"].rows["SPIN (w/ H3.6M SMPL)"][0][0])


def test_ours_stands_under_the_papers_rows() -> None:
    cells = with_mean({"Baseball Pitch": (90.0, 120.0), "Golf Swing": (70.0, math.nan)})
    report = PaperReport(
        "nemo-mocap",
        "fit",
        (OwnRow("nemo-mocap.mpjpe", "motionfield fit", cells),),
        notes=("a note",),
        sequences=({"sequence": "golf_swing.0", "mpjpe": 70.0, "pck": math.nan},),
        failures={"golf_swing.1": "nobody was found"},
    )
    lines = report.table().splitlines()
    at = next(k for k, line in enumerate(lines) if line.startswith("NeMo   "))
    assert lines[at + 1].startswith("motionfield fit")
    assert "85.8 / 108.7" in lines[at]
    assert "90.0 / 120.0" in lines[at + 1]
    assert "70.0 / –" in lines[at + 1]
    assert lines[at + 1].rstrip().endswith("80.0 / 120.0")
    assert "failed: golf_swing.1: nobody was found" in lines
    assert "note: a note" in lines
    plain = json.loads(json.dumps(report.summary()))
    assert plain["sequences"][0]["pck"] is None
    assert plain["papers"]["nemo-mocap.mpjpe"]["rows"]["NeMo"][0] == [85.8, 108.7]


@pytest.mark.parametrize("name", PAPER_BENCHMARKS)
def test_every_name_leads_to_a_function(name: str) -> None:
    module, function = PAPER_BENCHMARKS[name].split(":")
    assert callable(getattr(import_module(module), function))
