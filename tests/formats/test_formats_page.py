"""docs/formats.md lists what the files hold: no key and no angle more or less."""

import re
from pathlib import Path

from motionfield.body.joint_angles import ANGLES
from motionfield.formats.motion_npz import KEYS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")


def rows(section: str) -> list[list[str]]:
    """Cells of the section's table, without its head."""
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_key_is_there_with_its_shape_and_meaning() -> None:
    expected = [
        [name, f"({', '.join(str(n) for n in key.shape)})", key.meaning]
        for name, key in KEYS.items()
    ]
    assert rows("motion.npz") == expected


def test_every_angle_is_there() -> None:
    named = {row[0] for row in rows("joint_angles.csv")}
    assert named == {re.sub("^(left|right)_", "", name) for name in ANGLES}


def test_every_program_that_is_read_is_there() -> None:
    from motionfield.formats.results.read import KNOWN

    listed = " ".join(cell for row in rows("Files of others") for cell in row)
    for word in re.findall(r"[A-Z][A-Za-z0-9]{2,}", KNOWN):
        assert word in listed or word.lower() in listed, word
