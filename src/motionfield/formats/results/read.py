"""Any result file: which program's it is, seen from its name and its keys."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from motionfield.core.errors import InputError
from motionfield.formats.results.base import Result
from motionfield.formats.results.glamr import is_glamr, read_glamr
from motionfield.formats.results.gvhmr import is_gvhmr, read_gvhmr
from motionfield.formats.results.hybrik import is_hybrik, read_hybrik
from motionfield.formats.results.marker_files import AxesConfig, read_marker_file
from motionfield.formats.results.npz_files import read_npz_file
from motionfield.formats.results.prompthmr import is_prompthmr, read_prompthmr
from motionfield.formats.results.tram import is_tram, read_tram
from motionfield.formats.results.vibe import is_vibe, read_vibe
from motionfield.formats.results.wham import is_wham, read_wham
from motionfield.formats.safe_pickle import load_pickle

Reader = Callable[[Path, Any, str | None], Result]
READERS: Final[tuple[tuple[Callable[[Any], bool], Reader], ...]] = (
    (is_wham, read_wham),
    (is_gvhmr, read_gvhmr),
    (is_tram, read_tram),
    (is_prompthmr, read_prompthmr),
    (is_glamr, read_glamr),
    (is_hybrik, read_hybrik),
    (is_vibe, read_vibe),
)
MARKER_SUFFIXES: Final = (".trc", ".c3d", ".bvh")
PICKLE_SUFFIXES: Final = (".pkl", ".pk", ".pickle", ".joblib", ".pt", ".pth", ".npy")
KNOWN: Final = (
    "motionfield, AMASS (.npz); TRC, C3D, BVH; WHAM, PromptHMR, VIBE, MEVA, GLAMR, HybrIK (.pkl); "
    "GVHMR (.pt); TRAM (.npy)"
)
"""What is read, for messages."""


@dataclass(frozen=True)
class ReadConfig:
    """How to read a file."""

    person: str | None = None
    """Which person, as the file calls it; None: the only one."""
    axes: AxesConfig = field(default_factory=AxesConfig)


def read_result(path: Path, config: ReadConfig | None = None) -> Result:
    """One person of a result file of any known program.

    Raises:
        InputError: missing, damaged, of no known program, or of several persons with none chosen.
    """
    config = config or ReadConfig()
    if path.is_dir():
        raise InputError(path, "is a folder", f"give one file, {_example(path)}")
    if not path.is_file():
        raise InputError(path, "does not exist", "check the path")
    suffix = path.suffix.lower()
    if suffix in MARKER_SUFFIXES or suffix == ".npz":
        result = read_npz_file(path) if suffix == ".npz" else read_marker_file(path, config.axes)
        if config.person not in (None, *result.persons):
            raise InputError(path, f"holds no person {config.person}", "leave out --person")
        return result
    if suffix not in PICKLE_SUFFIXES:
        raise InputError(
            path, f"is of an unknown kind ({suffix or 'no suffix'})", f"known: {KNOWN}"
        )
    content = load_pickle(path)
    for matches, reader in READERS:
        if matches(content):
            return reader(path, content, config.person)
    raise InputError(path, f"is of no known program: {_shown(content)}", f"known are {KNOWN}")


def _example(folder: Path) -> str:
    """A file in a folder that could be meant, our own before others; else what is known."""
    suffixes = (*MARKER_SUFFIXES, *PICKLE_SUFFIXES, ".npz")
    inside = [
        found.relative_to(folder)
        for found in folder.rglob("*")
        if found.suffix.lower() in suffixes and found.is_file()
    ]
    shown = [p for p in inside if not any(part.startswith(".") for part in p.parts)]
    if not shown:
        return f"known are {KNOWN}"
    return f"e.g. {min(shown, key=lambda p: (p.name != 'motion.npz', p))}"


def _shown(content: Any) -> str:
    """The keys that were found, in a few words."""
    if not isinstance(content, Mapping):
        return f"it holds a {type(content).__name__}"
    keys = ", ".join(str(key) for key in list(content)[:10]) or "nothing"
    inner = next((value for value in content.values() if isinstance(value, Mapping)), None)
    below = "" if inner is None else f" with {', '.join(str(key) for key in list(inner)[:10])}"
    return f"it holds {keys}{below}"[:300]
