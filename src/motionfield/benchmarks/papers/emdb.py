"""DiffOpt and NeuHMR on EMDB.

DiffOpt: Table 2 (seven named sequences in pieces of 100 frames; what is left over at the end is
not scored: the text does not say), Table 3 (run time of a piece), Table 5's sequence, and Table 4
(all 81 sequences as they are). NeuHMR: Table 2, the 17 sequences of protocol 1.

DiffOpt's text calls MPJPE and MPVPE "camera-frame" and the global ones "factoring in predicted
global root translation and orientation"; here the first are compared in each frame's camera with
the hips at the origin, the second after one rigid motion, fitted to the joints of all frames. The
measures of NeMo (of the same laboratory: root unturned at the origin; motion fitted to all
vertices) stand in a second row. NeuHMR transforms to camera space, too; whether it moves the root
it does not say, and it is moved here, as EMDB's own tables do. Joints: the 24 of SMPL's order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from motionfield.benchmarks.open.case import Tools
from motionfield.benchmarks.papers.camera_paths import camera_motion
from motionfield.benchmarks.papers.report import Cell, OwnRow, PaperReport, mean_cell, with_mean
from motionfield.benchmarks.papers.scores import (
    ON_OUR_BODY,
    camera_scores,
    clip_scores,
    mean_shape,
    over_frames,
    true_motion,
)
from motionfield.benchmarks.papers.solve import Bench, Solved, make_bench
from motionfield.core.errors import OptionError
from motionfield.core.progress import Progress, silent, tracked
from motionfield.data.camera_path import CameraPath
from motionfield.formats.datasets.emdb import EmdbFile, list_emdb, read_emdb
from motionfield.formats.datasets.origins import wrong
from motionfield.formats.datasets.sequence import DatasetSequence
from motionfield.steps.evaluate.nemo import nemo_global, nemo_local
from motionfield.steps.evaluate.score import Score

PIECE_FRAMES: Final = 100
NAMED: Final = {
    "14_outdoor_climb": "Outdoor Climb",
    "16_outdoor_warmup": "Outdoor Warmup",
    "32_outdoor_soccer_warmup_a": "Soccer Warmup",
    "37_outdoor_run_circle": "Outdoor Run",
    "09_outdoor_walk": "Outdoor Walk",
    "58_outdoor_parcours": "Outdoor Parcour",
    "41_indoor_jogging_workout": "Indoor Workout",
}
"""Sequences of Table 2 → the paper's columns."""
PROTOCOL_1: Final = 17
ALL: Final = 81
MEASURES: Final = ("mpjpe", "g_mpjpe", "mpvpe", "g_mpvpe")
AS_NEMO: Final = "NeMo's measures"
Figures = dict[str, Any]


def run_diffopt(
    data: Path,
    method: str = "fit",
    progress: Progress = silent,
    tools: Tools | None = None,
) -> PaperReport:
    """The seven named sequences in pieces of 100 frames: means over pieces, then sequences.

    Raises:
        InputError: the data set is not there, or one of the seven.
        OptionError: no such method.
    """
    bench = make_bench(method, progress, tools)
    files = {file.sequence: file for file in list_emdb(data)}
    missing = [name for name in NAMED if name not in files]
    if missing:
        raise wrong(data, f"lacks the sequences {', '.join(missing)}", "emdb")
    figures: list[Figures] = []
    for name in tracked(NAMED, progress, "sequences", len(NAMED), "sequence"):
        sequence, _ = read_emdb(files[name])
        for piece, motion in pieces(data, bench, sequence):
            figures += [score(one, bench) for one in bench.solve([piece], [motion])]
    return _pieces_report(bench, figures)


def run_diffopt_untrimmed(
    data: Path,
    method: str = "fit",
    progress: Progress = silent,
    tools: Tools | None = None,
) -> PaperReport:
    """All sequences as they are; means over sequences.

    Raises:
        InputError: the data set is not there.
        OptionError: no such method.
    """
    bench = make_bench(method, progress, tools)
    files = list_emdb(data)
    figures = _whole(data, bench, (read_emdb(file)[0] for file in files), len(files))
    label = f"motionfield {method}"
    rows = _whole_rows("emdb-diffopt-untrimmed", label, figures)
    notes = (*_notes(bench), f"{len(files)} of the {ALL} sequences are there")
    return bench.report("emdb-diffopt-untrimmed", rows, notes, figures)


def run_neuhmr(
    data: Path,
    method: str = "fit",
    progress: Progress = silent,
    tools: Tools | None = None,
) -> PaperReport:
    """The sequences of protocol 1; means over all their frames together.

    Raises:
        InputError: the data set is not there, or nothing of protocol 1.
        OptionError: no such method.
    """
    bench = make_bench(method, progress, tools)
    chosen = list(protocol_1(list_emdb(data)))
    if not chosen:
        raise wrong(data, "holds no sequence of protocol 1 (emdb1)", "emdb")
    scores: list[tuple[Score, Score]] = []
    figures: list[Figures] = []
    for sequence in tracked(chosen, progress, "sequences", len(chosen), "sequence"):
        motion = _told(data, bench, sequence)
        for one in bench.solve([sequence], [motion]):
            local = _camera_scores(one, bench)
            scores.append(local)
            figures.append(one.figures() | {"mpjpe": local[0].mean, "pve": local[1].mean})
    label = f"motionfield {method}"
    cells: dict[str, Cell] = {
        "MPJPE": (over_frames([joints for joints, _ in scores]),),
        "PVE": (over_frames([vertices for _, vertices in scores]),),
    }
    frames = sum(entry["frames"] for entry in figures)
    seconds = sum(entry["seconds"] for entry in figures) / max(frames, 1)
    rows = [
        OwnRow(key, label, cells)
        for key in ("emdb-neuhmr", "emdb-neuhmr.baselines", "emdb-neuhmr.ablation")
    ]
    rows.append(OwnRow("emdb-neuhmr.runtime", label, {"Time": (seconds,)}))
    notes = (*_notes(bench), f"{len(chosen)} of the {PROTOCOL_1} sequences are there")
    return bench.report("emdb-neuhmr", rows, notes, figures)


def protocol_1(files: Iterable[EmdbFile]) -> Iterable[DatasetSequence]:
    """The sequences that the data set itself marks as ``emdb1``."""
    for file in files:
        sequence, first = read_emdb(file)
        if first:
            yield sequence


def pieces(
    data: Path, bench: Bench, sequence: DatasetSequence
) -> Iterable[tuple[DatasetSequence, CameraPath | None]]:
    """Whole pieces of 100 frames, each with its camera's path; people are tracked once for all.

    Pieces without a trusted frame are left out.
    """
    found = bench.find(sequence)
    if found is None:
        return
    sequence = replace(sequence, keypoints=found)
    motion = _told(data, bench, sequence)
    for number, first in enumerate(range(0, sequence.num_frames - PIECE_FRAMES + 1, PIECE_FRAMES)):
        index = np.arange(first, first + PIECE_FRAMES)
        if not sequence.good[index].any():
            continue
        piece = _renamed(sequence.at_frames(index), f"{sequence.name}_{number}")
        yield piece, None if motion is None else motion.at_frames(index)


def score(solved: Solved, bench: Bench) -> Figures:
    """MPJPE, MPVPE and their global forms of one sequence or piece, and the same as NeMo's."""
    body = bench.tools.body
    local = _camera_scores(solved, bench)
    truth = true_motion(solved.sequence, body)
    predicted = mean_shape(solved.result.motion, body)
    world = clip_scores(predicted, truth, body)
    figures = solved.figures()
    for prefix, joints, vertices in (
        ("", *local),
        ("g_", *world),
        ("nemo_", *nemo_local(predicted, truth, body, mesh="render")),
        ("nemo_g_", *nemo_global(predicted, truth, body, "render")),
    ):
        figures |= {f"{prefix}mpjpe": joints.mean, f"{prefix}mpvpe": vertices.mean}
    return figures


def _camera_scores(solved: Solved, bench: Bench) -> tuple[Score, Score]:
    body, sequence = bench.tools.body, solved.sequence
    if sequence.camera is None:
        raise OptionError(f"{sequence.name}: no camera in its truth")
    return camera_scores(
        mean_shape(solved.result.motion, body),
        solved.result.camera,
        true_motion(sequence, body),
        sequence.camera,
        body,
    )


def _whole(
    data: Path, bench: Bench, sequences: Iterable[DatasetSequence], total: int
) -> list[Figures]:
    figures: list[Figures] = []
    for sequence in tracked(sequences, bench.progress, "sequences", total, "sequence"):
        motion = _told(data, bench, sequence)
        figures += [score(one, bench) for one in bench.solve([sequence], [motion])]
    return figures


def _told(data: Path, bench: Bench, sequence: DatasetSequence) -> CameraPath | None:
    motion, source = camera_motion(data, sequence)
    if source:
        bench.notes[source] = None
    return motion


def _pieces_report(bench: Bench, figures: Sequence[Figures]) -> PaperReport:
    label = f"motionfield {bench.method}"
    by_sequence = {
        column: [f for f in figures if f["action"] == name] for name, column in NAMED.items()
    }
    found = {column: own for column, own in by_sequence.items() if own}

    def row(key: str, names: tuple[str, ...], label: str = label) -> OwnRow:
        cells = {
            c: mean_cell([tuple(f[n] for n in names) for f in own]) for c, own in found.items()
        }
        return OwnRow(key, label, with_mean(cells))

    seconds = mean_cell([(f["seconds"],) for f in figures])
    rows = [
        row("emdb-diffopt.joints", ("mpjpe", "g_mpjpe")),
        row("emdb-diffopt.joints", ("nemo_mpjpe", "nemo_g_mpjpe"), f"{label}, {AS_NEMO}"),
        row("emdb-diffopt.vertices", ("mpvpe", "g_mpvpe")),
        row("emdb-diffopt.vertices", ("nemo_mpvpe", "nemo_g_mpvpe"), f"{label}, {AS_NEMO}"),
        OwnRow("emdb-diffopt.runtime", label, {"Runtime": seconds}),
    ]
    if "Outdoor Walk" in found:
        rows += _whole_rows("emdb-diffopt.ablation", label, found["Outdoor Walk"])
    notes = (*_notes(bench), "run time: of the method alone, without detection")
    return bench.report("emdb-diffopt", rows, notes, figures)


def _whole_rows(key: str, label: str, figures: Sequence[Figures]) -> list[OwnRow]:
    """The four measures, and the same as NeMo's."""
    columns = ("MPJPE", "G-MPJPE", "MPVPE", "G-MPVPE")
    rows = []
    for prefix, name in (("", label), ("nemo_", f"{label}, {AS_NEMO}")):
        means = mean_cell([tuple(float(f[prefix + m]) for m in MEASURES) for f in figures])
        cells = {column: (value,) for column, value in zip(columns, means, strict=True)}
        rows.append(OwnRow(key, name, cells))
    return rows


def _notes(bench: Bench) -> tuple[str, ...]:
    return (
        ON_OUR_BODY.format(body=bench.tools.body.name),
        "MPJPE and MPVPE in each frame's camera, hips at the origin; global ones after one rigid "
        "motion, fitted to all joints of all frames; only frames in good_frames_mask are scored",
    )


def _renamed(sequence: DatasetSequence, name: str) -> DatasetSequence:
    return replace(sequence, name=name)
