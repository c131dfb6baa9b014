"""A tiny version of the open benchmark: made clips of the humanoid, the toy body, 24 frames."""

import dataclasses
import json
import math
from pathlib import Path

import numpy as np

from motionfield.benchmarks.open.build import build_take, fingerprint
from motionfield.benchmarks.open.clips import ClipSource, sha256
from motionfield.benchmarks.open.points import describe_detector
from motionfield.benchmarks.open.spec import (
    CameraSpec,
    CaseSpec,
    Piece,
    Spec,
    TakeSpec,
    read_spec,
    write_spec,
)
from motionfield.body.registry import load_body
from motionfield.worlds.detector_error import DetectorErrorConfig

FRAMES = 24
LOOK_FROM_X = ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0), (-1.0, 0.0, 0.0))
"""R_camera_world of a level camera that looks along -x."""


def write_clip(path: Path, speed: float) -> None:
    """A walk in place of sorts: limbs swing, knees and elbows bend."""
    rows = []
    for frame in range(2 * FRAMES):
        swing = 0.5 * math.sin(speed * frame)
        bend = 0.6 + 0.5 * math.cos(speed * frame)
        row = [1 / 30, 0.01 * frame, 0.88, 0.0]
        row += [1.0, 0, 0, 0] * 3  # root, chest, neck
        for side in (1, -1):
            hip = [math.cos(side * swing / 2), 0, 0, math.sin(side * swing / 2)]
            arm = [math.cos(side * swing / 2), 0, 0, -math.sin(side * swing / 2)]
            row += [*hip, -bend, 1.0, 0, 0, 0, *arm, bend]
        rows.append(row)
    path.write_text(json.dumps({"Loop": "none", "Frames": rows}))


def make_version(folder: Path, clips: Path, seed: int = 7) -> Spec:
    """Write clips into ``clips`` and a version of four cases into ``folder``."""
    clips.mkdir(parents=True)
    for index in range(3):
        write_clip(clips / f"humanoid3d_made{index}.txt", 0.2 + 0.05 * index)
    camera = CameraSpec("static", 1500.0, 1920, 1080, LOOK_FROM_X, (0.0, 1.0, 5.0))
    cases = []
    for index, (split, action) in enumerate(
        (("val", "walk"), ("val", "walk"), ("val", "run"), ("test", "walk"))
    ):
        clip = f"humanoid3d_made{index % 3}"
        start = 0 if index < 3 else FRAMES
        piece = Piece(f"{clip}.txt", clip, start, start + FRAMES)
        take = TakeSpec(f"case{index}/0", (piece,), camera, seed + index)
        cases.append(
            CaseSpec(f"case{index}", "points", "single", split, action, (take,), quick=index != 2)
        )
    spec = Spec(
        version=folder.name,
        clips="pybullet",
        cases=tuple(cases),
        sources={path.name: sha256(path) for path in sorted(clips.iterdir())},
        detector=describe_detector(DetectorErrorConfig()),
        paths={"none/R": np.zeros((1, 3, 3), np.float32)},
        fingerprints={},
        hash="",
    )
    body = load_body("toy")
    source = ClipSource("pybullet", clips, body)
    prints = {
        take.name: fingerprint(build_take(take, "points", spec, source, body), "points", body)
        for case in cases
        for take in case.takes
    }
    write_spec(folder, dataclasses.replace(spec, fingerprints=prints))
    return read_spec(folder, "pybullet")
