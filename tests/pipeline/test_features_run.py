"""Runs from image features: the files, the weights, what is said where one is missing."""

from pathlib import Path

import numpy as np
import pytest
import torch

from motionfield.cli.main import main
from motionfield.core.errors import InputError, OptionError, OutputError
from motionfield.formats.motion_npz import read_motion_npz
from motionfield.pipeline import Pipeline
from motionfield.priors.motion_vae import MotionVAE, MotionVAEConfig
from motionfield.run_config import RunConfig
from motionfield.steps.lift import LiftConfig
from motionfield.steps.lift.meva.network_paper import PaperConfig, PaperMeva
from pipeline.made_inputs import FRAMES, keypoint_file, quick_config

WIDTH = 2048
SIZES = PaperConfig(
    width=8, encoder_hidden=4, motion_hidden=4, layers=1, latent=4, refiner_hidden=8
)


def _weights(path: Path) -> Path:
    """A network that knows nothing."""
    torch.manual_seed(0)
    vae = MotionVAE(MotionVAEConfig(form="recurrent", latent=4, hidden=4))
    PaperMeva(SIZES, vae).save(path, {"body": "toy"})
    return path


def _features(path: Path, frames: int = FRAMES, seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    boxes = np.tile([160.0, 120.0, 150.0, 150.0], (frames, 1))
    np.savez(path, features=rng.normal(size=(frames, WIDTH)), bboxes=boxes)
    return path


def _config(folder: Path, **changes: object) -> RunConfig:
    lift = LiftConfig(method="meva", weights=folder / "w.safetensors", images=True)
    files = {"keypoints": (folder / "swing.npz",), "features": (folder / "f.npz",)}
    return quick_config(folder / "out", method="meva", lift=lift, **(files | changes))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keypoint_file(tmp_path / "swing.npz")
    _weights(tmp_path / "w.safetensors")
    _features(tmp_path / "f.npz")
    return tmp_path


def test_a_run_from_features(folder: Path) -> None:
    result = Pipeline(_config(folder)).run().finished[0].result
    assert [time.stage for time in result.times] == ["track", "calibrate", "lift_0"]
    file = read_motion_npz(folder / "out" / "swing" / "motion.npz")
    assert file.motion.num_frames == FRAMES
    assert file.motion.contacts is None
    resumed = Pipeline(_config(folder, resume=True)).run().finished[0].result
    assert all(time.resumed for time in resumed.times)
    _features(folder / "f.npz", seed=1)
    with pytest.raises(OutputError, match="made from another input"):
        Pipeline(_config(folder, resume=True)).run()


def test_other_counts_of_frames_are_told(folder: Path) -> None:
    _features(folder / "f.npz", FRAMES + 3)
    with pytest.raises(InputError, match=f"features of {FRAMES + 3} frames, the video has"):
        Pipeline(_config(folder)).run()
    (folder / "f.npz").unlink()
    with pytest.raises(InputError, match=r"f\.npz: does not exist"):
        Pipeline(_config(folder)).run()


def test_without_weights_one_line_says_what_to_do(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", "--keypoints", str(folder / "swing.npz"), "-o", str(folder / "out")]
    words += ["--features", str(folder / "f.npz"), "--quiet"]
    assert main([*words, "--method", "meva"]) == 3
    said = capsys.readouterr().err.strip()
    assert "no weights of a network on image features ship" in said
    assert "motionfield train meva_images" in said
    assert "\n" not in said
    assert not (folder / "out" / "swing").exists()
    assert main(words) == 2
    assert "only MEVA reads them; add --method meva" in capsys.readouterr().err
    assert main([*words[:5], "--meva-weights", str(folder / "w.safetensors")]) == 2
    assert "--meva-weights: only MEVA reads them" in capsys.readouterr().err


def test_one_file_per_input(folder: Path) -> None:
    with pytest.raises(OptionError, match="2 --features files for 1 inputs"):
        _config(folder, features=(folder / "f.npz",) * 2)
