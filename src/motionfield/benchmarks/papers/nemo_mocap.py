"""NeMo on NeMo-MoCap: Tables 1, 2 and 5 (and 4's mean row).

Eight takes of an action are one case. All are thinned to the frames of the shortest but one, from
beginning to end, by floor(i / T * n), as the public code does; the true time stamps are kept.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.benchmarks.open.case import Tools
from motionfield.benchmarks.papers.report import Cell, OwnRow, PaperReport, mean_cell, with_mean
from motionfield.benchmarks.papers.scores import ON_OUR_BODY, mean_shape, resampled, true_motion
from motionfield.benchmarks.papers.solve import Bench, Solved, make_bench
from motionfield.core.arrays import tensor_of
from motionfield.core.keypoint_sets import OPENPOSE_25
from motionfield.core.progress import Progress, silent
from motionfield.formats.datasets.nemo_mocap import ACTIONS, BODY_15, TAKES, read_nemo_mocap
from motionfield.steps.evaluate.image import box_size, image_error, pck, project_path
from motionfield.steps.evaluate.nemo import dynamic_range, nemo_global, nemo_local
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
            for one, (_, step) in zip(solved, thinned, strict=False)
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
    fast = torch.zeros(truth.num_frames, dtype=torch.bool)
    pose = local_pose(pose_of(truth, body), body)
    fifteen = posed_points(pose, body, OPENPOSE_25.name).keypoints[:, : len(BODY_15)]
    fast[dynamic_range(fifteen, sequence.fps * step, step)] = True
    figures: Figures = solved.figures() | {
        "mpjpe": local.joints.mean,
        "mpjpe_dynamic": local.joints.only(fast).mean,
        "mpvpe": local.vertices.mean,
        "mpvpe_dynamic": local.vertices.only(fast).mean,
        "g_mpjpe": world.joints.mean,
        "g_mpvpe": world.vertices.mean,
        "recon": float("nan"),
        "pck": float("nan"),
    }
    if sequence.labels is not None:
        shown = posed_points(pose_of(motion, body), body, OPENPOSE_25.name).keypoints
        figures |= _image(project_path(shown, camera), tensor_of(sequence.labels.keypoints_2d))
    return figures


def _image(
    shown: Float[Tensor, "frames 25 2"], labels: Float[Tensor, "frames 25 3"]
) -> dict[str, float]:
    fifteen = len(BODY_15)
    truth = labels[:, :fifteen, :2].double()
    ours = shown[:, :fifteen]
    return {
        "recon": image_error(ours, truth).mean,
        "pck": pck(ours, truth, box_size(truth)).mean,
    }


_TABLES: Final[dict[str, tuple[str, ...]]] = {
    "nemo-mocap.mpjpe": ("mpjpe", "mpjpe_dynamic"),
    "nemo-mocap.mpvpe": ("mpvpe", "mpvpe_dynamic"),
    "nemo-mocap.g-mpjpe": ("g_mpjpe",),
    "nemo-mocap.g-mpvpe": ("g_mpvpe",),
    "nemo-mocap.recon": ("recon",),
    "nemo-mocap.pck": ("pck",),
}


def _report(bench: Bench, figures: Sequence[Figures]) -> PaperReport:
    label = f"motionfield {bench.method}"
    rows = [
        OwnRow(key, label, by_action(figures, names, COLUMNS)) for key, names in _TABLES.items()
    ]
    means = {row.key: row.cells.get("Mean", (float("nan"),) * 2) for row in rows}
    ablation = {
        "MPJPE": means["nemo-mocap.mpjpe"][:1],
        "MPJPE (dynamic)": means["nemo-mocap.mpjpe"][1:],
        "2D PCK": means["nemo-mocap.pck"][:1],
    }
    rows.append(OwnRow("nemo-mocap.ablation", label, ablation))
    notes = (
        ON_OUR_BODY.format(body=bench.tools.body.name),
        "2D Recon. Err. as the paper's text has it: mean over the labelled joints",
        "PCK within 10 % of the longer side of the true joints' box",
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
