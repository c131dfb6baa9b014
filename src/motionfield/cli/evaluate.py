"""``motionfield evaluate``: a motion against the truth."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from motionfield.cli.parser import Verbs, add_common
from motionfield.core.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from motionfield.steps.evaluate.score import Score


class Points(NamedTuple):
    """Joints of a file and what tells its frames and joints apart."""

    joints: "Tensor"
    names: list[str]
    frame_index: list[int] | None
    fps: float | None


def add_parser(verbs: Verbs) -> None:
    parser = verbs.add_parser("evaluate", help="compare a motion.npz with the truth")
    parser.add_argument("--pred", type=Path, required=True, metavar="MOTION", help="a motion.npz")
    parser.add_argument(
        "--truth",
        type=Path,
        required=True,
        metavar="FILE",
        help="a motion.npz, or an npz with joints (T, J, 3) in metres and joint_names (J,)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    add_common(parser)
    parser.set_defaults(run_verb=run_verb)


def run_verb(options: argparse.Namespace) -> int:
    from motionfield.data.record import write_whole

    pred, truth = _read(options.pred), _read(options.truth)
    pred, truth = _same_frames(options.truth, pred, truth)
    names = [name for name in truth.names if name in pred.names]
    if not names:
        cure = "name them as motion.npz does (docs/conventions.md)"
        raise InputError(options.truth, "has no joint of the same name", cure)
    scores = _scores(pred, truth, names)
    print(f"{len(pred.joints)} frames, {len(names)} joints: {', '.join(names)}")
    for name, score in scores.items():
        mean, median = float(score.mean), float(score.median)
        print(f"{name:20} mean {mean:9.2f}  median {median:9.2f}  {score.unit}")
    if options.json is not None:
        figures = {
            name: {"mean": float(s.mean), "median": float(s.median), "unit": s.unit}
            for name, s in scores.items()
        }
        content = {"frames": len(pred.joints), "joints": names, "scores": figures}
        write_whole(options.json, json.dumps(content, indent=1).encode("utf-8"))
    return 0


def _read(path: Path) -> Points:
    import numpy as np
    import torch

    if not path.is_file():
        raise InputError(path, "does not exist", "check the path")
    try:
        with np.load(path, allow_pickle=False) as file:
            joints = torch.from_numpy(file["joints"].astype(np.float64))
            names = [str(name) for name in file["joint_names"]]
            frames = file["frame_index"].tolist() if "frame_index" in file.files else None
            fps = float(file["mocap_framerate"]) if "mocap_framerate" in file.files else None
        if joints.shape[1:] != (len(names), 3) or (frames and len(frames) != len(joints)):
            raise ValueError(f"joints has shape {tuple(joints.shape)} for {len(names)} names")
    except Exception as error:
        cure = "give a motion.npz, or an npz with joints (T, J, 3) and joint_names (J,)"
        raise InputError(path, f"is not a motion ({error})", cure) from error
    return Points(joints, names, frames, fps)


def _same_frames(path: Path, pred: Points, truth: Points) -> tuple[Points, Points]:
    """Frames of the same number where both are numbered, else all of equally many."""
    if pred.frame_index is not None and truth.frame_index is not None:
        place = {frame: row for row, frame in enumerate(truth.frame_index)}
        rows = [(row, place[f]) for row, f in enumerate(pred.frame_index) if f in place]
        if not rows:
            raise InputError(path, "has no frame of the same frame_index", "check the range")
        mine, theirs = zip(*rows, strict=True)
        return (
            pred._replace(joints=pred.joints[list(mine)]),
            truth._replace(joints=truth.joints[list(theirs)]),
        )
    if len(pred.joints) != len(truth.joints):
        fault = f"has {len(truth.joints)} frames, the motion has {len(pred.joints)}"
        raise InputError(path, fault, "give frame_index in it, or the same frames")
    return pred, truth


def _scores(pred: Points, truth: Points, names: list[str]) -> "dict[str, Score]":
    from motionfield.steps.evaluate.pose import mpjpe, pa_mpjpe
    from motionfield.steps.evaluate.smoothness import acceleration_error
    from motionfield.steps.evaluate.world import align_clip, g_mpjpe

    a = pred.joints[:, [pred.names.index(name) for name in names]]
    b = truth.joints[:, [truth.names.index(name) for name in names]]
    scores = {"PA-MPJPE": pa_mpjpe(a, b), "G-MPJPE": g_mpjpe(a, b), "MPJPE (world)": mpjpe(a, b)}
    if "pelvis" in names:
        scores["MPJPE (pelvis)"] = mpjpe(a, b, root=(names.index("pelvis"),))
    scores["acceleration error"] = acceleration_error(align_clip(a, b), b, pred.fps)
    return scores
