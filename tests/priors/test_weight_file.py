"""Weights come back as they were; other kinds, versions and damaged files are named."""

from pathlib import Path

import pytest
import torch

from motionfield.core.errors import InputError, MissingAssetError
from motionfield.priors.weight_file import read_weights, write_weights

_CURE = "make it"


def _write(path: Path, half: bool = False) -> dict[str, torch.Tensor]:
    tensors = {"a": torch.linspace(-3, 3, 7).view(7, 1), "b": torch.tensor([2, 70000])}
    write_weights(path, tensors, {"format": "kind-1", "size": 3}, half=half)
    return tensors


def test_tensors_and_header_come_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "w.safetensors"
    tensors = _write(path)
    file = read_weights(path, "kind-1", _CURE)
    assert file.header["size"] == 3
    assert file.tensors.keys() == tensors.keys()
    assert all(torch.equal(file.tensors[name], tensors[name]) for name in tensors)


def test_half_precision_leaves_whole_numbers_alone(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    tensors = _write(path, half=True)
    file = read_weights(path, "kind-1", _CURE)
    assert torch.equal(file.tensors["b"], tensors["b"])
    assert file.tensors["a"].dtype == torch.float32
    assert torch.equal(file.tensors["a"], tensors["a"].half().float())
    _write(tmp_path / "whole.safetensors")
    assert path.stat().st_size < (tmp_path / "whole.safetensors").stat().st_size


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        _write(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    with pytest.raises(MissingAssetError, match="no weights there; make it"):
        read_weights(path, "kind-1", _CURE)
    _write(path)
    with pytest.raises(InputError, match="holds kind-1, not kind-2"):
        read_weights(path, "kind-2", _CURE)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match="cannot be read as safetensors"):
        read_weights(path, "kind-1", _CURE)
    path.write_text("no weights at all")
    with pytest.raises(InputError, match="cannot be read as safetensors"):
        read_weights(path, "kind-1", _CURE)
