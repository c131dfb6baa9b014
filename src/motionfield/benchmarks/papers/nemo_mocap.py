"""NeMo on NeMo-MoCap: Tables 1, 2 and 5 (and 4's mean row).

Eight takes of an action are one case. All are thinned to the frames of the shortest but one, from
beginning to end, by floor(i / T * n), as the public code does; the true time stamps are kept.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import torch

from motionfield.benchmarks.open.case import Tools
from motionfield.benchmarks.papers.nemo_picture import (
    AS_CODE,
    CODES_MEASURE,
    NOTES,
    picture_figures,
)
from motionfield.benchmarks.papers.report import Cell, OwnRow, PaperReport, mean_cell, with_mean
from motionfield.benchmarks.papers.scores import ON_OUR_BODY, mean_shape, resampled, true_motion
from motionfield.benchmarks.papers.solve import Bench, Solved, make_bench
from motionfield.core.arrays import tensor_of
from motionfield.core.keypoint_sets import OPENPOSE_25
from motionfield.core.progress import Progress, silent
from motionfield.formats.datasets.nemo_mocap import ACTIONS, TAKES, read_nemo_mocap
from motionfield.steps.evaluate.image import project_path
from motionfield.steps.evaluate.nemo import (
    NEMO_JOINTS,
    Convention,
    dynamic_range,
    nemo_global,
    nemo_local,
)
from motionfield.steps.evaluate.posed import local_pose, pose_of, posed_points

COLUMNS: Final = {
    "baseball_pitch": "Baseball Pitch",
    "baseball_swing": "Baseball Swing",
    "tennis_serve": "Tennis Serve",
    "tennis_swing": "Tennis Swing",
    "golf_swing": "Golf Swing",
}
Figures = dict[str, Any]


def run_nemo_mocap(
    data: Path,
    method: str = "fit",
    progress: Progress = silent,
    tools: Tools | None = None,
) -> PaperReport:
    """All actions; each figure is the mean over the takes of an action.

    Raises:
        InputError: the data set is not there.
        OptionError: no such method.
    """
    bench = make_bench(method, progress, tools)
    figures: list[Figures] = []
    for action in ACTIONS:
        takes = [read_nemo_mocap(data, action, take) for take in range(TAKES)]
        count = max(1, min(take.num_frames for take in takes) - 1)
        seen = [(take, bench.find(take)) for take in takes]
        thinned = [resampled(replace(t, keypoints=k), count) for t, k in seen if k is not None]
        if not thinned:
            continue
        solved = bench.solve([take for take, _ in thinned])
        figures += [
            score_take(one, bench.tools, step)
            for one, (_, step) in zip(solved, thinned if solved else (), strict=True)
        ]
    return _report(bench, figures)


def score_take(solved: Solved, tools: Tools, step: float) -> Figures:
    """The figures of one take.

    Args:
        step: source frames per frame.
    """
    body = tools.body
    sequence, (motion, camera) = solved.sequence, solved.result
    truth = true_motion(sequence, body)
    predicted = mean_shape(motion, body)
    local = nemo_local(predicted, truth, body, mesh="render")
    world = nemo_global(predicted, truth, body, mesh="render")
    pose = local_pose(pose_of(truth, body), body)
    fifteen = posed_points(pose, body, OPENPOSE_25.name).keypoints[:, : len(NEMO_JOINTS)]
    figures: Figures = solved.figures() | {
        "mpjpe": local.joints.mean,
        "mpvpe": local.vertices.mean,
        "g_mpjpe": world.joints.mean,
        "g_mpvpe": world.vertices.mean,
    }
    conventions: tuple[tuple[Convention, str], ...] = (("correct", ""), ("published", AS_CODE))
    for convention, ending in conventions:
        fast = torch.zeros(truth.num_frames, dtype=torch.bool)
        fast[dynamic_range(fifteen, sequence.fps * step, step, convention=convention)] = True
        figures[f"mpjpe_dynamic{ending}"] = local.joints.only(fast).mean
        figures[f"mpvpe_dynamic{ending}"] = local.vertices.only(fast).mean
    labels = sequence.labels
    if labels is None:
        unknown = torch.full((truth.num_frames, 25, 2), torch.nan)
        return figures | picture_figures(unknown, unknown)
    shown = posed_points(pose_of(motion, body), body, OPENPOSE_25.name).keypoints
    seen = tensor_of(labels.keypoints_2d)[..., :2].double()
    return figures | picture_figures(project_path(shown, camera), seen)


_TABLES: Final[dict[str, tuple[str, ...]]] = {
    "nemo-mocap.mpjpe": ("mpjpe", "mpjpe_dynamic"),
    "nemo-mocap.mpvpe": ("mpvpe", "mpvpe_dynamic"),
    "nemo-mocap.g-mpjpe": ("g_mpjpe",),
    "nemo-mocap.g-mpvpe": ("g_mpvpe",),
    "nemo-mocap.recon": ("recon",),
    "nemo-mocap.pck": ("pck",),
}
_CODE_TABLES: Final[dict[str, tuple[str, ...]]] = {
    "nemo-mocap.mpjpe": ("mpjpe", f"mpjpe_dynamic{AS_CODE}"),
    "nemo-mocap.mpvpe": ("mpvpe", f"mpvpe_dynamic{AS_CODE}"),
    "nemo-mocap.recon": (f"recon{AS_CODE}",),
    "nemo-mocap.pck": (f"pck{AS_CODE}",),
}
"""The tables whose figures the public code measures otherwise than the text says."""


def _report(bench: Bench, figures: Sequence[Figures]) -> PaperReport:
    label = f"motionfield {bench.method}"
    rows = [
        OwnRow(key, label, by_action(figures, names, COLUMNS)) for key, names in _TABLES.items()
    ]
    means = {row.key: row.cells.get("Mean", (float("nan"),) * 2) for row in rows}
    rows += [
        OwnRow(key, f"{label}, {CODES_MEASURE}", by_action(figures, names, COLUMNS))
        for key, names in _CODE_TABLES.items()
    ]
    ablation = {
        "MPJPE": means["nemo-mocap.mpjpe"][:1],
        "MPJPE (dynamic)": means["nemo-mocap.mpjpe"][1:],
        "2D PCK": means["nemo-mocap.pck"][:1],
    }
    rows.append(OwnRow("nemo-mocap.ablation", label, ablation))
    notes = (
        ON_OUR_BODY.format(body=bench.tools.body.name),
        *NOTES,
    )
    return bench.report("nemo-mocap", rows, notes, figures)


def by_action(
    figures: Sequence[Figures], names: tuple[str, ...], columns: dict[str, str]
) -> dict[str, Cell]:
    """Means over the sequences of each action under the paper's columns, and their mean."""
    cells = {}
    for action, column in columns.items():
        own = [tuple(float(f[name]) for name in names) for f in figures if f["action"] == action]
        if own:
            cells[column] = mean_cell(own)
    return with_mean(cells)
