"""DiffOpt, NeuHMR and MEVA: choice of sequences, trimming and filters, on tiny data sets."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from formats.datasets import make_files as make
from motionfield.benchmarks.open.case import Tools
from motionfield.benchmarks.papers import emdb, joints, made
from motionfield.benchmarks.papers.camera_paths import ORACLE, camera_motion
from motionfield.benchmarks.papers.registry import PAPER_BENCHMARKS
from motionfield.benchmarks.papers.scores import true_motion
from motionfield.benchmarks.papers.solve import (
    DETECTED,
    Solved,
    make_bench,
    nearest_person,
    true_pixels,
)
from motionfield.body.registry import load_body
from motionfield.core.assets import fetch_asset
from motionfield.core.errors import InputError, NoPersonError, OptionError
from motionfield.core.keypoint_sets import LIMB_JOINTS
from motionfield.data import Keypoints
from motionfield.formats.datasets.emdb import list_emdb, read_emdb
from motionfield.formats.datasets.h36m import read_h36m
from motionfield.formats.datasets.mpi_inf_3dhp import list_3dhp, read_3dhp
from motionfield.formats.datasets.sequence import DatasetSequence, Pictures
from motionfield.formats.datasets.threedpw import list_3dpw, read_3dpw
from motionfield.formats.keypoint_files import read_keypoints
from motionfield.priors.pose_mixture import PoseMixture
from motionfield.steps.fit import FitResult

# --- EMDB -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def emdb_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The seven named sequences (one of 230 frames), and two of protocol 1."""
    folder = tmp_path_factory.mktemp("emdb")
    for name in emdb.NAMED:
        frames = 230 if name == "09_outdoor_walk" else 101
        make.write_emdb(folder, "P0", name, frames, first=name == "14_outdoor_climb")
    make.write_emdb(folder, "P8", "69_outdoor_cartwheel", 40, first=True)
    return folder


def with_keypoints(sequence: DatasetSequence, folder: Path) -> DatasetSequence:
    """As a detector would have seen it."""
    who = make.person(sequence.num_frames, seed=int(sequence.action[:2]))
    shown = who.points["openpose25"] @ who.R.T + who.t
    shown[..., 0] += 0.002 * np.arange(sequence.num_frames)[:, None]
    pixels = shown[..., :2] / shown[..., 2:] * make.FOCAL + make.K[:2, 2] + 0.5
    make.write_openpose(folder / sequence.name, pixels)
    return replace(sequence, keypoints=read_keypoints(folder / sequence.name, 30.0, make.SIZE))


@pytest.fixture
def detected(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """EMDB's tiny sequences come with keypoints, so that no network is needed."""

    def read(file):  # type: ignore[no-untyped-def]
        sequence, first = read_emdb(file)
        return with_keypoints(sequence, tmp_path), first

    monkeypatch.setattr(emdb, "read_emdb", read)


def test_diffopt_in_pieces_of_100(
    emdb_folder: Path, tools: Tools, detected: None, quick: None
) -> None:
    report = emdb.run_diffopt(emdb_folder, "initial", tools=tools)
    names = [entry["sequence"] for entry in report.sequences]
    assert len(names) == 6 + 2
    assert names.count("P0_09_outdoor_walk_0") == names.count("P0_09_outdoor_walk_1") == 1
    assert {entry["frames"] for entry in report.sequences} == {100}
    rows = {row.key: row.cells for row in report.rows if emdb.AS_NEMO not in row.label}
    assert set(rows["emdb-diffopt.joints"]) == {*emdb.NAMED.values(), "Mean"}
    local, world = rows["emdb-diffopt.joints"]["Mean"]
    assert 0 < local < 500
    assert 0 < world < 500
    walk = rows["emdb-diffopt.joints"]["Outdoor Walk"]
    assert rows["emdb-diffopt.ablation"]["G-MPJPE"] == pytest.approx(walk[1:])
    assert rows["emdb-diffopt.runtime"]["Runtime"][0] > 0
    assert ORACLE in report.notes


def test_a_missing_sequence_of_the_seven_is_named(tmp_path: Path) -> None:
    make.write_emdb(tmp_path, "P0", "09_outdoor_walk", 10)
    with pytest.raises(InputError, match="16_outdoor_warmup"):
        emdb.run_diffopt(tmp_path, "initial")


def test_untrimmed_takes_every_sequence(
    emdb_folder: Path, tools: Tools, detected: None, quick: None
) -> None:
    report = emdb.run_diffopt_untrimmed(emdb_folder, "initial", tools=tools)
    assert len(report.sequences) == 8
    assert max(entry["frames"] for entry in report.sequences) == 230
    assert "8 of the 81 sequences are there" in report.notes


def test_emdb_truth_scores_zero_and_a_turned_camera_shows(emdb_folder: Path, tools: Tools) -> None:
    sequence, _ = read_emdb(list_emdb(emdb_folder)[-1])
    truth = true_motion(sequence, tools.body)
    assert sequence.camera is not None
    bench = make_bench("initial", tools=tools)
    perfect = emdb.score(Solved(sequence, FitResult(truth, sequence.camera), 0.0), bench)
    names = [p + m for p in ("", "nemo_") for m in emdb.MEASURES]
    assert max(perfect[name] for name in names) < 0.5
    angle = np.radians(10)
    tilt = np.array(
        [[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]],
        np.float32,
    )
    tilted = sequence.camera.replace(R_camera_world=tilt @ sequence.camera.R_camera_world)
    turned = emdb.score(Solved(sequence, FitResult(truth, tilted), 0.0), bench)
    assert turned["mpjpe"] > 30  # local figures are in the camera's axes
    assert turned["g_mpjpe"] < 0.5
    assert turned["nemo_mpjpe"] < 0.5
    leaning = truth.replace(global_orient=truth.global_orient @ tilt)
    bent = emdb.score(Solved(sequence, FitResult(leaning, sequence.camera), 0.0), bench)
    assert bent["mpjpe"] > 30
    assert bent["nemo_mpjpe"] < 0.5  # NeMo's takes orientation away


def test_neuhmr_takes_protocol_1(
    emdb_folder: Path, tools: Tools, detected: None, quick: None
) -> None:
    report = emdb.run_neuhmr(emdb_folder, "initial", tools=tools)
    names = [entry["sequence"] for entry in report.sequences]
    assert names == ["P0_14_outdoor_climb", "P8_69_outdoor_cartwheel"]
    cells = report.rows[0].cells
    frames = [100, 39]  # the last frame of each is not good
    means = [entry["mpjpe"] for entry in report.sequences]
    assert cells["MPJPE"][0] == pytest.approx(np.average(means, weights=frames))


def test_a_trackers_path_is_taken_before_the_true_one(emdb_folder: Path, tmp_path: Path) -> None:
    sequence, _ = read_emdb(list_emdb(emdb_folder)[-1])
    true_path, source = camera_motion(tmp_path, sequence)
    assert source == ORACLE
    assert true_path is not None
    np.testing.assert_allclose(true_path.R_camera_world[0], np.eye(3), atol=1e-6)
    assert sequence.camera is not None
    folder = tmp_path / "camera_paths"
    folder.mkdir()
    place = 3.0 * sequence.camera.position_world.astype(float)  # a unit of its own
    quat = Rotation.from_matrix(sequence.camera.R_camera_world.transpose(0, 2, 1)).as_quat()
    rows = np.column_stack((np.arange(len(place)), place, quat))
    np.savetxt(folder / f"{sequence.name}.txt", rows)
    path, source = camera_motion(tmp_path, sequence)
    assert "tracker" in source
    assert path is not None
    np.testing.assert_allclose(path.R_camera_world, true_path.R_camera_world, atol=1e-5)
    np.testing.assert_allclose(path.position_world, 3 * true_path.position_world, atol=1e-4)
    np.savetxt(folder / f"{sequence.name}.txt", rows[:-1])
    with pytest.raises(InputError, match="39 rows of 8, not 40 of 8"):
        camera_motion(tmp_path, sequence)


# --- joints -----------------------------------------------------------------------------------


def test_3dpw_end_to_end(tmp_path: Path, tools: Tools) -> None:
    make.write_3dpw(tmp_path, "test", "downtown_walk", frames=30)
    make.write_3dpw(tmp_path, "train", "courtyard", frames=30)
    report = joints.run_3dpw(tmp_path, "initial", tools=tools)
    assert [e["sequence"] for e in report.sequences] == ["downtown_walk_0", "downtown_walk_1"]
    cells = report.rows[0].cells
    assert 0 < cells["PA-MPJPE"][0] <= cells["MPJPE"][0] < 300
    assert cells["ACC-ERR"][0] < 20
    assert "MEVA" in report.table()
    assert "UNVERIFIED: the reader of 3DPW" in report.table()


def test_zju_scores_393_and_leaves_it_out_of_training(tmp_path: Path, tools: Tools) -> None:
    assert joints.LEFT_OUT == "393"
    assert joints.ZJU_TRAINING == ("313", "315", "377", "386", "387", "390", "392", "394")
    make.write_zju(tmp_path, "394")
    with pytest.raises(InputError, match="CoreView_393"):
        joints.run_zju(tmp_path, "initial", tools=tools)


def test_zju_end_to_end(
    tmp_path: Path, tools: Tools, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = make.write_zju(tmp_path, "393", frames=20, joints=True)
    make.write_openpose(tmp_path / "seen", who.pixels("openpose25") + 0.5)
    seen = read_keypoints(tmp_path / "seen", 50.0, make.SIZE)
    read = joints.read_zju
    monkeypatch.setattr(joints, "read_zju", lambda *a: replace(read(*a), keypoints=seen))
    report = joints.run_zju(tmp_path, "initial", tools=tools)
    (entry,) = report.sequences
    assert entry["sequence"] == "CoreView_393_camera_1"
    assert 0 < entry["mpjpe"] < 500
    assert 0 < entry["mpjpe_15_openpose"] < 500
    assert len(report.rows) == 2


def test_h36m_is_thinned_to_25(tmp_path: Path, tools: Tools) -> None:
    make.write_h36m_npz(tmp_path)
    with pytest.raises(InputError, match="neither pictures nor 2D keypoints"):
        joints.run_h36m(tmp_path, "initial", tools=tools)
    few = joints.slower(read_h36m(tmp_path)[0], 2)
    assert few.fps == 25
    assert few.num_frames == 5
    assert few.joints is not None
    assert few.joints.fps == 25


def test_frames_that_vibes_data_leave_out(tmp_path: Path) -> None:
    make.write_3dpw(tmp_path, "test", "downtown_walk", frames=6)
    sequence = read_3dpw(list_3dpw(tmp_path, "test")[0])[0]
    keypoints = sequence.keypoints
    assert keypoints is not None
    points = keypoints.keypoints_2d.copy()
    limbs = [keypoints.keypoint_names.index(name) for name in LIMB_JOINTS]
    points[3, limbs[:5], 2] = 0.3  # 7 are left
    points[4, limbs[:6], 2] = 0.3  # 6 are left
    few = joints.seen_enough(replace(sequence, keypoints=keypoints.replace(keypoints_2d=points)))
    assert few.good.tolist() == [False, True, True, True, False, True]
    make.write_3dhp(tmp_path, "TS5", frames=6)
    (path,) = list_3dhp(tmp_path)
    outdoors = read_3dhp(path)
    labels = outdoors.labels
    assert labels is not None
    marks = np.full_like(labels.keypoints_2d, 500)
    marks[1, 4, 0] = 1921
    marks[2, 0, 1] = -1
    kept = joints.inside(replace(outdoors, labels=labels.replace(keypoints_2d=marks)))
    assert kept.good.tolist() == [True, False, False, False, True, True]  # 3 is not valid


@pytest.mark.parametrize("points", [joints.OF_3DPW, joints.OF_3DHP, joints.OF_H36M])
def test_meva_compares_14_points(points) -> None:  # type: ignore[no-untyped-def]
    assert len(points.names) == len(points.names_of_truth) == 14


# --- AMASS and CMU ----------------------------------------------------------------------------


def test_amass_as_made_takes(tmp_path: Path, tools: Tools) -> None:
    make.write_amass(tmp_path, frames=90)
    make.write_amass(tmp_path, "short_poses", frames=20)
    report = made.run_amass(tmp_path, "initial", tools=tools)
    (entry,) = report.sequences
    assert entry["frames"] == 45  # 60 frames per second thinned to 30
    assert 0 < entry["pa_mpjpe"] < 150
    assert "short_poses" in report.failures
    assert "no table of the papers" in report.table()


def test_cmu_as_made_takes(tmp_path: Path, tools: Tools, quick: None) -> None:
    make.write_cmu(tmp_path)
    report = made.run_cmu(tmp_path, "initial", tools=tools)
    (entry,) = report.sequences
    assert entry["sequence"] == "07_01"
    assert entry["frames"] == 60
    assert np.isfinite(entry["g_mpjpe"])


# --- all --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAPER_BENCHMARKS)
def test_a_missing_folder_is_one_line(name: str, tmp_path: Path) -> None:
    module, function = PAPER_BENCHMARKS[name].split(":")
    run = getattr(import_module(module), function)
    with pytest.raises(InputError) as raised:
        run(tmp_path / "nothing", "initial", lambda *_: None)
    assert "docs/papers_data.md" in str(raised.value)
    for method in ("magic", "triangulation"):
        with pytest.raises(OptionError, match="is none of"):
            run(tmp_path, method, lambda *_: None)


def test_a_sequence_that_fails_is_told_and_the_others_are_scored(
    tmp_path: Path, tools: Tools, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.write_3dpw(tmp_path, "test", "downtown_walk", frames=30)
    bench = make_bench("initial", tools=tools)
    sequences = read_3dpw(list_3dpw(tmp_path, "test")[0])

    def nobody(sequence: DatasetSequence) -> Keypoints:
        raise NoPersonError(f"{sequence.name}: nobody was found")

    monkeypatch.setattr(bench, "keypoints_of", nobody)
    assert bench.solve([sequences[0]]) == []
    monkeypatch.undo()
    assert len(bench.solve([sequences[1]])) == 1
    assert bench.failures == {"downtown_walk_0": "downtown_walk_0: nobody was found"}
    report = bench.report("3dpw", (), (), ({"sequence": "downtown_walk_1"},))
    assert report.failures == bench.failures
    assert {"date", "commit", "machine", "seed", "body"} <= set(report.summary())
    with pytest.raises(NoPersonError):
        bench.report("3dpw", (), (), ())


@pytest.mark.models("demo_video")
def test_the_tracker_sees_pictures(tools: Tools) -> None:
    """A sequence that has only a video goes through the real detector, for its chosen frames."""
    video = fetch_asset("demo_video")
    numbers = np.arange(10, 40, 2)
    sequence = DatasetSequence(
        dataset="h36m",
        name="demo",
        subject="S9",
        action="demo",
        fps=15.0,
        good=np.ones(len(numbers), bool),
        pictures=Pictures(video, numbers),
    )
    bench = make_bench("initial", tools=tools)
    seen = bench.keypoints_of(sequence)
    assert seen.num_frames == len(numbers)
    assert seen.observed.mean() > 0.9
    np.testing.assert_allclose(np.diff(seen.time_s), 1 / 15)
    assert bench.keypoints_of(sequence) is seen
    assert DETECTED in bench.notes


def test_the_person_nearest_to_the_truth_is_taken(tmp_path: Path) -> None:
    make.write_3dpw(tmp_path, "test", "downtown_walk", frames=12)
    sequence = read_3dpw(list_3dpw(tmp_path, "test")[0])[0]
    own = sequence.keypoints
    assert own is not None
    points = own.keypoints_2d.copy()
    points[..., 0] += 120
    other = own.replace(keypoints_2d=points)
    pixels = true_pixels(sequence, Tools(load_body("toy"), PoseMixture.load()))
    assert nearest_person([other, own], pixels) is own
    assert nearest_person([other, own], None) is other
