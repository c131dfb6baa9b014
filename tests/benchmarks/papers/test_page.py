"""docs/papers_data.md names every benchmark and says where every data set is to be had."""

from pathlib import Path

import pytest

from motionfield.benchmarks.papers.registry import PAPER_BENCHMARKS
from motionfield.formats.datasets.origins import ORIGINS

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "papers_data.md").read_text("utf-8")


@pytest.mark.parametrize("name", PAPER_BENCHMARKS)
def test_every_benchmark_is_in_the_table(name: str) -> None:
    assert f"| `{name}` |" in PAGE


@pytest.mark.parametrize("dataset", ORIGINS)
def test_every_data_set_has_a_source_and_a_tree(dataset: str) -> None:
    origin = ORIGINS[dataset]
    start = PAGE.index(f": {origin.title}\n")
    section = PAGE[start : PAGE.find("\n## ", start)]
    site = next(word for word in origin.where.split() if "." in word)
    assert site.strip("()") in section
    assert "--data" in section
    assert "```" in section
