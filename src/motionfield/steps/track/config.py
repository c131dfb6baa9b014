"""What can be chosen about tracking."""

from dataclasses import dataclass

from motionfield.core.errors import OptionError


@dataclass(frozen=True)
class TrackConfig:
    """Whom to track and how. Lengths are shares of a person's region unless a unit is named."""

    person: str | int = "auto"
    """"auto": the subject alone; "all": everyone; a number: that one of everyone, subject first."""
    max_persons: int = 10
    """At most so many persons are returned, the subject first."""
    smallest_share: float = 1 / 6
    """Persons at least this share of the frame's height tall are searched for."""
    sweep_every_s: float = 1.0
    """Time between searches of the whole frame for newcomers."""
    search_every_s: float = 0.2
    """The same while nobody is being followed."""
    audition_s: float = 1.0
    """With "auto": how long everyone who might be the subject is followed before one is chosen."""
    keep_lost_s: float = 1.0
    """How long a lost person is looked for near the last place."""
    join_gap_s: float = 3.0
    """Longest gap over which two stretches of the same person are joined."""
    min_presence_s: float = 0.5
    """Shorter appearances are dropped (in a shorter clip: those under half of it)."""
    detector_score_min: float = 0.4
    flag_min: float = 0.5
    """Least probability of a person that the landmark network must give."""
    flag_median_min: float = 0.9
    """Whole tracks must reach this in the median."""
    jump_max_per_60hz: float = 0.12
    """Largest departure from steady motion per 1/60 s, of the region's side."""
    size_ratio_max: float = 1.6
    """Largest change of size from frame to frame."""
    inside_min: float = 0.3
    """Least share of the region that must lie inside the frame."""
    unrest_max: float = 0.09
    """Keypoints that jump about more than this (see ``Tracklet.unrest``) are made up."""
    coincide_max: float = 0.08
    """Two persons whose keypoints lie nearer than this (median, of the box) are one person."""
    repair_swaps: bool = True
    """Find and undo exchanges of left and right."""
    workers: int = 2
    """Threads that run the networks."""

    def __post_init__(self) -> None:
        if isinstance(self.person, str) and self.person.isdigit():
            object.__setattr__(self, "person", int(self.person))
        if self.person not in ("auto", "all") and not isinstance(self.person, int):
            raise OptionError(f"--person {self.person}: is neither auto, all nor a number from 0")
        if isinstance(self.person, int) and self.person < 0:
            raise OptionError(f"--person {self.person}: persons are counted from 0")
        if self.max_persons < 1 or self.workers < 1:
            raise OptionError("max_persons and workers must be at least 1")
