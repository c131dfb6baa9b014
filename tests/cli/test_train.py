"""``motionfield train``: a user's folder becomes weights, card and curve."""

import importlib
import shutil
from pathlib import Path

import pytest

from made_mocap import write_made_shard
from motionfield.body.registry import load_body
from motionfield.cli.main import main
from motionfield.cli.train import TRAININGS
from motionfield.formats.bvh import write_bvh
from motionfield.formats.mocap_npz import read_mocap
from motionfield.priors.pose_mixture import PoseMixture
from motionfield.priors.pose_vae import PoseVAE
from motionfield.training.card import check_card
from motionfield.worlds.mocap import retarget_clips


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One person for each split: CMU 7 is of the test, 3 of val, and someone of ours."""
    found = Path(tmp_path_factory.mktemp("motions"))
    body = load_body("anny")
    write_made_shard(found / "made.npz", body, frames=150)
    shard = read_mocap(found / "made.npz")
    motion = next(retarget_clips(shard, shard.clips[:1], body)).motion
    for name in ("07_01", "03_01", "anna"):
        write_bvh(found / f"{name}.bvh", motion, body)
    return found


def _error(capsys: pytest.CaptureFixture[str]) -> str:
    text = capsys.readouterr().err.strip()
    assert "\n" not in text
    return text


def test_a_users_folder_becomes_weights_with_card_and_curve(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "deep" / "mine.safetensors"
    words = ["train", "pose_vae", "--data", str(folder), "--steps", "40", "--seed", "2", "--quiet"]
    assert main([*words, "-o", str(output)]) == 0
    told = capsys.readouterr().out
    assert all(f"{split}: " in told for split in ("train", "val", "test"))
    names = {path.name for path in output.parent.iterdir()}
    assert names == {"mine.safetensors", "mine.md", "mine.curve.csv", "mine.curve.png"}
    rows = check_card(output)
    assert f"trained on user data in {folder} (BVH: 3 files of 3 subjects)" in rows["Data"]
    assert rows["Licence"] == "that of the user's data"
    assert rows["Command"] == "`motionfield train pose_vae --data DIR --steps 40 --seed 2`"
    assert PoseVAE.load(output).config.dropout == 0
    paper = tmp_path / "paper.safetensors"
    assert main([*words, "-o", str(paper), "--preset", "paper"]) == 0
    assert "--preset paper" in check_card(paper)["Command"]
    assert PoseVAE.load(paper).config.dropout > 0


def test_the_mixture_too(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "mixture.safetensors"
    assert main(["train", "pose_mixture", "--data", str(folder), "--quiet", "-o", str(output)]) == 0
    assert "log likelihood of" in capsys.readouterr().out
    assert PoseMixture.load(output).num_components == 8
    assert "user data" in check_card(output)["Data"]


def test_one_person_is_enough_to_train(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is nobody to hold out, then."""
    shutil.copy(folder / "anna.bvh", tmp_path)
    words = ["--data", str(tmp_path), "--quiet", "-o", str(tmp_path / "x.safetensors")]
    assert main(["train", "pose_vae", "--steps", "20", *words]) == 0
    assert "val:" not in capsys.readouterr().out
    assert main(["train", "pose_mixture", *words]) == 0
    assert "no val subjects" in capsys.readouterr().out


@pytest.mark.parametrize("name", TRAININGS)
def test_every_training_is_there(name: str) -> None:
    module, function = TRAININGS[name].split(":")
    assert callable(getattr(importlib.import_module(module), function))


@pytest.mark.parametrize("name", ["pose_mixture", "pose_vae"])
def test_what_cannot_be_trained_on_is_told_in_a_line(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", name, "--data", str(tmp_path / "missing")]) == 2
    assert "missing: is no folder" in _error(capsys)
    (tmp_path / "empty").mkdir()
    assert main(["train", name, "--data", str(tmp_path / "empty")]) == 2
    assert "holds no motions" in _error(capsys)
    (tmp_path / "cmu_dm.npz").write_bytes(b"damaged")
    assert main(["train", name, "--data", str(tmp_path)]) == 2
    assert "cmu_dm.npz: cannot be read" in _error(capsys)


def test_an_output_that_cannot_be_written_is_told_before_the_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before the data are looked at: these are missing, too."""
    (tmp_path / "file").write_text("x")
    words = ["train", "pose_vae", "--data", "missing", "-o"]
    assert main([*words, str(tmp_path / "file" / "x.safetensors")]) == 4
    assert "cannot be written" in _error(capsys)
    assert main([*words, str(tmp_path)]) == 4
    assert "is a folder" in _error(capsys)


@pytest.mark.parametrize("more", [["--steps", "5"], ["--preset", "paper"]])
def test_the_mixture_has_no_steps_and_presets(
    more: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "pose_mixture", "--data", str(tmp_path), "-o", str(tmp_path / "x")]
    assert main([*words, *more]) == 2
    assert "has no steps and presets" in _error(capsys)


def test_stopped_by_the_user_tells_how_to_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("motionfield.training.pose_vae.train_as_ordered", stop)
    words = ["train", "pose_vae", "--data", str(tmp_path), "-o", str(tmp_path / "x")]
    assert main(words) == 130
    assert "the same command goes on" in _error(capsys)


def test_unknown_names_and_presets_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "pose_magic", "--data", "x"]) == 2
    assert "pose_vae" in _error(capsys)
    assert main(["train", "pose_vae", "--data", "x", "--preset", "huge"]) == 2
    assert "--preset" in _error(capsys)
