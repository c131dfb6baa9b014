"""The static camera from a made person: intrinsics by source, a world with Z up."""

from pathlib import Path

import numpy as np
import pytest
import torch

from motionfield.body.registry import load_body
from motionfield.core.errors import InputError, OptionError
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.data import CameraPath, Keypoints, Tracks
from motionfield.formats.calib_file import Intrinsics, parse_calib
from motionfield.geometry.placement import turn_to_ray
from motionfield.geometry.rotations import axis_rotation
from motionfield.steps.calibrate import CalibrateConfig, Calibrator

FOCAL = 1000.0
SIZE = (1280, 720)


def standing_tracks(pitch_deg: float = 15.0, camera_height: float = 1.6) -> Tracks:
    """A body that stands still 4 m before a pitched camera, seen without error."""
    body = load_body("toy")
    frames = 30
    upright = axis_rotation("x", torch.tensor(torch.pi / 2)).expand(frames, 3, 3)
    facing = axis_rotation("z", torch.tensor(0.4)) @ upright
    pose = torch.eye(3).expand(frames, 23, 3, 3)
    betas = torch.zeros(body.num_betas)
    posed = body.pose(facing, pose, torch.zeros(frames, 3), betas, "blazepose33")
    ground = body.vertices(facing, pose, torch.zeros(frames, 3), betas)[..., 2].min()
    world = posed.keypoints - torch.tensor([0.0, 0.0, 1.0]) * ground
    level = torch.tensor([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    R = axis_rotation("x", torch.tensor(np.deg2rad(pitch_deg), dtype=torch.float32)) @ level
    camera = (world - torch.tensor([0.5, -4.0, camera_height])) @ R.mT
    pixels = FOCAL * camera[..., :2] / camera[..., 2:] + torch.tensor(SIZE) / 2
    hips = camera[:, [23, 24]].mean(1, keepdim=True)
    coarse = (camera - hips) @ turn_to_ray(camera.mean(1))
    points = torch.cat((pixels, torch.ones(frames, 33, 1)), -1)
    keypoints = Keypoints(
        keypoints_2d=points.numpy(),
        keypoint_names=BLAZEPOSE_33.keypoint_names,
        image_width=SIZE[0],
        image_height=SIZE[1],
        fps=30.0,
        time_s=np.arange(frames) / 30,
        frame_index=np.arange(frames),
        coarse_camera=coarse.numpy(),
        observed=np.ones(frames, bool),
    )
    return Tracks.of_one(keypoints)


def calibrated(tracks: Tracks, **options: object) -> CameraPath:
    config = CalibrateConfig(**options)  # type: ignore[arg-type]
    return Calibrator(config, load_body("toy")).calibrate(tracks)


@pytest.mark.parametrize("pitch_deg", [0.0, 15.0, 30.0])
def test_a_standing_person_shows_up_ground_and_height(pitch_deg: float) -> None:
    camera = calibrated(standing_tracks(pitch_deg), focal_px=FOCAL)
    up = camera.R_camera_world[0] @ np.array([0.0, 0, 1])
    truth = np.array([0, -np.cos(np.deg2rad(pitch_deg)), -np.sin(np.deg2rad(pitch_deg))])
    assert np.rad2deg(np.arccos(up @ truth)) < 4
    assert camera.position_world[0, 2] == pytest.approx(1.6, abs=0.3)
    assert np.linalg.norm(camera.position_world[0, :2]) == pytest.approx(4.03, abs=0.4)


def test_height_scales_the_world() -> None:
    tracks = standing_tracks()
    plain = calibrated(tracks, focal_px=FOCAL)
    tall = calibrated(tracks, focal_px=FOCAL, height_m=1.9)
    assert plain.scale_source == "assumed"
    assert tall.scale_source == "given"
    assert tall.scale_range == (1.0, 1.0)
    ratio = tall.position_world[0, 2] / plain.position_world[0, 2]
    assert ratio == pytest.approx(1.9 / 1.7, rel=0.05)


def test_an_impossible_height_is_refused() -> None:
    with pytest.raises(OptionError, match="between"):
        calibrated(standing_tracks(), height_m=17.0)


def test_every_source_of_the_focal_length_is_named() -> None:
    tracks = standing_tracks()
    body = load_body("toy")
    assert calibrated(tracks, focal_px=900.0).focal_source == "given"
    lens = Intrinsics(800, 810, 600, 350, (0.1, 0, 0, 0, 0))
    given = calibrated(tracks, intrinsics=lens)
    assert given.focal_source == "given"
    assert given.K[0, 1, 1] == 810
    assert given.distortion[0] == np.float32(0.1)
    exif = Calibrator(CalibrateConfig(), body).calibrate(tracks, exif_focal_px=950.0)
    assert exif.focal_source == "exif"
    assumed = calibrated(tracks)
    assert assumed.focal_source == "assumed"
    low, high = assumed.focal_range_px
    assert low < assumed.K[0, 0, 0] < high


def test_without_coarse_3d_the_camera_is_taken_as_level() -> None:
    tracks = standing_tracks(0.0).replace(coarse_camera=None)
    camera = calibrated(tracks, focal_px=FOCAL)
    assert camera.gravity_source == "assumed"
    assert camera.warnings
    assert camera.position_world[0, 2] == pytest.approx(1.6, abs=0.4)


def test_moving_the_world_moves_no_pixel() -> None:
    camera = calibrated(standing_tracks(), focal_px=FOCAL)
    point = np.array([0.3, 0.2, 1.0])
    R = axis_rotation("z", torch.tensor(0.7)).numpy()
    t = np.array([1.0, 2.0, 0.5], np.float32)
    moved = camera.moved(R, t)
    before = camera.R_camera_world[0] @ point + camera.t_camera_world[0]
    after = moved.R_camera_world[0] @ (R @ point + t) + moved.t_camera_world[0]
    np.testing.assert_allclose(before, after, atol=1e-5)


def test_calib_takes_numbers_and_files(tmp_path: Path) -> None:
    assert parse_calib("1000 1001 640 360") == Intrinsics(1000, 1001, 640, 360)
    text = tmp_path / "calib.txt"
    text.write_text("1000 1001 640 360 0.1 0.2 0.3 0.4\n")
    assert parse_calib(str(text)).distortion == (0.1, 0.2, 0.3, 0.4, 0.0)
    table = tmp_path / "calib.json"
    table.write_text('{"fx": 1, "fy": 2, "cx": 3, "cy": 4, "k3": 5}')
    assert parse_calib(str(table)) == Intrinsics(1, 2, 3, 4, (0, 0, 0, 0, 5))
    toml = tmp_path / "calib.toml"
    toml.write_text(
        "[cam]\nmatrix = [[7.0, 0, 1], [0, 8.0, 2], [0, 0, 1]]\ndistortions = [0.1, 0, 0, 0]\n"
    )
    assert parse_calib(str(toml)) == Intrinsics(7, 8, 1, 2, (0.1, 0, 0, 0, 0))


@pytest.mark.parametrize("text", ["1000 1001", "0 1 2 3", "nan 1 2 3", "no_such_file.txt"])
def test_a_wrong_calib_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(OptionError, match="fx fy cx cy"):
        parse_calib(text)


@pytest.mark.parametrize("content", ["hello", "{}", "1 2 3"])
def test_a_wrong_calib_file_is_named(tmp_path: Path, content: str) -> None:
    for suffix in (".txt", ".json", ".toml"):
        path = tmp_path / f"calib{suffix}"
        path.write_text(content)
        with pytest.raises(InputError, match=f"calib{suffix}"):
            parse_calib(str(path))
