"""The report's numbers, data and safety, without a browser."""

import base64
import hashlib
import html.parser
import json
import re

import numpy as np
import pytest

from motionfield.steps.view import Clip, RunNotes, report_html, report_of_clips
from motionfield.steps.view.posed import joints_of
from motionfield.steps.view.report_data import inline_json, take_data
from motionfield.steps.view.report_figures import (
    how_known,
    key_figures,
    path_length,
    peak_speeds,
    ratings,
    speeds,
    stature,
)
from steps.view.conftest import HOSTILE
from steps.view.made_takes import made_motion, made_take


def data_of(page: str) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert found
    return json.loads(found.group(1))


class Addresses(html.parser.HTMLParser):
    """Everything a page could fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.found += [value for key, value in attrs if key in ("src", "srcset", "action", "data")]
        self.found += [value for key, value in attrs if key == "href" and tag != "a"]
        self.handlers += [key for key, _ in attrs if key.startswith("on") or key == "style"]


def test_the_page_fetches_nothing_and_has_no_inline_handlers(report):
    parser = Addresses()
    parser.feed(report.read_text("utf-8"))
    assert parser.found == []
    assert parser.handlers == []


def test_the_policy_names_the_script_that_is_there(report):
    page = report.read_text("utf-8")
    policy = re.search(r'Content-Security-Policy" content="(.*?)"', page).group(1)
    assert policy.startswith("default-src &#39;none&#39;")
    script = page.rsplit("<script>", 1)[1].rsplit("</script>", 1)[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert digest in policy.replace("&#43;", "+").replace("&#61;", "=")
    assert "unsafe" not in policy


def test_names_are_escaped_everywhere(report):
    page = report.read_text("utf-8")
    assert "<script>window" not in page
    assert "<img" not in page
    assert data_of(page)["takes"][1]["name"] == HOSTILE


def test_inline_json_cannot_end_its_element():
    text = inline_json({"a": "</script><!--&", "b": [1.5, None]})
    assert "<" not in text
    assert ">" not in text
    assert json.loads(text) == {"a": "</script><!--&", "b": [1.5, None]}


def test_data_hold_the_motion_to_half_a_millimetre(take, body):
    joints = joints_of(take.motion, body)
    data = take_data(take, joints, 0, max_frames=4000)
    stored = np.reshape(data["joints_mm"], (60, 24, 3)) / 1000
    assert np.abs(stored - joints).max() <= 0.0005 + 1e-6
    assert data["observed"] == take.motion.observed.astype(int).tolist()
    assert data["quality"]["reprojection_px"][21] is None
    assert json.dumps(data, allow_nan=False)


@pytest.mark.parametrize(("frames", "limit", "stride"), [(60, 60, 1), (61, 60, 2), (100, 30, 4)])
def test_long_takes_are_thinned_and_keep_their_worst(frames, limit, stride, body):
    take = made_take(body, frames=frames)
    spike = take.quality.jitter_m_s3.copy()
    spike[frames - 2] = 999.0
    quality = take.quality.replace(jitter_m_s3=spike)
    joints = joints_of(take.motion, body)
    data = take_data(take._replace(quality=quality), joints, 0, limit)
    kept = len(data["time"])
    assert data["stride"] == stride
    assert kept <= limit
    assert len(data["joints_mm"]) == kept * 72
    assert all(len(values) == kept for values in data["quality"].values())
    assert all(len(values) == kept for values in data["angles"].values())
    assert len(data["observed"]) == kept
    assert max(data["quality"]["jitter_m_s3"]) == 999.0
    assert 0 in data["observed"], "a thinned frame is unseen where any of its frames is"


@pytest.mark.parametrize(("limit", "kept"), [(100, 40), (20, 20)])
def test_uncertainty_and_contacts_of_the_motion_are_shown(limit, kept, body):
    take = made_take(body, frames=40)
    joints = joints_of(take.motion, body)
    assert not {"std_mm", "doubt_mm", "rest_percent"} & set(take_data(take, joints, 0, limit))
    spread = np.full((40, 24, 3), 0.03, np.float32)
    spread[7] = 0.3
    rests = np.tile(np.array([0.25, 1.0], np.float32), (40, 1))
    known = take._replace(motion=take.motion.replace(joints_std=spread, contacts=rests))
    data = take_data(known, joints, 0, limit)
    assert len(data["doubt_mm"]) == kept
    assert max(data["doubt_mm"]) == pytest.approx(300 * 3**0.5, abs=0.1)
    assert min(data["doubt_mm"]) == pytest.approx(30 * 3**0.5, abs=0.1)
    assert data["rest_percent"] == [[25] * kept, [100] * kept]
    labels = {figure.label: figure.value for figure in key_figures(known, body, joints)}
    assert labels["Joint uncertainty"] == "± 52 mm"


def test_large_videos_are_linked_and_the_rest_embedded(take, body):
    clips = [Clip("a", [take], bytes(800), "a/o.mp4"), Clip("b", [take], bytes(800), "b/o.mp4")]
    page = report_of_clips(clips, body, RunNotes(max_embedded_bytes=1000))
    assert page.count('class="mp4"') == 1
    assert 'src="b/o.mp4"' in page
    assert 'src="a/o.mp4"' not in page
    unread = [Clip("a", [take], overlay_href="a/o.mp4", overlay_linked=True), Clip("b", [take])]
    page = report_of_clips(unread, body)
    assert page.count("<video") == 1
    assert 'src="a/o.mp4"' in page


def test_speed_of_even_motion_is_its_speed():
    time = np.array([0.0, 0.1, 0.25, 0.3, 0.5])
    points = (np.array([1.0, -2.0, 2.0]) * time[:, None])[:, None] * np.ones((1, 24, 1))
    np.testing.assert_allclose(speeds(points, time), 3.0)
    assert speeds(points[:1], time[:1]).tolist() == [[0.0] * 24]


def test_path_length_of_a_straight_walk():
    time = np.arange(200) / 50
    walk = np.stack((1.5 * time, 0 * time, 1 + 0.1 * np.sin(9 * time)), -1)
    # Averaging over 0.3 s shortens each end by at most half the window.
    assert path_length(walk, time) == pytest.approx(1.5 * time[-1], abs=1.5 * 0.3)
    noise = np.random.default_rng(0).normal(0, 0.003, (200, 3))
    assert path_length(walk + noise, time) < 1.03 * path_length(walk, time)
    assert path_length(walk[:1], time[:1]) == 0


def test_peaks_leave_out_what_was_not_observed(body):
    motion = made_motion(body)
    joints = joints_of(motion, body).copy()
    joints[22, 21] += 5.0  # a jump of the right wrist where the person was not seen
    peaks = {p.joint: p for p in peak_speeds(joints, motion.time_s, motion.observed)}
    assert peaks["right wrist"].speed_m_s < 20
    everywhere = np.ones(60, bool)
    jumped = {p.joint: p for p in peak_speeds(joints, motion.time_s, everywhere)}
    assert jumped["right wrist"].speed_m_s > 50
    assert abs(jumped["right wrist"].time_s - 22 / 30) < 0.05
    assert peak_speeds(joints, motion.time_s, ~everywhere) == []


def test_stature_is_the_bodys(body):
    assert stature(made_motion(body), body) == pytest.approx(1.70, abs=0.05)


def test_ratings_with_nothing_to_rate(take):
    nothing = np.full(60, np.nan)
    empty = take.quality.replace(
        reprojection_px=nothing,
        reprojection_box=nothing,
        foot_slide_m=np.full((60, 2), np.nan),
        penetration_m=nothing,
        jitter_m_s3=nothing,
    )
    table = {r.label: r for r in ratings(empty)}
    assert table["Foot slide in contact"].typical.startswith("–")
    assert table["Foot slide in contact"].grade == "plain"


def test_ratings_grade_by_their_limits(take):
    table = {r.label: r.grade for r in ratings(take.quality)}
    assert table["Frames not observed"] == "fair", "6 of 60"
    slipping = take.quality.replace(foot_slide_m=np.full((60, 2), 0.02))
    assert {r.label: r.grade for r in ratings(slipping)}["Foot slide in contact"] == "poor"


def test_how_things_are_known_is_said(take):
    known = {k.label: k for k in how_known(take.camera)}
    assert known["Focal length"].source == "assumed"
    assert "to" in known["Focal length"].doubt
    assert known["Scale"].doubt.startswith("true lengths are 0.92 to 1.08")
    focal = float(take.camera.K[0, 0, 0])
    given = take.camera.replace(focal_source="given", focal_range_px=(focal, focal))
    assert how_known(given)[0].doubt == ""


def test_one_frame_makes_a_report(body):
    page = report_html([made_take(body, frames=1)], body, video_name="one")
    assert len(data_of(page)["takes"][0]["time"]) == 1
