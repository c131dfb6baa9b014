"""Result files of other programs, in their true form: the same walk comes out of each."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from formats.made_pickles import joblib_dump
from formats.results import made_results as made
from motionfield.core.errors import InputError
from motionfield.formats.results import ReadConfig, read_result

PICKLED = ("WHAM", "PromptHMR", "GLAMR", "VIBE", "HybrIK")


@pytest.mark.parametrize("program", made.WRITERS)
def test_the_walk_comes_out(program: str, tmp_path: Path) -> None:
    """Upright, facing and walking along +X, knee and elbow bent; fingers are left out."""
    result = read_result(made.WRITERS[program](tmp_path))
    assert result.source == program.removesuffix(" stage two")
    assert result.rotations is not None
    assert result.num_frames == made.COUNT
    root, knee, elbow = (result.rotations[:, j] for j in (0, made.KNEE, made.ELBOW))
    assert np.allclose(root @ (0, 1, 0), made.UP_WORLD, atol=1e-5)
    assert np.allclose(root @ (0, 0, 1), made.AHEAD_WORLD, atol=1e-5)
    assert np.allclose(knee[:, 2, 1], np.sin(0.3), atol=1e-5)
    assert np.allclose(elbow[:, 0, 2], np.sin(-0.5), atol=1e-5)
    at_rest = [j for j in range(1, 24) if j not in (made.KNEE, made.ELBOW)]
    assert np.allclose(result.rotations[:, at_rest], np.eye(3), atol=1e-5)


@pytest.mark.parametrize("program", made.WRITERS)
def test_the_place_of_the_root(program: str, tmp_path: Path) -> None:
    result = read_result(made.WRITERS[program](tmp_path))
    if program in made.WITHOUT_PATH:
        assert result.root is None
        assert result.frame == "camera"
    else:
        assert result.root is not None
        assert np.allclose(result.root, made.ROOT_WORLD, atol=1e-5)
        assert result.frame == ("tilted world" if program == "TRAM" else "world")


@pytest.mark.parametrize("program", made.WRITERS)
def test_frames_and_rates(program: str, tmp_path: Path) -> None:
    result = read_result(made.WRITERS[program](tmp_path))
    first = 0 if program in (*made.WITHOUT_NUMBERS, "GVHMR") else made.FIRST
    assert np.array_equal(result.frame_index, first + np.arange(made.COUNT))
    assert result.numbered == (program not in made.WITHOUT_NUMBERS)
    assert result.fps == {"AMASS": 120.0, "AMASS stage two": 120.0, "GLAMR": 30.0}.get(program)


def test_tram_without_its_camera(tmp_path: Path) -> None:
    path = made.tram(tmp_path)
    (tmp_path / "camera.npy").unlink()
    result = read_result(path)
    assert result.frame == "camera"
    assert any("camera.npy" in note for note in result.notes)


def test_prompthmr_without_its_world(tmp_path: Path) -> None:
    content = made.prompthmr_content()
    del content["people"][1]["smplx_world"]
    result = read_result(joblib_dump(content, tmp_path / "results.pkl"))
    assert result.frame == "camera"
    assert result.root is not None
    assert np.allclose(result.root, made.ROOT_WORLD, atol=1e-5)


def test_vibes_joints_are_named(tmp_path: Path) -> None:
    result = read_result(made.vibe(tmp_path, joints=True))
    assert result.joints is not None
    raw = np.random.default_rng(0).normal(size=(made.COUNT, 49, 3))
    x, y, z = raw[:, 10].T  # OpenPose's right knee
    knee = result.joints[:, result.joint_names.index("right_knee")]
    assert np.allclose(knee, np.stack((x, z, -y), 1))


def test_rows_are_put_in_order(tmp_path: Path) -> None:
    person = made.wham_person()
    person = {key: value[::-1] for key, value in person.items()}
    result = read_result(joblib_dump({0: person}, tmp_path / "x.pkl"))
    assert result.root is not None
    assert np.allclose(result.root, made.ROOT_WORLD, atol=1e-5)


def test_several_persons(tmp_path: Path) -> None:
    one, two = made.wham_person(), made.wham_person()
    two = {key: value[:7] for key, value in two.items()}
    path = joblib_dump({2: one, 5: two}, tmp_path / "two.pkl")
    with pytest.raises(InputError) as error:
        read_result(path)
    assert str(error.value) == (
        f"{path}: holds 2 persons (2 with 12 frames, 5 with 7 frames); choose one with --person"
    )
    with pytest.raises(InputError, match="holds no person 4, but 2, 5"):
        read_result(path, ReadConfig(person="4"))
    assert read_result(path, ReadConfig(person="5")).num_frames == 7


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as error:
        read_result(path)
    line = str(error.value)
    assert line.startswith(f"{path}: ") or "camera.npy" in line
    assert "\n" not in line
    assert ";" in line
    assert len(line) < 900
    return line.removeprefix(f"{path}: ")


@pytest.mark.parametrize("program", made.WRITERS)
def test_cut_files_are_refused(program: str, tmp_path: Path) -> None:
    path = made.WRITERS[program](tmp_path)
    whole = path.read_bytes()
    for share in (0.0, 0.3, 0.9):
        path.write_bytes(whole[: int(share * len(whole))])
        refusal(path)


def damaged(content: Any, key: str, value: Any) -> Any:
    """The content with one key, at any depth, replaced (removed: value is None)."""
    if isinstance(content, dict):
        return {
            k: value if k == key else damaged(v, key, value)
            for k, v in content.items()
            if not (k == key and value is None)
        }
    return content


@pytest.mark.parametrize(
    ("program", "key"),
    [
        ("WHAM", "trans_world"),
        ("WHAM", "frame_ids"),
        ("GVHMR", "body_pose"),
        ("GVHMR", "transl"),
        ("PromptHMR", "frames"),
        ("GLAMR", "smpl_orient_world"),
        ("GLAMR", "root_trans_world"),
    ],
)
@pytest.mark.parametrize("value", [None, np.zeros((3, 5)), "text", np.array([None, 1])])
def test_missing_and_wrong_arrays_are_named(
    program: str, key: str, value: Any, tmp_path: Path
) -> None:
    from motionfield.formats.safe_pickle import load_pickle

    path = made.WRITERS[program](tmp_path)
    changed = damaged(load_pickle(path), key, value)
    if program == "GVHMR":
        torch.save(damaged_tensors(changed), path)
    else:
        path.write_bytes(pickle.dumps(changed))
    assert key in refusal(path)


def damaged_tensors(content: Any) -> Any:
    """As torch's safe reader takes it."""
    if isinstance(content, dict):
        return {key: damaged_tensors(value) for key, value in content.items()}
    if isinstance(content, np.ndarray):
        return "objects" if content.dtype.hasobject else torch.tensor(content)
    return content


def test_a_cut_camera_path_is_refused(tmp_path: Path) -> None:
    path = made.tram(tmp_path)
    camera = {"pred_cam_R": np.eye(3)[None], "pred_cam_T": np.zeros((1, 3))}
    np.save(tmp_path / "camera.npy", camera)  # type: ignore[arg-type]
    assert "pred_cam_R is (1, 3, 3), not (17, 3, 3)" in refusal(path)


def test_unknown_files_say_what_they_hold(tmp_path: Path) -> None:
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps({"theta": 1, "cams": {"K": 2, "R": 3}}))
    line = refusal(path)
    assert "is of no known program: it holds theta, cams with K, R" in line
    assert "WHAM" in line
    path.write_bytes(pickle.dumps([1, 2]))
    assert "it holds a list" in refusal(path)
    np.savez(tmp_path / "x.npz", a=np.zeros(3), b=np.zeros(2))
    assert "it holds a, b" in refusal(tmp_path / "x.npz")
    (tmp_path / "x.fbx").write_bytes(b"?")
    assert "unknown kind (.fbx)" in refusal(tmp_path / "x.fbx")


def test_folders_say_what_is_in_them(tmp_path: Path) -> None:
    assert "is a folder; give one file, known are" in refusal(tmp_path)
    made.tram(tmp_path)
    assert "is a folder; give one file, e.g. camera.npy" in refusal(tmp_path)
    for folder in (".stages", "person_0"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "motion.npz").write_bytes(b"")
    assert "e.g. person_0/motion.npz" in refusal(tmp_path).replace("\\", "/")
    assert "does not exist" in refusal(tmp_path / "no.pkl")


def test_values_that_are_missing_stay_missing(tmp_path: Path) -> None:
    person = made.wham_person()
    person["pose_world"][3] = np.nan
    result = read_result(joblib_dump({0: person}, tmp_path / "x.pkl"))
    assert result.rotations is not None
    assert np.isnan(result.rotations[3]).any()
    assert np.isfinite(np.delete(result.rotations, 3, axis=0)).all()
