"""BVH skeletons of any shape: which joint is what, and the file's places come back."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from motionfield.core.errors import InputError
from motionfield.formats.bvh_reader import read_bvh
from motionfield.formats.bvh_shard import plan_of, read_bvh_shard
from motionfield.formats.mocap_npz import z_up_from_y_up
from motionfield.worlds.mocap_rigs import rig_of

Tree = dict[str, Any]
_PLACES = {
    "Hips": (0, 95, 0),
    "LowerBack": (0, 10, 0),
    "Spine": (0, 12, 1),
    "Spine1": (0, 12, 0),
    "Spine2": (0, 9, 0),
    "Neck": (0, 14, -1),
    "Neck1": (0, 5, 1),
    "Head": (0, 6, 1),
    "Shoulder": (6, 10, 0),
    "Arm": (12, 0, 0),
    "ForeArm": (28, 0, 0),
    "Roll": (12, 0, 0),
    "Hand": (25, 0, 0),
    "UpLeg": (9, -4, 0),
    "Leg": (0, -42, 0),
    "Foot": (0, -41, 0),
    "ToeBase": (0, -6, 13),
    "Wrist": (13, 0, 0),
}
"""Centimetres from the parent; x of the right side is reversed."""


def _leg(side: str, below: Tree | None = None) -> Tree:
    return {f"{side}UpLeg": {f"{side}Leg": {f"{side}Foot": below or {}}}}


def _arm(side: str) -> Tree:
    return {f"{side}Shoulder": {f"{side}Arm": {f"{side}ForeArm": {f"{side}Hand": {}}}}}


def _person(*spine: str, toes: bool = True, neck: tuple[str, ...] = ("Neck", "Head")) -> Tree:
    top: Tree = {**_arm("Left"), **_arm("Right")}
    above: Tree = {}
    for name in reversed(neck):
        above = {name: above}
    trunk: Tree = {**top, **above}
    for name in reversed(spine):
        trunk = {name: trunk}
    legs: Tree = {}
    for side in ("Left", "Right"):
        legs |= _leg(side, {f"{side}ToeBase": {}} if toes else None)
    return {"Hips": {**legs, **trunk}}


def _write(path: Path, tree: Tree, frames: int = 12, axis: str = "y") -> None:
    """Small random turns of every joint; each end lies on from its joint."""
    count = 0

    def lines(name: str, below: Tree, root: bool) -> list[str]:
        nonlocal count
        count += 1
        side = next((s for s in ("Left", "Right") if name.startswith(s)), "")
        x, y, z = _PLACES.get(name.removeprefix(side), (0, 0, 0))
        place = f"OFFSET {-x if side == 'Right' else x} {y} {z}"
        channels = "CHANNELS 3 Zrotation Xrotation Yrotation"
        if root:
            channels = "CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"
        inside = [place, channels]
        for child, rest in below.items():
            inside += lines(child, rest, False)
        if not below:
            end = "0 -5 12" if "Foot" in name else "0 4 0"
            inside += ["End Site", "{", f"OFFSET {end}", "}"]
        return ["ROOT" if root else "JOINT", name, "{", *inside, "}"]

    (root,) = tree
    text = " ".join(["HIERARCHY", *lines(root, tree[root], True)]).replace(" {", "\n{")
    for word in ("OFFSET", "CHANNELS", "JOINT", "End", "}"):
        text = text.replace(f" {word}", f"\n{word}")
    generator = np.random.default_rng(0)
    values = generator.normal(0, 12, (frames, 3 + 3 * count))
    values[:, :3] = (0, 95, 0)
    rows = "\n".join(" ".join(f"{x:.6f}" for x in row) for row in values)
    path.write_text(f"{text}\nMOTION\nFrames: {frames}\nFrame Time: 0.0333333\n{rows}\n", "ascii")


@pytest.mark.parametrize(
    ("spine", "expected"),
    [
        (("Spine",), {"spine1": ("pelvis", "trunk1"), "spine2": ("pelvis", "trunk1")}),
        (("Spine", "Spine1"), {"spine1": ("trunk1", "trunk1"), "spine2": ("trunk1", "trunk2")}),
        (
            ("LowerBack", "Spine", "Spine1"),
            {"spine1": ("trunk1", "trunk1"), "spine2": ("trunk2", "trunk2")},
        ),
        (
            ("LowerBack", "Spine", "Spine1", "Spine2"),
            {"spine1": ("trunk1", "trunk1"), "spine2": ("trunk3", "trunk3")},
        ),
    ],
)
def test_spines_of_any_length_carry_ours(
    tmp_path: Path, spine: tuple[str, ...], expected: dict[str, tuple[str, str]]
) -> None:
    _write(tmp_path / "a.bvh", _person(*spine))
    shard = read_bvh_shard([tmp_path / "a.bvh"], "a")
    rig = rig_of(shard)
    assert {joint: rig.trunk[joint][:2] for joint in expected} == expected
    assert rig.trunk["spine3"] == (f"trunk{len(spine)}",) * 2 + (0.0,)
    assert rig.trunk["neck"][0] == "neck1"
    assert rig.trunk["head"][0] == "head"
    used = {name for a, b, _ in rig.trunk.values() for name in (a, b)}
    assert used <= set(shard.joint_names)


def test_all_places_of_the_file_come_back(tmp_path: Path) -> None:
    """In metres and Z up; bone ends included."""
    _write(tmp_path / "a.bvh", _person("Spine", "Spine1", toes=False))
    file, shard = read_bvh(tmp_path / "a.bvh"), read_bvh_shard([tmp_path / "a.bvh"], "a")
    clip = shard.clip(shard.clips[0])
    plan = plan_of(tmp_path / "a.bvh")
    for k, joint in enumerate(plan.joints):
        at = joint if joint >= 0 else -1 - joint
        place = file.joints[:, at]
        if joint < 0:
            place = place + file.rotations[:, at] @ file.ends[at]
        expected = 0.01 * place @ z_up_from_y_up().double().numpy().T
        np.testing.assert_allclose(clip.positions_world[:, k], expected, atol=1e-3)
    toe = clip.canonical["l_toe"]
    assert shard.joint_names[toe] == "left_foot"
    assert shard.joint_names[shard.parents[toe]] == "left_ankle"
    assert clip.fps == 30


def test_joints_that_only_roll_are_passed_over(tmp_path: Path) -> None:
    tree = _person("Spine")
    arm = tree["Hips"]["Spine"]["LeftShoulder"]["LeftArm"]
    arm["LeftForeArm"] = {"LeftRoll": {"LeftHand": {}}}
    _write(tmp_path / "a.bvh", tree)
    plan = plan_of(tmp_path / "a.bvh")
    wrist = plan.names.index("left_wrist")
    assert plan.names[plan.parents[wrist]] == "left_elbow"


def test_what_lies_above_the_pelvis_moves_it(tmp_path: Path) -> None:
    _write(tmp_path / "a.bvh", {"Reference": _person("Spine")})
    plan = plan_of(tmp_path / "a.bvh")
    assert plan.parents[0] == -1
    assert plan.names[0] == "pelvis"
    file, shard = read_bvh(tmp_path / "a.bvh"), read_bvh_shard([tmp_path / "a.bvh"], "a")
    hips = 0.01 * file.joints[:, 1] @ z_up_from_y_up().double().numpy().T
    np.testing.assert_allclose(shard.clip(shard.clips[0]).positions_world[:, 0], hips, atol=1e-4)


def _crossed() -> Tree:
    tree = _person("Spine")
    tree["Hips"] |= {"LeftUpLeg": {}, "LeftLeg": {"LeftFoot": {}}}
    return tree


@pytest.mark.parametrize(
    ("tree", "fault"),
    [
        ({"Hips": {**_leg("Left"), **_leg("Right"), **_arm("Left"), **_arm("Right")}}, "between"),
        (_crossed(), "hangs left_knee not below left_hip"),
        (_person("Spine", neck=()), "no joint known as head or neck"),
        ({"Hips": _leg("Left")}, "no joint known as left_shoulder"),
    ],
)
def test_what_is_no_person_is_refused(tmp_path: Path, tree: Tree, fault: str) -> None:
    _write(tmp_path / "odd.bvh", tree)
    with pytest.raises(InputError, match=fault):
        plan_of(tmp_path / "odd.bvh")


def test_thinned_to_thirty(tmp_path: Path) -> None:
    path = tmp_path / "a.bvh"
    _write(path, _person("Spine"), frames=40)
    for time, fps, frames in ((0.0083333, 30, 10), (0.01, 100 / 3, 14), (0.04, 25, 40)):
        path.write_text(path.read_text().replace("0.0333333", str(time)))
        shard = read_bvh_shard([path], "a")
        assert shard.fps == pytest.approx(fps)
        assert shard.clips[0].num_frames == frames
        path.write_text(path.read_text().replace(str(time), "0.0333333"))
