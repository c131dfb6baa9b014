"""Tiny files in the true form of each data set: one toy person, waving, before a known camera."""

import json
import math
import pickle
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import roma
import scipy.io
import torch
from PIL import Image

from motionfield.body.registry import load_body
from motionfield.core.keypoint_sets import COCO_17, H36M_17, OPENPOSE_25, SMPL_24
from motionfield.formats.datasets.smpl import SMPL_PELVIS_M

SIZE = (640, 480)
FOCAL = 600.0
K = np.array([[FOCAL, 0, SIZE[0] / 2 - 0.5], [0, FOCAL, SIZE[1] / 2 - 0.5], [0, 0, 1]])
"""OpenCV's pixels: our principal point is the middle of the picture."""
Y_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
"""From our world (Z up) to one with Y up."""
UPRIGHT = np.eye(3)


class Person(NamedTuple):
    """A toy person in our world and what a camera sees of it."""

    rotvecs: np.ndarray
    """(T, 24, 3), of the root in the Z-up world."""
    root: np.ndarray
    """Place of the root joint, (T, 3)."""
    R: np.ndarray
    t: np.ndarray
    points: dict[str, np.ndarray]
    """Keypoints of each set in the world, (T, K, 3)."""

    def transl(self, turn: np.ndarray = UPRIGHT) -> np.ndarray:
        """SMPL's translation in the world ``turn @ ours``."""
        return self.root @ turn.T - np.asarray(SMPL_PELVIS_M)

    def rotvecs_in(self, turn: np.ndarray) -> np.ndarray:
        matrices = roma.rotvec_to_rotmat(torch.tensor(self.rotvecs[:, 0]))
        turned = roma.rotmat_to_rotvec(torch.tensor(turn) @ matrices).numpy()
        return np.concatenate((turned[:, None], self.rotvecs[:, 1:]), axis=1)

    def pixels(self, name: str) -> np.ndarray:
        """OpenCV's pixels of a set, (T, K, 2)."""
        seen = self.points[name] @ self.R.T + self.t
        return seen[..., :2] / seen[..., 2:] * FOCAL + K[:2, 2]


def person(frames: int, seed: int = 0, distance: float = 4.0) -> Person:
    """Stands on z = 0 near the origin, faces -Y, waves; the camera looks along +Y."""
    rng = np.random.default_rng(seed)
    time = np.arange(frames)[:, None, None] / 30
    wave = rng.normal(0, 0.15, (1, 24, 3)) * np.sin(
        2 * math.pi * (0.7 * time + rng.uniform(size=1))
    )
    rotvecs = np.where(np.arange(24)[:, None] == 0, 0.0, wave)
    rotvecs[:, 0] = (math.pi / 2, 0, 0)
    rotvecs[:, 16] += (0, 0, -1.1)
    rotvecs[:, 17] += (0, 0, 1.1)
    body = load_body("toy")
    matrices = roma.rotvec_to_rotmat(torch.tensor(rotvecs, dtype=torch.float32))
    rest = body.rest_joints(torch.zeros(16))
    height = float(rest[0, 1] - body.skin(torch.zeros(16)).rest_vertices[:, 1].min())
    root = np.tile([0.0, 0.0, height], (frames, 1)) + 0.1 * np.sin(time[:, 0])
    transl = torch.tensor(root, dtype=torch.float32) - rest[0]
    points = {
        s: body.pose(matrices[:, 0], matrices[:, 1:], transl, torch.zeros(16), s).keypoints.numpy()
        for s in (x.name for x in (COCO_17, H36M_17, OPENPOSE_25, SMPL_24))
    }
    R = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    t = np.array([0.0, 1.0, distance])
    return Person(rotvecs, root, R, t, points)


def write_pictures(folder: Path, names: list[str], size: tuple[int, int] = (64, 48)) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.new("RGB", size, (90, 120, 90)).save(folder / name)


def write_openpose(folder: Path, points: np.ndarray) -> None:
    """One JSON file per frame from (T, 25, 2) pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    for frame, pixels in enumerate(points):
        flat = np.concatenate((pixels, np.full((25, 1), 0.9)), axis=1).ravel().tolist()
        content = {"version": 1.3, "people": [{"pose_keypoints_2d": flat}]}
        (folder / f"{frame + 1:06d}_keypoints.json").write_text(json.dumps(content))


def write_penn(
    root: Path, number: str, action: str = "golf_swing", frames: int = 12, openpose: bool = True
) -> Person:
    """Labels with exchanged sides and pixels from 1, as the files have them."""
    who = person(frames, seed=int(number))
    order = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    # The file's left column is the subject's right.
    names = ["nose", *(f"{side}_{part}" for part in order for side in ("right", "left"))]
    columns = [OPENPOSE_25.index(name) for name in names]
    shown = who.pixels("openpose25")
    labels = shown[:, columns] + 1
    visible = np.ones((frames, 13))
    visible[0, 12] = 0
    content = {
        "action": action,
        "pose": "back",
        "x": labels[..., 0],
        "y": labels[..., 1],
        "visibility": visible,
        "train": 1,
        "bbox": np.zeros((frames, 4)),
        "dimensions": np.array([SIZE[1], SIZE[0], frames], float),
        "nframes": frames,
    }
    (root / "labels").mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(root / "labels" / f"{number}.mat", content)
    if openpose:
        write_openpose(root / "openpose" / number, shown + 0.5)
    return who


def write_nemo_mocap(root: Path, action: str, take: int, frames: int = 20) -> Person:
    who = person(frames, seed=take)
    (root / "mocap").mkdir(parents=True, exist_ok=True)
    pose = np.zeros((frames, 156))
    pose[:, :66] = who.rotvecs[:, :22].reshape(frames, 66)
    content = {"fullpose": pose, "trans": who.transl(), "betas": np.full(16, 0.5)}
    (root / "mocap" / f"{action}.{take}.pkl").write_bytes(pickle.dumps(content))
    base = root / "exps" / f"mymocap_{action}"
    name = f"{action}.{take}.mp4"
    write_pictures(base / name, [f"{k + 1:06d}.jpg" for k in range(frames)], SIZE)
    shown = who.pixels("openpose25")
    write_openpose(base / f"{name}_openpose", shown + 0.5)
    folder = base / f"{name}_gt_new"
    folder.mkdir(parents=True)
    for frame in range(frames):
        joints = np.zeros((1, 49, 2))
        joints[0, :25] = shown[frame]
        (folder / f"{frame + 1:06d}_keypoints.pkl").write_bytes(pickle.dumps(joints))
    return who


def write_emdb(
    root: Path, participant: str, sequence: str, frames: int = 30, first: bool = False
) -> Person:
    """A Y-up world."""
    who = person(frames, seed=int(sequence[:2]))
    rotvecs = who.rotvecs_in(Y_UP)
    extrinsics = np.tile(np.eye(4), (frames, 1, 1))
    extrinsics[:, :3, :3] = who.R @ Y_UP.T
    extrinsics[:, :3, 3] = who.t
    # The camera travels sideways a little.
    extrinsics[:, 0, 3] += 0.002 * np.arange(frames)
    good = np.ones(frames, bool)
    good[-1] = False
    seen = who.points["smpl24"] @ who.R.T + extrinsics[:, None, :3, 3]
    content = {
        "gender": "male",
        "name": f"{participant}_{sequence}",
        "emdb1": first,
        "emdb2": not first,
        "n_frames": frames,
        "good_frames_mask": good,
        "camera": {
            "intrinsics": K.astype(np.float32),
            "extrinsics": extrinsics,
            "width": SIZE[0],
            "height": SIZE[1],
        },
        "smpl": {
            "poses_root": rotvecs[:, 0].astype(np.float32),
            "poses_body": rotvecs[:, 1:].reshape(frames, 69).astype(np.float32),
            "trans": who.transl(Y_UP).astype(np.float32),
            "betas": np.zeros(10, np.float32),
        },
        "kp2d": seen[..., :2] / seen[..., 2:] * FOCAL + K[:2, 2],
        "bboxes": {"bboxes": np.zeros((frames, 4)), "invalid_idxs": np.array([frames - 1])},
    }
    folder = root / participant / sequence
    folder.mkdir(parents=True)
    (folder / f"{participant}_{sequence}_data.pkl").write_bytes(pickle.dumps(content))
    return who


def write_3dpw(root: Path, split: str, name: str, frames: int = 20) -> list[Person]:
    """Two people in a Y-up world, pickled as Python 2 did."""
    people = [person(frames, seed=k) for k in (1, 2)]
    extrinsics = np.tile(np.eye(4), (frames, 1, 1))
    extrinsics[:, :3, :3] = people[0].R @ Y_UP.T
    extrinsics[:, :3, 3] = people[0].t
    coco = ("nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder")
    coco += ("left_elbow", "left_wrist", "right_hip", "right_knee", "right_ankle", "left_hip")
    coco += ("left_knee", "left_ankle", "right_eye", "left_eye", "right_ear", "left_ear")

    def found(who: Person) -> np.ndarray:
        pixels = who.pixels("coco17")
        columns = [COCO_17.keypoint_names.index(n) if n != "neck" else 5 for n in coco]
        points = np.concatenate((pixels[:, columns], np.full((frames, 18, 1), 0.8)), -1)
        points[0, 4] = 0  # not found
        return points.transpose(0, 2, 1)

    valid = np.ones(frames, int)
    valid[0] = 0
    content = {
        "sequence": name,
        "poses": [p.rotvecs_in(Y_UP).reshape(frames, 72) for p in people],
        "trans": [p.transl(Y_UP) for p in people],
        "betas": [np.zeros(10), np.zeros(300)],
        "genders": ["m", "f"],
        "jointPositions": [(p.points["smpl24"] @ Y_UP.T).reshape(frames, 72) for p in people],
        "poses2d": [found(p) for p in people],
        "campose_valid": [valid, valid],
        "cam_poses": extrinsics,
        "cam_intrinsics": K,
        "img_frame_ids": np.arange(frames),
    }
    folder = root / "sequenceFiles" / split
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.pkl").write_bytes(pickle.dumps(content, protocol=2))
    write_pictures(root / "imageFiles" / name, [f"image_{k:05d}.jpg" for k in range(frames)], SIZE)
    return people


def h36m_positions(frames: int = 10) -> np.ndarray:
    """(T, 32, 3) metres, our 17 in their places."""
    columns = [0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27]
    positions = np.zeros((frames, 32, 3))
    positions[:, columns] = person(frames).points["h36m17"]
    return positions


def write_h36m_mat(root: Path, actions: tuple[str, ...] = ("Walking", "Directions")) -> np.ndarray:
    positions = h36m_positions()
    for subject in ("S9", "S11"):
        folder = root / subject / "MyPoseFeatures" / "D3_Positions"
        folder.mkdir(parents=True)
        for action in actions:
            cell = np.empty((1, 1), object)
            cell[0, 0] = positions.reshape(len(positions), 96) * 1000
            scipy.io.savemat(folder / f"{action}.cdf.mat", {"data": cell})
    return positions


def write_h36m_npz(root: Path) -> np.ndarray:
    positions = h36m_positions().astype(np.float32)
    content = {s: {"Walking": positions, "Directions": positions} for s in ("S1", "S9", "S11")}
    root.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(root / "data_3d_h36m.npz", positions_3d=np.array(content, dtype=object))
    return positions


def write_3dhp(root: Path, name: str = "TS1", frames: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Pixels and metres in camera axes; MATLAB's order of axes, but of version 5."""
    rng = np.random.default_rng(0)
    joints = rng.normal(0, 0.4, (frames, 17, 3)) + np.array((0, 0, 4))
    pixels = joints[..., :2] / joints[..., 2:] * 1499 + 1024
    valid = np.ones((1, frames))
    valid[0, 3] = 0
    folder = root / "mpi_inf_3dhp_test_set" / name
    folder.mkdir(parents=True)
    content: dict[str, Any] = {
        "annot2": pixels[:, None].T,
        "annot3": joints[:, None].T * 1100,
        "univ_annot3": joints[:, None].T * 1000,
        "valid_frame": valid,
    }
    scipy.io.savemat(folder / "annot_data.mat", content)
    return pixels, joints


def write_zju(root: Path, subject: str, frames: int = 8, joints: bool = False) -> Person:
    """``Rh`` and ``Th`` about the origin, two cameras, millimetres."""
    who = person(frames, seed=int(subject))
    folder = root / f"CoreView_{subject}"
    (folder / "new_params").mkdir(parents=True)
    rest = np.asarray(SMPL_PELVIS_M)
    for frame in range(frames):
        turn = roma.rotvec_to_rotmat(torch.tensor(who.rotvecs[frame, 0])).numpy()
        poses = who.rotvecs[frame].copy()
        poses[0] = 0
        params = {
            "poses": poses.reshape(1, 72),
            "Rh": who.rotvecs[frame, 0][None],
            "Th": (who.root[frame] - turn @ rest)[None],
            "shapes": np.zeros((1, 10)),
        }
        np.save(folder / "new_params" / f"{frame}.npy", np.array(params, dtype=object))
    cams = {
        "K": [K, K * 2],
        "R": [who.R, np.eye(3)],
        "T": [who.t[:, None] * 1000, np.zeros((3, 1))],
        "D": [np.zeros((5, 1)), np.zeros((5, 1))],
    }
    names = [[f"Camera_B{c}/{k:06d}.jpg" for c in (1, 2)] for k in range(frames)]
    annots = {"cams": cams, "ims": [{"ims": entry} for entry in names]}
    np.save(folder / "annots.npy", np.array(annots, dtype=object))
    write_pictures(folder / "Camera_B1", [Path(entry[0]).name for entry in names], SIZE)
    if joints:
        (folder / "keypoints3d").mkdir()
        for frame, points in enumerate(who.points["openpose25"]):
            four = np.concatenate((points, np.ones((25, 1))), axis=1)
            people = [{"id": 0, "keypoints3d": four.tolist()}]
            (folder / "keypoints3d" / f"{frame:06d}.json").write_text(json.dumps(people))
    return who


def write_amass(root: Path, name: str = "walk_poses", frames: int = 40, fps: float = 60) -> Person:
    who = person(frames)
    folder = root / "CMU" / "07"
    folder.mkdir(parents=True, exist_ok=True)
    common = {"trans": who.transl(), "betas": np.zeros(16), "gender": "male"}
    flat = who.rotvecs.reshape(frames, 72)
    if name.endswith("_stageii"):
        rest = {"root_orient": flat[:, :3], "pose_body": flat[:, 3:66], "mocap_frame_rate": fps}
    else:
        poses = np.concatenate((flat[:, :66], np.full((frames, 90), 0.3)), axis=1)
        rest = {"poses": poses, "mocap_framerate": fps}
    np.savez(folder / f"{name}.npz", **common, **rest)
    return who


ASF = """# made
:version 1.10
:name VICON
:units
  mass 1.0
  length 0.45
  angle deg
:documentation
   made
:root
   order TX TY TZ RX RY RZ
   axis XYZ
   position 0 0 0
   orientation 0 0 0
:bonedata
{bones}
:hierarchy
  begin
{hierarchy}
  end
"""
_BONE = """  begin
     id {id}
     name {name}
     direction {d[0]:.6f} {d[1]:.6f} {d[2]:.6f}
     length {length:.6f}
     axis {a[0]} {a[1]} {a[2]}  XYZ
{dof}  end"""
_SIDE = (
    ("hipjoint", "root", (0.5, -0.7, 0), 2.5, 0),
    ("femur", "hipjoint", (0.2, -0.98, 0), 7.2, 3),
    ("tibia", "femur", (0.1, -0.99, 0), 7.4, 1),
    ("foot", "tibia", (0, -0.2, 0.98), 2.2, 2),
    ("toes", "foot", (0, 0, 1), 1.1, 1),
    ("clavicle", "thorax", (0.9, 0.3, 0), 3.2, 2),
    ("humerus", "clavicle", (1, 0, 0), 4.9, 3),
    ("radius", "humerus", (1, 0, 0), 3.2, 1),
    ("wrist", "radius", (1, 0, 0), 1.6, 1),
    ("hand", "wrist", (1, 0, 0), 0.7, 2),
    ("fingers", "hand", (1, 0, 0), 0.6, 1),
    ("thumb", "wrist", (0.7, 0, 0.7), 0.7, 2),
)
_TRUNK = (
    ("lowerback", "root", (0, 1, 0), 2.0, 3),
    ("upperback", "lowerback", (0, 1, 0), 2.0, 3),
    ("thorax", "upperback", (0, 1, 0), 2.0, 3),
    ("lowerneck", "thorax", (0, 1, 0), 1.7, 3),
    ("upperneck", "lowerneck", (0, 1, 0), 1.7, 3),
    ("head", "upperneck", (0, 1, 0), 1.7, 3),
)


def cmu_bones() -> list[tuple[str, str, np.ndarray, float, int, tuple[int, int, int]]]:
    """Name, parent, unit direction, length, number of angles, axis in degrees."""
    bones = []
    for side, sign in (("l", 1), ("r", -1)):
        for name, parent, direction, length, dof in _SIDE:
            above = parent if parent in ("root", "thorax") else side + parent
            unit = np.array(direction, float) * (sign, 1, 1)
            axis = (10 * sign, 0, 20 * sign)
            bones.append((side + name, above, unit / np.linalg.norm(unit), length, dof, axis))
    for name, parent, direction, length, dof in _TRUNK:
        bones.append((name, parent, np.array(direction, float), length, dof, (0, 0, 0)))
    return bones


def write_cmu(root: Path, subject: str = "07", frames: int = 240) -> dict[str, np.ndarray]:
    """A skeleton and one motion; gives back the angles in degrees that were written."""
    folder = root / "all_asfamc" / "subjects" / subject
    folder.mkdir(parents=True)
    bones = cmu_bones()
    text = []
    for number, (name, _, direction, length, dof, axis) in enumerate(bones, start=1):
        limits = "\n".join(["    limits (-180.0 180.0)", *["      (-180.0 180.0)"] * (dof - 1)])
        words = " ".join(("rx", "ry", "rz")[:dof])
        dofs = f"    dof {words}\n{limits}\n" if dof else ""
        text.append(
            _BONE.format(id=number, name=name, d=direction, length=length, a=axis, dof=dofs)
        )
    children: dict[str, list[str]] = {}
    for name, parent, *_ in bones:
        children.setdefault(parent, []).append(name)
    lines = "\n".join(f"    {above} {' '.join(below)}" for above, below in children.items())
    skeleton = ASF.format(bones="\n".join(text), hierarchy=lines)
    (folder / f"{subject}.asf").write_text(skeleton)
    rng = np.random.default_rng(0)
    time = np.arange(frames) / 120
    written: dict[str, np.ndarray] = {}
    written["root"] = np.zeros((frames, 6))
    written["root"][:, :3] = (0, 17, 0)
    written["root"][:, 2] += 8 * time
    for name, _, _, _, dof, _ in bones:
        if dof:
            phase = rng.uniform(0, 6, dof)
            size = 25 if name[1:] in ("femur", "tibia", "humerus", "radius") else 4
            written[name] = size * np.sin(2 * math.pi * 0.9 * time[:, None] + phase)
            if name[1:] in ("tibia", "radius"):
                written[name] = np.abs(written[name]) + 5
    out = ["#!OML:ASF made", ":FULLY-SPECIFIED", ":DEGREES"]
    for frame in range(frames):
        out.append(str(frame + 1))
        for name, values in written.items():
            out.append(" ".join([name, *(f"{x:.6f}" for x in values[frame])]))
    (folder / f"{subject}_01.amc").write_text("\n".join(out) + "\n")
    return written
