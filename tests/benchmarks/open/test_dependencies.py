"""The hash of a method changes with what it is made of, and with nothing else."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from motionfield.benchmarks.open import dependencies
from motionfield.benchmarks.open.dependencies import code_hash
from motionfield.benchmarks.open.methods import METHODS

FILES = {
    "__init__.py": "",
    "low.py": "SIZE = 1\ndef shared(x):\n    return x + SIZE\n",
    "one.py": "from madecode.low import shared\ndef first(x):\n    return shared(x)\n",
    "two.py": "def second(x):\n    return x\n",
    "methods.py": (
        "from madecode.one import first\nfrom madecode.two import second\n"
        "def wrap(f):\n    def solve(x):\n        return f(x)\n    return solve\n"
        "def a(x):\n    return first(x)\n"
        "def b(x):\n    return second(x)\n"
        "METHODS = {'a': wrap(a), 'b': wrap(b)}\n"
    ),
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "madecode"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(dependencies, "_PACKAGE", "madecode")
    yield folder
    _forget()


def _forget() -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "madecode"]:
        del sys.modules[name]
    importlib.invalidate_caches()
    for cached in (
        *(dependencies._imports, dependencies._file),
        *(dependencies._content, dependencies._data_files),
    ):
        cached.cache_clear()
    sys.path_importer_cache.clear()


def hashes(folder: Path) -> dict[str, str]:
    _forget()
    sys.dont_write_bytecode = True
    methods: ModuleType = importlib.import_module("madecode.methods")
    import linecache

    linecache.clearcache()
    return {name: code_hash(method) for name, method in methods.METHODS.items()}


def change(folder: Path, name: str, old: str, new: str) -> dict[str, str]:
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new))
    return hashes(folder)


def test_a_change_far_below_is_seen(package: Path) -> None:
    before = hashes(package)
    after = change(package, "low.py", "SIZE = 1", "SIZE = 22")
    assert after["a"] != before["a"]
    assert after["b"] == before["b"]


def test_a_change_of_the_method_itself_is_seen(package: Path) -> None:
    before = hashes(package)
    after = change(package, "methods.py", "return second(x)", "return second(x) + 1")
    assert after["b"] != before["b"]
    assert after["a"] == before["a"]


def test_a_change_of_what_wraps_it_is_seen(package: Path) -> None:
    before = hashes(package)
    after = change(package, "methods.py", "return f(x)", "return f(f(x))")
    assert after["a"] != before["a"]
    assert after["b"] != before["b"]


def test_a_new_method_leaves_the_old_ones(package: Path) -> None:
    before = hashes(package)
    (package / "three.py").write_text("def third(x):\n    return -x\n")
    after = change(
        package,
        "methods.py",
        "METHODS = {",
        "from madecode.three import third\ndef c(x):\n    return third(x)\n"
        "METHODS = {'c': wrap(c), ",
    )
    assert {name: after[name] for name in before} == before
    assert after["c"] not in before.values()


def test_shipped_weights_count(package: Path) -> None:
    """They are named without their suffix."""
    (package / "weights").mkdir()
    weights = package / "weights" / "big.safetensors"
    weights.write_bytes(b"first")
    text = "def shipped_weights(name):\n    return name\nWHERE = shipped_weights('big')\n"
    before = change(package, "low.py", "SIZE = 1\n", f"{text}SIZE = 1\n")
    weights.write_bytes(b"second")
    after = hashes(package)
    assert after["a"] != before["a"]
    assert after["b"] == before["b"]


def test_our_methods_differ() -> None:
    found = {name: code_hash(method) for name, method in METHODS.items()}
    assert len(set(found.values())) == len(found)
