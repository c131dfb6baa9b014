"""Training the pose autoencoder: weights of subjects, mirror, noise, and a short run to the end."""

from dataclasses import replace
from pathlib import Path

import pytest
import roma
import torch

from helpers import shared_path
from motionfield.body.registry import load_body
from motionfield.cli.main import main
from motionfield.core.errors import InputError
from motionfield.formats.mocap_npz import read_mocap
from motionfield.geometry.rotations import rot6d_to_rotmat, rotmat_to_rot6d
from motionfield.priors.pose_mixture import mirror_features, pose_features
from motionfield.priors.pose_vae import PoseVAE, PoseVAEConfig
from motionfield.training.loop import LoopConfig
from motionfield.training.motion_data import TrainingData
from motionfield.training.pose_vae import (
    PoseSet,
    PoseVAETraining,
    collect_poses,
    judge,
    mirrored,
    shaken,
    train_on,
    train_pose_vae,
)
from motionfield.training.shard_source import ShardSource


def _poses(frames: int = 4) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return roma.rotvec_to_rotmat(0.5 * torch.randn(frames, 23, 3, generator=generator))


def test_the_mirror_is_that_of_the_mixture_and_its_own_inverse() -> None:
    turns = rotmat_to_rot6d(_poses())
    image = mirrored(turns)
    expected = mirror_features(pose_features(_poses()))
    torch.testing.assert_close(pose_features(rot6d_to_rotmat(image)), expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(mirrored(image), turns)


def test_noise_has_the_size_that_is_asked_for() -> None:
    pose = torch.eye(3).expand(3000, 23, 3, 3)
    noisy = shaken(pose, 0.1, torch.Generator().manual_seed(0))
    turns = roma.rotmat_to_rotvec(noisy)
    assert turns[:, :21].std() == pytest.approx(0.1, rel=0.02)
    assert torch.equal(noisy[:, 21:], pose[:, 21:])


def test_a_perfect_memory_has_no_error() -> None:
    """``judge`` of one that gives back what it is shown."""

    class Echo(PoseVAE):  # type: ignore[misc]
        def encode(self, body_pose: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            self.seen = body_pose
            return torch.zeros(len(body_pose), 2), torch.ones(len(body_pose), 2)

        def decode(self, latent: torch.Tensor) -> torch.Tensor:
            return self.seen

    poses = PoseSet(rotmat_to_rot6d(_poses()), torch.full((4,), 0.25))
    figures = judge(Echo(PoseVAEConfig(latent=2, hidden=4)), poses, load_body("toy"))
    assert figures.joints_mm == pytest.approx(0, abs=0.1)
    assert figures.divergence == pytest.approx(0)
    assert figures.noisy_in_mm == pytest.approx(figures.noisy_out_mm)
    assert figures.noisy_in_mm > 30


def test_a_folder_without_shards_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no motions"):
        train_pose_vae(tmp_path, tmp_path / "out.safetensors")


def test_subjects_count_by_the_root_of_their_poses() -> None:
    path = shared_path("mocap", "cmu_dm.npz")
    data = TrainingData(path.parent, (ShardSource((read_mocap(path),)),))
    poses = collect_poses(data, "val", load_body("toy"), PoseVAETraining())
    assert poses.chance.sum() == pytest.approx(1, abs=1e-5)
    values, counts = poses.chance.unique(return_counts=True)
    share = values * counts
    torch.testing.assert_close(share / share[0], (counts / counts[0]).sqrt(), rtol=1e-4, atol=0)


def test_a_short_training_learns_and_is_repeatable(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(4)
    # Poses of two degrees of freedom, as different as people's are.
    way = 0.5 * torch.randn(2, 23, 3, generator=generator)
    turns = torch.einsum("nk,kji->nji", torch.randn(400, 2, generator=generator), way)
    rot6d = rotmat_to_rot6d(roma.rotvec_to_rotmat(turns))
    even = torch.full((200,), 1 / 200)
    sets = {"train": PoseSet(rot6d[:200], even), "val": PoseSet(rot6d[200:], even)}
    config = PoseVAETraining(
        body="toy",
        model=PoseVAEConfig(latent=4, hidden=64),
        loop=LoopConfig(steps=200, learning_rate=5e-3),
        batch=64,
    )
    report = train_on(sets, tmp_path / "a.safetensors", config, {})
    untrained = replace(config, loop=replace(config.loop, steps=1))
    before = train_on(sets, tmp_path / "b.safetensors", untrained, {})
    assert report.figures["val"].joints_mm < 0.7 * before.figures["val"].joints_mm
    assert report.figures["val"].noisy_out_mm < 0.9 * report.figures["val"].noisy_in_mm
    train_on(sets, tmp_path / "c.safetensors", config, {})
    first, again = ((tmp_path / f"{n}.safetensors").read_bytes() for n in "ac")
    assert first == again
    assert not (tmp_path / "a.safetensors.checkpoint").exists()


def test_steps_have_to_be_some(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "pose_vae", "--data", "x", "--steps", "0"]) == 2
    assert "--steps" in capsys.readouterr().err
