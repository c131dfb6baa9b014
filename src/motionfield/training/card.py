"""The card beside a weight file: what it is, from which data, under which licence, how made.

One markdown file ``<name>.md`` per ``<name>.safetensors``: a table that programs read too, then
the figures and limits in words.
"""

import hashlib
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from motionfield import __version__
from motionfield.core.errors import InputError
from motionfield.data.record import write_whole

NEEDED_ROWS: Final = ("Data", "Licence", "Command", "SHA-256")
"""Rows without which a card says too little."""
_ROW: Final = re.compile(r"^\| *([^|]+?) *\| *(.*?) *\|$", re.MULTILINE)
_CURE: Final = "train again, or write the card as docs/training.md shows it"


@dataclass(frozen=True, kw_only=True)
class Card:
    """What only the training knows; date, commit, bytes and hash are found."""

    what: str
    """A paragraph: what it is, its form, who reads it."""
    data: str
    """Which motions, how many, which splits."""
    licence: str
    """Of the weights."""
    credit: str = ""
    """Whom the data's licence asks to name."""
    command: str
    """``TrainOrder.command``."""
    size: str
    """Parameters, against the paper's."""
    figures: tuple[str, ...]
    """Lines as the training tells them, held-out subjects among them."""
    limits: str = ""
    """A paragraph: what it is not good for."""


def write_card(weights: Path, card: Card) -> Path:
    """Write the card of a weight file that lies there; returns the card's path.

    Raises:
        InputError: the weight file cannot be read.
        OutputError: the card cannot be written.
    """
    content = _bytes_of(weights)
    rows = {
        "Data": card.data,
        "Licence": card.licence,
        "Credit": card.credit or "nobody has to be named",
        "Command": f"`{card.command}`",
        "Made with": f"motionfield {__version__}, {commit_here()}",
        "Date": datetime.now(UTC).date().isoformat(),
        "Size": f"{card.size}; {len(content):,} bytes",
        "SHA-256": hashlib.sha256(content).hexdigest(),
    }
    table = "\n".join(f"| {name} | {_one_line(value)} |" for name, value in rows.items())
    figures = "\n".join(f"- {line}" for line in card.figures)
    text = (
        f"# {weights.name}\n\n{card.what}\n\n| | |\n|---|---|\n{table}\n\n## Figures\n\n{figures}\n"
    )
    if card.limits:
        text += f"\n## Limits\n\n{card.limits}\n"
    path = weights.with_suffix(".md")
    write_whole(path, text.encode())
    return path


def read_card(path: Path) -> Mapping[str, str]:
    """The rows of a card's table.

    Raises:
        InputError: it cannot be read or lacks one of ``NEEDED_ROWS``.
    """
    rows = {name: value for name, value in _ROW.findall(_bytes_of(path).decode("utf-8", "replace"))}
    missing = [name for name in NEEDED_ROWS if not rows.get(name)]
    if missing:
        raise InputError(path, f"is no card of weights: it lacks {', '.join(missing)}", _CURE)
    return rows


def check_card(weights: Path) -> Mapping[str, str]:
    """The card of a weight file, held against it.

    Raises:
        InputError: there is no card, a row is missing, or it is the card of another file.
    """
    card = weights.with_suffix(".md")
    rows = read_card(card)
    if rows["SHA-256"] != hashlib.sha256(_bytes_of(weights)).hexdigest():
        raise InputError(card, f"is not the card of this {weights.name}", _CURE)
    return rows


def commit_here() -> str:
    """The commit of the code that runs; "not a checkout" where it is installed."""
    here = Path(__file__).parents[1]

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=here, capture_output=True, text=True, check=True, timeout=20
        )
        return done.stdout.strip()

    try:
        # Of a repository that happens to lie above site-packages this file is no part.
        git("ls-files", "--error-unmatch", "__init__.py")
        changed = git("status", "--porcelain", "--untracked-files=no", "--", ".")
        return f"commit {git('rev-parse', '--short=12', 'HEAD')}" + (
            " with local changes" if changed else ""
        )
    except (OSError, subprocess.SubprocessError):
        return "not a checkout"


def _one_line(text: str) -> str:
    return " ".join(text.replace("|", "/").split())


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", _CURE) from error
