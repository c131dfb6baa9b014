"""What a run is asked to do."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from motionfield.core.errors import OptionError
from motionfield.steps.calibrate import CalibrateConfig
from motionfield.steps.fit import FitConfig, SequenceFitConfig
from motionfield.steps.lift import LiftConfig
from motionfield.steps.read import ReadConfig
from motionfield.steps.track import TrackConfig

Landmarks = Literal["auto", "full", "heavy"]


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
    method: Literal["fit", "meva"] = "fit"
    """fit: lift, then fit to the keypoints; meva: MEVA's lift alone, which is fast."""
    read: ReadConfig = field(default_factory=ReadConfig)
    track: TrackConfig = field(default_factory=TrackConfig)
    calibrate: CalibrateConfig = field(default_factory=CalibrateConfig)
    lift: LiftConfig = field(default_factory=LiftConfig)
    fit: FitConfig = field(default_factory=SequenceFitConfig)
    landmarks: Landmarks = "auto"
    """The landmark network; "auto": heavy where it has been put into the cache, else full."""
    body: str = "anny"
    seed: int = 0
    resume: bool = False
    """Go on at the last finished stage of the run that was cut."""
    overlay: bool = True
    """Draw overlay.mp4 where there is a video."""

    def __post_init__(self) -> None:
        if not self.videos and not self.keypoints:
            raise OptionError("nothing to do; give a video, or --keypoints FILE")
        if self.videos and self.keypoints and len(self.videos) != len(self.keypoints):
            raise OptionError(
                f"{len(self.keypoints)} keypoint files for {len(self.videos)} videos; "
                "give one --keypoints file per video, in the same order"
            )
        if self.features and not (self.method == "meva" and self.lift.images):
            raise OptionError("--features: only MEVA reads them; add --method meva")
        if self.features and len(self.features) != len(self.videos or self.keypoints):
            raise OptionError(
                f"{len(self.features)} --features files for {len(self.videos or self.keypoints)} "
                "inputs; give one per input, in the same order"
            )
        if self.features and self.track.person == "all":
            raise OptionError("--features: are of one person; leave --person all out")
        if self.method == "meva" and self.lift.method != "meva":
            raise OptionError(f"method meva with lift {self.lift.method!r}: give LiftConfig meva")
