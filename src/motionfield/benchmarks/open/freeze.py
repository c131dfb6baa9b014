"""A new version of the benchmark: shapes, cameras and seeds are drawn once and written as files."""

import dataclasses
import math
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from motionfield.benchmarks.open.build import build_take, build_truth, fingerprint, used_files
from motionfield.benchmarks.open.choose import CaseDraft, TakeDraft, choose_cases
from motionfield.benchmarks.open.clips import ClipSource, sha256
from motionfield.benchmarks.open.points import describe_detector
from motionfield.benchmarks.open.spec import (
    CameraSpec,
    CaseSpec,
    Collection,
    Piece,
    Spec,
    TakeSpec,
    write_spec,
)
from motionfield.body.base import Body
from motionfield.core.errors import OptionError
from motionfield.core.progress import Progress, silent, tracked
from motionfield.data.camera_path import CameraPath
from motionfield.data.motion import Motion
from motionfield.worlds.camera_drift import drifted
from motionfield.worlds.cameras import CameraConfig, draw_camera
from motionfield.worlds.chain import chain, chain_order
from motionfield.worlds.detector_error import DetectorErrorConfig
from motionfield.worlds.moving_cameras import draw_moving_camera
from motionfield.worlds.shapes import draw_betas
from motionfield.worlds.take import keypoints_world

LONG_FRAMES: Final = 1300
LONG_M: Final = 20.0
_LEAST_BETWEEN_VIEWS_DEG: Final = 45.0
_TRIES: Final = 50
_UNKNOWN: Final = CameraSpec("static", 0.0, 0, 0)


def freeze(
    folder: Path, clips: Collection, data: Path, body: Body, progress: Progress = silent
) -> str:
    """Choose cases, draw what is random in them, and write the files of a version.

    Args:
        folder: of the version; its name is the version's.
        data: folder of the clips.

    Returns:
        The version's hash.

    Raises:
        OptionError: the version has these clips already.
    """
    if (folder / f"{clips}.json").exists():
        raise OptionError(
            f"--freeze {folder.name}: this version has its {clips} clips already, and a version "
            "does not change; give a new name"
        )
    drafts = choose_cases(clips, data)
    source = ClipSource(clips, data, body)
    source.load((p for draft in drafts for take in draft.takes for p in take.pieces), progress)
    spec = Spec(
        version=folder.name,
        clips=clips,
        cases=(),
        sources={},
        detector=describe_detector(DetectorErrorConfig()),
        paths={},
        fingerprints={},
        hash="",
    )
    cases = [
        _freeze_case(draft, spec, source, body)
        for draft in tracked(drafts, progress, "draw", len(drafts), "case")
    ]
    files = used_files(cases)
    sources = {file: sha256(data / file) for file in sorted(files)}
    return write_spec(folder, dataclasses.replace(spec, cases=tuple(cases), sources=sources))


def _freeze_case(draft: CaseDraft, spec: Spec, source: ClipSource, body: Body) -> CaseSpec:
    """One case; adds its camera paths and fingerprints to ``spec``."""
    takes: list[TakeSpec] = []
    cameras: list[CameraPath] = []
    for index, drafted in enumerate(draft.takes):
        name = f"{draft.name}/{index}"
        betas = draw_betas(_rng(spec.version, draft.name, "shape", drafted.person))
        take = TakeSpec(
            name=name,
            pieces=_pieces(draft, drafted, source, body),
            camera=_UNKNOWN,
            seed=zlib.crc32(f"{spec.version}/{name}".encode()),
            betas=tuple(round(float(beta), 3) for beta in betas),
        )
        truth = build_truth(take, source, body)
        rng = _rng(spec.version, name, "camera")
        config = CameraConfig(kind=drafted.camera)
        if draft.tier == "render":
            config = dataclasses.replace(config, image_width=1280, image_height=720)
        camera = _camera(truth, config, body, rng, cameras if draft.synchronized else [])
        cameras.append(camera)
        if camera.moving:
            _keep_path(name, camera, drifted(camera, truth.fps, rng), spec)
        take = dataclasses.replace(take, camera=_camera_spec(drafted.camera, camera))
        built = build_take(take, draft.tier, spec, source, body)
        spec.fingerprints[name] = fingerprint(built, draft.tier, body)
        takes.append(take)
    return CaseSpec(
        name=draft.name,
        tier=draft.tier,
        track=draft.track,
        split=draft.split,
        action=draft.action,
        takes=tuple(takes),
        synchronized=draft.synchronized,
        quick=draft.quick,
    )


def _rng(*words: str) -> np.random.Generator:
    """A stream of its own for each thing, whatever else there is."""
    return np.random.default_rng([zlib.crc32(word.encode()) for word in words])


def _pieces(draft: CaseDraft, take: TakeDraft, source: ClipSource, body: Body) -> tuple[Piece, ...]:
    """The pieces, or what a long take is chained of."""
    if draft.track != "moving_long":
        return take.pieces
    motions = [source.motion(piece) for piece in take.pieces]
    if len(motions) > 1:
        order = chain_order(motions, body, LONG_FRAMES, LONG_M)
        return tuple(take.pieces[index] for index in order)
    per_piece = chain(motions * 2, body).num_frames - motions[0].num_frames
    count = 1 + math.ceil((LONG_FRAMES - motions[0].num_frames) / per_piece)
    return take.pieces * count


def _camera(
    truth: Motion,
    config: CameraConfig,
    body: Body,
    rng: np.random.Generator,
    others: Sequence[CameraPath],
) -> CameraPath:
    """A drawn camera; among views of one instant, one that looks from another side."""
    points = keypoints_world(truth, body)
    for _ in range(_TRIES):
        if config.kind != "static":
            return draw_moving_camera(points, truth.fps, rng, config)
        camera = draw_camera(points, rng, config)
        middle = points.reshape(-1, 3).mean(0)
        if all(_angle_deg(camera, o, middle) > _LEAST_BETWEEN_VIEWS_DEG for o in others):
            return camera
    raise OptionError("--freeze: no camera from another side was found; fewer views, please")


def _angle_deg(a: CameraPath, b: CameraPath, middle: Float[ndarray, "3"]) -> float:
    """Between the sides from which two cameras look, seen from above."""
    x, y = ((camera.position_world[0] - middle)[:2] for camera in (a, b))
    cosine = float(x @ y / np.linalg.norm(x) / np.linalg.norm(y))
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))


def _camera_spec(kind: str, camera: CameraPath) -> CameraSpec:
    R, t = camera.R_camera_world[0], camera.t_camera_world[0]
    moving = camera.moving
    return CameraSpec(
        kind=kind,
        focal_px=round(float(camera.K[0, 0, 0]), 3),
        width=camera.image_width,
        height=camera.image_height,
        R_camera_world=None if moving else tuple(tuple(_rounded(row)) for row in R),
        t_camera_world=None if moving else tuple(_rounded(t)),
    )


def _rounded(values: Float[ndarray, "numbers"]) -> list[float]:
    return [round(float(value), 7) for value in values]


def _keep_path(name: str, camera: CameraPath, tracked_path: CameraPath, spec: Spec) -> None:
    spec.paths.update(
        {
            f"{name}/R": camera.R_camera_world,
            f"{name}/t": camera.t_camera_world,
            f"{name}/tracked_R": tracked_path.R_camera_world,
            f"{name}/tracked_t": tracked_path.t_camera_world,
        }
    )
