"""C3D files by hand, for every processor and kind of number, and ezc3d's as a twin."""

import struct
from pathlib import Path
from typing import Any

import ezc3d
import numpy as np
import pytest

from motionfield.core.errors import InputError
from motionfield.formats.c3d_reader import read_c3d

POINTS = np.random.default_rng(3).uniform(-900, 1900, (7, 3, 3)).round(1)
"""(T, J, 3) in mm."""
SEEN = np.ones((7, 3), bool)
SEEN[2, 1] = SEEN[5, 0] = False
NAMES = ["LASI", "Head", "R_Knee"]
FIRST = 11
INTEL, DEC, MIPS = 84, 85, 86


class Writer:
    """Numbers as a processor writes them."""

    def __init__(self, processor: int) -> None:
        self.processor = processor
        self.order = ">" if processor == MIPS else "<"

    def integers(self, *numbers: int) -> bytes:
        return b"".join(struct.pack(self.order + "h", number) for number in numbers)

    def reals(self, *numbers: float) -> bytes:
        if self.processor != DEC:
            return struct.pack(f"{self.order}{len(numbers)}f", *numbers)
        swapped = [struct.pack("<f", 4 * number) for number in numbers]
        return b"".join(four[2:] + four[:2] for four in swapped)

    def parameter(self, group: int, name: str, value: Any) -> bytes:
        if isinstance(value, list):
            width = max(map(len, value))
            text = "".join(word.ljust(width) for word in value).encode()
            body = struct.pack("bBBB", -1, 2, width, len(value)) + text
        elif isinstance(value, float):
            body = struct.pack("bB", 4, 0) + self.reals(value)
        else:
            body = struct.pack("bB", 2, 0) + self.integers(value)
        body += b"\0"  # no description
        name_bytes = name.encode()
        return (
            struct.pack("bb", len(name), group) + name_bytes + self.integers(len(body) + 2) + body
        )

    def group(self, number: int, name: str) -> bytes:
        return struct.pack("bb", len(name), -number) + name.encode() + self.integers(3) + b"\0"


def c3d_bytes(processor: int, real: bool, analog: int = 0, unit: str = "mm") -> bytes:
    write = Writer(processor)
    scale = -0.1 if real else 0.1
    parameters = b"\x01\x50\x02" + bytes([processor])
    parameters += write.group(1, "POINT") + write.group(2, "ANALOG")
    for name, value in (
        ("USED", len(NAMES)),
        ("SCALE", scale),
        ("LABELS", NAMES),
        ("UNITS", [unit]),
        ("Y_SCREEN", ["+Z"]),
    ):
        parameters += write.parameter(1, name, value)
    parameters += write.parameter(2, "USED", analog)
    parameters = parameters.ljust(2 * 512, b"\0")
    last = FIRST + len(POINTS) - 1
    header = b"\x02\x50" + write.integers(len(NAMES), analog, FIRST, last, 10)
    header += write.reals(scale) + write.integers(4, 1) + write.reals(120.0)
    frames = b""
    for points, seen in zip(POINTS, SEEN, strict=True):
        for point, is_seen in zip(points, seen, strict=True):
            if real:
                frames += write.reals(*point, 0.0 if is_seen else -1.0)
            else:
                frames += write.integers(*(round(x * 10) for x in point), 0 if is_seen else -1)
        frames += (write.reals if real else write.integers)(*[7] * analog)  # type: ignore[operator]
    return header.ljust(512, b"\0") + parameters + frames.ljust(2048, b"\0")


@pytest.mark.parametrize("processor", [INTEL, DEC, MIPS])
@pytest.mark.parametrize("real", [True, False])
@pytest.mark.parametrize("analog", [0, 5])
def test_by_hand(processor: int, real: bool, analog: int, tmp_path: Path) -> None:
    path = tmp_path / "x.c3d"
    path.write_bytes(c3d_bytes(processor, real, analog))
    found = read_c3d(path)
    assert found.names == tuple(NAMES)
    assert found.fps == 120
    assert found.up == "z"
    assert np.array_equal(found.frame_index, FIRST - 1 + np.arange(7))
    assert np.allclose(found.time_s, found.frame_index / 120)
    assert np.isnan(found.points[~SEEN]).all()
    assert np.allclose(found.points[SEEN], POINTS[SEEN] / 1000, atol=1e-7)


def test_as_ezc3d_reads_it(tmp_path: Path) -> None:
    """Its own file, with analog channels at ten times the rate."""
    file = ezc3d.c3d()
    file["parameters"]["POINT"]["RATE"]["value"] = [100.0]
    file["parameters"]["POINT"]["LABELS"]["value"] = NAMES
    file["parameters"]["POINT"]["UNITS"]["value"] = ["m"]
    file["parameters"]["ANALOG"]["RATE"]["value"] = [1000.0]
    file["parameters"]["ANALOG"]["LABELS"]["value"] = ["force", "moment"]
    points = np.ones((4, 3, 7))
    points[:3] = POINTS.transpose(2, 1, 0) / 1000
    points[:3, 1, 4] = np.nan
    file["data"]["points"] = points
    file["data"]["analogs"] = np.random.default_rng(0).normal(size=(1, 2, 70))
    path = tmp_path / "x.c3d"
    file.write(str(path))
    twin = ezc3d.c3d(str(path))["data"]["points"][:3].transpose(2, 1, 0)
    found = read_c3d(path)
    assert np.array_equal(found.points, twin, equal_nan=True)
    assert np.isnan(found.points[4, 1]).all()
    assert found.fps == 100


def test_many_points_have_more_labels(tmp_path: Path) -> None:
    file = ezc3d.c3d()
    names = [f"M{n}" for n in range(300)]
    file["parameters"]["POINT"]["RATE"]["value"] = [100.0]
    file["parameters"]["POINT"]["LABELS"]["value"] = names
    file["data"]["points"] = np.ones((4, 300, 2))
    file.write(str(tmp_path / "x.c3d"))
    assert read_c3d(tmp_path / "x.c3d").names == tuple(names)


def refusal(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_c3d(path)
    assert "\n" not in str(error.value)
    return str(error.value).removeprefix(f"{path}: ")


def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    path, whole = tmp_path / "x.c3d", c3d_bytes(INTEL, True)
    assert refusal(path, b"") == "is no C3D file; give a C3D file with points"
    assert "unknown processor (99)" in refusal(path, whole[:515] + bytes([99]) + whole[516:])
    assert "was cut off: it holds 4 of 7 frames" in refusal(path, whole[: 3 * 512 + 4 * 48])
    assert "unit 'furlong'" in refusal(path, c3d_bytes(INTEL, True, unit="furlong"))
    no_points = whole[:2] + b"\0\0" + whole[4:]
    assert "has 0 points" in refusal(path, no_points)


def test_damage_ends_nothing(tmp_path: Path) -> None:
    """Some files of this kind end the process in other readers."""
    whole = c3d_bytes(INTEL, True)
    for seed in range(400):
        random = np.random.default_rng(seed)
        changed = bytearray(whole)
        for at in random.integers(0, 1000, 4):
            changed[at] = random.integers(0, 256)
        path = tmp_path / "x.c3d"
        path.write_bytes(bytes(changed))
        try:
            found = read_c3d(path)
        except InputError:
            continue
        assert found.points.shape[1:] == (len(found.names), 3)
