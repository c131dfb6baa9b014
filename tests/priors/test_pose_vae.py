"""The pose autoencoder: what it gives are poses, its file, its terms against torch's own."""

import math
from pathlib import Path

import pytest
import roma
import torch
from torch import Tensor

from motionfield.core.conventions import JOINT_INDEX
from motionfield.core.errors import InputError, MissingAssetError
from motionfield.priors.base import PosePrior
from motionfield.priors.pose_mixture import PoseMixture
from motionfield.priors.pose_vae import PoseVAE, PoseVAEConfig, chords, divergence_of
from motionfield.worlds.mocap_sample import FLEXION_AXIS

_SMALL = PoseVAEConfig(latent=8, hidden=16)


def _vae() -> PoseVAE:
    torch.manual_seed(0)
    return PoseVAE(_SMALL).eval()


def _poses(frames: int = 5) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return roma.rotvec_to_rotmat(0.4 * torch.randn(frames, 23, 3, generator=generator))


def test_what_is_decoded_are_rotations_with_straight_hands() -> None:
    pose = _vae().decode(10 * torch.randn(6, 8, generator=torch.Generator().manual_seed(2)))
    torch.testing.assert_close(pose @ pose.mT, torch.eye(3).expand_as(pose), atol=1e-5, rtol=0)
    assert torch.linalg.det(pose).min() > 0.999
    assert torch.equal(pose[:, 21:], torch.eye(3).expand(6, 2, 3, 3))


def test_divergence_is_that_of_torch_distributions() -> None:
    generator = torch.Generator().manual_seed(3)
    mean = torch.randn(4, 6, generator=generator)
    std = torch.rand(4, 6, generator=generator) + 0.1
    ours, unit = torch.distributions.Normal(mean, std), torch.distributions.Normal(0.0, 1.0)
    expected = torch.distributions.kl_divergence(ours, unit).sum(-1)
    torch.testing.assert_close(divergence_of(mean, std), expected)


def test_energy_is_the_angle_to_the_projection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For small angles, summed, in units of 0.18 rad; the gradient leads to where it is lower."""
    vae = _vae()
    near = vae.decode(torch.zeros(1, 8)).detach()
    monkeypatch.setattr(vae, "encode", lambda pose: (torch.zeros(len(pose), 8), None))
    turns = torch.zeros(3, 23, 3)
    turns[1, 4, 0], turns[2, 7, 1], turns[2, 20, 2] = 0.06, 0.03, 0.04
    pose = (near @ roma.rotvec_to_rotmat(turns)).requires_grad_()
    energy = vae.energy(pose)
    expected = torch.tensor([0.0, 0.06, 0.03 + 0.04]) / 0.18
    torch.testing.assert_close(energy, expected, atol=0.02, rtol=1e-3)
    (gradient,) = torch.autograd.grad(energy.sum(), pose)
    assert vae.energy(pose - 1e-3 * gradient).sum() < energy.sum()
    assert isinstance(vae, PosePrior)


def test_hands_do_not_matter() -> None:
    vae, pose = _vae(), _poses()
    other = pose.clone()
    other[:, 21:] = _poses()[:, :2].mT
    assert torch.equal(vae.energy(pose), vae.energy(other))


def test_file_gives_the_same_poses(tmp_path: Path) -> None:
    vae, pose = _vae(), _poses()
    path = tmp_path / "vae.safetensors"
    vae.save(path, {"credit": "somebody"})
    back = PoseVAE.load(path)
    assert back.config == _SMALL
    torch.testing.assert_close(back.project(pose), vae.project(pose), atol=5e-3, rtol=0)


def test_damaged_and_foreign_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(MissingAssetError, match="motionfield train pose_vae"):
        PoseVAE.load(tmp_path / "none.safetensors")
    PoseMixture.load().save(tmp_path / "mixture.safetensors")
    with pytest.raises(InputError, match="holds motionfield-pose-mixture-1"):
        PoseVAE.load(tmp_path / "mixture.safetensors")
    vae = _vae()
    vae.decoder = torch.nn.Linear(2, 2)
    vae.save(tmp_path / "other.safetensors")
    with pytest.raises(InputError, match="is damaged"):
        PoseVAE.load(tmp_path / "other.safetensors")


def test_the_shipped_one_pulls_noise_back_and_tells_it_from_a_stance() -> None:
    """A person who stands with hanging arms, one knee a little bent."""
    vae = PoseVAE.load()
    turns = torch.zeros(200, 23, 3)
    turns[:, JOINT_INDEX["left_shoulder"] - 1, 2] = -1.2
    turns[:, JOINT_INDEX["right_shoulder"] - 1, 2] = 1.2
    turns[:, JOINT_INDEX["left_knee"] - 1, 0] = 0.3
    pose = roma.rotvec_to_rotmat(turns)
    noise = 0.3 * torch.randn(200, 23, 3, generator=torch.Generator().manual_seed(0))
    noisy = roma.rotvec_to_rotmat(noise) @ pose
    before, after = (chords(p[:, :21], pose[:, :21]).mean() for p in (noisy, vae.project(noisy)))
    assert after < 0.6 * before
    assert (vae.energy(noisy) > vae.energy(pose)).float().mean() > 0.97


def test_draws_of_the_shipped_one_bend_as_people_do() -> None:
    """Knees and elbows about their hinges, and not backwards by more than 20 degrees."""
    vae = PoseVAE.load()
    pose = vae.decode(torch.randn(500, 32, generator=torch.Generator().manual_seed(0)))
    for joint, axis in FLEXION_AXIS.items():
        turn = roma.rotmat_to_rotvec(pose[:, JOINT_INDEX[joint] - 1])
        assert (turn @ torch.tensor(axis)).amin() > -math.radians(20), joint
