"""Runs by MEVA's lift alone: its stages, its weights in the key, what is said of bad ones."""

from pathlib import Path

import numpy as np
import pytest
import torch

from motionfield.body.registry import load_body
from motionfield.cli.main import main
from motionfield.core.errors import InputError, OptionError, OutputError
from motionfield.formats.motion_npz import read_motion_npz
from motionfield.pipeline import Pipeline, RunResult
from motionfield.priors.motion_vae import MotionVAEConfig
from motionfield.run_config import RunConfig
from motionfield.steps.lift import LiftConfig
from motionfield.steps.lift.meva.network import MevaConfig, MevaNetwork
from pipeline.made_inputs import FRAMES, keypoint_file, quick_config


def weights_file(path: Path, seed: int = 0) -> Path:
    """A network that knows nothing."""
    torch.manual_seed(seed)
    small = MevaConfig(width=16, heads=2, layers=1, refine_layers=1, vae=MotionVAEConfig(latent=8))
    network = MevaNetwork(load_body("toy"), small)
    with torch.no_grad():
        for value in network.parameters():
            value += 0.1 * torch.randn_like(value)
    network.save(path)
    return path


def config_of(folder: Path, weights: Path, **changes: object) -> RunConfig:
    lift = LiftConfig(method="meva", weights=weights)
    points = (folder / "swing.npz",)
    return quick_config(folder / "out", keypoints=points, method="meva", lift=lift, **changes)


def run(config: RunConfig) -> RunResult:
    return Pipeline(config).run()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keypoint_file(tmp_path / "swing.npz")
    weights_file(tmp_path / "a.safetensors")
    return tmp_path


def test_the_lift_alone_is_the_result(folder: Path) -> None:
    result = run(config_of(folder, folder / "a.safetensors")).finished[0].result
    assert [time.stage for time in result.times] == ["track", "calibrate", "lift_0"]
    file = read_motion_npz(folder / "out" / "swing" / "motion.npz")
    assert file.motion.contacts is not None
    assert file.motion.joints_std is not None
    assert file.motion.joints_std.shape == (FRAMES, 24, 3)
    assert [entry.name for entry in file.motion.history][-1] == "lift"
    assert "Joint uncertainty" in (folder / "out" / "report.html").read_text("utf-8")


def test_the_weights_are_part_of_the_key(folder: Path) -> None:
    """Other weights under the same name are not what the result was made with."""
    weights = folder / "a.safetensors"
    run(config_of(folder, weights))
    resumed = run(config_of(folder, weights, resume=True)).finished[0].result
    assert all(time.resumed for time in resumed.times)
    weights_file(weights, seed=1)
    with pytest.raises(OutputError, match="with other options"):
        run(config_of(folder, weights, resume=True))


def test_weights_are_looked_at_before_anything_is_made(folder: Path) -> None:
    weights = folder / "a.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(InputError, match=r"a\.safetensors: cannot be read"):
        run(config_of(folder, weights))
    assert not (folder / "out" / "swing").exists()


def test_the_fit_starts_from_it(folder: Path) -> None:
    lift = LiftConfig(method="meva", weights=folder / "a.safetensors")
    config = quick_config(folder / "out", keypoints=(folder / "swing.npz",), lift=lift)
    result = run(config).finished[0].result
    assert [time.stage for time in result.times][-1] == "fit_0"
    assert np.isfinite(result.takes[0].motion.transl).all()


def test_method_and_lift_have_to_agree(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="method meva with lift 'ik'"):
        quick_config(
            tmp_path, keypoints=(tmp_path / "a.npz",), method="meva", lift=LiftConfig("ik")
        )


def test_info_names_the_weights(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info"]) == 0
    assert "weights pose_mixture " in capsys.readouterr().out
