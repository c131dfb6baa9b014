"""The package read as text: its modules, what each imports, how big its parts are."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "motionfield"


class Module(NamedTuple):
    """One file of the package."""

    name: str
    """Without ``motionfield.``; the package itself is the empty name."""
    path: Path
    tree: ast.Module
    is_package: bool

    @property
    def room(self) -> str:
        """The folder (or top-level file) that it belongs to."""
        return self.name.split(".")[0]


class Import(NamedTuple):
    """``importer`` imports ``imported`` (both without ``motionfield.``)."""

    importer: str
    imported: str
    at_start: bool
    """False inside a function or under ``TYPE_CHECKING``."""


@cache
def modules() -> tuple[Module, ...]:
    """All modules, by name."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = list(path.relative_to(PACKAGE).with_suffix("").parts)
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        tree = ast.parse(path.read_text("utf-8"), str(path))
        found.append(Module(name, path, tree, is_package))
    return tuple(found)


def imports_of(module: Module) -> Iterator[Import]:
    """Every import of our own modules, wherever in the file."""
    known = {m.name for m in modules()}
    start = set(_start_nodes(module.tree))
    for node in ast.walk(module.tree):
        for target in _targets(node, known):
            yield Import(module.name, target, node in start)


def _targets(node: ast.AST, known: set[str]) -> list[str]:
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        base = node.module or ""
        whole = [f"{base}.{alias.name}" for alias in node.names]
        names = [n if n.removeprefix("motionfield.") in known else base for n in whole]
    else:
        return []
    ours = [n for n in names if n == "motionfield" or n.startswith("motionfield.")]
    return [n.removeprefix("motionfield").removeprefix(".") for n in ours]


def _start_nodes(tree: ast.Module) -> Iterator[ast.AST]:
    """The statements that run when the module is imported."""
    stack: list[ast.AST] = list(tree.body)
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        stack.extend(ast.iter_child_nodes(node))


def table_rows() -> dict[str, str]:
    """The table of rooms in docs/architecture.md: room → what it may import."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    rows = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 3:
            for room in cells[0].split(","):
                rows[room.strip().strip("`")] = cells[2]
    return rows
