"""Quality against made motions whose faults are known."""

import math

import numpy as np
import pytest
import torch
from numpy import ndarray

from motionfield.body.registry import load_body
from motionfield.core.errors import OptionError
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.data.camera_path import CameraPath
from motionfield.data.keypoints import Keypoints
from motionfield.data.motion import Motion
from motionfield.data.quality import Quality
from motionfield.geometry.cameras import project, world_to_camera
from motionfield.geometry.rotations import axis_rotation
from motionfield.steps.evaluate import QualityConfig, assess
from motionfield.steps.evaluate.contact import ContactConfig, FootPoints, seen_contact

FPS = 30.0
FRAMES = 60
BODY = load_body("toy")
UPRIGHT = axis_rotation("x", torch.tensor(math.pi / 2))


def _motion(transl: ndarray | None = None, **changes: object) -> Motion:
    """Somebody who stands on the ground and, if asked, is carried along ``transl``."""
    identity = np.tile(np.eye(3, dtype=np.float32), (FRAMES, 23, 1, 1))
    path = np.zeros((FRAMES, 3), np.float32) if transl is None else transl.astype(np.float32)
    motion = Motion(
        global_orient=np.tile(UPRIGHT.numpy(), (FRAMES, 1, 1)),
        body_pose=identity,
        transl=path,
        betas=np.zeros(BODY.num_betas, np.float32),
        body_model="toy",
        fps=FPS,
        time_s=np.arange(FRAMES) / FPS,
        frame_index=np.arange(FRAMES),
        observed=np.ones(FRAMES, bool),
    )
    ground = float(_points(motion)[..., 2].min() - path[:, 2].min())
    return motion.replace(transl=path - np.float32([0, 0, ground]), **changes)


def _points(motion: Motion) -> torch.Tensor:
    posed = BODY.pose(
        *(torch.tensor(p) for p in (motion.global_orient, motion.body_pose, motion.transl)),
        torch.tensor(motion.betas),
        BLAZEPOSE_33.name,
    )
    return torch.cat((posed.keypoints, posed.joints), dim=1)


def _camera(pan_deg_per_s: float = 0.0) -> CameraPath:
    """Four metres in front (the person faces -Y), 1.2 m high, level; it may turn to one side."""
    level = torch.tensor([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    turn = axis_rotation("y", torch.deg2rad(torch.arange(FRAMES) / FPS * pan_deg_per_s))
    R = turn @ level
    t = -(R @ torch.tensor([0.0, -4.0, 1.2]))
    return CameraPath(
        K=np.tile(np.float32([[1000, 0, 500], [0, 1000, 500], [0, 0, 1]]), (FRAMES, 1, 1)),
        distortion=np.zeros(5, np.float32),
        R_camera_world=R.numpy(),
        t_camera_world=t.numpy(),
        image_width=1000,
        image_height=1000,
        moving=pan_deg_per_s != 0,
        focal_source="given",
        focal_range_px=(1000.0, 1000.0),
        gravity_source="given",
        gravity_doubt_deg=0.0,
        scale_source="given",
        scale_range=(1.0, 1.0),
    )


def _seen(motion: Motion, camera: CameraPath, noise_px: float = 0.0) -> Keypoints:
    """What a detector would see of the motion."""
    there = world_to_camera(
        _points(motion)[:, :33],
        torch.tensor(camera.R_camera_world),
        torch.tensor(camera.t_camera_world),
    )
    pixels = project(there, torch.tensor(camera.K)).numpy()
    pixels = pixels + np.random.default_rng(0).normal(0, noise_px, pixels.shape)
    sure = np.full((FRAMES, 33, 1), 0.9)
    return Keypoints(
        keypoints_2d=np.concatenate((pixels, sure), -1).astype(np.float32),
        keypoint_names=BLAZEPOSE_33.keypoint_names,
        image_width=1000,
        image_height=1000,
        fps=FPS,
        time_s=motion.time_s,
        frame_index=motion.frame_index,
        observed=np.ones(FRAMES, bool),
    )


def _reasons(quality: Quality) -> str:
    return " | ".join(reason for _, _, reason in quality.spans)


def test_a_faultless_motion_has_no_faults() -> None:
    motion, camera = _motion(), _camera()
    quality = assess(motion, camera, _seen(motion, camera), BODY)
    assert quality.reprojection_px.max() < 0.01
    assert quality.penetration_m.max() < 1e-5
    assert quality.contact_share == 1.0
    assert np.nanmax(quality.foot_slide_m) < 1e-6
    assert np.nanmax(quality.jitter_m_s3) < 1
    assert quality.spans == ()


def test_detector_jitter_does_not_hide_contact() -> None:
    motion, camera = _motion(), _camera()
    quality = assess(motion, camera, _seen(motion, camera, noise_px=6.0), BODY)  # 1.5 % of height
    assert quality.contact_share > 0.9


def test_reprojection_is_the_distance_in_pixels_and_in_boxes() -> None:
    motion, camera = _motion(), _camera()
    seen = _seen(motion, camera)
    moved = seen.keypoints_2d + np.float32([30, 40, 0])
    height = np.ptp(seen.keypoints_2d[0, :, 1])
    quality = assess(motion, camera, seen.replace(keypoints_2d=moved), BODY)
    assert quality.reprojection_px == pytest.approx(50, abs=0.01)
    assert quality.reprojection_box == pytest.approx(50 / height, rel=1e-3)
    assert "does not cover the person" in _reasons(quality)


def test_a_sliding_motion_is_measured_and_told() -> None:
    still, camera = _motion(), _camera()
    drift = np.zeros((FRAMES, 3))
    drift[:, 0] = np.arange(FRAMES) / FPS * 0.9  # 30 mm per 1/30 s
    quality = assess(_motion(drift), camera, _seen(still, camera), BODY)
    assert np.nanmedian(quality.foot_slide_m) == pytest.approx(0.03, abs=1e-4)
    assert "left foot slides" in _reasons(quality)
    assert "right foot slides" in _reasons(quality)


def test_feet_that_move_in_the_picture_are_not_in_contact() -> None:
    path = np.zeros((FRAMES, 3))
    path[:, 0] = np.arange(FRAMES) / FPS * 0.9 - 0.9  # half a body height per second
    motion, camera = _motion(path), _camera()
    quality = assess(motion, camera, _seen(motion, camera), BODY)
    assert quality.contact_share == 0
    assert np.isnan(quality.foot_slide_m).all()


def test_a_foot_held_still_in_the_air_is_not_in_contact() -> None:
    motion, camera = _motion(), _camera()
    seen = _seen(motion, camera)
    keypoints = seen.keypoints_2d.copy()
    left = [i for i, name in enumerate(seen.keypoint_names) if name in _LEFT_FOOT]
    keypoints[:, left, 1] -= 150  # 0.6 m at four metres
    quality = assess(motion, camera, seen.replace(keypoints_2d=keypoints), BODY)
    assert not quality.contact_seen[:, 0].any()
    assert quality.contact_seen[:, 1].all()


_LEFT_FOOT = ("left_ankle", "left_heel", "left_foot_index")


def test_a_turning_camera_does_not_make_feet_move() -> None:
    motion, camera = _motion(), _camera(pan_deg_per_s=15)  # 260 px/s: 0.6 body heights
    assert assess(motion, camera, _seen(motion, camera), BODY).contact_share == 1.0
    unaware = camera.replace(moving=False)
    assert assess(motion, unaware, _seen(motion, camera), BODY).contact_share < 0.2


def test_one_bad_frame_does_not_end_a_rest() -> None:
    motion, camera = _motion(), _camera()
    seen = _seen(motion, camera)
    feet = FootPoints.of(seen.keypoint_names)
    assert feet is not None
    points = _points(motion)[:, list(feet.columns)]
    jumped = seen.replace(keypoints_2d=_with_jump(seen.keypoints_2d, 30))
    strict = seen_contact(jumped, feet, camera, points, ContactConfig(window_s=0.0, gap_s=0.0))
    assert (~strict).any(1).nonzero().flatten().tolist() == [30]
    assert seen_contact(jumped, feet, camera, points, ContactConfig(window_s=0.0)).all()


def _with_jump(keypoints: ndarray, frame: int) -> ndarray:
    """Still before and after ``frame``; there it goes 14 px aside (half a body height/s)."""
    moved = keypoints.copy()
    moved[frame + 1 :, :, 0] += 14
    moved[frame, :, 0] += 7
    return moved


def test_short_rests_are_no_contact() -> None:
    motion, camera = _motion(), _camera()
    seen = _seen(motion, camera)
    keypoints = seen.keypoints_2d.copy()
    swing = np.abs(np.arange(FRAMES) - 30.0).clip(1) * 20  # turns round in frame 30
    keypoints[..., 0] += swing[:, None]
    feet = FootPoints.of(seen.keypoint_names)
    assert feet is not None
    points = _points(motion)[:, list(feet.columns)]
    moved = seen.replace(keypoints_2d=keypoints.astype(np.float32))
    found = seen_contact(moved, feet, camera, points, ContactConfig())
    assert not found[5:-5].any()
    lenient = ContactConfig(still_per_s=5.0)
    assert seen_contact(moved, feet, camera, points, lenient).any()


def test_lost_persons_are_spans_and_never_numbers() -> None:
    motion, camera = _motion(), _camera()
    seen = _seen(motion, camera)
    keypoints, there = seen.keypoints_2d.copy(), np.ones(FRAMES, bool)
    keypoints[20:40], there[20:40] = np.nan, False
    lost = seen.replace(keypoints_2d=keypoints, observed=there)
    quality = assess(motion.replace(observed=there), camera, lost, BODY)
    assert np.isnan(quality.reprojection_px[20:40]).all()
    assert np.isfinite(quality.reprojection_px[:20]).all()
    assert not quality.contact_seen[20:40].any()
    assert quality.contact_share == 1.0  # of the frames in which the person was seen
    (start, end, reason), *others = quality.spans
    assert (start, end) == pytest.approx((20 / FPS, 39 / FPS))
    assert "not seen" in reason
    assert not others


def test_sinking_jerking_blurred_and_cut_off_are_told() -> None:
    camera = _camera()
    path = np.zeros((FRAMES, 3))
    path[10:20, 2] = -0.1
    motion = _motion()
    sunk = motion.replace(transl=motion.transl + path.astype(np.float32))
    seen = _seen(motion, camera)
    keypoints = seen.keypoints_2d.copy()
    keypoints[50:, :, 2] = 0.2
    keypoints[40:45, :, 0] += 480
    quality = assess(sunk, camera, seen.replace(keypoints_2d=keypoints), BODY)
    assert quality.penetration_m[10:20] == pytest.approx(0.1, abs=1e-4)
    assert quality.penetration_m[:10].max() < 1e-5
    assert not quality.contact_seen[50:].any()  # what is distrusted is not judged
    reasons = _reasons(quality)
    for words in ("sinks below", "jerks", "unsure of the body", "touches the picture's edge"):
        assert words in reasons
    assert [start for start, _, _ in quality.spans] == sorted(s for s, _, _ in quality.spans)


def test_near_spans_of_one_reason_are_one() -> None:
    motion, camera = _motion(), _camera()
    seen = _seen(motion, camera)
    keypoints = seen.keypoints_2d.copy()
    keypoints[[10, 12, 14, 40], :, 2] = 0.1
    blurred = seen.replace(keypoints_2d=keypoints)
    joined = assess(motion, camera, blurred, BODY).spans
    assert [(round(a * FPS), round(b * FPS)) for a, b, _ in joined] == [(10, 14), (40, 40)]
    apart = assess(motion, camera, blurred, BODY, QualityConfig(join_s=0.0)).spans
    assert len(apart) == 4


def test_one_frame_has_quality_too() -> None:
    motion, camera = _motion(), _camera()
    seen = _seen(motion, camera)
    first = slice(0, 1)

    def cut(record: object, *names: str) -> dict[str, ndarray]:
        return {name: getattr(record, name)[first] for name in names}

    time = ("time_s", "frame_index", "observed")
    quality = assess(
        motion.replace(**cut(motion, "global_orient", "body_pose", "transl", *time)),
        camera.replace(**cut(camera, "K", "R_camera_world", "t_camera_world")),
        seen.replace(**cut(seen, "keypoints_2d", *time)),
        BODY,
    )
    assert quality.reprojection_px[0] < 0.01
    assert not quality.contact_seen.any()


def test_records_that_do_not_fit_together_are_an_error() -> None:
    motion, camera = _motion(), _camera()
    seen = _seen(motion, camera)
    unknown = seen.replace(keypoint_names=tuple(f"point {i}" for i in range(33)))
    with pytest.raises(OptionError, match="no known set"):
        assess(motion, camera, unknown, BODY)
    short = camera.replace(
        K=camera.K[:5], R_camera_world=camera.R_camera_world[:5],
        t_camera_world=camera.t_camera_world[:5],
    )  # fmt: skip
    with pytest.raises(OptionError, match="differ in length"):
        assess(motion, short, seen, BODY)
