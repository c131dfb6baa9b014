"""The standard row: identical gives zero, names and units are those of the catalogue."""

import json
import math

import numpy as np
import pytest
import torch

from data.make_records import make_camera
from motionfield.body.registry import load_body
from motionfield.core.conventions import JOINT_INDEX, JOINT_NAMES
from motionfield.core.errors import OptionError
from motionfield.core.keypoint_sets import COCO_17
from motionfield.data import CameraPath, JointTrack, Keypoints, Motion
from motionfield.geometry.rotations import axis_rotation
from motionfield.steps.evaluate.catalogue import CLIP_AXES, METRICS
from motionfield.steps.evaluate.compare import Comparison, compare_joints, compare_motions
from motionfield.steps.evaluate.image import project_path
from motionfield.steps.evaluate.nemo import motion_dynamic_range
from motionfield.steps.evaluate.posed import pose_of, posed_points, vertex_blocks
from motionfield.steps.evaluate.world import clip_alignment
from steps.evaluate.made import made_motion, points


def track(joints: np.ndarray, fps: float = 30.0) -> JointTrack:
    frames = len(joints)
    return JointTrack(
        joints_world=joints,
        joint_names=JOINT_NAMES,
        fps=fps,
        time_s=np.arange(frames) / fps,
        frame_index=np.arange(frames),
    )


@pytest.fixture
def truth() -> Motion:
    return made_motion(seed=0, frames=40)


def test_identical_motions_differ_by_nothing(truth: Motion) -> None:
    scores = compare_motions(truth, truth, load_body("toy")).scores
    best = {"pck150_percent": 100, "auc200_percent": 100}
    for name, score in scores.items():
        if name not in OWN:
            # Of the thresholds of the area the first, 0 mm, is not met for sure.
            slack = 0.3 if name == "auc200_percent" else 2e-3
            assert score.value == pytest.approx(best.get(name, 0), abs=slack), name
        assert score.frames_total == 40
        assert score.unit == METRICS[name].unit


def test_summary_is_plain_json_without_nan(truth: Motion) -> None:
    comparison = compare_motions(truth, truth, load_body("toy"))
    plain = json.loads(json.dumps(comparison.summary(), allow_nan=False))
    assert plain["mpjpe_mm"]["frames_used"] == 40
    assert all(name in comparison.table() for name in plain)


def test_frames_without_values_are_counted() -> None:
    joints = points(0, 9, 24).float().numpy()
    missing = joints.copy()
    missing[4, 7] = np.nan
    scores = compare_joints(track(missing), track(joints)).scores
    assert scores["mpjpe_mm"].frames_used == 8
    assert scores["accel_m_s2"].frames_used == 4  # 7 inner frames, three of them touch the gap
    nothing = compare_joints(track(joints * np.float32(np.nan)), track(joints))
    nothing = {name: s for name, s in nothing.scores.items() if name != "jitter_truth"}
    assert all(score.frames_used == 0 for score in nothing.values())
    assert all(math.isnan(score.value) for score in nothing.values())
    assert all(entry["value"] is None for entry in Comparison(nothing).summary().values())


def test_what_does_not_fit_is_refused_with_a_cure(truth: Motion) -> None:
    body = load_body("toy")
    with pytest.raises(OptionError, match="40 frames, the truth 30; cut both"):
        compare_motions(truth, made_motion(seed=0, frames=30), body)
    with pytest.raises(OptionError, match="30 frames per second, the truth 50; resample"):
        compare_motions(truth, truth.replace(fps=50.0), body)
    with pytest.raises(OptionError, match=r"body 'anny', not 'toy'; compare the joints"):
        compare_motions(truth.replace(body_model="anny"), truth, body)
    joints = torch.zeros(5, 24, 3).numpy()
    other = track(joints).replace(joint_names=tuple(f"marker {n}" for n in range(24)))
    with pytest.raises(OptionError, match="share 0 joints by name"):
        compare_joints(other, track(joints))


def camera_for(motion: Motion) -> CameraPath:
    """Four metres in front of a walker who goes along +X, looking along the world's +Y."""
    frames = motion.num_frames
    K = np.array([[500, 0, 320], [0, 500, 240], [0, 0, 1]], np.float32)
    R = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], np.float32)
    place = np.array(motion.transl) * np.float32([1, 0, 0]) + np.float32([0, -4, 1])
    return make_camera(frames).replace(
        K=np.tile(K, (frames, 1, 1)),
        R_camera_world=np.tile(R, (frames, 1, 1)),
        t_camera_world=-place @ R.T,
        image_width=640,
        image_height=480,
        moving=True,
    )


def elsewhere(motion: Motion, camera: CameraPath) -> tuple[Motion, CameraPath]:
    """Motion and camera in another world, turned about the vertical and shifted on the ground."""
    R = axis_rotation("z", torch.tensor(2.0)).numpy()
    t = np.float32([5, -3, 0])
    root = load_body("toy").rest_joints(torch.tensor(motion.betas))[0].numpy()
    other = motion.replace(
        global_orient=R @ motion.global_orient,
        transl=((motion.transl + root) @ R.T + t - root).astype(np.float32),
    )
    return other, camera.moved(R, t)


OWN = {"jitter", "jitter_truth", "foot_slide_mm", "foot_slide_truth_mm", "foot_slide_wham_mm"}
"""Not zero for identical motions."""


def test_with_everything_given_every_figure_of_a_motion_is_there(truth: Motion) -> None:
    body, camera = load_body("toy"), camera_for(truth)
    points_2d = project_path(
        posed_points(pose_of(truth, body), body, "coco17").keypoints, camera
    ).float()
    seen = torch.cat((points_2d + 3, torch.ones_like(points_2d[..., :1])), dim=-1)
    keypoints = Keypoints(
        keypoints_2d=seen.numpy(),
        keypoint_names=COCO_17.keypoint_names,
        image_width=640,
        image_height=480,
        fps=30.0,
        time_s=truth.time_s,
        frame_index=truth.frame_index,
        observed=np.ones(40, bool),
    )
    doubtful = truth.replace(joints_std=np.full((40, 24, 3), 0.01, np.float32))
    scores = compare_motions(doubtful, truth, body, camera, camera, keypoints).scores
    assert set(scores) == set(METRICS) - {"flexion_rmse_deg"}
    assert scores["std_within_1_percent"].value == 100
    assert scores["reprojection_px"].value == pytest.approx(3 * 2**0.5, rel=1e-3)
    assert scores["reprojection_px"].joints == "17 of coco17"
    assert scores["pck10_percent"].value == 100
    for name in ("mpjpe_mm", "pve_mm", "accel_m_s2", "accel_mm_frame2", "image_error_px"):
        assert scores[name].value == pytest.approx(0, abs=1e-2), name
    assert scores["mpjpe_mm"].alignment.startswith("camera axes")
    without = compare_motions(doubtful, truth, body).scores
    assert without["mpjpe_mm"].alignment.startswith("turned by one rigid fit")
    assert set(scores) - set(without) == {
        *("up_axis_error_deg", "image_error_px", "nemo_image_error_px", "pck10_percent"),
        *("nemo_pck_percent", "reprojection_px"),
    }


def test_the_choice_of_the_world_changes_nothing(truth: Motion) -> None:
    """Motion and camera moved alike, on the ground: every figure stays."""
    body, camera = load_body("toy"), camera_for(truth)
    predicted = made_motion(seed=1, frames=40)
    other, other_camera = elsewhere(predicted, camera)
    before = compare_motions(predicted, truth, body, camera, camera).scores
    after = compare_motions(other, truth, body, other_camera, camera).scores
    assert set(before) == set(after)
    for name, score in before.items():
        same = pytest.approx(score.value, rel=2e-3, abs=2e-2, nan_ok=True)
        assert after[name].value == same, name
        assert after[name].frames_used == score.frames_used, name


def test_a_tilted_camera_is_an_error_of_the_up_axis_and_of_local_joints(truth: Motion) -> None:
    body, camera = load_body("toy"), camera_for(truth)
    tilt = axis_rotation("x", torch.tensor(np.radians(5.0))).float().numpy()
    tilted = camera.replace(R_camera_world=tilt @ camera.R_camera_world)
    scores = compare_motions(truth, truth, body, tilted, camera).scores
    assert scores["up_axis_error_deg"].value == pytest.approx(5, abs=1e-3)
    assert scores["mpjpe_mm"].value > 10
    assert scores["g_mpjpe_mm"].value == pytest.approx(0, abs=1e-2)
    assert scores["g_mpvpe_mm"].value == pytest.approx(0, abs=1e-2)


def test_the_global_vertex_error_is_placed_by_the_joints(truth: Motion) -> None:
    body = load_body("toy")
    taller = truth.replace(betas=np.float32([2] + [0] * 15))
    ours, theirs = (pose_of(motion, body) for motion in (taller, truth))
    joints = [posed_points(pose, body).joints for pose in (ours, theirs)]
    fit = clip_alignment(*joints)
    vertices = [torch.cat(list(vertex_blocks(pose, body))).double() for pose in (ours, theirs)]
    moved = fit.apply(vertices[0].flatten(0, 1)).view_as(vertices[1])
    expected = float((moved - vertices[1]).norm(dim=-1).mean()) * 1000
    found = compare_motions(taller, truth, body).scores["g_mpvpe_mm"].value
    assert found == pytest.approx(expected, rel=1e-4)


def test_frames_that_the_truth_did_not_see_count_nowhere(truth: Motion) -> None:
    seen = np.ones(40, bool)
    seen[20:] = False
    holes = truth.replace(observed=seen)
    late = np.roll(truth.contacts, 1, axis=0)
    predicted = made_motion(seed=1, frames=40).replace(contacts=late)
    scores = compare_motions(predicted, holes, load_body("toy")).scores
    half = compare_motions(made_part(predicted, 20), made_part(truth, 20), load_body("toy")).scores
    for name, score in scores.items():
        # The third difference of the prediction at frame 19 needs frame 21: it is no gap there.
        slack = 0.05 if name == "jitter" else 1e-3
        assert score.frames_used <= 20, name
        assert score.value == pytest.approx(half[name].value, rel=slack, nan_ok=True), name


def made_part(motion: Motion, frames: int) -> Motion:
    """The first frames of a motion."""
    arrays = ("global_orient", "body_pose", "transl", "time_s", "frame_index", "observed")
    cut = {name: getattr(motion, name)[:frames] for name in (*arrays, "contacts")}
    return motion.replace(**cut)


def still(motion: Motion, frames: slice) -> Motion:
    """The motion without any movement in these frames: all as in the first of them."""
    arrays = {}
    for name in ("global_orient", "body_pose", "transl"):
        arrays[name] = np.array(getattr(motion, name))
        arrays[name][frames] = arrays[name][frames][0]
    return motion.replace(**arrays)


def test_each_foot_slides_while_it_bears_itself(truth: Motion) -> None:
    """The true person stands on one foot; the predicted right leg swings."""
    body = load_body("toy")
    standing = still(truth, slice(0, 40))
    swing = axis_rotation("x", 0.05 * torch.arange(40).float()).numpy()
    body_pose = np.array(standing.body_pose)
    body_pose[:, JOINT_INDEX["right_hip"] - 1] = swing @ body_pose[:, 1]
    predicted = standing.replace(body_pose=body_pose)
    slides = []
    for side in ((1, 0), (0, 1)):
        contacts = np.tile(np.float32(side), (40, 1))
        scores = compare_motions(predicted, standing.replace(contacts=contacts), body).scores
        assert scores["foot_slide_truth_mm"].value == pytest.approx(0, abs=1e-3)
        slides.append(scores["foot_slide_mm"].value)
    assert slides[0] == pytest.approx(0, abs=1e-3)
    assert slides[1] > 5


def test_the_dynamic_range_is_that_of_the_truth(truth: Motion) -> None:
    body = load_body("toy")
    calm_first = still(truth, slice(0, 15))
    span = motion_dynamic_range(calm_first, body)
    assert span.start >= 14
    predicted = made_motion(seed=1, frames=40)
    scores = compare_motions(predicted, calm_first, body).scores
    used = scores["nemo_dynamic_mpjpe_mm"].frames_used
    assert used == scores["nemo_dynamic_mpvpe_mm"].frames_used == span.stop - span.start
    assert 0 < used < 26


def test_without_contacts_there_is_no_figure_of_them(truth: Motion) -> None:
    scores = compare_motions(truth, truth.replace(contacts=None), load_body("toy")).scores
    assert not any(name.startswith("contact_") for name in scores)
    assert "foot_slide_mm" not in scores
    assert "foot_slide_wham_mm" in scores


def test_records_of_other_lengths_are_refused(truth: Motion) -> None:
    body, camera = load_body("toy"), camera_for(truth)
    short = camera_for(made_motion(seed=0, frames=30))
    with pytest.raises(OptionError, match="CameraPath has 30 frames, the motions 40; cut it"):
        compare_motions(truth, truth, body, short, camera)


def test_joints_alone_give_what_the_body_gives(truth: Motion) -> None:
    """The figures that both rows have over 24 joints are the same."""
    body, predicted = load_body("toy"), made_motion(seed=1, frames=40)
    tracks = [
        track(posed_points(pose_of(motion, body), body).joints.float().numpy())
        for motion in (predicted, truth)
    ]
    alone = compare_joints(*tracks).scores
    assert set(alone) < set(METRICS)
    whole = compare_motions(predicted, truth, body).scores
    for name in ("mpjpe_mm", "pa_mpjpe_mm", "g_mpjpe_mm", "wa_mpjpe100_mm", "w_mpjpe100_mm"):
        assert alone[name].value == pytest.approx(whole[name].value, rel=1e-4), name
    for name in ("accel_m_s2", "g_accel_m_s2", "jitter", "peak_speed_error_percent"):
        assert alone[name].value == pytest.approx(whole[name].value, rel=1e-2), name
    assert "24 shared: pelvis, left_hip" in alone["mpjpe_mm"].joints
    assert alone["rte_percent"].joints == "left_hip and right_hip"
    assert alone["mpjpe_mm"].alignment == whole["mpjpe_mm"].alignment == CLIP_AXES


def test_a_point_that_one_never_has_is_not_compared() -> None:
    joints = points(0, 9, 24).float().numpy()
    part = joints.copy()
    part[:, [3, 22]] = np.nan
    scores = compare_joints(track(part), track(joints)).scores
    assert scores["g_mpjpe_mm"].frames_used == 9
    assert scores["g_mpjpe_mm"].joints.startswith("22 shared")
    assert "left_hand" not in scores["g_mpjpe_mm"].joints


def test_joints_without_hips_have_no_local_errors() -> None:
    joints = points(0, 9, 24).float().numpy()
    some = [JOINT_NAMES.index(name) for name in ("head", "left_foot", "right_foot")]
    part = track(joints).replace(
        joints_world=joints[:, some], joint_names=tuple(JOINT_NAMES[n] for n in some)
    )
    scores = compare_joints(part, track(joints)).scores
    assert "mpjpe_mm" not in scores
    assert "rte_percent" not in scores
    assert "flexion_rmse_deg" not in scores
    assert scores["g_mpjpe_mm"].value == pytest.approx(0, abs=1e-3)
