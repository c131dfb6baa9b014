"""Papers that score joints: MEVA on 3DPW, MPI-INF-3DHP and Human3.6M; NeuHMR on ZJU-MoCap.

MEVA's Table 2 compares 14 joints (limbs, neck, top of the head) of a regressor on SMPL's vertices;
without SMPL's files the truth's own joints are taken, against the points of our body that are
defined as they are. Figures are means over all frames of all sequences together, as its code has
it. 3DPW: the test split, every person, frames whose camera pose is valid and that show enough of
the person. Human3.6M: subjects 9 and 11 before the frontal camera, at 25 frames per second.
MPI-INF-3DHP: valid frames of the test set's six sequences that show the whole person.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from motionfield.benchmarks.open.case import Tools
from motionfield.benchmarks.papers.camera_paths import camera_motion
from motionfield.benchmarks.papers.report import Cell, OwnRow, PaperReport
from motionfield.benchmarks.papers.scores import (
    ON_OUR_BODY,
    PointChoice,
    PointScores,
    camera_scores,
    mean_shape,
    over_frames,
    point_scores,
    true_motion,
)
from motionfield.benchmarks.papers.solve import Bench, make_bench
from motionfield.core.errors import OptionError
from motionfield.core.keypoint_sets import H36M_17, LIMB_JOINTS, LSP_14, OPENPOSE_25, SMPL_24
from motionfield.core.progress import Progress, silent, tracked
from motionfield.formats.datasets.h36m import FPS as H36M_FPS
from motionfield.formats.datasets.h36m import read_h36m
from motionfield.formats.datasets.mpi_inf_3dhp import list_3dhp, read_3dhp
from motionfield.formats.datasets.sequence import DatasetSequence
from motionfield.formats.datasets.threedpw import list_3dpw, read_3dpw
from motionfield.formats.datasets.zju import SUBJECTS, read_zju

LEFT_OUT: Final = "393"
"""The subject that NeuHMR does not train on, and is scored on."""
ZJU_TRAINING: Final = tuple(subject for subject in SUBJECTS if subject != LEFT_OUT)
H36M_KEPT_FPS: Final = 25.0
VISIBLE: Final = 0.3
LEAST_VISIBLE: Final = 7


def _named(keypoint_set: str, *more: str) -> PointChoice:
    names = (*LIMB_JOINTS, *more)
    return PointChoice(keypoint_set, names, names)


OF_3DPW: Final = _named(SMPL_24.name, "neck", "head")
OF_3DHP: Final = _named(LSP_14.name, "neck", "head_top")
OF_H36M: Final = _named(H36M_17.name, "thorax", "head_top")
OF_ZJU: Final = _named(OPENPOSE_25.name, "neck", "nose", "mid_hip")


def run_3dpw(
    data: Path, method: str = "fit", progress: Progress = silent, tools: Tools | None = None
) -> PaperReport:
    """MEVA's Table 2 on 3DPW's test split.

    Raises:
        InputError: the data set is not there.
        OptionError: no such method.
    """
    bench = make_bench(method, progress, tools)
    paths = list_3dpw(data, "test")
    sequences = (seen_enough(person) for path in paths for person in read_3dpw(path))
    note = "14 joints: limbs, neck and head of SMPL's 24 (the files' jointPositions)"
    return _meva(data, "3dpw", bench, sequences, OF_3DPW, note)


def run_3dhp(
    data: Path, method: str = "fit", progress: Progress = silent, tools: Tools | None = None
) -> PaperReport:
    """MEVA's Table 2 on the test set of MPI-INF-3DHP.

    Raises:
        InputError: the data set is not there, or h5py is not installed.
        OptionError: no such method.
    """
    bench = make_bench(method, progress, tools)
    sequences = (inside(read_3dhp(path)) for path in list_3dhp(data))
    note = "14 joints: limbs, neck, top of the head; truth scaled to one height (univ_annot3)"
    return _meva(data, "mpi-inf-3dhp", bench, sequences, OF_3DHP, note)


def run_h36m(
    data: Path, method: str = "fit", progress: Progress = silent, tools: Tools | None = None
) -> PaperReport:
    """MEVA's Table 2 on Human3.6M.

    Raises:
        InputError: the data set is not there.
        OptionError: no such method.
    """
    bench = make_bench(method, progress, tools)
    step = round(H36M_FPS / H36M_KEPT_FPS)
    sequences = (slower(sequence, step) for sequence in read_h36m(data))
    note = "14 joints: limbs, thorax (the paper's neck), top of the head; frontal camera"
    return _meva(data, "h36m", bench, sequences, OF_H36M, note)


def run_zju(
    data: Path, method: str = "fit", progress: Progress = silent, tools: Tools | None = None
) -> PaperReport:
    """NeuHMR's Table 1: subject 393 before the first camera; nobody is trained on here.

    Raises:
        InputError: the data set is not there.
        OptionError: no such method.
    """
    bench = make_bench(method, progress, tools)
    sequence = read_zju(data, LEFT_OUT)
    body = bench.tools.body
    solved = bench.solve([sequence])
    if not solved:
        return bench.report("zju", (), (), ())
    (one,) = solved
    if sequence.camera is None:
        raise OptionError(f"{sequence.name}: no camera in its truth")
    truth, predicted = true_motion(sequence, body), mean_shape(one.result.motion, body)
    local = camera_scores(predicted, one.result.camera, truth, sequence.camera, body)
    label = f"motionfield {method}"
    cells: dict[str, Cell] = {"MPJPE": (local.joints.mean,), "PVE": (local.vertices.mean,)}
    rows = [OwnRow("zju", label, cells)]
    figures = one.figures() | {"mpjpe": local.joints.mean, "pve": local.vertices.mean}
    if sequence.joints is not None:
        own = point_scores(one.result.motion, one.result.camera, sequence, body, OF_ZJU)
        figures |= {"mpjpe_15_openpose": own.mpjpe.mean}
        rows.append(
            OwnRow("zju", f"{label}, 15 true OpenPose joints", {"MPJPE": (own.mpjpe.mean,)})
        )
    notes = (
        ON_OUR_BODY.format(body=body.name),
        f"camera frame, hips at the origin; {', '.join(ZJU_TRAINING)} are the paper's to train on",
    )
    return bench.report("zju", rows, notes, (figures,))


def seen_enough(sequence: DatasetSequence) -> DatasetSequence:
    """Trusted are only frames with 7 or more of the 12 limb keypoints above 0.3, as VIBE's data."""
    keypoints = sequence.keypoints
    if keypoints is None:
        return sequence
    columns = [keypoints.keypoint_names.index(name) for name in LIMB_JOINTS]
    confidence = np.nan_to_num(keypoints.keypoints_2d[:, columns, 2])
    enough = (confidence > VISIBLE).sum(1) >= LEAST_VISIBLE
    return replace(sequence, good=sequence.good & enough)


def inside(sequence: DatasetSequence) -> DatasetSequence:
    """Trusted are only frames with every labelled point in the picture, as VIBE's data."""
    labels = sequence.labels
    if labels is None:
        return sequence
    xy = labels.keypoints_2d[..., :2]
    within = ((xy >= 0) & (xy < np.array(labels.image_size))).all((1, 2))
    return replace(sequence, good=sequence.good & within)


def slower(sequence: DatasetSequence, step: int) -> DatasetSequence:
    """Every ``step``-th frame."""
    few = sequence.at_frames(np.arange(0, sequence.num_frames, step))
    joints = few.joints
    if joints is not None:
        joints = joints.replace(fps=joints.fps / step)
    return replace(few, fps=sequence.fps / step, joints=joints)


def _meva(
    data: Path,
    name: str,
    bench: Bench,
    sequences: Iterable[DatasetSequence],
    points: PointChoice,
    note: str,
) -> PaperReport:
    scores: list[PointScores] = []
    figures: list[dict[str, Any]] = []
    for sequence in tracked(sequences, bench.progress, "sequences", None, "sequence"):
        motion, source = camera_motion(data, sequence)
        if source:
            bench.notes[source] = None
        for one in bench.solve([sequence], [motion]):
            own = point_scores(
                one.result.motion, one.result.camera, sequence, bench.tools.body, points
            )
            scores.append(own)
            values = {field: getattr(own, field).mean for field in own._fields}
            figures.append(one.figures() | values)
    label = f"motionfield {bench.method}"
    keys = [key for key in (name, f"{name}.ablation") if key in _KEYS]
    rows = tuple(OwnRow(key, label, _columns(scores)) for key in keys)
    notes = (
        note,
        "camera frame, hips at the origin; our own body with its fitted shape; ACC-ERR in "
        "mm/frame² of the frames as given",
    )
    return bench.report(name, rows, notes, figures)


_KEYS: Final = ("3dpw", "3dpw.ablation", "mpi-inf-3dhp", "h36m")


def _columns(scores: Sequence[PointScores]) -> dict[str, Cell]:
    return {
        "MPJPE": (over_frames([s.mpjpe for s in scores]),),
        "PA-MPJPE": (over_frames([s.pa_mpjpe for s in scores]),),
        "ACC-ERR": (over_frames([s.acceleration for s in scores]),),
    }
