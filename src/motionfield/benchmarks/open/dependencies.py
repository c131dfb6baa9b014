"""What code a function is made of: a hash that changes when its result may have changed.

The function's own source and all that it names, found through globals and closures, and the files
of the package that these import, directly or not. So a new method beside the old ones, or a change
of what an old one does not use, leaves the old one's hash as it is.
"""

import ast
import dataclasses
import functools
import hashlib
import importlib.util
import inspect
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

_PACKAGE: Final = "motionfield"
_LENGTH: Final = 16
_DATA_SUFFIXES: Final = (".npz", ".safetensors", ".json")


def code_hash(function: Callable[..., Any], *shared: str) -> str:
    """A short hash of a function's code and of the package's files below it.

    Args:
        shared: further modules of the package that count, by name.
    """
    sources, modules = _walk(function)
    for name in shared:
        modules.add(name)
    files = _closure(modules)
    digest = hashlib.sha256()
    for text in sorted(sources):
        digest.update(text.encode())
    for path in files:
        digest.update(path.name.encode() + _content(path))
    return digest.hexdigest()[:_LENGTH]


def _walk(function: Callable[..., Any]) -> tuple[set[str], set[str]]:
    """Sources of the functions of one module that make up ``function``, and the modules they use.

    Within the function's own module only what is named counts; other modules count whole.
    """
    home = inspect.unwrap(function).__module__
    sources: set[str] = set()
    modules: set[str] = set()
    waiting: list[Any] = [function]
    known: set[int] = set()
    while waiting:
        item = waiting.pop()
        if id(item) in known:
            continue
        known.add(id(item))
        module = item.__name__ if inspect.ismodule(item) else getattr(item, "__module__", None)
        ours = isinstance(module, str) and module.split(".")[0] == _PACKAGE
        if module != home and not ours:
            sources |= {repr(item)} if isinstance(item, (str, int, float, bool, tuple)) else set()
            continue
        if dataclasses.is_dataclass(item) and not inspect.isclass(item):
            sources.add(repr(item))  # its options
        if module != home or not isinstance(item, types.FunctionType):
            if module != home:
                modules.add(str(module))
            elif inspect.isclass(item):
                sources.add(inspect.getsource(item))
            continue
        sources.add(inspect.getsource(item))
        waiting += _named(item)
    return sources, modules


def _named(function: types.FunctionType) -> Iterator[Any]:
    """The things that a function names: globals and what it closes over."""
    codes = [function.__code__]
    while codes:
        code = codes.pop()
        codes += [const for const in code.co_consts if isinstance(const, types.CodeType)]
        for name in code.co_names:
            if name in function.__globals__:
                yield function.__globals__[name]
    for cell in function.__closure__ or ():
        yield cell.cell_contents


def _closure(modules: set[str]) -> list[Path]:
    """Files of modules and of all that they import within the package, and data they name."""
    waiting, found = list(modules), dict[str, Path]()
    data: set[str] = set()
    while waiting:
        name = waiting.pop()
        path = _file(name)
        if path is None or name in found:
            continue
        found[name] = path
        imported, named = _imports(path)
        waiting += imported
        data |= named
    files = {path for path in _data_files() if path.name in data}
    return sorted({*found.values(), *files})


@functools.cache
def _imports(path: Path) -> tuple[tuple[str, ...], frozenset[str]]:
    """Modules of the package that a file imports anywhere, and the data files that it names."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: list[str] = []
    data: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.append(node.module)
            # ``from package import module`` names a module, too.
            names += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Constant) and str(node.value).endswith(_DATA_SUFFIXES):
            data.add(str(node.value))
        elif isinstance(node, ast.Call) and getattr(node.func, "id", None) == "shipped_weights":
            named = [str(a.value) for a in node.args if isinstance(a, ast.Constant)]
            data |= {f"{name}.safetensors" for name in named}
    return tuple(n for n in names if n.split(".")[0] == _PACKAGE), frozenset(data)


@functools.cache
def _file(module: str) -> Path | None:
    try:
        found = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    if found is None or found.origin is None or not found.origin.endswith(".py"):
        return None
    return Path(found.origin)


@functools.cache
def _data_files() -> tuple[Path, ...]:
    """Weights and figures that the package ships."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        return ()
    folder = Path(spec.origin).parent
    return tuple(path for suffix in _DATA_SUFFIXES for path in folder.rglob(f"*{suffix}"))


@functools.cache
def _content(path: Path) -> bytes:
    content = path.read_bytes()
    return content.replace(b"\r\n", b"\n") if path.suffix == ".py" else content
