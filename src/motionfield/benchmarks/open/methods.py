"""The methods that the open benchmark knows: a new one registers with one line of ``METHODS``.

All of them see the keypoints of a case's takes, the true lens or none, and the path of a moving
camera as a tracker estimates it (``case.Given``); none sees a truth.
"""

from collections.abc import Callable, Sequence
from typing import Final

import torch

from motionfield.benchmarks.open.baselines.filtered import with_one_euro, with_savgol
from motionfield.benchmarks.open.baselines.views import View, triangulate_views
from motionfield.benchmarks.open.case import Given, Method, Tools
from motionfield.body.base import Body
from motionfield.data.camera_path import CameraPath
from motionfield.data.tracks import Tracks
from motionfield.priors.pose_vae import PoseVAE
from motionfield.steps.calibrate import CalibrateConfig, Calibrator
from motionfield.steps.fit import (
    FitResult,
    SequenceFitConfig,
    SequenceFitter,
    SmplifyConfig,
    SmplifyFitter,
)
from motionfield.steps.fit.group import GroupFitter, GroupTake
from motionfield.steps.fit.nemo.config import NemoConfig
from motionfield.steps.fit.nemo.fitter import NemoFitter
from motionfield.steps.fit.nemo.paper import PaperNemoFitter
from motionfield.steps.fit.nemo.paper_config import PaperNemoConfig
from motionfield.steps.lift.base import Lifter
from motionfield.steps.lift.config import LiftConfig
from motionfield.steps.lift.ik.lifter import IKLifter
from motionfield.steps.lift.make import make_lifter

OfOne = Callable[[Given, Tools], FitResult]
"""A method that solves each take by itself."""


def first_motion(given: Given, tools: Tools) -> FitResult:
    """``initial``: the camera from the person in view, then the first 3D."""
    if tools.starts is None:
        return _first_motion(given, tools)
    return tools.starts.get(given, lambda: _first_motion(given, tools))


def _first_motion(given: Given, tools: Tools) -> FitResult:
    camera = _calibrated(given, tools)
    motion = IKLifter(LiftConfig(), tools.body, tools.prior).lift(given.keypoints, camera)
    return FitResult(motion, camera)


def _calibrated(given: Given, tools: Tools) -> CameraPath:
    calibrator = Calibrator(CalibrateConfig(intrinsics=given.intrinsics), tools.body)
    tracks = Tracks.of_one(given.keypoints)
    return calibrator.calibrate(tracks, camera_motion=given.camera_motion)


def meva(given: Given, tools: Tools) -> FitResult:
    """``motionfield run --method meva``."""
    camera = _calibrated(given, tools)
    return FitResult(_meva_lifter(tools.body).lift(given.keypoints, camera), camera)


_lifters: dict[str, Lifter] = {}


def _meva_lifter(body: Body) -> Lifter:
    """Loaded once per process."""
    if body.name not in _lifters:
        _lifters[body.name] = make_lifter(LiftConfig(method="meva"), body, None)
    return _lifters[body.name]


def smplify(given: Given, tools: Tools) -> FitResult:
    """The papers' per-frame fit, from ``initial``."""
    motion, camera = first_motion(given, tools)
    fitter = SmplifyFitter(SmplifyConfig(), tools.body, tools.prior)
    return fitter.fit(given.keypoints, camera, motion)


def sequence_fit(given: Given, tools: Tools) -> FitResult:
    """``motionfield run --method fit``: from ``meva``, as the command does."""
    motion, camera = meva(given, tools)
    fitter = SequenceFitter(SequenceFitConfig(), tools.body, tools.prior)
    return fitter.fit(given.keypoints, camera, motion)


def one_euro(given: Given, tools: Tools) -> FitResult:
    """``initial`` through One-Euro filters."""
    motion, camera = first_motion(given, tools)
    return FitResult(with_one_euro(motion), camera)


def savgol(given: Given, tools: Tools) -> FitResult:
    """``initial`` through Savitzky-Golay filters."""
    motion, camera = first_motion(given, tools)
    return FitResult(with_savgol(motion), camera)


def triangulation(takes: Sequence[Given], tools: Tools) -> list[FitResult]:
    """All views of the same instants together; places of the cameras are not given."""
    views = [
        View(given.keypoints, first_motion(given, tools), given.intrinsics is not None)
        for given in takes
    ]
    return triangulate_views(views, tools.body)


def each(method: OfOne) -> Method:
    """A method of one take as a method of a case: take by take, from the same seed."""

    def solve(takes: Sequence[Given], tools: Tools) -> list[FitResult]:
        results = []
        for given in takes:
            torch.manual_seed(tools.seed)
            results.append(method(given, tools))
        return results

    return solve


def group_takes(takes: Sequence[Given], tools: Tools) -> list[GroupTake]:
    """Takes with their cameras and first motions (``meva``), as ``motionfield run`` makes them."""
    found = []
    for index, given in enumerate(takes):
        motion, camera = meva(given, tools)
        found.append(GroupTake(f"take {index + 1}", given.keypoints, camera, motion))
    return found


def together(make: Callable[[Tools], GroupFitter]) -> Method:
    """A fitter of several takes as a method of a case."""

    def solve(takes: Sequence[Given], tools: Tools) -> list[FitResult]:
        torch.manual_seed(tools.seed)
        return make(tools).fit(group_takes(takes, tools)).takes

    return solve


def nemo(config: NemoConfig) -> Method:
    """``motionfield run --method nemo``."""
    return together(lambda tools: NemoFitter(config, tools.body, tools.prior))


def paper_nemo(config: PaperNemoConfig) -> Method:
    """``motionfield run --method nemo --preset paper``."""
    return together(lambda tools: PaperNemoFitter(config, tools.body, tools.prior, PoseVAE.load()))


METHODS: Final[dict[str, Method]] = {
    "initial": each(first_motion),
    "smplify": each(smplify),
    "one_euro": each(one_euro),
    "savgol": each(savgol),
    "meva": each(meva),
    "fit": each(sequence_fit),
    "triangulation": triangulation,
    "nemo": nemo(NemoConfig()),
    "nemo_no_3d": nemo(NemoConfig(use_3d=False)),
    "nemo_no_instance": nemo(NemoConfig(instance_specific=False)),
    "nemo_synchronized": nemo(NemoConfig(synchronized=True)),
    "nemo_paper": paper_nemo(PaperNemoConfig()),
    "nemo_paper_no_3d": paper_nemo(PaperNemoConfig(use_3d=False)),
    "nemo_paper_no_instance": paper_nemo(PaperNemoConfig(instance_specific=False)),
}
"""Name in tables and on the command line → method."""

SYNCHRONIZED_ONLY: Final = frozenset({"triangulation", "nemo_synchronized"})
"""Methods for cases whose takes are views of the same instants; they refuse the others."""

TOGETHER_ONLY: Final = frozenset(name for name in METHODS if name.startswith("nemo"))
"""Methods for cases of several takes; they refuse one alone."""
