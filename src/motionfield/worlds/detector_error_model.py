"""The figures of the made detector's errors: one data file, by part of the body."""

import dataclasses
import functools
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from motionfield.core.errors import InputError
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.data.record import write_whole

SHIPPED: Final = Path(__file__).parent / "data" / "detector_error.json"

PARTS: Final = (
    *("nose", "eye_inner", "eye", "eye_outer", "ear", "mouth"),
    *("shoulder", "elbow", "wrist", "pinky", "index", "thumb"),
    *("hip", "knee", "ankle", "heel", "foot_index"),
)
"""BlazePose's points with both sides under one name."""
BASIS: Final = ("outward", "up", "forward", "bone in", "bone out")
"""Directions that constant offsets are given along: outward, up and forward of the trunk (of the
head, for its points), along the bone that leads to the point, along the one that leads on."""


def bare_name(keypoint: str) -> str:
    """The part that a keypoint belongs to."""
    return keypoint.removeprefix("left_").removeprefix("right_")


PART_OF: Final = np.array([PARTS.index(bare_name(name)) for name in BLAZEPOSE_33.keypoint_names])
"""Index of each of the 33 points' part."""


@dataclass(frozen=True)
class Episodes:
    """Stretches of time, log-normal in length, that begin at random."""

    share: float
    """Of all time."""
    median_s: float
    log_sd: float

    @property
    def mean_s(self) -> float:
        return self.median_s * float(np.exp(self.log_sd**2 / 2))


@dataclass(frozen=True, eq=False)
class Errors:
    """Errors of every part, across the line of sight and along it (0 in the image).

    An error is ``offset`` along the directions of ``BASIS``, a constant of the clip of ``bias_sd``,
    and noise of ``sd * (1 + by_speed * v) * (1 + by_occlusion * o) * (1 + by_tilt * l) *
    exp(clip_sd * c + volatility * z)`` with ``v`` in body sizes per second, ``o`` and ``l`` (0
    upright, 1 lying) in [0, 1], ``c`` a unit normal number of the clip and ``z`` slow unit noise; a
    share ``white`` of the noise's square is white,
    the rest falls to 1/e within ``slow_s``.
    """

    offset: Float[ndarray, "parts directions"]
    bias_sd: Float[ndarray, "parts 2"]
    """Standard deviation along each axis: across (x, y alike), along."""
    sd: Float[ndarray, "parts 2"]
    """Likewise."""
    by_speed: Float[ndarray, "parts"]
    by_occlusion: Float[ndarray, "parts"]
    volatility: Float[ndarray, "parts"]
    white: Float[ndarray, "parts"]
    slow_s: Float[ndarray, "parts"]
    correlation: Float[ndarray, "points points"]
    """Between the 33 points, along any axis."""
    by_tilt: float
    """People who lean, bend down or lie are harder, for all points."""
    clip_sd: float
    """Some clips are harder than others, for all points."""


@dataclass(frozen=True, eq=False)
class DetectorErrorModel:
    """Everything that ``detector_error.detect`` draws by. Made by ``benchmarks.detector_error``."""

    image: Errors
    """Per cent of the person's size in the picture: the larger side of the box round the points."""
    coarse: Errors
    """Metres, in the axes of a camera that looks at the person."""
    volatility_s: float
    """How long spells of larger errors last, seconds."""
    confidence: Float[ndarray, "parts 4"]
    """Logit of the confidence: mean in sight, change when hidden, change per factor e of the
    error's size, standard deviation of the rest."""
    confidence_s: float
    lost: Episodes
    """The person is not found."""
    swaps: Episodes
    """Left and right exchanged: what a tracker that undoes exchanges leaves behind."""
    swap_kinds: Float[ndarray, "3"]
    """Share of exchanges of the whole body, of the upper half, of the lower half."""
    coarse_size: tuple[float, float, float]
    """Size of the coarse 3D relative to the truth: mean for legs of ``LEG_M``, exponent of the true
    legs' length (-1: the network knows no statures), standard deviation of its log."""
    coarse_depth: tuple[float, float]
    """Depth relative to the truth: mean over clips and standard deviation."""
    source: str
    """What the figures were measured on."""

    @classmethod
    def load(cls, path: Path = SHIPPED) -> "DetectorErrorModel":
        """Read the file.

        Raises:
            InputError: it is not there, or no such model.
        """
        try:
            return cls.from_plain(json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            cure = "make it with python -m motionfield.benchmarks.detector_error --fit FOLDER"
            raise InputError(path, f"holds no model of detector errors ({error})", cure) from error

    def save(self, path: Path) -> None:
        """Write the file, four digits per figure."""
        write_whole(path, (_compact(self.as_plain()) + "\n").encode())

    def as_plain(self) -> dict[str, Any]:
        """Parts by name, arrays as lists."""
        return {"parts": list(PARTS), "directions": list(BASIS), **_plain(self)}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> "DetectorErrorModel":
        """The inverse of ``as_plain``."""
        if tuple(plain["parts"]) != PARTS or tuple(plain["directions"]) != BASIS:
            raise ValueError("other parts or directions than this version knows")
        return cls(
            image=_errors(plain["image"]),
            coarse=_errors(plain["coarse"]),
            volatility_s=float(plain["volatility_s"]),
            confidence=np.array(plain["confidence"], float),
            confidence_s=float(plain["confidence_s"]),
            lost=Episodes(**plain["lost"]),
            swaps=Episodes(**plain["swaps"]),
            swap_kinds=np.array(plain["swap_kinds"], float),
            coarse_size=tuple(plain["coarse_size"]),
            coarse_depth=tuple(plain["coarse_depth"]),
            source=str(plain["source"]),
        )


LEG_M: Final = 0.8
"""Thigh and shin; ``coarse_size`` is given for this length."""


@functools.cache
def shipped_model() -> DetectorErrorModel:
    """The figures that ship, read once."""
    return DetectorErrorModel.load()


def fingerprint() -> str:
    """A short hash of what the made detector does: its figures and its code."""
    here = Path(__file__).parent
    files = ("detector_error.py", "detector_error_model.py", "detector_view.py")
    content = [SHIPPED, *(here / name for name in files), here / "self_occlusion.py"]
    digest = hashlib.sha256()
    for path in content:
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:12]


def _errors(plain: dict[str, Any]) -> Errors:
    figures: dict[str, Any] = {}
    for field in dataclasses.fields(Errors):
        value = plain[field.name]
        figures[field.name] = np.array(value, float) if isinstance(value, list) else float(value)
    return Errors(**figures)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, ndarray):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _compact(plain: dict[str, Any], indent: str = " ") -> str:
    """JSON with one line per list of numbers."""
    lines = []
    for key, value in plain.items():
        if isinstance(value, dict):
            text = _compact(value, indent + " ")
        elif isinstance(value, list) and value and isinstance(value[0], list):
            rows = ",\n".join(f"{indent} {json.dumps(row)}" for row in value)
            text = f"[\n{rows}\n{indent}]"
        else:
            text = json.dumps(value)
        lines.append(f"{indent}{json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(lines) + f"\n{indent[:-1]}}}"
