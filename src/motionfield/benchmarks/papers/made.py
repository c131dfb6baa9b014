"""AMASS and CMU: motions without pictures, shown to made cameras and a made detector.

The papers train on them and print no table about them; here they are exact truth for any method.
Each motion becomes a take of the made worlds (a static camera drawn from a seed, the made
detector's errors), of at most ten seconds at 30 frames per second.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from motionfield.benchmarks.open.case import Given, Tools
from motionfield.benchmarks.papers.report import OwnRow, PaperReport, mean_cell
from motionfield.benchmarks.papers.scores import true_motion
from motionfield.benchmarks.papers.solve import Bench, find_method, lens_of, make_bench
from motionfield.body.base import Body
from motionfield.core.arrays import tensor_of
from motionfield.core.errors import MotionfieldError
from motionfield.core.progress import Progress, silent, tracked
from motionfield.data.motion import Motion
from motionfield.formats.datasets.amass import list_amass, read_amass
from motionfield.formats.datasets.cmu import list_cmu, read_cmu
from motionfield.formats.datasets.origins import unverified
from motionfield.steps.evaluate.pose import mpjpe, pa_mpjpe
from motionfield.steps.evaluate.posed import pose_of, posed_points
from motionfield.steps.evaluate.world import align_clip, g_mpjpe
from motionfield.worlds.mocap import retarget_clips
from motionfield.worlds.take import make_take

FPS: Final = 30.0
MOST_S: Final = 10.0
LEAST_S: Final = 1.0
_GROUND_QUANTILE = 0.02
MEASURES: Final = ("pa_mpjpe", "mpjpe_aligned", "g_mpjpe")
"""Similarity of each frame; hips at the origin after one rigid motion; that motion alone."""
NamedMotion = tuple[str, str, Motion]


def run_amass(
    data: Path, method: str = "fit", progress: Progress = silent, tools: Tools | None = None
) -> PaperReport:
    """Every motion below the folder, on our body.

    Raises:
        InputError: the data set is not there.
        OptionError: no such method.
    """
    bench = make_bench(method, progress, tools)
    paths = list_amass(data)
    return _run("amass", bench, _of_amass(paths, bench.tools.body), len(paths))


def run_cmu(
    data: Path, method: str = "fit", progress: Progress = silent, tools: Tools | None = None
) -> PaperReport:
    """Every trial below the folder, retargeted to our body.

    Raises:
        InputError: the data set is not there.
        OptionError: no such method.
    """
    bench = make_bench(method, progress, tools)
    subjects = list_cmu(data)
    total = sum(len(motions) for _, motions in subjects.values())
    return _run("cmu", bench, _of_cmu(subjects, bench.tools.body), total)


def _of_amass(paths: Iterable[Path], body: Body) -> Iterator[NamedMotion]:
    for path in paths:
        sequence = read_amass(path)
        step = max(1, round(sequence.fps / FPS))
        few = sequence.at_frames(np.arange(0, sequence.num_frames, step))
        motion = true_motion(few, body).replace(fps=sequence.fps / step)
        yield sequence.name, sequence.subject, grounded(motion, body)


def _of_cmu(subjects: dict[str, tuple[Path, list[Path]]], body: Body) -> Iterator[NamedMotion]:
    for subject, (skeleton, motions) in subjects.items():
        shard = read_cmu(skeleton, motions)
        for info, motion in retarget_clips(shard, shard.clips, body):
            yield info.name, subject, motion


def grounded(motion: Motion, body: Body) -> Motion:
    """The motion with its lowest joints (a low quantile over frames) an ankle's height above 0."""
    joints = posed_points(pose_of(motion, body), body).joints
    rest = body.rest_joints(tensor_of(motion.betas))
    sole = body.skin(tensor_of(motion.betas)).rest_vertices[:, 1].min()
    clearance = float(rest[:, 1].min() - sole)
    lowest = float(torch.quantile(joints[..., 2].amin(-1), _GROUND_QUANTILE))
    shift = np.array([0.0, 0.0, clearance - lowest], np.float32)
    return motion.replace(transl=motion.transl + shift)


def _run(name: str, bench: Bench, motions: Iterable[NamedMotion], total: int) -> PaperReport:
    figures: list[dict[str, Any]] = []
    for number, (clip, subject, motion) in enumerate(
        tracked(motions, bench.progress, "motions", total, "motion")
    ):
        motion = motion.at_frames(np.arange(min(motion.num_frames, round(MOST_S * motion.fps))))
        if motion.num_frames < LEAST_S * motion.fps:
            bench.failures[clip] = f"is shorter than {LEAST_S:g} s"
            continue
        figures += _score(bench, clip, subject, motion, number)
    cells = {key: mean_cell([(f[key],) for f in figures]) for key in MEASURES} if figures else {}
    rows = (OwnRow(name, f"motionfield {bench.method}, mm, mean over motions", cells),)
    notes = (
        "no table of the papers: made static cameras and a made detector, seeds counted from "
        f"{bench.tools.seed}",
        "24 joints; pa: similarity of each frame; aligned: hips at the origin after one rigid "
        "motion of the clip; g: after that motion alone",
        *unverified(name),
    )
    return bench.report(name, rows, notes, figures)


def _score(
    bench: Bench, clip: str, subject: str, motion: Motion, number: int
) -> Sequence[dict[str, Any]]:
    body = bench.tools.body
    try:
        take = make_take(motion, body, bench.tools.seed + number)
        given = Given(take.keypoints, lens_of(take.camera))
        (result,) = find_method(bench.method)([given], bench.tools)
    except MotionfieldError as error:
        bench.failures[clip] = str(error)
        return []
    ours, theirs = (posed_points(pose_of(m, body), body).joints for m in (result.motion, motion))
    good = torch.tensor(motion.observed)
    return [
        {
            "sequence": clip,
            "subject": subject,
            "frames": motion.num_frames,
            "pa_mpjpe": pa_mpjpe(ours, theirs).only(good).mean,
            "mpjpe_aligned": mpjpe(align_clip(ours, theirs), theirs, root=(1, 2)).only(good).mean,
            "g_mpjpe": g_mpjpe(ours, theirs).only(good).mean,
        }
    ]
