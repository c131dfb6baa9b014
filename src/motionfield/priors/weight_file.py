"""Weights of a prior as one safetensors file with a header that says what it is."""

import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from motionfield.core.errors import InputError, MissingAssetError
from motionfield.data.record import write_whole

_HEADER: Final = "motionfield"


class WeightFile(NamedTuple):
    """What a file holds."""

    tensors: dict[str, Tensor]
    """Floating point ones as float32."""
    header: dict[str, Any]


def shipped_weights(name: str) -> Path:
    """The weights of this name that the package brings."""
    return Path(str(resources.files("motionfield") / "weights" / f"{name}.safetensors"))


def write_weights(
    path: Path | str,
    tensors: Mapping[str, Tensor],
    header: Mapping[str, Any],
    half: bool = False,
) -> None:
    """Write one file; the same content gives the same bytes.

    Args:
        path: of the file, whose folder is made.
        tensors: by name.
        header: plain data; ``format`` names kind and version.
        half: floating point tensors as float16.
    """
    kind = torch.float16 if half else torch.float32
    stored = {
        name: (tensor.to(kind) if tensor.is_floating_point() else tensor).contiguous()
        for name, tensor in tensors.items()
    }
    # One entry, since the order of several differs from run to run.
    content = save(stored, {_HEADER: json.dumps(dict(header), sort_keys=True)})
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, content)


def read_weights(path: Path | str, form: str, cure: str) -> WeightFile:
    """Read a file of the given format.

    Args:
        path: of the file.
        form: its header's ``format`` has to be this.
        cure: how to come by a right one.

    Raises:
        MissingAssetError: no such file.
        InputError: damaged, or of another kind or version.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingAssetError(f"{path}: no weights there; {cure}")
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get(_HEADER, "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(path, f"cannot be read as safetensors ({error})", cure) from error
    if not isinstance(header, dict) or header.get("format") != form:
        found = header.get("format", "no format") if isinstance(header, dict) else "no format"
        raise InputError(path, f"holds {found}, not {form}", cure)
    whole = {n: t.float() if t.is_floating_point() else t for n, t in tensors.items()}
    return WeightFile(whole, header)
