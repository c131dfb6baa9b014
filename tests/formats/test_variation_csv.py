"""The table of variation, read back as a spreadsheet or a statistics program would."""

import csv
from pathlib import Path

import numpy as np
import pytest

from made_action import eased, made_action, turned_joint
from motionfield.body.registry import load_body
from motionfield.core.errors import OutputError
from motionfield.data import Variation
from motionfield.formats.variation_csv import write_variation_csv
from motionfield.steps.evaluate import variation_of


@pytest.fixture(scope="module")
def variation() -> Variation:
    made = made_action([eased(60), eased(40, end=0.5), eased(50, 1.4)])
    made.takes[2] = turned_joint(made.takes[2], "right_knee", "x", 0.3)
    std = np.full((24, 3), 0.02, np.float32)
    takes = [t.replace(joints_std=np.tile(std, (t.num_frames, 1, 1))) for t in made.takes]
    found = variation_of(takes, made.action, made.canonical, load_body("toy"))
    return found.replace(take_names=("a", 'b, "second"', "=1+1 ü"))


def read(path: Path) -> dict[str, list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert {len(row) for row in rows} == {len(rows[0])}, "every row has every column"
    assert len(set(rows[0])) == len(rows[0]), "no column has the name of another"
    return {name: [row[i] for row in rows[1:]] for i, name in enumerate(rows[0])}


def numbers(cells: list[str]) -> np.ndarray:
    return np.array([float(cell) if cell else np.nan for cell in cells])


def test_everything_is_read_back(tmp_path: Path, variation: Variation) -> None:
    write_variation_csv(tmp_path / "variation.csv", variation)
    table = read(tmp_path / "variation.csv")
    np.testing.assert_allclose(numbers(table["phase_percent"]), np.arange(101))
    np.testing.assert_array_equal(numbers(table["takes"]), variation.covered.sum(0))
    for index, signal in enumerate(variation.signal_names):
        for part in ("mean", "sd", "canonical"):
            whole = getattr(variation, part)[:, index]
            np.testing.assert_allclose(numbers(table[f"{signal}:{part}"]), whole, atol=5.1e-5)
        for take, name in enumerate(variation.take_names):
            cells = numbers(table[f"{signal}:take {name}"])
            np.testing.assert_allclose(cells, variation.values[take, :, index], atol=5.1e-5)
    np.testing.assert_allclose(
        numbers(table["right_foot_spread_mm"]), variation.spread_mm[:, 11], atol=5.1e-5
    )
    assert "root_height_m:measured_sd" in table
    assert "left_knee_flexion_deg:measured_sd" not in table, "unknown: no empty column"
    np.testing.assert_allclose(numbers(table["head_world_measured_mm"]), 20 * 3**0.5, atol=1e-3)


def test_what_a_take_does_not_cover_is_empty(tmp_path: Path, variation: Variation) -> None:
    write_variation_csv(tmp_path / "variation.csv", variation)
    table = read(tmp_path / "variation.csv")
    cells = table['left_knee_flexion_deg:take b, "second"']
    assert cells[50] != ""
    assert cells[52:] == [""] * 49
    assert table["takes"][60] == "2"
    assert "nan" not in (tmp_path / "variation.csv").read_text("utf-8")


def test_no_cell_begins_a_formula(tmp_path: Path, variation: Variation) -> None:
    """Spreadsheets run what begins with an equals sign; a take may have any name."""
    write_variation_csv(tmp_path / "variation.csv", variation)
    for name in read(tmp_path / "variation.csv"):
        assert name[0] not in "=+-@"


def test_a_folder_that_is_not_there_is_one_clear_error(
    tmp_path: Path, variation: Variation
) -> None:
    with pytest.raises(OutputError, match=r"variation.csv: cannot be written"):
        write_variation_csv(tmp_path / "no" / "variation.csv", variation)
