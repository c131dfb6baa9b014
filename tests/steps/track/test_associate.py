"""Who is who: gates, contests for one person, joining over gaps, and the choice of the subject."""

import numpy as np
import pytest
from numpy import ndarray

from motionfield.core.errors import OptionError
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.steps.track.associate import contested, join_tracklets
from motionfield.steps.track.config import TrackConfig
from motionfield.steps.track.landmarks import PoseEstimate
from motionfield.steps.track.regions import Roi
from motionfield.steps.track.subject import order_persons, subject_scores
from motionfield.steps.track.tracklet import (
    Tracklet,
    break_of,
    coincide,
    fault_of,
    likeness,
    torso_colours,
)
from steps.track.walkers import walker

_CONFIG = TrackConfig()
_SIZE = (1000, 800)
_BODY = walker(1, noise_px=0)[0][0]
_RED, _BLUE = (200, 30, 30), (30, 30, 200)


def _estimate(x: float, y: float = 400, scale: float = 1.0, flag: float = 1.0) -> PoseEstimate:
    keypoints = _BODY.copy()
    keypoints[:, :2] = (keypoints[:, :2] - (500, 400)) * scale + (x, y)
    roi = Roi(x, y, 500 * scale, 0.0)
    return PoseEstimate(keypoints, np.zeros((33, 3), np.float32), flag, roi, roi)


def _track(start: int, places: list[float], colour: tuple[int, int, int] | None = None) -> Tracklet:
    track = Tracklet({start + i: _estimate(x) for i, x in enumerate(places)})
    if colour is not None:
        frame = np.full((800, 1000, 3), colour, np.uint8)
        track.appearance = torso_colours(frame, _estimate(500).keypoints)
    return track


def _frame(colours: dict[int, tuple[int, int, int]]) -> ndarray:
    """A picture with people of these colours standing at these x."""
    frame = np.zeros((800, 1000, 3), np.uint8)
    for x, colour in colours.items():
        frame[:, x - 60 : x + 60] = colour
    return frame


def test_a_person_in_the_picture_has_no_fault() -> None:
    assert fault_of(_estimate(500), _SIZE, _CONFIG) is None


@pytest.mark.parametrize(
    ("estimate", "fault"),
    [
        (_estimate(500, flag=0.2), "flag"),
        (_estimate(-200), "outside"),
        (_estimate(500, scale=0.15), "small"),
        (_estimate(float("nan")), "not finite"),
    ],
)
def test_faults_of_single_estimates(estimate: PoseEstimate, fault: str) -> None:
    assert fault_of(estimate, _SIZE, _CONFIG) == fault


def test_steady_motion_goes_on_and_a_jump_breaks() -> None:
    track = _track(0, [100, 200])  # 0.2 of the region's side per frame: fast but steady
    assert break_of(track, 2, _estimate(300), 60.0, _CONFIG) is None
    assert break_of(track, 2, _estimate(400), 60.0, _CONFIG) == "jump"
    assert break_of(track, 2, _estimate(300, scale=2.0), 60.0, _CONFIG) == "size"
    # half the rate, twice the way from frame to frame
    assert break_of(track, 2, _estimate(400), 30.0, _CONFIG) is None


def test_gates_are_the_same_backwards_in_time() -> None:
    forwards, backwards = _track(0, [100, 150]), Tracklet({9: _estimate(100), 8: _estimate(150)})
    for x in (150, 200, 260, 300):
        ahead = break_of(forwards, 2, _estimate(x), 60.0, _CONFIG)
        assert ahead == break_of(backwards, 7, _estimate(x), 60.0, _CONFIG)


def test_coincidence_is_symmetric_and_blind_to_exchanged_sides() -> None:
    a, near, far = (_estimate(x).keypoints for x in (500, 510, 600))
    assert coincide(a, near, 0.08)
    assert coincide(near, a, 0.08)
    assert not coincide(a, far, 0.08)
    assert coincide(a, near[list(BLAZEPOSE_33.mirror)], 0.08)


def test_of_two_tracks_on_one_person_the_steadier_stays() -> None:
    stays, slips = _track(0, [500, 500]), _track(0, [620, 620])
    proposals = [(slips, _estimate(502)), (stays, _estimate(500))]
    assert contested(proposals, 2, _frame({}), _CONFIG) == [0]


def test_clothes_decide_who_slipped() -> None:
    # The red one has crept up to the blue one slowly, so steadiness would keep the wrong track.
    red, blue = _track(0, [495, 497], _RED), _track(0, [480, 480], _BLUE)
    proposals = [(red, _estimate(499)), (blue, _estimate(500))]
    assert contested(proposals, 2, _frame({500: _BLUE}), _CONFIG) == [0]
    assert contested(proposals, 2, _frame({500: _RED}), _CONFIG) == [1]


def test_people_who_cross_are_not_contested_while_apart() -> None:
    left, right = _track(0, [300, 320]), _track(0, [700, 680])
    proposals = [(left, _estimate(340)), (right, _estimate(660))]
    assert contested(proposals, 2, _frame({}), _CONFIG) == []


def test_stretches_of_one_person_are_joined_over_a_gap() -> None:
    early, late = _track(0, [300, 310, 320], _RED), _track(10, [390, 395, 400], _RED)
    (joined,) = join_tracklets([late, early], 30.0, _CONFIG)
    assert list(joined.estimates) == [0, 1, 2, 10, 11, 12]


@pytest.mark.parametrize(
    "late",
    [
        _track(20, [390] * 3, _BLUE),  # other clothes
        _track(10, [950] * 3, _RED),  # too far
        _track(1, [320] * 3, _RED),  # at the same time
        _track(400, [320] * 3, _RED),  # too late
    ],
)
def test_others_are_not_joined(late: Tracklet) -> None:
    assert len(join_tracklets([_track(0, [300, 310, 320], _RED), late], 30.0, _CONFIG)) == 2


def test_the_better_of_two_continuations_is_joined() -> None:
    early = _track(0, [300] * 3, _RED)
    near, far = _track(8, [310] * 3, _RED), _track(8, [420] * 3, _RED)
    joined = join_tracklets([early, far, near], 30.0, _CONFIG)
    assert sorted(len(t.estimates) for t in joined) == [3, 6]
    longest = max(joined, key=lambda t: len(t.estimates))
    assert longest.last is near.last


def test_unrest_tells_the_made_up_from_the_fast() -> None:
    rng = np.random.default_rng(0)
    keypoints, _, _ = walker(30, 30.0, np.pi / 2, speed=7.0, steps_hz=2.0)
    roi = Roi(500, 400, 500, 0)

    def track(xy: ndarray) -> Tracklet:
        coarse = np.zeros((33, 3), np.float32)
        return Tracklet({i: PoseEstimate(k, coarse, 1.0, roi, roi) for i, k in enumerate(xy)})

    runner = track(keypoints)
    noise = rng.normal(0, 30, keypoints.shape) * np.array([1, 1, 0])
    made_up = track((keypoints + noise).astype(np.float32))
    assert runner.unrest(30) < 0.5 * _CONFIG.unrest_max
    assert made_up.unrest(30) > _CONFIG.unrest_max
    assert track(keypoints[:2]).unrest(30) == 0


def test_forgetting_marks_the_loss() -> None:
    track = _track(0, [1, 2, 3, 4, 5])
    track.forget(2)
    assert list(track.estimates) == [0, 1, 2]
    assert track.lost_at == 3


def test_likeness_of_colours() -> None:
    keypoints = _estimate(500).keypoints
    red = torso_colours(_frame({500: _RED}), keypoints)
    blue = torso_colours(_frame({500: _BLUE}), keypoints)
    assert red is not None
    assert blue is not None
    assert likeness(red, red) == pytest.approx(1, abs=1e-6)
    assert likeness(red, blue) < 0.2
    assert torso_colours(_frame({}), _estimate(-500).keypoints) is None


def _person(x: float, scale: float, fps: float = 30.0, speed: float = 0.0) -> ndarray:
    keypoints, _, _ = walker(60, fps, np.pi / 2, speed=0.0, steps_hz=speed)
    keypoints[..., :2] = (keypoints[..., :2] - (500, 400)) * scale + (x, 400)
    return keypoints


def test_the_subject_is_large_central_active_and_present() -> None:
    base = _person(500, 1.0)
    absent = base.copy()
    absent[20:] = np.nan
    for other in (_person(500, 0.5), _person(150, 1.0), absent):
        scores = subject_scores(np.stack([other, base]), _SIZE, 30.0)
        assert scores[1] > scores[0]
    scores = subject_scores(np.stack([base, _person(500, 1.0, speed=1.5)]), _SIZE, 30.0)
    assert order_persons(scores) == [1, 0]


def test_someone_never_seen_is_the_last() -> None:
    nothing = np.full((60, 33, 3), np.nan, np.float32)
    scores = subject_scores(np.stack([nothing, _person(100, 0.3)]), _SIZE, 30.0)
    assert order_persons(scores) == [1, 0]


def test_config_refuses_nonsense() -> None:
    assert TrackConfig(person="3").person == 3
    for person in ("first", "-1", -1):
        with pytest.raises(OptionError, match="person"):
            TrackConfig(person=person)
    with pytest.raises(OptionError, match="workers"):
        TrackConfig(workers=0)
