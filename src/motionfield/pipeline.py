"""The steps in order: read → track → calibrate → lift → fit → evaluate → outputs.

What each step made is kept under ``OUT/<stem>/.stages``, so that a run that was cut goes on at
the last finished stage and ends with the same result.
"""

import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TypeVar, final

import numpy as np
import torch

from motionfield import __version__
from motionfield.body.base import Body
from motionfield.body.registry import load_body
from motionfield.core.assets import fetch_asset, is_present
from motionfield.core.errors import InputError, MotionfieldError
from motionfield.core.history import make_key
from motionfield.core.progress import Progress, silent
from motionfield.data import CameraPath, FeatureClip, Keypoints, Motion, Take, Tracks, Video
from motionfield.formats.features import on_frames, read_features
from motionfield.formats.keypoint_files import read_keypoints
from motionfield.formats.video_file import stream_frames
from motionfield.outputs import (
    Finished,
    Source,
    SourceResult,
    check_key,
    check_run,
    name_sources,
    write_source,
    write_summary,
)
from motionfield.priors.pose_mixture import PoseMixture
from motionfield.run_config import RunConfig
from motionfield.stages import StageStore, fingerprint
from motionfield.steps.calibrate import Calibrator
from motionfield.steps.evaluate import assess
from motionfield.steps.fit import FitResult, Fitter, make_fitter
from motionfield.steps.lift import Lifter, make_lifter, weights_of
from motionfield.steps.read import read_video
from motionfield.steps.track import PoseModels, Tracker

Made = TypeVar("Made")
Failed = tuple[Source, MotionfieldError]


class _Features(NamedTuple):
    """Image features of one input."""

    path: Path
    clip: FeatureClip
    key: str
    """What is in the file."""


class RunResult(NamedTuple):
    """What a run made, and the inputs of which it could make nothing."""

    finished: list[Finished]
    failed: list[Failed]


@final
class Pipeline:
    """Videos (or keypoint files) in, motions in files out."""

    def __init__(self, config: RunConfig, progress: Progress = silent) -> None:
        self._config = config
        self._progress = progress

    def run(self) -> RunResult:
        """Run every input, one after another; one that fails does not stop the others.

        Raises:
            MotionfieldError: the output folder cannot be used, or every input failed (then the
                first one's error).
        """
        started = time.monotonic()
        sources = name_sources(self._config)
        check_run(self._config, sources)
        self._lifter  # noqa: B018 (what is wrong with its weights is said before anything is made)
        finished: list[Finished] = []
        failed: list[Failed] = []
        for source in sources:
            try:
                finished.append(self._run_source(source))
            except MotionfieldError as error:
                failed.append((source, error))
        if not finished:
            raise failed[0][1]
        write_summary(self._config, finished, failed, self._body(), time.monotonic() - started)
        return RunResult(finished, failed)

    def _run_source(self, source: Source) -> Finished:
        config = self._config
        key = self._input_key(source)
        whole_key = make_key(key, config.calibrate, config.body, config.lift, config.fit)
        clip = self._features(source)
        whole_key = make_key(whole_key, self._weights_key, None if clip is None else clip.key)
        whole_key = make_key(whole_key, config.method, config.seed, config.overlay)
        check_key(source, whole_key)
        store = StageStore(source.folder / ".stages", config.resume)
        video = None if source.video is None else read_video(source.video, config.read)

        tracks = store.record("track", key, Tracks, lambda: self._track(source, video))
        key = make_key(key, config.calibrate, config.body)
        camera = store.record("calibrate", key, CameraPath, lambda: self._calibrate(tracks, video))
        takes = [
            self._run_person(store, key, tracks.person(index), index, camera, clip)
            for index in range(tracks.num_persons)
        ]
        result = SourceResult(source, video, takes, tracks.warnings, store.times, whole_key)
        return write_source(result, self._body(), config, self._progress)

    def _run_person(
        self,
        store: StageStore,
        key: str,
        keypoints: Keypoints,
        index: int,
        camera: CameraPath,
        features: "_Features | None",
    ) -> Take:
        config = self._config
        key = make_key(key, config.lift, self._weights_key, index)
        key = key if features is None else make_key(key, features.key)
        initial = store.record(
            f"lift_{index}",
            key,
            Motion,
            lambda: self._lift(keypoints, camera, features),
        )
        fitted = FitResult(initial, camera)
        if config.method == "fit":
            key = make_key(key, config.fit, config.method, config.seed)
            fitted = FitResult(
                *store.records(
                    f"fit_{index}",
                    key,
                    (Motion, CameraPath),
                    lambda: self._seeded(
                        lambda: self._fitter().fit(keypoints, camera, initial, self._progress)
                    ),
                )
            )
        quality = assess(fitted.motion, fitted.camera, keypoints, self._body())
        return Take(f"person {index}", keypoints, fitted.camera, fitted.motion, quality)

    def _track(self, source: Source, video: Video | None) -> Tracks:
        """Follow the persons, or take the keypoints that were given."""
        if source.keypoints is not None:
            rate = None if video is None else video.fps
            size = None if video is None else video.image_size
            keypoints = read_keypoints(source.keypoints, rate, size)
            if video is None:
                return Tracks.of_one(keypoints)
            if keypoints.num_frames != video.num_frames:
                raise InputError(
                    source.keypoints,
                    f"has {keypoints.num_frames} frames, the video {video.path} has "
                    f"{video.num_frames}",
                    "give the keypoints of every frame of the video (or of the --range)",
                )
            timed = keypoints.replace(time_s=video.time_s, frame_index=video.frame_index)
            return Tracks.of_one(timed)
        if video is None:
            raise InputError(source.name, "has neither video nor keypoints", "give one of them")
        models = PoseModels(
            fetch_asset("pose_detector", self._progress),
            fetch_asset(self._landmarks(), self._progress),
        )
        tracker = Tracker(self._config.track, models)
        return self._seeded(lambda: tracker.track(video, stream_frames(video), self._progress))

    def _calibrate(self, tracks: Tracks, video: Video | None) -> CameraPath:
        calibrator = Calibrator(self._config.calibrate, self._body())
        exif_focal_px = None if video is None else video.exif_focal_px
        return self._seeded(lambda: calibrator.calibrate(tracks, exif_focal_px))

    def _lift(
        self, keypoints: Keypoints, camera: CameraPath, features: "_Features | None"
    ) -> Motion:
        lifter = self._lifter
        if features is not None:
            clip = on_frames(features.clip, keypoints.frame_index, features.path)
            lifter = make_lifter(self._config.lift, self._body(), PoseMixture.load(), clip)
        motion = self._seeded(lambda: lifter.lift(keypoints, camera, self._progress))
        # The camera was made from the same keypoints: its history comes in between.
        return motion.replace(history=(*camera.history, *motion.history[len(keypoints.history) :]))

    @cached_property
    def _lifter(self) -> Lifter:
        return make_lifter(self._config.lift, self._body(), PoseMixture.load())

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

    def _fitter(self) -> Fitter:
        return make_fitter(self._config.fit, self._body(), PoseMixture.load())

    def _body(self) -> Body:
        return load_body(self._config.body)

    def _landmarks(self) -> str:
        """The name of the landmark network: what was asked for, else the best that is there."""
        if self._config.landmarks != "auto":
            return f"pose_landmarks_{self._config.landmarks}"
        heavy = "pose_landmarks_heavy"
        return heavy if is_present(heavy) else "pose_landmarks_full"

    def _input_key(self, source: Source) -> str:
        """What decides the first stage's result."""
        config = self._config
        files = [fingerprint(path) for path in (source.video, source.keypoints) if path is not None]
        return make_key(__version__, files, config.read, config.track, self._landmarks())

    def _seeded(self, make: Callable[[], Made]) -> Made:
        """Run a stage from the seed, whichever stages ran before it in this process."""
        torch.manual_seed(self._config.seed)
        np.random.seed(self._config.seed)  # noqa: NPY002 (other people's code draws from it)
        return make()


def run_pipeline(config: RunConfig, progress: Progress = silent) -> RunResult:
    """``Pipeline(config, progress).run()``."""
    return Pipeline(config, progress).run()
