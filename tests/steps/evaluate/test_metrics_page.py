"""docs/metrics.md lists the standard row, no figure more or less, as the code has it."""

import importlib
import re
from pathlib import Path

from motionfield.steps.evaluate.catalogue import METRICS

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "metrics.md").read_text(encoding="utf-8")


def rows(section: str) -> list[list[str]]:
    """Cells of the section's table, without its head."""
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip(" `") for cell in line[1:-1].split("|")] for line in lines[2:]]


def test_every_figure_is_there_as_the_code_has_it() -> None:
    expected = [
        [name, m.unit, m.points, m.alignment, m.source, m.remark] for name, m in METRICS.items()
    ]
    assert rows("The standard row") == expected


def test_functions_that_the_page_names_exist() -> None:
    named = re.findall(r"`(\w+)\.(\w+)`", PAGE.split("\n## More\n")[1])
    assert len(named) > 5
    for module, function in named:
        assert hasattr(importlib.import_module(f"motionfield.steps.evaluate.{module}"), function)


def test_figures_that_tables_are_held_against_exist() -> None:
    text = PAGE.split("\n## Which figure")[1]
    for name in re.findall(r"`([a-z0-9_*]+)`", text):
        pattern = re.compile(name.replace("*", r"\w+"))
        assert any(pattern.fullmatch(known) for known in METRICS), name
