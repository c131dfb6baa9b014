"""The same word means different joints in different programs."""

from motionfield.core.conventions import JOINT_NAMES
from motionfield.formats.joint_words import our_names


def both(*names: str) -> list[str]:
    return [side + name for side in ("Left", "Right") for name in names]


def test_ours_stay() -> None:
    names = (*JOINT_NAMES, "skin_left_heel", "skin_left_hip")
    assert our_names(names)[0] == names


def test_mixamo() -> None:
    names = ["mixamorig:Hips", "mixamorig:Spine2", "mixamorig:Neck", "mixamorig:HeadTop_End"]
    limbs = ["UpLeg", "Leg", "Foot", "ToeBase", "Shoulder", "Arm", "ForeArm", "Hand"]
    found, family = our_names([*names, *(f"mixamorig:{n}" for n in both(*limbs))])
    assert family == "Mixamo, CMU, LAFAN1"
    assert found[:4] == ("pelvis", "mixamorig:Spine2", "neck", "mixamorig:HeadTop_End")
    parts = ("hip", "knee", "ankle", "foot", "collar", "shoulder", "elbow", "wrist")
    assert found[4:] == tuple(f"{side}_{part}" for side in ("left", "right") for part in parts)


def test_lafan_and_cmu() -> None:
    found, _ = our_names(["Hips", "LHipJoint", *both("UpLeg", "Leg", "Foot", "Toe", "Arm")])
    assert found[:2] == ("pelvis", "LHipJoint")
    assert found[2:7] == ("left_hip", "left_knee", "left_ankle", "left_foot", "left_shoulder")


def test_biovision() -> None:
    """Here the shoulder is the shoulder, and the ankle has its own name."""
    names = ["Hips", "Chest", *both("Hip", "Knee", "Ankle", "Collar", "Shoulder", "Elbow")]
    found, _ = our_names(names)
    assert found[:2] == ("pelvis", "Chest")
    assert found[5:7] == ("left_collar", "left_shoulder")


def test_biped() -> None:
    found, family = our_names(["Bip01 Pelvis", "Bip01 L Thigh", "Bip01 L Calf", "Bip01 R Foot"])
    assert family == "Biped"
    assert found == ("pelvis", "left_hip", "left_knee", "right_ankle")


def test_pose2sim() -> None:
    found, family = our_names(["Hip", "RHip", "RKnee", "RAnkle", "RBigToe", "RHeel", "Nose"])
    assert family == "OpenPose, Pose2Sim"
    assert found[:2] == ("mid_hip", "right_hip")
    assert found[4:] == ("right_big_toe", "right_heel", "nose")


def test_smpls_short_names() -> None:
    found, _ = our_names(["Pelvis", "L_Hip", "R_Hip", "Spine1", "L_Foot", "R_Collar", "L_Hand"])
    assert found == (
        *("pelvis", "left_hip", "right_hip", "spine1"),
        *("left_foot", "right_collar", "left_hand"),
    )


def test_unknown_names_stay() -> None:
    names = ("LASI", "RASI", "T10", "C7")
    assert our_names(names) == (names, None)


def test_no_name_is_given_twice() -> None:
    found, _ = our_names(["LeftUpLeg", "LeftThigh", "LeftLeg", "LeftFoot", "LeftArm"])
    assert found[:2] == ("left_hip", "LeftThigh")
    assert len(set(found)) == len(found)
