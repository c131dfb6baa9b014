"""How good MEVA's keypoint network is on made takes of people whom it has not seen."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy import ndarray
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.conventions import NUM_JOINTS
from motionfield.core.keypoint_sets import BLAZEPOSE_33, LIMB_JOINTS
from motionfield.steps.evaluate.pose import mpjpe, pa_mpjpe
from motionfield.steps.lift.meva.features import RATE_HZ, WINDOW, CropFeatures
from motionfield.steps.lift.meva.network import MevaNetwork
from motionfield.training.meva_data import TakeMaker, TakeMix
from motionfield.training.meva_windows import Windows, stack, window_of
from motionfield.training.motion_data import TrainingClip

JUDGED: Final = TakeMix(
    tempo=0.0,
    other_upper=0.0,
    bent=0.0,
    moving=0.0,
    wrong_focal=0.0,
    fewer_points=0.0,
    half_body=0.0,
    gap=0.0,
    source_power=0.7,
)
"""Motions as they are, before a static camera whose lens is known."""
_LIMBS: Final = [NUM_JOINTS + BLAZEPOSE_33.index(name) for name in LIMB_JOINTS]
_SEED: Final = 2**20
_ONE_DEVIATION: Final = 0.6827


class MevaFigures(NamedTuple):
    """Means over frames."""

    windows: int
    with_coarse_mm: float
    """PA-MPJPE of the 12 limb joints with the detector's coarse 3D …"""
    from_2d_mm: float
    """… and from 2D alone."""
    mpjpe_mm: float
    """12 limb joints about the root joint, camera axes; with coarse 3D."""
    coarse_mpjpe_mm: float
    """The same of the VME's motion."""
    acceleration_m_s2: float
    """Mean error of the acceleration of the limb joints about the root joint."""
    up_deg: float
    within_68: float
    """Share of joints' coordinates within one of the stated deviations (0.68 if they are right)."""

    def line(self, split: str) -> str:
        """For people."""
        return (
            f"{split}: {self.windows} windows, PA-MPJPE {self.with_coarse_mm:.1f} mm with coarse "
            f"3D, {self.from_2d_mm:.1f} from 2D alone; MPJPE {self.mpjpe_mm:.1f} (VME alone "
            f"{self.coarse_mpjpe_mm:.1f}); acceleration {self.acceleration_m_s2:.1f} m/s²; up "
            f"{self.up_deg:.1f} degrees; {100 * self.within_68:.0f} % within one deviation"
        )


class Coverage(NamedTuple):
    """Shares of joints' coordinates (joints 1 to 23) within one and two stated deviations."""

    one: Float[ndarray, "23"]
    two: Float[ndarray, "23"]


def held_out_windows(clips: Sequence[TrainingClip], body: Body, count: int = 200) -> Windows:
    """A window of each of ``count`` made takes; always the same ones."""
    maker = TakeMaker(clips, body, _SEED, replace(JUDGED, frames=WINDOW))
    return stack([window_of(maker.make(number), 0) for number in range(count)])


def judge(network: MevaNetwork, windows: Windows, batch: int = 20) -> MevaFigures:
    """Figures over windows."""
    features, truth = windows
    blind = features._replace(coarse_known=torch.zeros_like(features.coarse_known))
    with torch.no_grad():
        seen = [network.stages(part) for part in _split(features, batch)]
        flat = [network.stages(part) for part in _split(blind, batch)]
    known = truth.known > 0
    fine = torch.cat([stages.points[-1] for stages in seen])
    coarse = torch.cat([stages.points[0] for stages in seen])
    from_2d = torch.cat([stages.points[-1] for stages in flat])
    up = torch.cat([stages.up for stages in seen])
    sd = torch.cat([stages.joints_sd for stages in seen])
    true = truth.points
    limbs, true_limbs = fine[known][:, _LIMBS], true[known][:, _LIMBS]
    off = (fine - true)[..., 1:NUM_JOINTS, :][known].abs() <= sd[..., 1:].unsqueeze(-1)[known]
    angle = (up * truth.up).sum(-1).clamp(-1, 1)[known].acos()
    return MevaFigures(
        windows=len(known),
        with_coarse_mm=pa_mpjpe(limbs, true_limbs).mean,
        from_2d_mm=pa_mpjpe(from_2d[known][:, _LIMBS], true_limbs).mean,
        mpjpe_mm=mpjpe(limbs, true_limbs).mean,
        coarse_mpjpe_mm=mpjpe(coarse[known][:, _LIMBS], true_limbs).mean,
        acceleration_m_s2=_acceleration(fine - true, known),
        up_deg=float(torch.rad2deg(angle).mean()),
        within_68=float(off.float().mean()),
    )


def deviation_factors(
    network: MevaNetwork, windows: Windows, batch: int = 20
) -> Float[Tensor, "24"]:
    """What the deviations have to be multiplied by, joint by joint, to hold in 68 % of cases."""
    off = _off_in_deviations(network, windows, batch).numpy()
    wanted = torch.from_numpy(np.quantile(off, _ONE_DEVIATION, axis=(0, 2))).float()
    return torch.cat((torch.ones(1), wanted))


def coverage(network: MevaNetwork, windows: Windows, batch: int = 20) -> Coverage:
    """How often the truth lies within the stated deviations; 0.68 and 0.95 where they are right."""
    off = _off_in_deviations(network, windows, batch)
    return Coverage(*((off < limit).float().mean((0, 2)).numpy() for limit in (1, 2)))


def _off_in_deviations(
    network: MevaNetwork, windows: Windows, batch: int
) -> Float[Tensor, "frames 23 3"]:
    """Absolute errors of joints 1 to 23 about the root joint, in stated deviations."""
    with torch.no_grad():
        said = [network.stages(part) for part in _split(windows.features, batch)]
    points = torch.cat([stages.points[-1] for stages in said])
    sd = torch.cat([stages.joints_sd for stages in said])[..., 1:].unsqueeze(-1)
    off = (points - windows.truth.points)[..., 1:NUM_JOINTS, :].abs() / sd
    return off[windows.truth.known > 0]


def _acceleration(
    off: Float[Tensor, "windows frames points 3"], known: Bool[Tensor, "windows frames"]
) -> float:
    bent = (off[:, :, _LIMBS].diff(n=2, dim=1) * RATE_HZ**2).norm(dim=-1).mean(-1)
    return float(bent[known[:, 2:] & known[:, 1:-1] & known[:, :-2]].mean())


def _split(features: CropFeatures, size: int) -> list[CropFeatures]:
    parts = zip(*(value.split(size) for value in features), strict=True)
    return [CropFeatures(*part) for part in parts]
