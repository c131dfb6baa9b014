"""fit: the first 3D is made to agree with the pictures, the body and physics."""

from motionfield.steps.fit.base import FitResult, Fitter
from motionfield.steps.fit.group import GroupFitter, GroupResult, GroupTake
from motionfield.steps.fit.make import (
    FitConfig,
    GroupConfig,
    NemoConfig,
    PaperNemoConfig,
    make_fitter,
    make_group_fitter,
)
from motionfield.steps.fit.nemo.odd import OddTakes, odd_takes
from motionfield.steps.fit.nemo.pairs import pair_costs
from motionfield.steps.fit.sequence import SequenceFitConfig, SequenceFitter
from motionfield.steps.fit.smplify import SmplifyConfig, SmplifyFitter

__all__ = [
    "FitConfig",
    "FitResult",
    "Fitter",
    "GroupConfig",
    "GroupFitter",
    "GroupResult",
    "GroupTake",
    "NemoConfig",
    "OddTakes",
    "PaperNemoConfig",
    "SequenceFitConfig",
    "SequenceFitter",
    "SmplifyConfig",
    "SmplifyFitter",
    "make_fitter",
    "make_group_fitter",
    "odd_takes",
    "pair_costs",
]
