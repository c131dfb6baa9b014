"""The pose2sim benchmark: its calibration file, its shipped truth, its scores."""

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from motionfield.benchmarks.multiview import Views, project_views
from motionfield.benchmarks.pose2sim_cameras import read_qca
from motionfield.benchmarks.pose2sim_plot import draw_report
from motionfield.benchmarks.pose2sim_reference import (
    FOOT_POINTS,
    REFERENCE_POINTS,
    Reference,
    associate,
    build_references,
    match_person,
    reference_height_m,
)
from motionfield.benchmarks.pose2sim_score import (
    evaluate_take,
    format_rows,
    limb_points,
    score_motion,
    score_points,
)
from motionfield.body.registry import load_body
from motionfield.core.errors import InputError, OptionError
from motionfield.core.keypoint_sets import BLAZEPOSE_33, LIMB_JOINTS
from motionfield.data.camera_path import CameraPath
from motionfield.data.keypoints import Keypoints
from motionfield.data.motion import Motion
from motionfield.data.tracks import Tracks, boxes_of

FRAMES = 20
SHIPPED = Path(__file__).parents[2] / "src/motionfield/benchmarks/data"

QCA = """<?xml version='1.0'?>
<calibration><cameras><camera serial="cam01">
<transform r11="1" r12="0" r13="0" r21="0" r22="0" r23="1" r31="0" r32="-1" r33="0"
 x="500" y="-3000" z="1500"/>
<intrinsic centerPointU="34816" centerPointV="61440" focalLengthU="107520" focalLengthV="107520"
 radialDistortion1="-0.064" radialDistortion2="0.128" tangentalDistortion1="0.00064"
 tangentalDistortion2="0.00064"/>
</camera></cameras></calibration>"""


def test_calibration_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "Calib.qca.txt"
    path.write_text(QCA)
    views = read_qca(path)
    # The camera stands at (0.5, -3, 1.5) m and looks along +y: straight ahead is the middle.
    ahead = torch.tensor([[0.5, 0.0, 1.5], [0.5, 0.0, 2.5], [1.5, 0.0, 1.5]], dtype=torch.float64)
    pixels = project_views(ahead, views)[0]
    assert pixels[0].tolist() == pytest.approx([544, 960])
    assert pixels[1, 1] < 960 - 500  # higher things are further up
    assert pixels[2, 0] > 544 + 500  # and what is right of the camera's axis, further right
    assert views.distortion[0].tolist() == pytest.approx([-1e-3, 2e-3, 1e-5, 1e-5, 0])


def test_damaged_calibration_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "Calib.qca.txt"
    for content in ("no xml", QCA.replace("focalLengthU", "focal"), QCA.replace("r11=", "q=")):
        path.write_text(content)
        with pytest.raises(InputError, match=r"Calib\.qca\.txt: is no Qualisys calibration"):
            read_qca(path)
    with pytest.raises(InputError):
        read_qca(tmp_path / "absent")


@pytest.mark.parametrize("person", ["man", "avatar"])
def test_shipped_references_are_people_on_the_ground(person: str) -> None:
    reference = Reference.load(SHIPPED / f"pose2sim_{person}.npz")
    assert reference.num_frames == 100
    assert reference.point_names == REFERENCE_POINTS
    assert np.isfinite(reference.points_world).all()
    assert (reference.views_used >= 2).all()
    assert (reference.views_used >= 3).mean() > 0.95
    place = dict(zip(REFERENCE_POINTS, reference.points_world.swapaxes(0, 1), strict=True))
    for side in ("left", "right"):
        thigh = np.linalg.norm(place[f"{side}_hip"] - place[f"{side}_knee"], axis=-1)
        assert thigh.std() < 0.03  # one person's bone does not change
    lowest = np.min([place[name][:, 2] for name in FOOT_POINTS], axis=0)
    assert -0.1 < lowest.min() < lowest.max() < 0.35
    assert 1.2 < reference_height_m(reference, load_body("toy")) < 1.9


def _clip() -> tuple[Reference, Motion]:
    """Somebody of known pose who walks on, and the reference that was made of just that."""
    body = load_body("toy")
    generator = torch.Generator().manual_seed(0)
    turns = 0.2 * torch.randn(23, 3, generator=generator)
    pose = torch.linalg.matrix_exp(_skew(turns)).expand(FRAMES, 23, 3, 3)
    path = np.zeros((FRAMES, 3), np.float32)
    path[:, 0] = np.arange(FRAMES) * 0.03
    motion = Motion(
        global_orient=np.tile(np.float32([[1, 0, 0], [0, 0, -1], [0, 1, 0]]), (FRAMES, 1, 1)),
        body_pose=pose.numpy(),
        transl=path,
        betas=np.zeros(body.num_betas, np.float32),
        body_model="toy",
        fps=60.0,
        time_s=np.arange(FRAMES) / 60,
        frame_index=np.arange(FRAMES),
        observed=np.ones(FRAMES, bool),
    )
    views = _four_views()
    points = np.zeros((FRAMES, len(REFERENCE_POINTS), 3), np.float32)
    points[:, :12] = limb_points(motion, body).numpy()
    reference = Reference(
        points_world=points,
        views_used=np.full(points.shape[:2], 4, np.int8),
        point_names=REFERENCE_POINTS,
        fps=60.0,
        up_camera=views.R_camera_world[..., 2].numpy(),
        **{name: part.numpy() for name, part in views._asdict().items()},
    )
    return reference, motion


def _skew(v: torch.Tensor) -> torch.Tensor:
    x, y, z = v.unbind(-1)
    o = torch.zeros_like(x)
    return torch.stack((o, -z, y, z, o, -x, -y, x, o), -1).unflatten(-1, (3, 3))


def _four_views() -> Views:
    rotations, places = [], []
    for quarter in range(4):
        angle = quarter * math.pi / 2
        forward = torch.tensor([math.cos(angle), math.sin(angle), 0.0], dtype=torch.float64)
        down = torch.tensor([0, 0, -1.0], dtype=torch.float64)
        R = torch.stack((torch.linalg.cross(down, forward), down, forward))
        rotations.append(R)
        places.append(-R @ (-5 * forward))
    K = torch.tensor([[1000.0, 0, 500], [0, 1000, 500], [0, 0, 1]], dtype=torch.float64)
    zero = torch.zeros(4, 5, dtype=torch.float64)
    return Views(K.expand(4, 3, 3), zero, torch.stack(rotations), torch.stack(places))


def _camera(reference: Reference, view: int) -> CameraPath:
    return CameraPath(
        K=np.tile(reference.K[view].astype(np.float32), (FRAMES, 1, 1)),
        distortion=np.zeros(5, np.float32),
        R_camera_world=np.tile(reference.R_camera_world[view].astype(np.float32), (FRAMES, 1, 1)),
        t_camera_world=np.tile(reference.t_camera_world[view].astype(np.float32), (FRAMES, 1)),
        image_width=1000,
        image_height=1000,
        moving=False,
        focal_source="given",
        focal_range_px=(1000.0, 1000.0),
        gravity_source="given",
        gravity_doubt_deg=0.0,
        scale_source="given",
        scale_range=(1.0, 1.0),
    )


def _tracks(people: list[np.ndarray]) -> Tracks:
    """People given by their 33 points in pixels."""
    stacked = np.stack(people).astype(np.float32)
    sure = np.ones((*stacked.shape[:-1], 1), np.float32)
    keypoints = np.concatenate((stacked, sure), -1)
    keypoints[np.isnan(stacked).any(-1)] = np.nan
    seen = np.isfinite(keypoints).all(-1).any(-1)
    return Tracks(
        keypoints_2d=keypoints,
        coarse_camera=np.zeros((*keypoints.shape[:-1], 3), np.float32),
        bbox_xyxy=np.stack([boxes_of(person) for person in keypoints]),
        observed=seen,
        keypoint_names=BLAZEPOSE_33.keypoint_names,
        image_width=1000,
        image_height=1000,
        fps=60.0,
        time_s=np.arange(FRAMES) / 60,
        frame_index=np.arange(FRAMES),
    )


def _seen_by_all(order: list[list[float | None]]) -> list[Tracks]:
    """Tracks of four views; ``order[view]`` lists how far east each tracked person stands."""
    body = load_body("toy")
    _, motion = _clip()
    tracks = []
    for view, people in enumerate(order):
        seen = []
        for shift in people:
            moved = motion.replace(transl=motion.transl + np.float32([0, shift or 0, 0]))
            posed = body.pose(
                *(
                    torch.tensor(part)
                    for part in (moved.global_orient, moved.body_pose, moved.transl, moved.betas)
                ),
                BLAZEPOSE_33.name,
            )
            flat = posed.keypoints.double().flatten(0, 1)
            pixels = project_views(flat, _four_views().only([view]))[0]
            seen.append(pixels.view(FRAMES, 33, 2).numpy() * (math.nan if shift is None else 1))
        tracks.append(_tracks(seen))
    return tracks


def test_persons_are_put_together_over_the_views() -> None:
    tracks = _seen_by_all([[0.0, 1.5], [1.5, 0.0], [0.0, 1.5], [1.5]])
    groups = associate(tracks, _four_views())
    assert set(groups) == {(0, 1, 0, None), (1, 0, 1, 0)}
    built = build_references(tracks, _four_views(), correct=False)
    assert len(built) == 2
    for each in built:
        assert max(px for px in each.loo_median_px if math.isfinite(px)) < 0.01


def test_the_reference_finds_its_person_in_the_picture() -> None:
    tracks = _seen_by_all([[0.0, 1.5], [1.5, 0.0], [0.0, 1.5], [1.5, 0.0]])
    reference, _ = _clip()
    assert [match_person(t, reference, view) for view, t in enumerate(tracks)] == [0, 1, 0, 1]


def test_a_perfect_take_scores_zero_and_known_faults_their_size() -> None:
    reference, motion = _clip()
    body = load_body("toy")
    camera = _camera(reference, 1)
    keypoints = _tracks([np.zeros((FRAMES, 33, 2))]).person(0)
    landmarks, row = evaluate_take(motion, camera, keypoints, body, reference, view=1)
    assert landmarks.name == "landmarks"
    assert landmarks.g_mpjpe is None
    assert row.pa_mpjpe.mean < 0.01
    assert row.g_mpjpe is not None
    assert row.g_mpjpe.mean < 0.01
    assert row.up_axis_deg < 1e-3
    assert max(row.angle_rmse_deg.values()) < 0.01
    assert row.acceleration is not None
    assert row.acceleration.mean < 0.1
    assert row.acceleration.frames_used == FRAMES - 8
    push = np.zeros((FRAMES, 3), np.float32)
    push[:, 2] = 0.5 * 3.0 * (np.arange(FRAMES) / 60) ** 2
    pushed = motion.replace(transl=motion.transl + push)
    faster = evaluate_take(pushed, camera, keypoints, body, reference, view=1)[1]
    assert faster.acceleration is not None
    assert faster.acceleration.mean == pytest.approx(3.0, rel=0.05)
    bigger = motion.replace(transl=motion.transl * np.float32(2))  # walks twice as far
    worse = evaluate_take(bigger, camera, keypoints, body, reference, view=1)[1]
    assert worse.pa_mpjpe.mean < 0.01
    assert worse.g_mpjpe is not None
    expected = np.abs(np.arange(FRAMES) - (FRAMES - 1) / 2).mean() * 30
    assert worse.g_mpjpe.mean == pytest.approx(expected, rel=0.01)


def test_one_similarity_forgives_the_size_of_the_world_and_no_frame_by_itself() -> None:
    reference, motion = _clip()
    body, camera = load_body("toy"), _camera(reference, 1)
    grown = reference.replace(points_world=reference.points_world * np.float32(1.2))
    row = score_motion("", motion, camera, body, grown, 1)
    assert row.s_mpjpe is not None
    assert row.g_mpjpe is not None
    assert row.s_mpjpe.mean < 0.01
    assert row.g_mpjpe.mean > 20
    jump = motion.transl.copy()
    jump[FRAMES // 2 :, 0] += 0.3
    apart = score_motion("", motion.replace(transl=jump), camera, body, reference, 1)
    assert apart.pa_mpjpe.mean < 0.01
    assert apart.s_mpjpe is not None
    assert 10 < apart.s_mpjpe.mean < 150


def test_scores_are_plain_json_and_a_table() -> None:
    reference, _ = _clip()
    truth = reference.limb_points.double()
    broken = truth.clone()
    broken[3] = torch.nan
    row = score_points("broken", broken, truth)
    summary = json.loads(json.dumps(row.summary(), allow_nan=False))
    assert summary["frames_used"] == FRAMES - 1
    assert summary["up_axis_deg"] is None
    assert summary["pa_mpjpe_by_frame_mm"][3] is None
    assert set(summary["by_joint_mm"]) == set(LIMB_JOINTS)
    assert f"{FRAMES - 1}/{FRAMES}" in format_rows([row])


def test_frames_outside_the_reference_are_an_error() -> None:
    reference, motion = _clip()
    late = motion.replace(frame_index=motion.frame_index + 5)
    keypoints: Keypoints = _tracks([np.zeros((FRAMES, 33, 2))]).person(0)
    with pytest.raises(OptionError, match="outside the reference"):
        evaluate_take(late, _camera(reference, 0), keypoints, load_body("toy"), reference)


def test_the_plot_is_a_picture(tmp_path: Path) -> None:
    reference, _ = _clip()
    truth = reference.limb_points.double()
    noisy = truth + 0.05 * torch.randn(truth.shape, generator=torch.Generator().manual_seed(0))
    rows = [score_points("noisy", noisy, truth), score_points("exact", truth, truth)]
    draw_report({"cam01 man": rows, "cam02 man": rows}, tmp_path / "plot.png")
    picture = cv2.imread(str(tmp_path / "plot.png"))
    assert picture is not None
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 10
