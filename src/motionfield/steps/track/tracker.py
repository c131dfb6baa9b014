"""track: frames of a video → ``Tracks``."""

import queue
import threading
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from motionfield.core.errors import NoPersonError, OptionError, RecordError
from motionfield.core.history import step
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.core.progress import Progress, silent, tracked
from motionfield.data.tracks import Tracks, boxes_of
from motionfield.data.video import Video
from motionfield.steps.track.associate import join_tracklets
from motionfield.steps.track.config import TrackConfig
from motionfield.steps.track.detector import PersonDetector
from motionfield.steps.track.follow import Follower
from motionfield.steps.track.landmarks import NUM_KEYPOINTS, LandmarkEstimator
from motionfield.steps.track.networks import NetworkPool, PoseModels
from motionfield.steps.track.subject import order_persons, subject_scores
from motionfield.steps.track.swaps import repair_swaps
from motionfield.steps.track.tracklet import Tracklet

_FRAMES_AHEAD = 2


class Tracker:
    """Finds and follows people with the BlazePose networks."""

    def __init__(self, config: TrackConfig, models: PoseModels) -> None:
        """Load the networks.

        Raises:
            InputError: a file is not the network that it should be.
        """
        self._config = config
        detector = NetworkPool(models.detector, config.workers, PersonDetector.outputs())
        landmarks = NetworkPool(models.landmarks, config.workers, LandmarkEstimator.outputs())
        self._detector = PersonDetector(detector, config.detector_score_min)
        self._landmarks = LandmarkEstimator(landmarks)

    def track(
        self,
        video: Video,
        frames: Iterable[UInt8[ndarray, "height width 3"]],
        progress: Progress = silent,
    ) -> Tracks:
        """One pass over the frames (RGB, upright); memory does not grow with the pixels.

        The confidence of a keypoint is the network's probability of being visible times that of
        being present; it is 0 outside the picture.

        Raises:
            NoPersonError: nobody was found.
            OptionError: there is no person of the wanted number.
            RecordError: the number of frames is not the video's.
        """
        size = video.image_size
        follower = Follower(self._config, self._detector, self._landmarks, size, video.fps)
        count = 0
        stream = read_ahead(frames)
        for frame in tracked(stream, progress, "track", video.num_frames):
            follower.advance(count, frame)
            count += 1
        if count != video.num_frames:
            raise RecordError(f"Tracks: {count} frames came, {video.num_frames} were announced")
        return self._finish(video, follower.tracklets)

    def _finish(self, video: Video, tracklets: Sequence[Tracklet]) -> Tracks:
        config, fps = self._config, video.fps
        persons = join_tracklets(tracklets, fps, config)
        least = min(config.min_presence_s * fps, video.num_frames / 2)
        persons = [p for p in persons if len(p.estimates) >= least and _is_credible(p, config)]
        if not persons:
            cure = "give a video in which a person fills at least a sixth of the height"
            raise NoPersonError(f"{video.path}: nobody was found in it; {cure}")
        arrays = [_arrays(p, video) for p in persons]
        keypoints = np.stack([a[0] for a in arrays])
        coarse = np.stack([a[1] for a in arrays])
        chosen = _chosen(subject_scores(keypoints, video.image_size, fps), config)
        keypoints, coarse = keypoints[chosen], coarse[chosen]
        warnings = []
        if config.repair_swaps:
            for index in range(len(chosen)):
                fixed = repair_swaps(keypoints[index], coarse[index], video.time_s)
                keypoints[index], coarse[index] = fixed.keypoints_2d, fixed.coarse_camera
                warnings += [f"person {index}: {text}" for text in fixed.warnings(video.time_s)]
        observed = np.isfinite(keypoints[..., 0]).any(-1)
        for index, seen in enumerate(observed):
            if not seen.all():
                warnings.append(f"person {index}: not seen in {int((~seen).sum())} frames")
        return Tracks(
            keypoints_2d=keypoints,
            coarse_camera=coarse,
            bbox_xyxy=np.stack([boxes_of(k) for k in keypoints]),
            observed=observed,
            keypoint_names=BLAZEPOSE_33.keypoint_names,
            image_width=video.image_width,
            image_height=video.image_height,
            fps=fps,
            time_s=video.time_s,
            frame_index=video.frame_index,
            warnings=tuple(warnings),
            history=(*video.history, step("track", config)),
        )


def _is_credible(person: Tracklet, config: TrackConfig) -> bool:
    """Whether a whole track shows somebody, not what the landmark network makes up."""
    rest = person.unrest(len(person.estimates)) <= config.unrest_max
    return rest and person.flag() >= config.flag_median_min


def _arrays(
    person: Tracklet, video: Video
) -> tuple[Float[ndarray, "frames 33 3"], Float[ndarray, "frames 33 3"]]:
    """2D and coarse 3D keypoints of one person on all frames; NaN where not seen."""
    keypoints = np.full((video.num_frames, NUM_KEYPOINTS, 3), np.nan, np.float32)
    coarse = np.full_like(keypoints, np.nan)
    for number, estimate in person.estimates.items():
        keypoints[number] = estimate.keypoints
        coarse[number] = estimate.coarse_camera
    xy = keypoints[..., :2]
    outside = ((xy < 0) | (xy > np.array(video.image_size, np.float32))).any(-1)
    keypoints[..., 2][outside] = 0
    return keypoints, coarse


def _chosen(scores: Float[ndarray, "persons"], config: TrackConfig) -> list[int]:
    """Whom to return, in order."""
    order = order_persons(scores)[: config.max_persons]
    if isinstance(config.person, int):
        if config.person >= len(order):
            fault = f"only {len(order)} found (0 to {len(order) - 1})"
            raise OptionError(f"--person {config.person}: {fault}; --person all shows everyone")
        return [order[config.person]]
    return order[:1] if config.person == "auto" else order


def read_ahead(frames: Iterable[ndarray]) -> Iterator[ndarray]:
    """The same frames, fetched by a thread so that decoding and the networks overlap."""
    ready: queue.Queue[tuple[ndarray | None, BaseException | None]] = queue.Queue(_FRAMES_AHEAD)
    stopped = threading.Event()

    def put(item: tuple[ndarray | None, BaseException | None]) -> bool:
        while not stopped.is_set():
            try:
                ready.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def fetch() -> None:
        try:
            for frame in frames:
                if not put((frame, None)):
                    return
        except BaseException as error:  # handed to the consumer, who raises it
            put((None, error))
            return
        put((None, None))

    thread = threading.Thread(target=fetch, name="read-ahead", daemon=True)
    thread.start()
    try:
        while True:
            frame, error = ready.get()
            if error is not None:
                raise error
            if frame is None:
                return
            yield frame
    finally:
        stopped.set()
        thread.join()
