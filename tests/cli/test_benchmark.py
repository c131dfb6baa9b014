"""``motionfield benchmark``: every name leads to a measurement; its table and its file."""

import importlib
import inspect
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from motionfield.benchmarks import body_speed
from motionfield.cli.benchmark import BENCHMARKS
from motionfield.cli.main import main


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_name_leads_to_a_measurement(name: str) -> None:
    module, function = BENCHMARKS[name].split(":")
    parameters = inspect.signature(getattr(importlib.import_module(module), function)).parameters
    assert {"data", "progress"} <= set(parameters)


def test_the_table_is_printed_and_the_figures_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = SimpleNamespace(table=lambda: "a table", summary=lambda: {"ms": 3.0})
    monkeypatch.setattr(body_speed, "benchmark_body_speed", lambda data, progress: report)
    target = tmp_path / "figures.json"
    assert main(["benchmark", "body_speed", "--json", str(target)]) == 0
    assert capsys.readouterr().out == "a table\n"
    assert json.loads(target.read_text()) == {"ms": 3.0}


def test_data_that_is_needed_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", "tracking"]) == 2
    assert "--data DIR" in capsys.readouterr().err
