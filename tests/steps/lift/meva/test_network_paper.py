"""MEVA's published modules: sizes, where the coarse motion goes, what is frozen."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from motionfield.core.errors import InputError, MissingAssetError
from motionfield.priors.motion_vae import MotionVAE, MotionVAEConfig
from motionfield.steps.lift.meva.network_paper import (
    FeatureEncoder,
    MotionEstimator,
    PaperConfig,
    PaperMeva,
    PaperRefiner,
)

SMALL = PaperConfig(
    inputs=12,
    width=12,
    encoder_hidden=6,
    motion_hidden=5,
    layers=1,
    latent=4,
    refiner_hidden=16,
)
LENGTH = 9


VAE = MotionVAEConfig(form="recurrent", frames=LENGTH, latent=4, hidden=8)


def _network(config: PaperConfig = SMALL) -> PaperMeva:
    torch.manual_seed(0)
    return PaperMeva(config, MotionVAE(VAE))


def _features(windows: int = 3, frames: int = LENGTH) -> Tensor:
    return torch.randn(windows, frames, 12, generator=torch.Generator().manual_seed(1))


def _count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_sizes_are_the_published_ones() -> None:
    config = PaperConfig()
    with torch.device("meta"):
        encoder, estimator = FeatureEncoder(config), MotionEstimator(config)
        refiner = PaperRefiner(config)

    def gru(inputs: int, hidden: int) -> int:
        """Two layers, both directions: input and hidden matrices and two biases of 3 gates."""
        first = 3 * hidden * (inputs + hidden) + 6 * hidden
        second = 3 * hidden * (2 * hidden + hidden) + 6 * hidden
        return 2 * (first + second)

    assert _count(encoder) == gru(2048, 1024) + 2048 * 2048 + 2048
    assert _count(estimator) == gru(2048, 512) + 1024 * 512 + 512
    heads = 1025 * (144 + 10 + 3)
    assert _count(refiner) == (2048 + 144 + 13 + 1) * 1024 + 1025 * 1024 + heads


def test_at_the_start_the_refiner_changes_little() -> None:
    """Heads of gain 0.01: pose near the coarse one, shape and camera near the mean's."""
    network = _network().eval()
    out = network(_features())
    assert out.rot6d.shape == (3, LENGTH, 144)
    assert 0 < (out.rot6d - out.coarse).abs().max() < 1.5
    assert torch.allclose(out.camera, torch.tensor([0.9, 0, 0]), atol=1.5)
    for head in (network.refiner.pose, network.refiner.betas, network.refiner.camera):
        nn.init.zeros_(head.weight)
        nn.init.zeros_(head.bias)
    out = network(_features())
    assert torch.equal(out.rot6d, out.coarse)
    assert torch.equal(out.camera, torch.tensor([0.9, 0.0, 0.0]).expand(3, LENGTH, 3))
    assert not out.betas.any()


def test_each_iteration_sees_the_last_ones_result() -> None:
    """Against the formula of HMR written out frame by frame."""
    network = _network().eval()
    refiner = network.refiner
    features, start = torch.randn(1, 2, 12), torch.randn(1, 2, 144)
    got = refiner(features, start)
    for frame in range(2):
        pose, betas, camera = start[0, frame], torch.zeros(10), torch.tensor([0.9, 0, 0])
        for _ in range(3):
            hidden = torch.cat((features[0, frame], pose, betas, camera))
            hidden = refiner.layers[2](refiner.layers[0](hidden))
            pose, betas = pose + refiner.pose(hidden), betas + refiner.betas(hidden)
            camera = camera + refiner.camera(hidden)
        torch.testing.assert_close(got.rot6d[0, frame], pose)
        torch.testing.assert_close(got.betas[0, frame], betas)
        torch.testing.assert_close(got.camera[0, frame], camera)


def test_windows_do_not_see_each_other_and_frames_do() -> None:
    network = _network().eval()
    features = _features()
    alone = network(features[:1])
    torch.testing.assert_close(network(features).rot6d[:1], alone.rot6d)
    changed = features[:1].clone()
    changed[0, 0] += 1
    assert not torch.allclose(network(changed).rot6d[0, -1], alone.rot6d[0, -1], atol=1e-4)


def test_a_frozen_decoder_is_frozen_and_without_vae_it_learns() -> None:
    for config, moves in ((SMALL, False), (replace(SMALL, without_vae=True), True)):
        network = _network(config).train()
        before = {name: p.clone() for name, p in network.named_parameters()}
        chosen = [p for p in network.parameters() if p.requires_grad]
        optimiser = torch.optim.Adam(chosen, lr=0.1)
        network(_features()).rot6d.square().sum().backward()
        optimiser.step()
        moved = {n for n, p in network.named_parameters() if not torch.equal(p, before[n])}
        assert ({n for n in moved if n.startswith("decoder")} != set()) is moves
        assert {n.split(".")[0] for n in moved} >= {"encoder", "estimator", "refiner"}
        assert network.decoder.training is moves


def test_gradients_pass_through_the_frozen_decoder() -> None:
    network = _network()
    network(_features()).coarse.square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in network.estimator.parameters())


def test_the_motion_estimator_alone() -> None:
    whole, alone = _network(), _network(replace(SMALL, vme_only=True))
    alone.load_state_dict(whole.state_dict())
    one, other = alone.eval()(_features()), whole.eval()(_features())
    assert torch.equal(one.rot6d, one.coarse)
    assert torch.equal(one.coarse, other.coarse)
    assert not torch.equal(other.rot6d, other.coarse)
    assert one.betas.any()


def test_features_of_any_width_and_short_windows() -> None:
    network = _network(replace(SMALL, inputs=7))
    out = network(torch.randn(2, 4, 7))
    assert out.rot6d.shape == (2, 4, 144)
    with pytest.raises(ValueError, match="windows of 10 frames; the decoder gives 9"):
        network(torch.randn(1, LENGTH + 1, 7))


def test_weights_come_back_as_they_were(tmp_path: Path) -> None:
    network = _network().eval()
    network.save(tmp_path / "w.safetensors", {"body": "toy"})
    back = PaperMeva.load(tmp_path / "w.safetensors")
    assert back.config == network.config
    assert not any(p.requires_grad for p in back.parameters())
    torch.testing.assert_close(
        back(_features()).rot6d, network(_features()).rot6d, atol=0.02, rtol=0.01
    )


def test_other_and_damaged_weights_are_told(tmp_path: Path) -> None:
    with pytest.raises(MissingAssetError, match="train meva_images"):
        PaperMeva.load(tmp_path / "none.safetensors")
    MotionVAE(VAE).save(tmp_path / "vae.safetensors")
    with pytest.raises(InputError, match="motion-vae-1, not motionfield-meva-images-1"):
        PaperMeva.load(tmp_path / "vae.safetensors")
    network = _network()
    network.save(tmp_path / "w.safetensors", {"config": {"inputs": 5}})
    with pytest.raises(InputError, match="is damaged"):
        PaperMeva.load(tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match="codes of 3; the decoder's 4"):
        PaperMeva(replace(SMALL, latent=3), MotionVAE(VAE))
