"""Training the motion autoencoder: the linear one solved, MEVA's trained, both from clips."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from made_clips import made_clip
from made_mocap import write_made_shard
from motionfield.body.registry import load_body
from motionfield.cli.main import main
from motionfield.core.conventions import JOINT_INDEX
from motionfield.core.errors import OptionError
from motionfield.priors.motion_vae import MotionVAE, MotionVAEConfig
from motionfield.priors.motion_vae_parts import LinearCode
from motionfield.training.card import check_card
from motionfield.training.loop import LoopConfig
from motionfield.training.motion_sources import TrainingClip
from motionfield.training.motion_vae import (
    TRAININGS,
    MotionVAETraining,
    judge,
    motion_set,
    train_on,
)
from motionfield.training.motion_vae_linear import (
    fit_linear,
    joint_weights,
    principal_components,
)
from motionfield.training.motion_variation import Variation

_LINEAR = MotionVAETraining(
    body="toy",
    model=MotionVAEConfig(frames=20, latent=16, frequencies=8),
    variation=Variation(rates_hz=(30.0,)),
    linear_windows=300,
    plain_windows=100,
)
_RECURRENT = replace(
    _LINEAR,
    model=MotionVAEConfig(form="recurrent", frames=20, latent=16, hidden=32),
    loop=LoopConfig(steps=100, learning_rate=5e-3),
    batch=16,
)


def _clips() -> dict[str, list[TrainingClip]]:
    return {split: [made_clip(200)] for split in ("train", "val")}


def test_joints_weigh_what_they_move() -> None:
    weight = joint_weights(load_body("toy")).view(24, 6)
    assert torch.equal(weight, weight[:, :1].expand(24, 6))
    by_name = {name: float(weight[index, 0]) for name, index in JOINT_INDEX.items()}
    assert by_name["pelvis"] == max(by_name.values())
    assert by_name["left_hip"] > by_name["left_knee"] > by_name["left_ankle"] > 0
    assert by_name["left_shoulder"] > by_name["left_elbow"] > by_name["left_hand"]


def test_fewer_windows_than_numbers_are_refused() -> None:
    code = LinearCode(20, 16, 8)
    with pytest.raises(OptionError, match="16 windows do not fix a code of 16"):
        fit_linear(code, lambda count: torch.zeros(count, 20, 24, 6), 16, torch.ones(144))
    with pytest.raises(OptionError, match="30 windows for a code of 16"):
        principal_components(torch.zeros(30, 20, 24, 6), 16)


def test_windows_in_blocks_give_the_same_code(monkeypatch: pytest.MonkeyPatch) -> None:
    windows = torch.randn(90, 20, 24, 6, generator=torch.Generator().manual_seed(0))

    def code_of(block: int) -> Tensor:
        monkeypatch.setattr("motionfield.training.motion_vae_linear._BLOCK", block)
        rows, code = iter(windows), LinearCode(20, 16, 8)
        draw = lambda count: torch.stack([next(rows) for _ in range(count)])  # noqa: E731
        fit_linear(code, draw, 90, torch.ones(144))
        return code.decode(code.encode(windows.flatten(2))[0])

    torch.testing.assert_close(code_of(90), code_of(37), atol=1e-3, rtol=0)


def test_principal_components_are_those_of_the_whole_decomposition() -> None:
    generator = torch.Generator().manual_seed(0)
    spread = torch.logspace(1, -2, 40)[:, None]
    way = torch.linalg.qr(torch.randn(20 * 144, 40, generator=generator))[0].mT * spread
    windows = (torch.randn(100, 40, generator=generator) @ way + 1).view(100, 20, 24, 6)
    back = principal_components(windows, 10).autoencode(windows)
    flat = windows.flatten(1) - windows.flatten(1).mean(0)
    left = torch.linalg.svdvals(flat)[10:].square().sum()
    torch.testing.assert_close((back - windows).square().sum(), left, rtol=1e-3, atol=0)


def test_the_default_is_solved_better_than_principal_components(tmp_path: Path) -> None:
    motions = motion_set(_clips(), _LINEAR)
    report = train_on(motions, tmp_path / "a.safetensors", _LINEAR, {"licence": "made"})
    ours, plain = report.figures["val"]
    assert ours.mpjpe.mean < plain.mpjpe.mean
    assert "16 principal components" in report.lines()[1]
    train_on(motions, tmp_path / "b.safetensors", _LINEAR, {"licence": "made"})
    first, again = ((tmp_path / f"{n}.safetensors").read_bytes() for n in "ab")
    assert first == again


def test_the_recurrent_one_learns(tmp_path: Path) -> None:
    motions = motion_set(_clips(), _RECURRENT)
    body = load_body("toy")
    report = train_on(motions, tmp_path / "a.safetensors", _RECURRENT, {})
    torch.manual_seed(0)
    before = judge(MotionVAE(_RECURRENT.model).autoencode, motions.judged["val"], body)
    assert report.figures["val"][0].mpjpe.mean < 0.9 * before.mpjpe.mean
    assert (tmp_path / "a.curve.csv").read_text().startswith("step,all,root,divergence")
    assert not (tmp_path / "a.safetensors.checkpoint").exists()


def test_what_ships_gives_back_a_motion_that_it_never_saw() -> None:
    """The file is whole, of the default's form, and gives back a made motion."""
    vae = MotionVAE.load()
    assert vae.config == TRAININGS["default"].model
    clips = _clips()
    long = replace(_LINEAR, model=vae.config)
    windows = motion_set(clips, long).judged["val"]
    assert judge(vae.autoencode, windows, load_body("anny")).mpjpe.mean < 40


def test_the_default_has_no_steps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    order = ["train", "motion_vae", "--data", str(tmp_path), "--steps", "5"]
    assert main([*order, "-o", str(tmp_path / "x.safetensors")]) == 2
    assert "--preset paper" in capsys.readouterr().err


def test_the_command_writes_weights_and_a_card_that_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From a folder that has nobody to hold out."""
    write_made_shard(tmp_path / "cmu_amc.npz", load_body("anny"), frames=120, split="train")
    monkeypatch.setitem(TRAININGS, "default", replace(_LINEAR, body="anny"))
    out = tmp_path / "out.safetensors"
    order = ["train", "motion_vae", "--data", str(tmp_path), "--free-data", "-o", str(out)]
    assert main([*order, "--quiet"]) == 0
    assert MotionVAE.load(out).config == _LINEAR.model
    card = check_card(out)
    assert card["Licence"] == "Apache-2.0"
    assert card["Command"] == "`motionfield train motion_vae --data DIR --free-data`"
    told = capsys.readouterr().out
    assert "train: " in told
    assert "val: " not in told
