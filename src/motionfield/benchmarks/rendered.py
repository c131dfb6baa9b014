"""What the real detector reports of rendered takes, kept in the cache: a render costs minutes."""

import ast
import dataclasses
import functools
import hashlib
import json
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from motionfield.body.base import Body
from motionfield.core.arrays import tensor_of
from motionfield.core.asset_table import ASSETS
from motionfield.core.assets import cache_folder, fetch_asset
from motionfield.core.errors import InputError, NoPersonError, OutputError
from motionfield.core.history import plain, step
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.core.progress import Progress, silent
from motionfield.data.camera_path import CameraPath
from motionfield.data.keypoints import Keypoints
from motionfield.data.motion import Motion
from motionfield.data.video import Video
from motionfield.steps.track import PoseModels, TrackConfig, Tracker
from motionfield.worlds import avatars
from motionfield.worlds.avatars.config import AvatarConfig
from motionfield.worlds.avatars.render import render_take

Network = Literal["full", "heavy"]


def rendered_keypoints(
    motion: Motion,
    camera: CameraPath,
    body: Body,
    seed: int,
    config: AvatarConfig | None = None,
    network: Network = "full",
    progress: Progress = silent,
) -> Keypoints:
    """Render a motion before a camera and let the tracker find the person, as in a user's video.

    The result lies in the cache folder (``rendered/``) under a hash of everything that it depends
    on, and is read from there the next time. Where nobody is found, no frame is observed.

    Raises:
        MissingAssetError: the pose models are not there and cannot be fetched.
        RecordError: motion and camera differ in frames.
    """
    config, track = config or AvatarConfig(), TrackConfig()
    key = _key(motion, camera, body, plain((seed, config, network, track)))
    path = cache_folder() / "rendered" / f"{key}.npz"
    kept = _kept(path)
    if kept is not None:
        return kept
    models = PoseModels(
        fetch_asset("pose_detector", progress),
        fetch_asset(f"pose_landmarks_{network}", progress),
    )
    frames = render_take(motion, camera, body, seed, config)
    try:
        tracks = Tracker(track, models).track(video_of(motion, camera), frames, progress)
        found = tracks.person(0)
    except NoPersonError:
        found = _nobody(motion, camera)
    made = step("render", config, seed=seed, network=network, code=painted_by())
    found = found.replace(history=(*motion.history, made, *found.history))
    _keep(found, path)
    return found


def video_of(motion: Motion, camera: CameraPath) -> Video:
    """The record of the video that a rendered take would be."""
    return Video(
        path=Path("rendered take"),
        image_width=camera.image_width,
        image_height=camera.image_height,
        rotation_deg=0,
        fps=motion.fps,
        frame_index=motion.frame_index,
        time_s=motion.time_s,
        playback_s=motion.time_s,
    )


@functools.cache
def painted_by() -> str:
    """A hash of the code that paints, without its words: frames of other code are others."""
    digest = hashlib.sha256()
    for path in sorted(Path(avatars.__file__).parent.glob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            if isinstance(body, list):
                node.body = [line for line in body if not _is_words(line)]  # type: ignore[attr-defined]
        digest.update(ast.dump(tree).encode())
    return digest.hexdigest()[:16]


def _is_words(line: ast.AST) -> bool:
    """A docstring, or a string below a field."""
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)


def _key(motion: Motion, camera: CameraPath, body: Body, options: object) -> str:
    """A hash of the arrays of both records, the options, the networks and the version."""
    digest = hashlib.sha256()
    for record in (motion, camera):
        for field in dataclasses.fields(record):
            value = getattr(record, field.name)
            if isinstance(value, np.ndarray):
                digest.update(field.name.encode())
                digest.update(np.ascontiguousarray(value).tobytes())
    digest.update(_shape_of(body, motion))
    models = ("pose_detector", "pose_landmarks_full", "pose_landmarks_heavy")
    networks = [file.sha256 for name in models for file in ASSETS[name].files]
    facts = {
        "size": camera.image_size,
        "fps": motion.fps,
        "body": body.name,
        "options": options,
        "networks": networks,
        "code": painted_by(),
    }
    digest.update(json.dumps(facts, sort_keys=True, default=str).encode())
    return digest.hexdigest()[:32]


def _shape_of(body: Body, motion: Motion) -> bytes:
    """The body's vertices in tenths of a millimetre: another compiled body is another picture."""
    with torch.no_grad():
        vertices = body.skin(tensor_of(motion.betas)).bind_vertices
    return (1e4 * vertices).round().to(torch.int32).numpy().tobytes()


def _kept(path: Path) -> Keypoints | None:
    if not path.is_file():
        return None
    try:
        return Keypoints.load(path)
    except InputError:
        # Damaged (a full disk, say): made anew.
        return None


def _keep(found: Keypoints, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fault = f"cannot be written ({error.strerror or error})"
        raise OutputError(path, fault, "set MOTIONFIELD_CACHE to a folder that can be") from error
    found.save(path)


def _nobody(motion: Motion, camera: CameraPath) -> Keypoints:
    shape = (motion.num_frames, len(BLAZEPOSE_33.keypoint_names), 3)
    nothing = np.full(shape, np.nan, np.float32)
    return Keypoints(
        keypoints_2d=nothing,
        keypoint_names=BLAZEPOSE_33.keypoint_names,
        image_width=camera.image_width,
        image_height=camera.image_height,
        fps=motion.fps,
        time_s=motion.time_s,
        frame_index=motion.frame_index,
        coarse_camera=nothing,
        observed=np.zeros(motion.num_frames, bool),
    )
