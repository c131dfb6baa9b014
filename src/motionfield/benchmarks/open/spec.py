"""What a version of the open benchmark is made of, as files: cases, cameras, seeds, fingerprints.

A version is a folder. Per collection of clips ("mocap", "pybullet") it has ``<clips>.json`` (the
cases), ``<clips>_cameras.npz`` (paths of cameras that move) and ``<clips>_fingerprints.json`` (what
the takes were when the version was made). ``detector.json`` holds the detector's error.
"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy import ndarray

from motionfield.benchmarks.open.case import Split, Tier, Track
from motionfield.core.errors import InputError, OptionError

Collection = Literal["mocap", "pybullet"]

VERSIONS_FOLDER: Final = Path(__file__).parents[1] / "data" / "open"
CURRENT_VERSION: Final = "v1"
_CURE: Final = "install the package anew, or make a new version with --freeze"
_HASH_LENGTH: Final = 12


@dataclass(frozen=True)
class Piece:
    """Frames ``start`` to ``end`` (not included) of a clip, at the clip's own rate."""

    file: str
    """Name in the folder of clips."""
    clip: str
    start: int
    end: int

    @property
    def name(self) -> str:
        return f"{self.clip}:{self.start}-{self.end}"


@dataclass(frozen=True)
class CameraSpec:
    """One camera: a pinhole without distortion, pixels; world to camera, metres."""

    kind: str
    """"static", "follow", "pan", "orbit" or "dolly"."""
    focal_px: float
    width: int
    height: int
    R_camera_world: tuple[tuple[float, ...], ...] | None = None
    """None where the camera moves: then the version's camera file has the path."""
    t_camera_world: tuple[float, ...] | None = None


@dataclass(frozen=True)
class TakeSpec:
    """One take: motion, shape, camera and noise."""

    name: str
    pieces: tuple[Piece, ...]
    """Several are chained by blended joins."""
    camera: CameraSpec
    seed: int
    """Of the detector's error."""
    betas: tuple[float, ...] | None = None
    """Shape of the body; None: the subject's own proportions."""

    @property
    def clip(self) -> str:
        """What is drawn anew in the bootstrap: takes of the same frames go together."""
        return "+".join(piece.name for piece in self.pieces)


@dataclass(frozen=True)
class CaseSpec:
    """Takes that are solved together."""

    name: str
    tier: Tier
    track: Track
    split: Split
    action: str
    takes: tuple[TakeSpec, ...]
    synchronized: bool = False
    quick: bool = False
    """Part of ``--quick``."""


@dataclass(frozen=True)
class Spec:
    """One collection of one version."""

    version: str
    clips: Collection
    cases: tuple[CaseSpec, ...]
    sources: dict[str, str]
    """SHA-256 of each file of clips."""
    detector: dict[str, Any]
    """The detector's error: its options, and a hash of its figures."""
    paths: dict[str, ndarray]
    """Of cameras that move: ``<take>/R``, ``/t``, and as tracked ``/tracked_R``, ``/tracked_t``."""
    fingerprints: dict[str, dict[str, Any]]
    """By name of the take."""
    hash: str
    """Of all files of the version."""

    def chosen(
        self,
        split: str | None = None,
        track: str | None = None,
        tier: str | None = None,
        quick: bool = False,
    ) -> tuple[CaseSpec, ...]:
        """The cases asked for.

        Raises:
            OptionError: there are none.
        """
        cases = tuple(
            case
            for case in self.cases
            if split in (None, case.split)
            and track in (None, case.track)
            and tier in (None, case.tier)
            and (case.quick or not quick)
        )
        if not cases:
            asked = {"split": split, "track": track, "tier": tier}
            wanted = ", ".join(f"{key} {value}" for key, value in asked.items() if value)
            tracks = sorted({case.track for case in self.cases})
            raise OptionError(
                f"open benchmark {self.version}: no case of {self.clips} clips with {wanted}"
                f"{' in the quick set' if quick else ''}; tracks here: {', '.join(tracks)}"
            )
        return cases


def versions() -> list[str]:
    """Versions that the package has, in their order."""
    return sorted(path.name for path in VERSIONS_FOLDER.glob("v*") if path.is_dir())


def version_hash(folder: Path) -> str:
    """One hash over all files of a version; line ends do not matter."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        if path.suffix == ".json":
            content = content.replace(b"\r\n", b"\n")
        digest.update(f"{path.name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:_HASH_LENGTH]


def read_spec(folder: Path, clips: Collection) -> Spec:
    """Read one collection of a version.

    Raises:
        InputError: a file is missing or damaged.
        OptionError: the version has no such collection.
    """
    if not folder.is_dir():
        raise OptionError(f"open benchmark: no version {folder.name!r}; known: {versions()}")
    path = folder / f"{clips}.json"
    if not path.is_file():
        known = [name for name in get_args(Collection) if (folder / f"{name}.json").is_file()]
        raise OptionError(
            f"open benchmark {folder.name}: no collection {clips!r}; it has {', '.join(known)}"
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        fingerprints = json.loads((folder / f"{clips}_fingerprints.json").read_text("utf-8"))
        detector = json.loads((folder / "detector.json").read_text("utf-8"))
        cases = tuple(_case(plain) for plain in content["cases"])
        with np.load(folder / f"{clips}_cameras.npz", allow_pickle=False) as file:
            paths = {key: file[key] for key in file.files}
        return Spec(
            version=content["version"],
            clips=clips,
            cases=cases,
            sources=content["sources"],
            detector=detector,
            paths=paths,
            fingerprints=fingerprints,
            hash=version_hash(folder),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(path, f"is no specification ({error})", _CURE) from error


def write_spec(folder: Path, spec: Spec) -> str:
    """Write one collection's files into a version's folder.

    Returns:
        The version's new hash.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "version": spec.version,
        "sources": spec.sources,
        "cases": [_plain_case(case) for case in spec.cases],
    }
    _write_json(folder / f"{spec.clips}.json", content)
    _write_json(folder / f"{spec.clips}_fingerprints.json", spec.fingerprints)
    _write_json(folder / "detector.json", spec.detector)
    np.savez_compressed(folder / f"{spec.clips}_cameras.npz", **spec.paths)  # type: ignore[arg-type]
    return version_hash(folder)


def _write_json(path: Path, content: Any) -> None:
    """Readable: a line per innermost thing, not per number."""
    path.write_text(_lines(content) + "\n", encoding="utf-8", newline="\n")


def _lines(value: Any, depth: int = 0) -> str:
    flat = json.dumps(value)
    if len(flat) + depth < 100 or not value:
        return flat
    pad, end = " " * (depth + 1), " " * depth
    if isinstance(value, dict):
        rows = [f"{pad}{json.dumps(key)}: {_lines(item, depth + 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(rows) + f"\n{end}}}"
    if isinstance(value, list) and not all(isinstance(item, (int, float)) for item in value):
        return "[\n" + ",\n".join(pad + _lines(item, depth + 1) for item in value) + f"\n{end}]"
    return flat


def _plain_case(case: CaseSpec) -> dict[str, Any]:
    """As JSON; what is at its default is left out."""
    return _without_defaults(case)


def _without_defaults(record: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if field.default is not dataclasses.MISSING and value == field.default:
            continue
        if dataclasses.is_dataclass(value):
            found[field.name] = _without_defaults(value)
        elif isinstance(value, tuple) and value and dataclasses.is_dataclass(value[0]):
            found[field.name] = [_without_defaults(item) for item in value]
        elif isinstance(value, tuple):
            found[field.name] = [list(v) if isinstance(v, tuple) else v for v in value]
        else:
            found[field.name] = value
    return found


def _case(plain: dict[str, Any]) -> CaseSpec:
    return CaseSpec(**plain | {"takes": tuple(_take(take) for take in plain["takes"])})


def _take(plain: dict[str, Any]) -> TakeSpec:
    betas = plain.get("betas")
    return TakeSpec(
        name=plain["name"],
        pieces=tuple(Piece(**piece) for piece in plain["pieces"]),
        camera=_camera(plain["camera"]),
        seed=plain["seed"],
        betas=None if betas is None else tuple(betas),
    )


def _camera(plain: dict[str, Any]) -> CameraSpec:
    R, t = plain.get("R_camera_world"), plain.get("t_camera_world")
    return CameraSpec(
        **plain
        | {
            "R_camera_world": None if R is None else tuple(tuple(row) for row in R),
            "t_camera_world": None if t is None else tuple(t),
        }
    )
