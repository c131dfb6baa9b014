"""What a run is asked to do."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from motionfield.core.errors import OptionError
from motionfield.steps.calibrate import CalibrateConfig
from motionfield.steps.fit import FitConfig, GroupConfig, NemoConfig, SequenceFitConfig
from motionfield.steps.lift import LiftConfig
from motionfield.steps.read import ReadConfig
from motionfield.steps.track import TrackConfig

Landmarks = Literal["auto", "full", "heavy"]
Repetitions = Literal["auto"] | int | None


@dataclass(frozen=True)
class RunConfig:
    """Inputs, output folder and the options of every step."""

    out: Path
    videos: tuple[Path, ...] = ()
    """Video files or folders of images."""
    keypoints: tuple[Path, ...] = ()
    """Keypoint files that stand for tracking, one per video; without videos, one per take."""
    features: tuple[Path, ...] = ()
    """Per-frame image features, one file per video (or keypoint file): MEVA lifts from them."""
    method: Literal["fit", "meva", "nemo"] = "fit"
    """fit: lift, then fit to the keypoints; meva: MEVA's lift alone, which is fast; nemo: lift,
    then fit all inputs together as takes of one action."""
    read: tuple[ReadConfig, ...] = (ReadConfig(),)
    """One for all videos, or one per video."""
    track: TrackConfig = field(default_factory=TrackConfig)
    calibrate: CalibrateConfig = field(default_factory=CalibrateConfig)
    lift: LiftConfig = field(default_factory=LiftConfig)
    fit: FitConfig = field(default_factory=SequenceFitConfig)
    group: GroupConfig = field(default_factory=NemoConfig)
    """Of method nemo."""
    repetitions: Repetitions = None
    """Cut every input into this many repetitions, each of which is a take ("auto": as many as
    are found)."""
    drop_outliers: bool = False
    """Go on without takes that show another action."""
    landmarks: Landmarks = "auto"
    """The landmark network; "auto": heavy where it has been put into the cache, else full."""
    body: str = "anny"
    seed: int = 0
    resume: bool = False
    """Go on at the last finished stage of the run that was cut."""
    overlay: bool = True
    """Draw overlay.mp4 where there is a video."""

    @property
    def inputs(self) -> tuple[Path, ...]:
        """What is measured: the videos, or the keypoint files where there is none."""
        return self.videos or self.keypoints

    def __post_init__(self) -> None:
        if not self.inputs:
            raise OptionError("nothing to do; give a video, or --keypoints FILE")
        if self.videos and self.keypoints and len(self.videos) != len(self.keypoints):
            raise OptionError(
                f"{len(self.keypoints)} keypoint files for {len(self.videos)} videos; "
                "give one --keypoints file per video, in the same order"
            )
        if len(self.read) not in (1, len(self.inputs)):
            raise OptionError(
                f"--capture-fps: {len(self.read)} rates for {len(self.inputs)} inputs; give one "
                "for all, or one per input, in the same order"
            )
        self._check_meva()
        self._check_nemo()

    def _check_meva(self) -> None:
        if self.features and not (self.method == "meva" and self.lift.images):
            raise OptionError("--features: only MEVA reads them; add --method meva")
        if self.features and len(self.features) != len(self.inputs):
            raise OptionError(
                f"{len(self.features)} --features files for {len(self.inputs)} "
                "inputs; give one per input, in the same order"
            )
        if self.features and self.track.person == "all":
            raise OptionError("--features: are of one person; leave --person all out")
        if self.method == "meva" and self.lift.method != "meva":
            raise OptionError(f"method meva with lift {self.lift.method!r}: give LiftConfig meva")

    def _check_nemo(self) -> None:
        if self.method != "nemo":
            if self.repetitions is not None:
                raise OptionError("--repetitions: are takes of one action; add --method nemo")
            if self.drop_outliers:
                raise OptionError("--drop-outliers: of several takes; add --method nemo")
            return
        if isinstance(self.repetitions, int) and self.repetitions < 2:
            raise OptionError(f"--repetitions {self.repetitions}: give 2 or more, or auto")
        if len(self.inputs) < 2 and self.repetitions is None:
            raise OptionError(
                f"{self.inputs[0]}: is one take, and nemo needs two or more of one action; if it "
                "shows several add --repetitions auto, else use --method fit"
            )
        if self.track.person == "all":
            raise OptionError(
                "--person all: nemo takes one person of each video; give --person auto or an "
                "INDEX, or use --method fit"
            )
