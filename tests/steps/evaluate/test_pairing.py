"""Two files against each other: the same motion in every form gives nothing, and all is stated."""

from pathlib import Path

import numpy as np
import pytest
import torch

from formats import made
from formats.made_pickles import joblib_dump
from formats.results import made_results
from motionfield.body.registry import load_body
from motionfield.core.conventions import JOINT_NAMES
from motionfield.core.errors import InputError, OptionError
from motionfield.data import Motion
from motionfield.formats.bvh import write_bvh
from motionfield.formats.motion_npz import write_motion_file
from motionfield.formats.results import ReadConfig, read_result
from motionfield.formats.results.marker_files import AxesConfig
from motionfield.formats.trc import write_trc
from motionfield.geometry.rotations import axis_rotation
from motionfield.steps.evaluate.axes_needed import ALIGN, needs
from motionfield.steps.evaluate.catalogue import METRICS
from motionfield.steps.evaluate.comparison import named_value
from motionfield.steps.evaluate.frame_matching import TimeConfig
from motionfield.steps.evaluate.pairing import Evaluation, PairConfig, evaluate_results

POSITIONS = ("mpjpe_mm", "pa_mpjpe_mm", "g_mpjpe_mm")
TOLERANCE_MM = 0.05


def npz(folder: Path, motion: Motion, name: str = "motion.npz") -> Path:
    write_motion_file(folder / name, motion, load_body(motion.body_model))
    return folder / name


def evaluated(
    pred: Path, truth: Path, config: PairConfig | None = None, read: ReadConfig | None = None
) -> Evaluation:
    return evaluate_results(read_result(pred, read), read_result(truth, read), config)


def values(found: Evaluation) -> dict[str, float]:
    return {name: score.value for name, score in found.comparison.scores.items()}


@pytest.mark.parametrize("name", ["walk_ahead", "cartwheel"])
@pytest.mark.parametrize("form", ["npz", "bvh", "trc"])
def test_a_motion_equals_its_own_exports(form: str, name: str, tmp_path: Path) -> None:
    motion, body = made.MOTIONS[name]("anny", 25), load_body("anny")
    pred, truth = npz(tmp_path, motion), tmp_path / f"truth.{form}"
    if form == "npz":
        write_motion_file(truth, motion, body)
    elif form == "bvh":
        write_bvh(truth, motion, body)
    else:
        write_trc(truth, motion, body)
    found = values(evaluated(pred, truth))
    for metric in POSITIONS:
        assert found[metric] == pytest.approx(0, abs=TOLERANCE_MM)
    assert found["accel_m_s2"] == pytest.approx(0, abs=0.2)


def test_a_motion_is_not_equal_to_another(tmp_path: Path) -> None:
    """The test above can fail."""
    motion = made.walk_ahead("anny")
    turned = np.array(motion.body_pose)
    turned[:, 3] = turned[:, 3] @ axis_rotation("x", torch.tensor(0.3)).numpy()
    other = npz(tmp_path, motion.replace(body_pose=turned), "other.npz")
    truth = tmp_path / "truth.bvh"
    write_bvh(truth, motion, load_body("anny"))
    assert values(evaluated(other, truth))["pa_mpjpe_mm"] > 5


@pytest.mark.parametrize("program", ["WHAM", "GVHMR", "PromptHMR", "GLAMR"])
def test_peers_against_each_other(program: str, tmp_path: Path) -> None:
    """All hold the same walk; both pose the mean body, so nothing is left."""
    (tmp_path / "a").mkdir()
    truth = made_results.wham(tmp_path)
    found = evaluated(made_results.WRITERS[program](tmp_path / "a"), truth)
    assert (
        sum("on the mean shape of anny (its betas are SMPL's)" in s for s in found.statements) == 2
    )
    for metric in POSITIONS:
        assert values(found)[metric] == pytest.approx(0, abs=TOLERANCE_MM)
    if program == "GVHMR":
        # It counts from 0, the other from 5: what they share are 7 frames of a steady walk.
        assert any("7 of the truth's 12" in line for line in found.statements)


@pytest.mark.parametrize("name", ["pred", "truth"])
def test_smpls_poses_take_the_other_files_shape(name: str, tmp_path: Path) -> None:
    """The same walk by a person of another shape and long legs: nothing is left of the shape."""
    walk = read_result(made_results.wham(tmp_path))
    assert walk.rotations is not None
    assert walk.root is not None
    motion = made.long_legged(made.walk_ahead("anny", made_results.COUNT))
    body, parameters = load_body("anny"), made.parameters(motion)
    rest = body.rest_joints(parameters["betas"], parameters["bone_scale"])[0].numpy()
    rotations = walk.rotations.astype(np.float32)
    ours = npz(
        tmp_path,
        motion.replace(
            global_orient=rotations[:, 0],
            body_pose=rotations[:, 1:],
            transl=(walk.root - rest).astype(np.float32),
            frame_index=made_results.FRAMES,
            observed=np.ones(made_results.COUNT, bool),
        ),
    )
    files = {"pred": ours, "truth": walk.path}
    if name == "truth":
        files = {"pred": walk.path, "truth": ours}
    found = evaluated(files["pred"], files["truth"])
    for metric in POSITIONS:
        assert values(found)[metric] == pytest.approx(0, abs=TOLERANCE_MM)
    assert any("on the other file's shape of anny" in line for line in found.statements)


def test_camera_results_show_what_needs_no_world(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    truth = made_results.wham(tmp_path)
    found = evaluated(made_results.vibe(tmp_path / "a"), truth)
    assert values(found)["pa_mpjpe_mm"] == pytest.approx(0, abs=TOLERANCE_MM)
    assert not {"g_mpjpe_mm", "mpjpe_mm", "jitter", "rte_percent"} & set(values(found))
    assert any("only figures that align every frame by itself" in s for s in found.statements)
    assert any("the camera of each frame" in s for s in found.statements)
    with pytest.raises(OptionError, match="without a path"):
        evaluated(tmp_path / "a" / "vibe_output.pkl", truth, PairConfig(align="clip"))


def test_tilted_worlds_show_no_figure_of_the_ground(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    truth = made_results.wham(tmp_path)
    found = evaluated(made_results.tram(tmp_path / "a"), truth)
    assert values(found)["g_mpjpe_mm"] == pytest.approx(0, abs=TOLERANCE_MM)
    assert not {"angle_rmse_pelvis_deg", "foot_slide_mm", "up_axis_error_deg"} & set(values(found))


def test_a_camera_of_the_truth_gives_camera_axes(tmp_path: Path) -> None:
    """A result in camera axes against a truth whose camera is known, and turns."""
    count = made_results.COUNT
    motion = read_result(made_results.glamr(tmp_path))
    assert motion.rotations is not None
    turn = [axis_rotation("z", torch.tensor(0.2 * n)).numpy() for n in range(count)]
    take = made.take_of(made.walk_ahead("anny", count))
    camera = take.camera.replace(R_camera_world=take.camera.R_camera_world @ np.stack(turn))
    rotations = motion.rotations.astype(np.float32)
    frames = made_results.FRAMES
    truth = take.motion.replace(
        global_orient=rotations[:, 0],
        body_pose=rotations[:, 1:],
        betas=np.zeros(16, np.float32),
        frame_index=frames,
        observed=np.ones(count, bool),
    )
    path = tmp_path / "truth.npz"
    write_motion_file(path, truth, load_body("anny"), camera)
    seen = camera.R_camera_world @ truth.global_orient
    content = made_results.prompthmr_content()["people"][1]
    del content["smplx_world"]
    content["smplx_cam"]["rotmat"][:, 0] = seen
    pred = joblib_dump({"people": {1: content}}, tmp_path / "results.pkl")
    found = evaluated(pred, path)
    assert values(found)["mpjpe_mm"] == pytest.approx(0, abs=TOLERANCE_MM)
    assert found.comparison.scores["mpjpe_mm"].alignment.startswith("camera axes")
    assert "image_error_px" not in values(found)
    assert "up_axis_error_deg" not in values(found)


def part_of(motion: Motion, rows: list[int]) -> Motion:
    return motion.at_frames(np.array(rows))


@pytest.mark.parametrize("form", ["motions", "points"])
def test_gaps_are_counted_out(form: str, tmp_path: Path) -> None:
    """Frames that the prediction lacks: none counts, neither as right nor as wrong."""
    motion = made.walk_ahead("anny", 30).replace(observed=np.ones(30, bool))
    rows = [n for n in range(30) if n not in (10, 11, 20)]
    pred = npz(tmp_path, part_of(motion, rows), "part.npz")
    truth = npz(tmp_path, motion)
    names = ("left_hip", "right_hip", "left_knee", "head")
    config = None if form == "motions" else PairConfig(joints=names)
    found = evaluated(pred, truth, config)
    score = found.comparison.scores["pa_mpjpe_mm"]
    assert (score.frames_used, score.frames_total) == (27, 30)
    assert score.value == pytest.approx(0, abs=TOLERANCE_MM)
    assert found.comparison.scores["accel_m_s2"].value == pytest.approx(0, abs=0.2)
    assert any("27 of the truth's 30" in line for line in found.statements)


def test_a_part_is_compared_with_its_part(tmp_path: Path) -> None:
    motion = made.walk_ahead("anny", 30)
    found = evaluated(npz(tmp_path, part_of(motion, [7, 8, 9, 10]), "p.npz"), npz(tmp_path, motion))
    assert found.comparison.scores["pa_mpjpe_mm"].frames_total == 4
    assert any("4 of the truth's 30" in line for line in found.statements)


def test_rates_that_differ(tmp_path: Path) -> None:
    """An error that names both and the option; with it the same motion is the same."""
    motion = made.walk_ahead("anny", 61)
    half = part_of(motion, list(range(0, 61, 2))).replace(fps=15.0)
    pred, truth = npz(tmp_path, half, "half.npz"), npz(tmp_path, motion)
    with pytest.raises(InputError) as error:
        evaluated(pred, truth)
    assert str(error.value) == (
        f"{pred}: has 15 frames per second, {truth} has 30; resample both with --fps 15"
    )
    found = evaluated(pred, truth, PairConfig(time=TimeConfig(fps=15)))
    assert values(found)["g_mpjpe_mm"] == pytest.approx(0, abs=TOLERANCE_MM)
    assert found.comparison.scores["g_mpjpe_mm"].frames_total == 31
    up = evaluated(pred, truth, PairConfig(time=TimeConfig(fps=30)))
    assert 0 < values(up)["g_mpjpe_mm"] < 5  # between its frames a slow motion is nearly straight


def test_lengths_that_differ(tmp_path: Path) -> None:
    """TRC rows have no frame numbers of a video: the user says what belongs together."""
    motion, body = made.walk_ahead("anny", 40), load_body("anny")
    write_trc(tmp_path / "long.trc", motion, body)
    later = motion.at_frames(np.arange(10, 30))
    later = later.replace(time_s=later.time_s - later.time_s[0])
    write_trc(tmp_path / "short.trc", later, body)
    pred, truth = tmp_path / "short.trc", tmp_path / "long.trc"
    with pytest.raises(InputError) as error:
        evaluated(pred, truth)
    assert str(error.value).startswith(f"{pred}: has 20 frames, {truth} has 40; ")
    assert all(option in str(error.value) for option in ("--range", "--offset", "--fps"))
    offset = float(motion.time_s[10])
    found = evaluated(pred, truth, PairConfig(time=TimeConfig(offset_s=offset)))
    assert values(found)["g_mpjpe_mm"] == pytest.approx(0, abs=TOLERANCE_MM)
    assert found.comparison.scores["g_mpjpe_mm"].frames_total == 20
    with pytest.raises(InputError, match=r"shares no frame with .*long\.trc .* --offset"):
        evaluated(pred, truth, PairConfig(time=TimeConfig(offset_s=100)))
    at_rate = PairConfig(time=TimeConfig(fps=30, offset_s=offset))
    assert values(evaluated(pred, truth, at_rate))["g_mpjpe_mm"] < TOLERANCE_MM


def test_a_range(tmp_path: Path) -> None:
    motion = made.walk_ahead("anny", 40)
    truth = npz(tmp_path, motion)
    found = evaluated(truth, truth, PairConfig(time=TimeConfig(range_s=(0.5, 0.8))))
    assert found.comparison.scores["g_mpjpe_mm"].frames_total == 10  # 0.5 to 0.8 at 30 fps
    with pytest.raises(InputError, match=r"has no frame between 9 s and 10 s; it covers 0.20 to"):
        evaluated(truth, truth, PairConfig(time=TimeConfig(range_s=(9, 10))))


def test_names_and_mapping(tmp_path: Path) -> None:
    motion = made.walk_ahead("anny", 8)
    pred, truth = npz(tmp_path, motion), tmp_path / "truth.npz"
    joints = made.true_joints(motion)[:, [0, 4, 5, 15]]
    names = np.array(["mixamorig:Hips", "LeftLeg", "RightLeg", "Head"])
    np.savez(truth, joints=joints, joint_names=names, fps=30.0)
    found = evaluated(pred, truth)
    (line,) = (line for line in found.statements if line.startswith("joints: "))
    assert line == (
        "joints: 4 by name: pelvis (mixamorig:Hips of the truth), left_knee (LeftLeg of the "
        "truth), right_knee (RightLeg of the truth), head (Head of the truth)"
    )
    assert values(found)["g_mpjpe_mm"] == pytest.approx(0, abs=TOLERANCE_MM)
    with pytest.raises(OptionError, match="--joints nose: no such joint here"):
        evaluated(pred, truth, PairConfig(joints=("nose",)))


def test_a_body_gives_the_points_that_the_other_file_has(tmp_path: Path) -> None:
    """OpenPose's words against a motion: its own points on the body, not SMPL's joints."""
    motion, body = made.walk_ahead("anny", 8), load_body("anny")
    points = body.pose(**made.parameters(motion), keypoint_set="openpose25").keypoints.numpy()
    names = [("nose", "Nose"), ("neck", "Neck"), ("right_hip", "RHip"), ("left_heel", "LHeel")]
    columns = [1, 0, 9, 21]
    truth = tmp_path / "truth.npz"
    order = [names[1], names[0], names[2], names[3]]
    np.savez(truth, joints=points[:, columns], joint_names=np.array([b for _, b in order]))
    found = evaluated(npz(tmp_path, motion), truth)
    assert values(found)["g_mpjpe_mm"] == pytest.approx(0, abs=TOLERANCE_MM)
    assert any("8 frames at 30 fps (assumed)" in line for line in found.statements)


def test_too_few_names(tmp_path: Path) -> None:
    truth = tmp_path / "truth.npz"
    np.savez(truth, joints=np.zeros((8, 3, 3)), joint_names=np.array(["A", "B", "head"]), fps=30.0)
    with pytest.raises(InputError, match=r"shares 1 joints by name with .*truth\.npz \("):
        evaluated(npz(tmp_path, made.walk_ahead("anny", 8)), truth)


def test_bodies_that_differ_are_compared_by_joints(tmp_path: Path) -> None:
    pred, truth = (
        npz(tmp_path, made.walk_ahead("toy", 8)),
        npz(tmp_path, made.walk_ahead("anny", 8), "b.npz"),
    )
    found = evaluated(pred, truth)
    assert any(line.startswith("joints: 24 by name") for line in found.statements)
    assert any("on its body toy" in line for line in found.statements)


def test_one_frame(tmp_path: Path) -> None:
    """Poses have errors, movements have none: NaN, not nought."""
    truth = npz(tmp_path, made.walk_ahead("anny", 1))
    found = evaluated(truth, truth)
    assert values(found)["pa_mpjpe_mm"] == pytest.approx(0, abs=TOLERANCE_MM)
    assert np.isnan(values(found)["accel_m_s2"])
    assert found.comparison.scores["accel_m_s2"].frames_used == 0


def test_every_figure_is_classified() -> None:
    """A new figure needs "clip" unless it is named; these are known to be right."""
    score = {name: named_value(name, 1.0, (1, 1)) for name in METRICS}
    found = {name: needs(name, score[name]) for name in METRICS}
    assert set(found.values()) <= set(ALIGN[1:])
    assert found["pa_mpjpe_mm"] == found["nemo_local_mpjpe_mm"] == "frame"
    assert found["angle_rmse_knee_deg"] == found["flexion_rmse_deg"] == "frame"
    assert found["g_mpjpe_mm"] == found["rte_percent"] == found["jitter"] == "clip"
    assert found["angle_rmse_pelvis_deg"] == found["foot_slide_mm"] == "none"
    assert found["angle_rmse_deg"] == found["up_axis_error_deg"] == "none"


def test_missing_values_stay_missing(tmp_path: Path) -> None:
    """A figure says what it used; over nothing it is NaN, and null in the JSON file."""
    motion = made.walk_ahead("anny", 8)
    truth = tmp_path / "truth.npz"
    joints = made.true_joints(motion)
    joints[[0, 1, 3, 5, 7], 3] = np.nan
    np.savez(truth, joints=joints, joint_names=np.array(JOINT_NAMES), fps=30.0)
    found = evaluated(npz(tmp_path, motion), truth)
    assert values(found)["pa_mpjpe_mm"] == pytest.approx(0, abs=TOLERANCE_MM)
    assert found.comparison.scores["pa_mpjpe_mm"].frames_used == 3
    assert np.isnan(values(found)["accel_m_s2"])
    assert found.comparison.scores["accel_m_s2"].frames_used == 0
    assert found.comparison.summary()["accel_m_s2"]["value"] is None


def test_units_and_axes_reach_the_reader(tmp_path: Path) -> None:
    motion = made.walk_ahead("toy", 8)
    write_bvh(tmp_path / "x.bvh", motion, load_body("toy"), "cm")
    read = ReadConfig(axes=AxesConfig("y", "cm"))
    found = evaluated(npz(tmp_path, motion), tmp_path / "x.bvh", None, read)
    assert values(found)["g_mpjpe_mm"] == pytest.approx(0, abs=TOLERANCE_MM)
