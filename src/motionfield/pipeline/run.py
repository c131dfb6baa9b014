"""A whole run: every input by itself, or all takes of one action together."""

import time
from typing import final

from motionfield.core.errors import MotionfieldError
from motionfield.core.history import make_key
from motionfield.core.progress import Progress, named, silent
from motionfield.data import CameraPath, Motion, Take
from motionfield.outputs import (
    Finished,
    Source,
    SourceResult,
    Summary,
    check_key,
    check_run,
    name_sources,
    write_source,
    write_summary,
)
from motionfield.pipeline.first import FirstMaker, FirstMotion
from motionfield.pipeline.group import run_group
from motionfield.pipeline.result import Failed, RunResult
from motionfield.priors.pose_mixture import PoseMixture
from motionfield.run_config import RunConfig
from motionfield.steps.evaluate import assess
from motionfield.steps.fit import FitResult, make_fitter


@final
class Pipeline:
    """Videos (or keypoint files) in, motions in files out."""

    def __init__(self, config: RunConfig, progress: Progress = silent) -> None:
        self._config = config
        self._progress = progress
        self._first = FirstMaker(config)

    def run(self) -> RunResult:
        """Run every input; one that fails does not stop the others.

        Raises:
            MotionfieldError: the output folder cannot be used, every input failed (then the
                first one's error), or the takes of one action cannot be fitted together.
        """
        started = time.monotonic()
        sources = name_sources(self._config)
        check_run(self._config, sources)
        self._first.lifter  # noqa: B018 (bad weights are told before anything is made)
        if self._config.method == "nemo":
            result = run_group(self._config, self._first, sources, self._progress)
        else:
            check_key(self._config.out, None)
            result = self._each_alone(sources)
        seconds = time.monotonic() - started
        write_summary(self._config, Summary(*result, seconds), self._first.body())
        return result

    def _each_alone(self, sources: list[Source]) -> RunResult:
        finished: list[Finished] = []
        failed: list[Failed] = []
        for source in sources:
            progress = self._progress
            progress = named(progress, source.name) if len(sources) > 1 else progress
            try:
                finished.append(self._run_source(source, progress))
            except MotionfieldError as error:
                failed.append((source, error))
        if not finished:
            raise failed[0][1]
        return RunResult(finished, failed)

    def _run_source(self, source: Source, progress: Progress) -> Finished:
        key = self._first.run_key(source)
        check_key(source.folder, key)
        first = self._first.make(source, progress)
        takes = [self._finish_person(first, index, progress) for index in range(len(first.initial))]
        seen = first.seen
        result = SourceResult(
            source, seen.video, takes, seen.tracks.warnings, seen.store.times, key
        )
        return write_source(result, self._first.body(), self._config, progress)

    def _finish_person(self, first: FirstMotion, index: int, progress: Progress) -> Take:
        config, body = self._config, self._first.body()
        keypoints, camera, initial = (
            first.seen.tracks.person(index),
            first.camera,
            first.initial[index],
        )
        fitted = FitResult(initial, camera)
        if config.method == "fit":
            key = make_key(first.keys[index], config.fit, config.method, config.seed)
            fitter = make_fitter(config.fit, body, PoseMixture.load())
            fitted = FitResult(
                *first.seen.store.records(
                    f"fit_{index}",
                    key,
                    (Motion, CameraPath),
                    lambda: self._first.seeded(
                        lambda: fitter.fit(keypoints, camera, initial, progress)
                    ),
                )
            )
        quality = assess(fitted.motion, fitted.camera, keypoints, body)
        return Take(f"person {index}", keypoints, fitted.camera, fitted.motion, quality)


def run_pipeline(config: RunConfig, progress: Progress = silent) -> RunResult:
    """``Pipeline(config, progress).run()``."""
    return Pipeline(config, progress).run()
