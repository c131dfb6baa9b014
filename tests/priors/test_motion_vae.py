"""The motion autoencoder: two forms, one interface; its file, and what it refuses."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from motionfield.core.errors import InputError, MissingAssetError, OptionError
from motionfield.priors.motion_vae import MotionVAE, MotionVAEConfig
from motionfield.priors.motion_vae_parts import LinearCode, RecurrentCode, cosine_transform
from motionfield.priors.pose_mixture import PoseMixture

_FORMS = [
    MotionVAEConfig(frames=12, latent=8, frequencies=5),
    MotionVAEConfig(form="recurrent", frames=12, latent=8, hidden=16),
]


def _vae(config: MotionVAEConfig) -> MotionVAE:
    torch.manual_seed(0)
    return MotionVAE(config).eval()


def _windows(count: int = 5, frames: int = 12) -> Tensor:
    return torch.randn(count, frames, 24, 6, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("config", _FORMS, ids=lambda config: config.form)
def test_windows_become_codes_and_windows_again(config: MotionVAEConfig) -> None:
    vae, windows = _vae(config), _windows()
    mean, std = vae.encode(windows)
    assert mean.shape == std.shape == (5, 8)
    assert (std > 0).all()
    assert vae.decode(mean).shape == windows.shape
    # Each window by itself: what lies beside it in the batch does not matter.
    torch.testing.assert_close(vae.autoencode(windows)[2:3], vae.autoencode(windows[2:3]))


@pytest.mark.parametrize("config", _FORMS, ids=lambda config: config.form)
def test_the_decoder_has_a_gradient_at_the_code(config: MotionVAEConfig) -> None:
    vae, code = _vae(config).requires_grad_(False), torch.zeros(2, 8, requires_grad=True)
    (gradient,) = torch.autograd.grad((vae.decode(code) - 1).square().sum(), code)
    assert gradient.isfinite().all()
    assert gradient.abs().amax() > 0


def test_codes_start_as_narrow_as_asked_for() -> None:
    wide, narrow = (
        _vae(MotionVAEConfig(form="recurrent", frames=12, latent=8, hidden=16, first_std=std))
        for std in (1.0, 0.05)
    )
    torch.testing.assert_close(narrow.encode(_windows())[1], 0.05 * wide.encode(_windows())[1])


def test_windows_of_another_length_are_refused() -> None:
    with pytest.raises(OptionError, match="windows of 7 frames given to one of 12; cut or"):
        _vae(_FORMS[0]).encode(_windows(frames=7))


def test_the_cosine_transform_is_orthonormal_and_ordered() -> None:
    rows = cosine_transform(90, 90)
    torch.testing.assert_close(rows @ rows.mT, torch.eye(90), atol=1e-5, rtol=0)
    crossings = (rows[:, 1:] * rows[:, :-1] < 0).sum(1)
    assert crossings.tolist() == list(range(90))


def _fitted(frequencies: int = 12, latent: int = 20) -> tuple[LinearCode, Tensor]:
    """A code of windows that have 6 degrees of freedom and a little noise."""
    generator = torch.Generator().manual_seed(2)
    way = torch.randn(6, 12, 144, generator=generator)
    windows = torch.einsum("nk,kts->nts", torch.randn(400, 6, generator=generator), way)
    windows = 3 + windows + 0.01 * torch.randn(windows.shape, generator=generator)
    code = LinearCode(12, latent, frequencies)
    code.weight.copy_(torch.linspace(0.5, 2, 144))
    spectra = code.spectrum(windows).double()
    code.fit(spectra.mean(0).float(), torch.cov(spectra.mT, correction=0).float())
    return code, windows


def test_the_linear_code_is_white_and_keeps_what_there_is() -> None:
    code, windows = _fitted()
    mean, std = code.encode(windows)
    torch.testing.assert_close(mean.mean(0), torch.zeros(20), atol=1e-3, rtol=0)
    # In whichever mix of signals: no number of the code leans on another.
    torch.testing.assert_close(torch.cov(mean[:, :6].mT), torch.eye(6), atol=0.02, rtol=0)
    assert (code.decode(mean) - windows).abs().max() < 0.1
    # Six numbers say it all, the others are noise: so wide is their posterior.
    assert std[0, :6].max() < 0.01
    assert std[0, 6:].min() > 0.2


def test_the_linear_code_is_the_best_one_of_its_size() -> None:
    """Against the singular value decomposition of the weighted windows themselves."""
    code, windows = _fitted(latent=3)
    weighted = (windows * code.weight).flatten(1)
    centred = weighted - weighted.mean(0)
    _, scales, _ = torch.linalg.svd(centred, full_matrices=False)
    error = (code.decode(code.encode(windows)[0]) - windows) * code.weight
    torch.testing.assert_close(error.square().sum(), scales[3:].square().sum(), rtol=1e-3, atol=0)


def test_frame_after_frame_is_as_a_gru_cell_does() -> None:
    """A naive twin of the decoder."""
    torch.manual_seed(3)
    ours = RecurrentCode(frames=4, latent=3, hidden=6)
    code = torch.randn(2, 3)
    frame, hidden = ours.first(code), torch.zeros(2, 6)
    expected: list[Tensor] = []
    for _ in range(4):
        hidden = nn.GRUCell.forward(ours.cell, torch.cat((frame, code), -1), hidden)
        frame = ours.out(ours.lower(ours.upper(hidden).tanh()).tanh())
        expected.append(frame)
    back, twin = ours.decode(code), torch.stack(expected, 1)
    torch.testing.assert_close(back, twin)
    names, weights = zip(*ours.named_parameters(), strict=True)
    some = torch.randn(back.shape)
    found, wanted = (
        torch.autograd.grad((x * some).sum(), weights, allow_unused=True) for x in (back, twin)
    )
    for name, one, other in zip(names, found, wanted, strict=True):
        assert (one is None) == (other is None), name
        if one is not None:
            torch.testing.assert_close(one, other, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.parametrize("config", _FORMS, ids=lambda config: config.form)
def test_file_gives_the_same_motion(config: MotionVAEConfig, tmp_path: Path) -> None:
    vae, path = _vae(config), tmp_path / "vae.safetensors"
    vae.save(path, {"credit": "somebody"})
    back = MotionVAE.load(path)
    assert back.config == config
    assert not any(p.requires_grad for p in back.parameters())
    windows = _windows()
    torch.testing.assert_close(back.autoencode(windows), vae.autoencode(windows), atol=5e-3, rtol=0)


def test_damaged_and_foreign_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(MissingAssetError, match="motionfield train motion_vae"):
        MotionVAE.load(tmp_path / "none.safetensors")
    PoseMixture.load().save(tmp_path / "mixture.safetensors")
    with pytest.raises(InputError, match="holds motionfield-pose-mixture-1, not"):
        MotionVAE.load(tmp_path / "mixture.safetensors")
    vae = _vae(_FORMS[1])
    vae.code.mean = nn.Linear(2, 2)
    vae.save(tmp_path / "other.safetensors")
    with pytest.raises(InputError, match="is damaged"):
        MotionVAE.load(tmp_path / "other.safetensors")
    whole = (tmp_path / "other.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="cannot be read as safetensors"):
        MotionVAE.load(tmp_path / "cut.safetensors")
