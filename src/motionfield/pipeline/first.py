"""One input up to the first 3D of its persons: read → track → calibrate → lift."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TypeVar, final

import numpy as np
import torch
from jaxtyping import Bool
from numpy import ndarray

from motionfield import __version__
from motionfield.body.base import Body
from motionfield.body.registry import load_body
from motionfield.core.assets import fetch_asset, is_present
from motionfield.core.errors import InputError
from motionfield.core.history import make_key
from motionfield.core.progress import Progress
from motionfield.data import CameraPath, FeatureClip, Keypoints, Motion, Tracks, Video
from motionfield.formats.features import on_frames, read_features
from motionfield.formats.keypoint_files import read_keypoints
from motionfield.formats.video_file import stream_frames
from motionfield.outputs import Source
from motionfield.priors.pose_mixture import PoseMixture
from motionfield.run_config import RunConfig
from motionfield.stages import StageStore, fingerprint
from motionfield.steps.calibrate import BackgroundWatch, Calibrator
from motionfield.steps.lift import Lifter, make_lifter, weights_of
from motionfield.steps.read import read_video
from motionfield.steps.track import PoseModels, TrackConfig, Tracker

Made = TypeVar("Made")


class Seen(NamedTuple):
    """One input and who is seen in it, the subject first."""

    source: Source
    video: Video | None
    tracks: Tracks
    key: str
    """Of the tracks."""
    store: StageStore


class FirstMotion(NamedTuple):
    """One input with the first 3D of its persons."""

    seen: Seen
    camera: CameraPath
    initial: tuple[Motion, ...]
    keys: tuple[str, ...]
    """Of each person's first 3D."""


class _Features(NamedTuple):
    """Image features of one input."""

    path: Path
    clip: FeatureClip
    key: str
    """What is in the file."""


@final
class FirstMaker:
    """Makes the first 3D of one input after another; each stage is kept."""

    def __init__(self, config: RunConfig) -> None:
        self._config = config

    @cached_property
    def lifter(self) -> Lifter:
        """The lift; what is wrong with its weights is said when it is first asked for."""
        return make_lifter(self._config.lift, self.body(), PoseMixture.load())

    def body(self) -> Body:
        return load_body(self._config.body)

    def run_key(self, source: Source) -> str:
        """Names everything that decides the result of this input fitted by itself."""
        config = self._config
        key = make_key(
            self._input_key(source, config.track),
            config.calibrate,
            config.body,
            config.lift,
            config.fit,
        )
        rows = None if source.features is None else fingerprint(source.features)
        key = make_key(key, self._weights_key, rows)
        return make_key(key, config.method, config.seed, config.overlay)

    def make(
        self,
        source: Source,
        progress: Progress,
        least_frames: int = 1,
        everyone: bool = False,
    ) -> FirstMotion:
        """The first 3D of every person who was asked for.

        Args:
            source: the input.
            progress: of this input.
            least_frames: fewer frames, or fewer that show the subject, are refused.
            everyone: of everybody in view, whoever was asked for.

        Raises:
            MotionfieldError: the input cannot be used.
        """
        track = self._config.track
        track = replace(track, person="all") if everyone else track
        key = self._input_key(source, track)
        features = self._features(source)
        store = self._store(source, "everyone" if everyone else "")
        video = None if source.video is None else read_video(source.video, source.read)
        if video is not None:
            check_length(source, np.ones(video.num_frames, bool), least_frames)
        tracks = store.record(
            "track", key, Tracks, lambda: self._track(source, video, track, progress)
        )
        check_length(source, tracks.observed[0], least_frames)
        return self._lifted(Seen(source, video, tracks, key, store), features, progress)

    def of_person(self, made: FirstMotion, index: int, progress: Progress) -> FirstMotion:
        """The first 3D of one of several persons, as if nobody else were in view."""
        seen = made.seen
        alone = seen._replace(
            tracks=_only(seen.tracks, index),
            key=make_key(seen.key, index),
            store=self._store(seen.source, "subject"),
        )
        return self._lifted(alone, None, progress)

    def _store(self, source: Source, part: str) -> StageStore:
        return StageStore(source.folder / ".stages" / part, self._config.resume)

    def _lifted(self, seen: Seen, features: "_Features | None", progress: Progress) -> FirstMotion:
        """With the camera and everybody's first 3D."""
        config, tracks, store = self._config, seen.tracks, seen.store
        key = make_key(seen.key, config.calibrate, config.body)
        camera = store.record(
            "calibrate", key, CameraPath, lambda: self._calibrate(tracks, seen.video)
        )
        initial, keys = [], []
        for index in range(tracks.num_persons):
            keypoints = tracks.person(index)
            lift_key = make_key(key, config.lift, self._weights_key, index)
            lift_key = lift_key if features is None else make_key(lift_key, features.key)
            lift = self._lifting(keypoints, camera, features, progress)
            initial.append(store.record(f"lift_{index}", lift_key, Motion, lift))
            keys.append(lift_key)
        return FirstMotion(seen, camera, tuple(initial), tuple(keys))

    def seeded(self, make: Callable[[], Made]) -> Made:
        """Run a stage from the seed, whichever stages ran before it in this process."""
        torch.manual_seed(self._config.seed)
        np.random.seed(self._config.seed)  # noqa: NPY002 (other people's code draws from it)
        return make()

    def _track(
        self, source: Source, video: Video | None, config: TrackConfig, progress: Progress
    ) -> Tracks:
        """Follow the persons, or take the keypoints that were given."""
        if source.keypoints is not None:
            return _given_tracks(source, source.keypoints, video)
        if video is None:
            raise InputError(source.name, "has neither video nor keypoints", "give one of them")
        models = PoseModels(
            fetch_asset("pose_detector", progress), fetch_asset(self._landmarks(), progress)
        )
        tracker = Tracker(config, models)
        span_s = float(video.playback_s[-1] - video.playback_s[0])
        watch = BackgroundWatch((video.num_frames - 1) / span_s if span_s > 0 else video.fps)
        frames = watch.watched(stream_frames(video))
        tracks = self.seeded(lambda: tracker.track(video, frames, progress))
        moves = watch.warning(tracks.bbox_xyxy)
        return tracks if moves is None else tracks.replace(warnings=(*tracks.warnings, moves))

    def _calibrate(self, tracks: Tracks, video: Video | None) -> CameraPath:
        calibrator = Calibrator(self._config.calibrate, self.body())
        exif_focal_px = None if video is None else video.exif_focal_px
        return self.seeded(lambda: calibrator.calibrate(tracks, exif_focal_px))

    def _lifting(
        self,
        keypoints: Keypoints,
        camera: CameraPath,
        features: "_Features | None",
        progress: Progress,
    ) -> Callable[[], Motion]:
        def lift() -> Motion:
            lifter = self.lifter
            if features is not None:
                clip = on_frames(features.clip, keypoints.frame_index, features.path)
                lifter = make_lifter(self._config.lift, self.body(), PoseMixture.load(), clip)
            motion = self.seeded(lambda: lifter.lift(keypoints, camera, progress))
            # The camera was made from the same keypoints: its history comes in between.
            history = (*camera.history, *motion.history[len(keypoints.history) :])
            return motion.replace(history=history)

        return lift

    @cached_property
    def _weights_key(self) -> str | None:
        """What the network's weights are, whatever their file is called."""
        path = weights_of(self._config.lift)
        return None if path is None else fingerprint(path)

    def _features(self, source: Source) -> "_Features | None":
        """The source's image features; damaged ones are told before anything is computed."""
        if source.features is None:
            return None
        clip = read_features(source.features, source.path.stem, width=None)
        return _Features(source.features, clip, fingerprint(source.features))

    def _landmarks(self) -> str:
        """The name of the landmark network: what was asked for, else the best that is there."""
        if self._config.landmarks != "auto":
            return f"pose_landmarks_{self._config.landmarks}"
        heavy = "pose_landmarks_heavy"
        return heavy if is_present(heavy) else "pose_landmarks_full"

    def _input_key(self, source: Source, track: TrackConfig) -> str:
        """What decides the first stage's result."""
        files = [fingerprint(path) for path in (source.video, source.keypoints) if path is not None]
        return make_key(__version__, files, source.read, track, self._landmarks())


def _given_tracks(source: Source, path: Path, video: Video | None) -> Tracks:
    """The keypoints of a file, on the clock of their video if there is one."""
    if video is None:
        keypoints = read_keypoints(path)
        if source.read.capture_fps is not None:
            slowdown = source.read.capture_fps / keypoints.fps
            keypoints = keypoints.replace(
                fps=source.read.capture_fps, time_s=keypoints.time_s / slowdown
            )
        return Tracks.of_one(keypoints)
    keypoints = read_keypoints(path, video.fps, video.image_size)
    if keypoints.num_frames != video.num_frames:
        raise InputError(
            path,
            f"has {keypoints.num_frames} frames, the video {video.path} has {video.num_frames}",
            "give the keypoints of every frame of the video (or of the --range)",
        )
    return Tracks.of_one(keypoints.replace(time_s=video.time_s, frame_index=video.frame_index))


def _only(tracks: Tracks, index: int) -> Tracks:
    """One of several persons, with what was said of this one and of the video."""
    own = f"person {index}:"
    warnings = tuple(
        text.replace(own, "person 0:", 1)
        for text in tracks.warnings
        if text.startswith(own) or not re.match(r"person \d+:", text)
    )
    return Tracks.of_one(tracks.person(index)).replace(warnings=warnings)


def check_length(source: Source, observed: Bool[ndarray, "frames"], least: int) -> None:
    """Refuse takes that are too short to be set against others.

    Raises:
        InputError: fewer frames, or fewer in which the subject is seen.
    """
    frames, seen = len(observed), int(observed.sum())
    if seen >= least:
        return
    has = f"has only {frames} frames" if frames < least else f"shows the subject in {seen} frames"
    cure = "leave it out, or give a longer part of it"
    raise InputError(source.called, f"{has}, and a take needs {least} or more", cure)
