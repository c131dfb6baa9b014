"""One walking person, written as each program writes its results, key by key.

The person walks along the world's +X, facing it, with the left knee bent by 0.3 rad and the right
elbow by -0.5 about Y, the root joint 0.9 m above the ground.
"""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from formats.made_pickles import joblib_dump
from motionfield.formats.results.smpl_files import REST_ROOT

COUNT = 12
FIRST = 5
"""Frame numbers start here where a file has them."""
KNEE, ELBOW = 4, 19
HEIGHT_M, STEP_M = 0.9, 0.04

ROOT_WORLD = np.stack(
    (STEP_M * np.arange(COUNT), np.full(COUNT, 0.2), np.full(COUNT, HEIGHT_M)), axis=1
)
"""Where the root joint truly is: Z up."""
UP_WORLD, AHEAD_WORLD = np.array((0.0, 0, 1)), np.array((1.0, 0, 0))

R_YUP_WORLD = np.array(((1.0, 0, 0), (0, 0, 1), (0, -1, 0)))
"""Written out by hand: (x, y, z) of the Z-up world is (x, z, -y) of the Y-up one."""
R_CAMERA_WORLD = np.array(((1.0, 0, 0), (0, 0, -1), (0, 1, 0)))
"""A level camera at the origin that looks along +Y: x right, y down, z forward."""


def poses(R_file_world: np.ndarray) -> np.ndarray:
    """(T, 24, 3) axis-angle with the root's in the file's axes."""
    found = np.zeros((COUNT, 24, 3))
    found[:, KNEE, 0] = 0.3
    found[:, ELBOW, 1] = -0.5
    # Columns: where the body's left, up and ahead lie in the world.
    R_world_root = np.stack((np.cross(UP_WORLD, AHEAD_WORLD), UP_WORLD, AHEAD_WORLD), axis=1)
    found[:, 0] = Rotation.from_matrix(R_file_world @ R_world_root).as_rotvec()
    return found


def roots(R_file_world: np.ndarray) -> np.ndarray:
    return ROOT_WORLD @ R_file_world.T


def longer(rotvec: np.ndarray, joints: int) -> np.ndarray:
    """The 22 body joints of a model with fingers; the others are not at rest."""
    found = np.full((len(rotvec), joints, 3), 0.7)
    found[:, :22] = rotvec[:, :22]
    return found


FRAMES = FIRST + np.arange(COUNT)


def wham_person() -> dict[str, Any]:
    world, camera = poses(R_YUP_WORLD), poses(R_CAMERA_WORLD)
    return {
        "pose": camera.reshape(COUNT, 72).astype(np.float32),
        "trans": (roots(R_CAMERA_WORLD) - REST_ROOT["smpl"]).astype(np.float32),
        "pose_world": world.reshape(COUNT, 72).astype(np.float32),
        "trans_world": (roots(R_YUP_WORLD) - REST_ROOT["smpl"]).astype(np.float32),
        "betas": np.ones((COUNT, 10), np.float32),
        "verts": np.zeros((COUNT, 8, 3), np.float32),
        "frame_ids": FRAMES,
    }


def wham(folder: Path) -> Path:
    return joblib_dump({0: wham_person()}, folder / "wham_output.pkl")


def gvhmr(folder: Path) -> Path:
    path = folder / "hmr4d_results.pt"

    def parameters(R: np.ndarray) -> dict[str, torch.Tensor]:
        rotvec = poses(R)
        return {
            "body_pose": torch.tensor(rotvec[:, 1:22].reshape(COUNT, 63)).float(),
            "betas": torch.ones(COUNT, 10),
            "global_orient": torch.tensor(rotvec[:, 0]).float(),
            "transl": torch.tensor(roots(R) - REST_ROOT["smplx"]).float(),
        }

    content = {
        "smpl_params_global": parameters(R_YUP_WORLD),
        "smpl_params_incam": parameters(R_CAMERA_WORLD),
        "K_fullimg": torch.eye(3).repeat(COUNT, 1, 1),
        "net_outputs": {"static_conf_logits": torch.zeros(1, COUNT, 6)},
    }
    torch.save(content, path)
    return path


def tram(folder: Path) -> Path:
    """The camera moves and turns; ``camera.npy`` undoes it."""
    where = folder / "hps"
    where.mkdir()
    turn = Rotation.from_euler("y", 0.1 * np.arange(FIRST + COUNT)[:, None]).as_matrix()
    place = 0.3 * np.arange(FIRST + COUNT)[:, None] * np.ones(3)
    camera = {
        "pred_cam_R": turn.astype(np.float32),
        "pred_cam_T": place.astype(np.float32),
        "img_focal": np.float64(900.0),
        "img_center": np.array([320.0, 240.0]),
    }
    np.save(folder / "camera.npy", camera)  # type: ignore[arg-type]
    rotations = Rotation.from_rotvec(poses(R_CAMERA_WORLD).reshape(-1, 3)).as_matrix()
    rotations = rotations.reshape(COUNT, 24, 3, 3)
    seen = np.einsum("tji,tjk->tik", turn[FRAMES], rotations[:, 0])
    root = np.einsum("tji,tj->ti", turn[FRAMES], roots(R_CAMERA_WORLD) - place[FRAMES])
    rotations[:, 0] = seen
    content = {
        "pred_cam": torch.zeros(COUNT, 3),
        "pred_pose": torch.zeros(COUNT, 144),
        "pred_shape": torch.zeros(COUNT, 10),
        "pred_rotmat": torch.tensor(rotations).float(),
        "pred_trans": torch.tensor(root - REST_ROOT["smpl"]).float().unsqueeze(1),
        "frame": torch.tensor(FRAMES),
    }
    path = where / "hps_track_0.npy"
    np.save(path, content)  # type: ignore[arg-type]
    return path


def prompthmr_content() -> dict[str, Any]:
    world = longer(poses(R_YUP_WORLD), 55)
    camera = longer(poses(R_CAMERA_WORLD), 55).reshape(-1, 3)
    person = {
        "frames": FRAMES,
        "track_id": 1,
        "bboxes": np.zeros((COUNT, 4)),
        "smplx_cam": {
            "rotmat": Rotation.from_rotvec(camera).as_matrix().reshape(COUNT, 55, 3, 3),
            "shape": np.zeros((COUNT, 10)),
            "trans": (roots(R_CAMERA_WORLD) - REST_ROOT["smplx"])[:, None],
        },
        "smplx_world": {
            "pose": world.reshape(COUNT, 165).astype(np.float32),
            "shape": np.zeros((COUNT, 10), np.float32),
            "trans": (roots(R_YUP_WORLD) - REST_ROOT["smplx"]).astype(np.float32),
        },
    }
    return {
        "camera": {"img_focal": 900.0, "pred_cam_R": np.eye(3)[None]},
        "people": {1: person},
        "masks": None,
        "has_hps_world": True,
    }


def prompthmr(folder: Path) -> Path:
    return joblib_dump(prompthmr_content(), folder / "results.pkl")


def glamr(folder: Path) -> Path:
    """The person exists in the last frames only."""
    rotvec = poses(np.eye(3))
    exists = np.concatenate((np.zeros(FIRST, bool), np.ones(COUNT, bool)))

    def padded(values: np.ndarray) -> np.ndarray:
        return np.concatenate((np.zeros((FIRST, *values.shape[1:])), values)).astype(np.float32)

    person = {
        "smpl_pose": padded(rotvec[:, 1:].reshape(COUNT, 69)),
        "smpl_orient_world": padded(rotvec[:, 0]),
        "root_trans_world": padded(ROOT_WORLD),
        "smpl_beta": padded(np.zeros((COUNT, 10))),
        "exist_frames": exists,
        "vis_frames": exists,
        "frames": np.arange(FIRST + COUNT),
        "frame2ind": {n: n for n in range(FIRST + COUNT)},
        "scale": None,
    }
    content = {"person_data": {0: person}, "gt": {}, "gt_meta": {}, "seq_len": FIRST + COUNT}
    path = folder / "video_seed1.pkl"
    path.write_bytes(pickle.dumps(content))
    return path


def vibe(folder: Path, joints: bool = False) -> Path:
    person = {
        "pred_cam": np.zeros((COUNT, 3), np.float32),
        "orig_cam": np.zeros((COUNT, 4), np.float32),
        "verts": np.zeros((COUNT, 8, 3), np.float32),
        "pose": poses(R_CAMERA_WORLD).reshape(COUNT, 72).astype(np.float32),
        "betas": np.zeros((COUNT, 10), np.float32),
        "joints2d": None,
        "bboxes": np.zeros((COUNT, 4)),
        "frame_ids": FRAMES,
    }
    if joints:
        person["joints3d"] = np.random.default_rng(0).normal(size=(COUNT, 49, 3))
    return joblib_dump({3: person}, folder / "vibe_output.pkl")


def hybrik(folder: Path) -> Path:
    rotations = Rotation.from_rotvec(poses(R_CAMERA_WORLD).reshape(-1, 3)).as_matrix()
    content = {
        "pred_uvd": np.zeros((COUNT, 29, 3)),
        "pred_xyz_24_struct": np.zeros((COUNT, 24, 3)),
        "pred_betas": np.zeros((COUNT, 10), np.float32),
        "pred_thetas": rotations.reshape(COUNT, 216).astype(np.float32),
        "pred_phi": np.zeros((COUNT, 23, 2)),
        "transl": np.zeros((COUNT, 3)),
        "img_path": [f"out/raw_images/video-{n + 1:06d}.jpg" for n in FRAMES],
        "bbox": [[0, 0, 1, 1]] * COUNT,
        "height": [480.0] * COUNT,
    }
    path = folder / "res.pk"
    path.write_bytes(pickle.dumps(content))
    return path


def amass(folder: Path) -> Path:
    path = folder / "walk_poses.npz"
    np.savez(
        path,
        poses=longer(poses(np.eye(3)), 52).reshape(COUNT, 156),
        trans=ROOT_WORLD - REST_ROOT["smpl"],
        betas=np.zeros(16),
        gender=np.array("female"),
        dmpls=np.zeros((COUNT, 8)),
        mocap_framerate=np.array(120.0),
    )
    return path


def amass_stage_two(folder: Path) -> Path:
    path = folder / "walk_stageii.npz"
    rotvec = poses(np.eye(3))
    np.savez(
        path,
        root_orient=rotvec[:, 0],
        pose_body=rotvec[:, 1:22].reshape(COUNT, 63),
        pose_hand=np.zeros((COUNT, 90)),
        trans=ROOT_WORLD - REST_ROOT["smpl"],
        betas=np.zeros(16),
        gender=np.array("neutral"),
        surface_model_type=np.array("smplx"),
        mocap_frame_rate=np.array(120.0),
        labels_obs=np.array([["LASI"], None], dtype=object),
    )
    return path


WRITERS: dict[str, Callable[[Path], Path]] = {
    "WHAM": wham,
    "GVHMR": gvhmr,
    "TRAM": tram,
    "PromptHMR": prompthmr,
    "GLAMR": glamr,
    "VIBE": vibe,
    "HybrIK": hybrik,
    "AMASS": amass,
    "AMASS stage two": amass_stage_two,
}
WITHOUT_PATH = ("VIBE", "HybrIK")
WITHOUT_NUMBERS = ("AMASS", "AMASS stage two")
