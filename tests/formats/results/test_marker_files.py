"""TRC, C3D and BVH: written by our exporters, by ezc3d or by hand, and read back."""

from pathlib import Path

import ezc3d
import numpy as np
import pytest

from formats import made
from motionfield.body.registry import load_body
from motionfield.core.conventions import JOINT_NAMES
from motionfield.core.errors import InputError
from motionfield.formats.bvh import write_bvh
from motionfield.formats.results import ReadConfig, Result, read_result
from motionfield.formats.results.marker_files import AxesConfig
from motionfield.formats.trc import write_trc

TOLERANCE_M = 1e-4


def joints(result: Result) -> np.ndarray:
    """(T, 24, 3) in our order."""
    assert result.joints is not None
    return result.joints[:, [result.joint_names.index(name) for name in JOINT_NAMES]]


@pytest.mark.parametrize("name", made.MOTIONS)
def test_our_trc(name: str, tmp_path: Path) -> None:
    motion = made.MOTIONS[name]()
    write_trc(tmp_path / "x.trc", motion, load_body("toy"))
    result = read_result(tmp_path / "x.trc")
    assert np.abs(joints(result) - made.true_joints(motion)).max() < TOLERANCE_M
    assert np.allclose(result.time_s, motion.time_s, atol=1e-6)
    assert result.fps == motion.fps
    assert result.renamed == ()


@pytest.mark.parametrize("unit", ["m", "cm"])
@pytest.mark.parametrize("name", made.MOTIONS)
def test_our_bvh(name: str, unit: str, tmp_path: Path) -> None:
    """The toy's legs are short of a person's, so the unit is said."""
    motion = made.MOTIONS[name]()
    write_bvh(tmp_path / "x.bvh", motion, load_body("toy"), unit)  # type: ignore[arg-type]
    result = read_result(tmp_path / "x.bvh", ReadConfig(axes=AxesConfig("y", unit)))
    assert np.abs(joints(result) - made.true_joints(motion)).max() < TOLERANCE_M
    assert result.fps == pytest.approx(motion.fps)


@pytest.mark.parametrize("unit", ["m", "cm"])
def test_the_unit_of_a_bvh_is_told_from_the_legs(unit: str, tmp_path: Path) -> None:
    motion = made.walk_ahead("anny", 8)
    write_bvh(tmp_path / "x.bvh", motion, load_body("anny"), unit)  # type: ignore[arg-type]
    result = read_result(tmp_path / "x.bvh")
    assert np.abs(joints(result) - made.true_joints(motion)).max() < TOLERANCE_M
    assert any(f"the unit is {unit}" in note for note in result.notes)


def c3d(path: Path, points: np.ndarray, names: list[str], unit: str, **more: object) -> Path:
    """Points (T, J, 3) in the unit; NaN where not seen."""
    file = ezc3d.c3d()
    file["parameters"]["POINT"]["RATE"]["value"] = [100.0]
    file["parameters"]["POINT"]["LABELS"]["value"] = names
    file["parameters"]["POINT"]["UNITS"]["value"] = [unit]
    for key, value in more.items():
        file.add_parameter("POINT", key, value)
    values = np.ones((4, points.shape[1], len(points)))
    values[:3] = points.transpose(2, 1, 0)
    file["data"]["points"] = values
    file.write(str(path))
    return path


@pytest.mark.parametrize("unit", ["m", "mm"])
def test_c3d(unit: str, tmp_path: Path) -> None:
    motion = made.walk_ahead()
    truth = made.true_joints(motion)
    scale = {"m": 1.0, "mm": 1000.0}[unit]
    shown = truth * scale
    shown[3, 5] = np.nan
    result = read_result(c3d(tmp_path / "x.c3d", shown, list(JOINT_NAMES), unit))
    found = joints(result)
    assert np.isnan(found[3, 5]).all()
    found[3, 5] = truth[3, 5]
    assert np.abs(found - truth).max() < TOLERANCE_M
    assert result.fps == 100


def test_c3d_with_y_up(tmp_path: Path) -> None:
    """By what the file says, by where the head is, and by what the user says."""
    truth = made.true_joints(made.walk_ahead())
    x, y, z = np.moveaxis(truth, -1, 0)
    y_up = np.stack((x, z, -y), -1)
    said = c3d(tmp_path / "a.c3d", y_up, list(JOINT_NAMES), "m", Y_SCREEN=["+Y"])
    seen = c3d(tmp_path / "b.c3d", y_up, list(JOINT_NAMES), "m")
    unknown = [f"M{n}" for n in range(24)]
    told = c3d(tmp_path / "c.c3d", y_up, unknown, "m")
    for path in (said, seen):
        assert np.abs(joints(read_result(path)) - truth).max() < TOLERANCE_M
    given = read_result(told, ReadConfig(axes=AxesConfig(up="y")))
    assert given.joints is not None
    assert np.abs(given.joints - truth).max() < TOLERANCE_M
    default = read_result(told)
    assert any("up is taken to be Z" in note for note in default.notes)


def walk_bvh(order: str = "Zrotation Xrotation Yrotation") -> str:
    """Three joints by hand, centimetres, Mixamo's words: faces and walks along +X."""
    leg = "CHANNELS 3 " + order
    return f"""HIERARCHY
ROOT mixamorig:Hips
{{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition {order}
  JOINT mixamorig:LeftUpLeg
  {{
    OFFSET 10 0 0
    {leg}
    JOINT mixamorig:LeftLeg
    {{
      OFFSET 0 -42 0
      {leg}
      JOINT mixamorig:LeftFoot
      {{
        OFFSET 0 -43 0
        {leg}
        End Site
        {{
          OFFSET 0 0 10
        }}
      }}
    }}
  }}
  JOINT mixamorig:RightUpLeg
  {{
    OFFSET -10 0 0
    {leg}
    JOINT mixamorig:RightLeg
    {{
      OFFSET 0 -42 0
      {leg}
      JOINT mixamorig:RightFoot
      {{
        OFFSET 0 -43 0
        {leg}
        End Site
        {{
          OFFSET 0 0 10
        }}
      }}
    }}
  }}
}}
MOTION
Frames: 2
Frame Time: 0.033333
0 90 0  0 0 90  0 0 0  0 90 0  0 0 0  0 0 0  0 0 0  0 0 0
5 90 0  0 0 90  0 0 0  0 90 0  0 0 0  0 0 0  0 0 0  0 0 0
"""


def test_a_bvh_worked_by_hand(tmp_path: Path) -> None:
    """Heading turned by 90 degrees about Y: left hip (10, 0, 0) lies at (0, 0, -10) of the file,
    which is +Y here. The left knee's 90 degrees about X carry the shank's -Y to -Z of the thigh,
    behind the person: -X here."""
    path = tmp_path / "x.bvh"
    path.write_text(walk_bvh())
    result = read_result(path, ReadConfig(axes=AxesConfig(up="y")))
    assert result.joints is not None
    assert result.fps == 30
    place = {name: result.joints[:, i] for i, name in enumerate(result.joint_names)}
    assert np.allclose(place["pelvis"], [[0, 0, 0.9], [0.05, 0, 0.9]])
    assert np.allclose(place["left_hip"][0], [0, 0.1, 0.9])
    assert np.allclose(place["right_hip"][0], [0, -0.1, 0.9])
    assert np.allclose(place["left_knee"][0], [0, 0.1, 0.48])
    assert np.allclose(place["left_ankle"][0], [-0.43, 0.1, 0.48])
    assert ("mixamorig:LeftFoot", "left_ankle") in result.renamed


@pytest.mark.parametrize("gap", [[""], []])
def test_a_trc_as_others_write_it(gap: list[str], tmp_path: Path) -> None:
    """Millimetres, trailing tabs, an empty cell, zeros for what was not seen; Pose2Sim leaves no
    empty line above the numbers."""
    lines = [
        "PathFileType\t4\t(X/Y/Z)\tx.trc",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame"
        "\tOrigNumFrames",
        "60\t60\t2\t3\tmm\t60\t1\t2",
        "Frame#\tTime\tRHip\t\t\tRKnee\t\t\tHead\t\t\t",
        "\t\tX1\tY1\tZ1\tX2\tY2\tZ2\tX3\tY3\tZ3\t",
        *gap,
        "1\t0.0\t100\t900\t50\t0\t0\t0\t1\t1700\t2\t",
        "2\t0.016667\t110\t900\t50\t100\t450\t50\t\t\t",
    ]
    path = tmp_path / "x.trc"
    path.write_text("\n".join(lines))
    result = read_result(path)
    assert result.joint_names == ("right_hip", "right_knee", "head")
    assert result.joints is not None
    assert np.allclose(result.joints[0, 0], [0.1, -0.05, 0.9])
    assert np.isnan(result.joints[0, 1]).all()
    assert np.allclose(result.joints[1, 1], [0.1, -0.05, 0.45])
    assert np.isnan(result.joints[1, 2]).all()


def refusal(path: Path, axes: AxesConfig | None = None) -> str:
    with pytest.raises(InputError) as error:
        read_result(path, ReadConfig(axes=axes or AxesConfig()))
    line = str(error.value)
    assert line.startswith(f"{path}: ")
    assert "\n" not in line
    return line


@pytest.mark.parametrize("suffix", ["trc", "c3d", "bvh"])
def test_noise_and_nothing_are_refused(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{suffix}"
    for content in (b"", b"hello", np.random.default_rng(0).bytes(5000), b"\x02P" + bytes(600)):
        path.write_bytes(content)
        refusal(path)


@pytest.mark.parametrize("suffix", ["trc", "c3d", "bvh"])
def test_cut_files_are_refused(suffix: str, tmp_path: Path) -> None:
    motion, path = made.walk_ahead(), tmp_path / f"x.{suffix}"
    if suffix == "trc":
        write_trc(path, motion, load_body("toy"))
    elif suffix == "bvh":
        write_bvh(path, motion, load_body("toy"))
    else:
        c3d(path, made.true_joints(motion), list(JOINT_NAMES), "m")
    whole = path.read_bytes()
    for share in (0.01, 0.1, 0.5):
        path.write_bytes(whole[: int(share * len(whole))])
        refusal(path, AxesConfig(unit="m"))


def test_damaged_bvh(tmp_path: Path) -> None:
    path = tmp_path / "x.bvh"
    for old, new in (
        ("Frames: 2", "Frames: 3"),
        ("OFFSET 10 0 0", "OFFSET 10 zero 0"),
        ("CHANNELS 6 Xposition", "CHANNELS 6 Sideways"),
        ("0.033333", "0"),
        ("5 90 0", "5 nan 0"),
        ("MOTION", "}\nMOTION"),
    ):
        path.write_text(walk_bvh().replace(old, new, 1))
        assert "is damaged" in refusal(path)


def test_a_bvh_of_an_unknown_unit(tmp_path: Path) -> None:
    path = tmp_path / "x.bvh"
    path.write_text(walk_bvh().replace("-42", "-4.2").replace("-43", "-4.3"))
    assert "has legs of 8.5 units, so its unit cannot be told; say it with --unit" in refusal(path)
    path.write_text(walk_bvh().replace("Leg", "Bone"))
    assert "say it with --unit" in refusal(path)
