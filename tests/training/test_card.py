"""Cards: what is written is read, belongs to its file alone, and every shipped file has one."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from architecture.code_map import PACKAGE
from motionfield.core.errors import InputError, OutputError
from motionfield.training.card import Card, check_card, read_card, write_card
from motionfield.training.order import TrainOrder

_LARGEST_BYTES = 90_000_000
"""Of all weights: the wheel may have 95 MB."""
_CARD = Card(
    what="A thing.",
    data="shards a, b; 12 poses",
    licence="CC BY-SA 3.0",
    credit="Somebody, 2007 (CC BY-SA 3.0).",
    command="motionfield train thing --data DIR",
    size="0.70 million parameters (paper: 1.0)",
    figures=("train: 1 mm", "val: 2 mm"),
    limits="None known.",
)
_SHIPPED = sorted(
    path for path in (PACKAGE / "weights").iterdir() if path.suffix in (".npz", ".safetensors")
)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "thing.safetensors"
    path.write_bytes(b"weights")
    return path


def test_a_card_says_what_was_written(weights: Path) -> None:
    path = write_card(weights, _CARD)
    assert path == weights.with_name("thing.md")
    rows = check_card(weights)
    assert rows["Licence"] == "CC BY-SA 3.0"
    assert rows["Data"] == _CARD.data
    assert rows["Credit"] == _CARD.credit
    assert rows["Command"] == "`motionfield train thing --data DIR`"
    assert rows["Size"] == "0.70 million parameters (paper: 1.0); 7 bytes"
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", rows["Date"])
    text = path.read_text("utf-8")
    assert "- val: 2 mm\n" in text
    assert "None known." in text


def test_columns_are_kept_whatever_the_words(weights: Path) -> None:
    write_card(weights, replace(_CARD, data="a | b\nc"))
    assert read_card(weights.with_suffix(".md"))["Data"] == "a / b c"


def test_the_card_of_another_file_is_found_out(weights: Path) -> None:
    write_card(weights, _CARD)
    weights.write_bytes(b"others")
    with pytest.raises(InputError, match="is not the card of this thing"):
        check_card(weights)


def test_a_card_without_a_licence_is_none(weights: Path) -> None:
    path = write_card(weights, _CARD)
    kept = [li for li in path.read_text("utf-8").splitlines() if not li.startswith("| Licence")]
    path.write_text("\n".join(kept), "utf-8")
    with pytest.raises(InputError, match="lacks Licence"):
        check_card(weights)


def test_faults_are_named(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"thing\.md: cannot be read"):
        check_card(weights)
    with pytest.raises(InputError, match="cannot be read"):
        write_card(tmp_path / "missing.safetensors", _CARD)
    weights.with_suffix(".md").mkdir()
    with pytest.raises(OutputError, match="cannot be written"):
        write_card(weights, _CARD)


def test_the_command_is_the_one_that_was_given() -> None:
    plain = TrainOrder("pose_vae", Path("secret place"), Path("x"))
    assert plain.command == "motionfield train pose_vae --data DIR"
    other = replace(plain, free_data=True, steps=7, seed=3, preset="paper")
    assert other.command.endswith("--data DIR --free-data --steps 7 --seed 3 --preset paper")


@pytest.mark.parametrize("path", _SHIPPED, ids=lambda p: p.name)
def test_every_file_that_ships_has_its_card(path: Path) -> None:
    rows = check_card(path)
    shared = "CC BY-SA" in rows["Credit"]
    assert ("CC BY-SA 3.0" in rows["Licence"]) == shared
    assert f"{path.stat().st_size:,} bytes" in rows["Size"]
    assert path.name in (PACKAGE / "weights" / "README.md").read_text("utf-8")


def test_cards_have_their_files() -> None:
    cards = {p.stem for p in (PACKAGE / "weights").glob("*.md")} - {"README"}
    assert cards == {path.stem for path in _SHIPPED}


def test_all_weights_together_are_small_enough() -> None:
    assert sum(path.stat().st_size for path in _SHIPPED) < _LARGEST_BYTES
