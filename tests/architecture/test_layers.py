"""Who may import whom: docs/architecture.md's table, read and checked."""

import pytest

from architecture.code_map import Import, imports_of, modules, table_rows

IMPORTS = [found for module in modules() for found in imports_of(module)]
ABOVE_ALL = ("", "__main__")
"""The package itself (its version) may be imported by all; ``__main__`` starts the cli."""


def _room(name: str) -> str:
    return name.split(".")[0]


def _row(name: str) -> str:
    """The row of the table in which a module stands."""
    room = _room(name)
    rows = table_rows()
    for row in (room, f"{room}.py", f"{room}/*"):
        if row in rows:
            return row
    raise AssertionError(f"docs/architecture.md has no row for {room}")


def _allowed(row: str) -> set[str]:
    rows = table_rows()
    may = rows[row]
    if may == "nothing of ours":
        return {row}
    if may.startswith("all above"):
        order = list(rows)
        return set(order[: order.index(row) + 1])
    return {row, *(room.strip() for room in may.split(","))}


def test_table_is_read() -> None:
    rows = table_rows()
    assert list(rows)[:3] == ["core", "geometry", "data"]
    assert len(rows) >= 12


@pytest.mark.parametrize("room", sorted({m.room for m in modules()} - set(ABOVE_ALL)))
def test_every_room_has_a_row(room: str) -> None:
    assert _row(room)


@pytest.mark.parametrize("room", sorted({m.room for m in modules()} - set(ABOVE_ALL)))
def test_rooms_import_only_rooms_above(room: str) -> None:
    broken = [
        found
        for found in IMPORTS
        if _room(found.importer) == room
        and found.imported not in ABOVE_ALL
        and _row(found.imported) not in _allowed(_row(room))
    ]
    assert not broken, _told(broken)


def test_no_step_imports_another_step() -> None:
    def step(name: str) -> str | None:
        parts = name.split(".")
        return parts[1] if parts[0] == "steps" and len(parts) > 1 else None

    broken = [
        found
        for found in IMPORTS
        if step(found.importer)
        and step(found.imported)
        and step(found.importer) != step(found.imported)
    ]
    assert not broken, _told(broken)


def test_no_import_cycles() -> None:
    """Of what runs at import; a package counts for what its ``__init__`` imports."""
    graph: dict[str, set[str]] = {module.name: set() for module in modules()}
    for found in IMPORTS:
        # ``a.b`` imports ``a`` first, but that is Python's doing, not a dependency.
        inside = found.importer.startswith(found.imported + ".") or found.imported == ""
        if found.at_start and found.importer != found.imported and not inside:
            graph[found.importer].add(found.imported)
    cycle = _cycle(graph)
    assert cycle is None, " → ".join(cycle or [])


def _cycle(graph: dict[str, set[str]]) -> list[str] | None:
    done: set[str] = set()

    def search(name: str, way: list[str]) -> list[str] | None:
        if name in way:
            return [*way[way.index(name) :], name]
        if name in done:
            return None
        for following in sorted(graph.get(name, ())):
            if found := search(following, [*way, name]):
                return found
        done.add(name)
        return None

    return next((c for name in sorted(graph) if (c := search(name, []))), None)


def test_cycles_are_found() -> None:
    assert _cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert _cycle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) is None


def test_only_the_cli_prints() -> None:
    import ast

    printing = [
        f"{module.name}:{node.lineno}"
        for module in modules()
        if module.room not in ("cli", "benchmarks")  # these have commands of their own
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert not printing, printing


def _told(broken: list[Import]) -> str:
    return "; ".join(f"{found.importer} imports {found.imported}" for found in broken)
