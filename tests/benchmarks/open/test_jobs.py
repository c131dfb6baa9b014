"""What a method is shown, and takes as files."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.open.made_version import FRAMES, make_version
from data.make_records import make_camera
from motionfield.benchmarks.open import jobs
from motionfield.benchmarks.open.build import build_case
from motionfield.benchmarks.open.case import Case
from motionfield.benchmarks.open.clips import ClipSource, clip_folder, cut
from motionfield.benchmarks.open.export import export_case
from motionfield.benchmarks.open.jobs import Plan, digest, jobs_of_case, show
from motionfield.benchmarks.open.spec import Piece
from motionfield.body.registry import load_body
from motionfield.core.errors import InputError, OptionError
from motionfield.formats.keypoint_files import read_keypoints


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> tuple[ClipSource, Case]:
    folder = tmp_path_factory.mktemp("open")
    spec = make_version(folder / "v0", folder / "clips")
    clips = ClipSource("pybullet", folder / "clips", load_body("toy"))
    return clips, build_case(spec.cases[0], spec, clips, load_body("toy"))


def test_without_the_lens_nothing_shown_holds_it(source: tuple[ClipSource, Case]) -> None:
    (take,) = source[1].takes
    tracked = make_camera(FRAMES).replace(moving=True, K=take.camera.K)
    given = show(take.keypoints, take.camera, "true lens", tracked)
    assert given.intrinsics is not None
    assert given.intrinsics.fx == pytest.approx(1500.0)
    assert given.camera_motion is tracked
    blind = show(take.keypoints, take.camera, "default focal", tracked)
    assert blind.intrinsics is None
    assert blind.camera_motion is not None
    assert blind.camera_motion.focal_source == "assumed"
    assert not np.isclose(blind.camera_motion.K[:, 0, 0], 1500.0).any()
    np.testing.assert_array_equal(blind.camera_motion.R_camera_world, tracked.R_camera_world)


def test_the_digest_sees_all_that_is_shown(source: tuple[ClipSource, Case]) -> None:
    (take,) = source[1].takes
    given = show(take.keypoints, take.camera, "true lens", None)
    points = take.keypoints.keypoints_2d.copy()
    points[3, 5, 0] += 0.01
    moved = given._replace(keypoints=take.keypoints.replace(keypoints_2d=points))
    blind = show(take.keypoints, take.camera, "default focal", None)
    tracked = given._replace(camera_motion=make_camera(FRAMES))
    found = [digest([one]) for one in (given, moved, blind, tracked)]
    assert len(set(found)) == 4
    assert digest([given]) == found[0]


def test_methods_for_synchronised_views_run_on_those_alone(
    source: tuple[ClipSource, Case],
) -> None:
    case = source[1]
    plan = Plan(("initial", "triangulation"))
    alone = jobs_of_case(case, ("a",), "hash", plan)
    views = jobs_of_case(case._replace(synchronized=True), ("a",), "hash", plan)
    assert {job.method for job in alone} == {"initial"}
    assert {job.method for job in views} == {"initial", "triangulation"}


def test_methods_of_several_takes_run_on_groups_alone(
    source: tuple[ClipSource, Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "TOGETHER_ONLY", frozenset({"group"}))
    case, plan = source[1], Plan(("initial", "group"))
    pair = case._replace(takes=case.takes * 2)
    assert {job.method for job in jobs_of_case(case, ("a",), "hash", plan)} == {"initial"}
    both = jobs_of_case(pair, ("a", "b"), "hash", plan)
    assert {job.method for job in both} == {"initial", "group"}


def test_a_piece_starts_at_the_origin_and_at_time_0(source: tuple[ClipSource, Case]) -> None:
    clip = "humanoid3d_made0"
    whole = source[0].motion(Piece(f"{clip}.txt", clip, 0, 2 * FRAMES))
    part = cut(whole, 10, 20)
    assert part.num_frames == 10
    np.testing.assert_allclose(part.transl[0, :2], 0, atol=1e-7)
    np.testing.assert_allclose(np.diff(part.transl, axis=0), np.diff(whole.transl[10:20], axis=0))
    np.testing.assert_array_equal(part.transl[:, 2], whole.transl[10:20, 2])
    np.testing.assert_allclose(part.time_s, np.arange(10) / whole.fps)
    with pytest.raises(OptionError, match="has 48 frames, not 49"):
        source[0].motion(Piece(f"{clip}.txt", clip, 0, 49))


def test_exported_takes_are_keypoint_files_with_their_truth(
    source: tuple[ClipSource, Case], tmp_path: Path
) -> None:
    case = source[1]
    (path,) = export_case(case, tmp_path, load_body("toy"))
    keypoints = read_keypoints(path)
    np.testing.assert_array_equal(keypoints.keypoints_2d, case.takes[0].keypoints.keypoints_2d)
    with np.load(path) as file:
        joints, R, t = (file[k] for k in ("truth_joints", "truth_camera_R", "truth_camera_t"))
        K = file["camera_K"]
    camera = np.einsum("tij,tkj->tki", R, joints) + t[:, None]
    pixels = np.einsum("tij,tkj->tki", K, camera / camera[..., 2:])[..., :2]
    at = keypoints.keypoint_names.index("left_knee")
    off = np.linalg.norm(pixels[:, 4] - keypoints.keypoints_2d[:, at, :2], axis=-1)
    assert np.nanmedian(off) < 40


def test_folders_of_clips(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="--data DIR"):
        clip_folder("mocap", None)
    with pytest.raises(InputError, match="is no folder"):
        clip_folder("pybullet", tmp_path / "nowhere")
    assert clip_folder("mocap", tmp_path) == tmp_path
