"""MEVA's Fig. 4 and 5 of any weights: ``python -m motionfield.benchmarks.meva_figures``.

Coarse against fine motion as strips of skeletons, and the share of invalid poses of truth, motion
estimator and whole network, on made takes of held-out subjects.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import torch
from jaxtyping import Float, UInt8
from numpy import ndarray
from PIL import Image
from torch import Tensor

from motionfield.body.registry import load_body
from motionfield.core.conventions import NUM_JOINTS
from motionfield.geometry.rotations import rot6d_to_rotmat
from motionfield.priors.pose_mixture import PoseMixture
from motionfield.rendering.strips import draw_strips
from motionfield.steps.evaluate.validity import invalid_poses
from motionfield.steps.lift.meva.features import CropFeatures
from motionfield.steps.lift.meva.network import MevaNetwork, Stages
from motionfield.training.meva_judge import held_out_windows
from motionfield.training.meva_windows import Windows
from motionfield.training.motion_data import find_training_data

_BATCH: Final = 20


class Parts(NamedTuple):
    """Windows of one network, or of the truth."""

    joints: Float[Tensor, "windows frames 24 3"]
    """Crop axes, metres from the root joint."""
    body_pose: Float[Tensor, "windows frames 23 3 3"]


def parts_of(network: MevaNetwork, windows: Windows) -> dict[str, Parts]:
    """Truth, coarse and final motion of the windows."""
    found: list[Stages] = []
    with torch.no_grad():
        for at in range(0, len(windows.truth.known), _BATCH):
            part = (value[at : at + _BATCH] for value in windows.features)
            found.append(network.stages(CropFeatures(*part)))
    truth = windows.truth
    true = Parts(truth.points[..., :NUM_JOINTS, :], rot6d_to_rotmat(truth.body_pose))
    return {"truth": true, "coarse": _joined(found, 0), "final": _joined(found, -1)}


def invalid_share(parts: Parts, known: Float[Tensor, "windows frames"]) -> float:
    """Share of invalid poses among known frames, %."""
    return invalid_poses(parts.body_pose[known > 0], PoseMixture.load()).mean


def strips(
    parts: Mapping[str, Parts], window: int, count: int = 9
) -> UInt8[ndarray, "height width 3"]:
    """One window of all parts, one row each."""
    return draw_strips({name: part.joints[window].numpy() for name, part in parts.items()}, count)


def _joined(found: Sequence[Stages], index: int) -> Parts:
    joints = torch.cat([stages.points[index][..., :NUM_JOINTS, :] for stages in found])
    rot6d = torch.cat([stages.states[index].rot6d for stages in found])
    return Parts(joints, rot6d_to_rotmat(rot6d.unflatten(-1, (NUM_JOINTS, 6)))[..., 1:, :, :])


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the shares, write the strips."""
    parser = argparse.ArgumentParser(prog="python -m motionfield.benchmarks.meva_figures")
    parser.add_argument("--data", type=Path, required=True, help="folder of the mocap shards")
    parser.add_argument("--weights", type=Path, nargs="+", help="default: those that ship")
    parser.add_argument("--out", type=Path, required=True, help="folder for the strips")
    parser.add_argument("--split", choices=("val", "test"), default="val")
    parser.add_argument("--windows", type=int, default=100)
    parser.add_argument("--strips", type=int, default=3)
    options = parser.parse_args(arguments)
    body = load_body()
    clips = list(find_training_data(options.data).clips((options.split,), body))
    windows = held_out_windows(clips, body, options.windows)
    options.out.mkdir(parents=True, exist_ok=True)
    print("weights | invalid poses %: truth | coarse | final")
    for path in options.weights or [None]:
        parts = parts_of(MevaNetwork.load(body, path), windows)
        name = "shipped" if path is None else path.stem
        shares = (f"{invalid_share(part, windows.truth.known):.2f}" for part in parts.values())
        print(" | ".join((name, *shares)))
        for window in range(min(options.strips, options.windows)):
            picture = Image.fromarray(strips(parts, window))
            picture.save(options.out / f"{name}_{window}.png")


if __name__ == "__main__":
    main()
