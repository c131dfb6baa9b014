"""The report's part about several takes, without a browser."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from made_action import MadeAction, action_of, eased, made_action, turned_joint
from motionfield.data import Quality, Variation
from motionfield.steps.evaluate import variation_of
from motionfield.steps.view import Clip, Group, report_of_clips
from motionfield.steps.view.group import group_data, sentences, shown_group
from steps.view.conftest import HOSTILE
from steps.view.made_takes import made_quality, made_take
from steps.view.test_report import Addresses

PACES = (eased(60), eased(45, 1.3), eased(50, start=0.2))


@pytest.fixture(scope="module")
def raised(body) -> MadeAction:
    """Three takes, of which the second lifts its left arm at 60 %."""
    made = made_action(PACES)
    lift = 1.2 * np.exp(-(((PACES[1] - 0.6) / 0.05) ** 2))
    made.takes[1] = turned_joint(made.takes[1], "left_shoulder", "z", lift)
    return made


@pytest.fixture(scope="module")
def variation(raised: MadeAction, body) -> Variation:
    return variation_of(raised.takes, raised.action, raised.canonical, body)


def test_the_words_name_the_take_that_differs_and_where(variation: Variation) -> None:
    first, timing, spread = sentences(variation)
    assert re.match(r"take 2 differs most: .* at (59|60|61) % in the left (hand|wrist)", first)
    assert "0.88 to 1.18 s" in timing
    assert "at 6" in spread
    assert "left" in spread


def test_the_words_claim_no_odd_take_where_none_is(body) -> None:
    made = made_action(PACES)
    same = variation_of(made.takes, made.action, made.canonical, body)
    assert sentences(same)[0].startswith("No take stands out")
    two = variation_of(made.takes[:2], action_of(PACES[:2]), made.canonical, body)
    assert sentences(two)[0].startswith("The two takes differ by")


@pytest.mark.parametrize(("std", "warned"), [(0.15, True), (1e-4, False)])
def test_the_words_warn_where_the_spread_may_be_error(
    raised: MadeAction, body, std: float, warned: bool
) -> None:
    known = np.full((24, 3), std, np.float32)
    known[0] = 0
    takes = [t.replace(joints_std=np.tile(known, (t.num_frames, 1, 1))) for t in raised.takes]
    told = sentences(variation_of(takes, raised.action, raised.canonical, body))[-1]
    assert told.startswith("Measurement alone may give")
    assert ("do not read small differences" in told) == warned


def test_takes_with_the_other_hand_are_named(raised: MadeAction, body) -> None:
    action = action_of(PACES, (False, False, True))
    found = variation_of(raised.takes, action, raised.canonical, body)
    assert sentences(found)[-1] == "Done with the other hand, and mirrored here: take 3."
    assert [row.mirrored for row in shown_group(Group(found, action), [])["rows"]] == [0, 0, 1]


def test_the_table_says_what_each_take_shows(variation: Variation, raised: MadeAction) -> None:
    qualities: list[Quality] = [made_quality(take) for take in raised.takes]
    shown = shown_group(Group(variation, raised.action), qualities)
    rows = shown["rows"]
    assert [row.covered for row in rows] == ["0–100 %", "0–100 %", "20–100 %"]
    assert [row.stands_out for row in rows] == [False, True, False]
    assert shown["known"]
    assert all(re.fullmatch(r"\d+%", row.doubtful) for row in rows)
    unknown = shown_group(Group(variation, raised.action), qualities[:2])
    assert not unknown["known"], "qualities of other takes say nothing"


def test_the_data_are_the_variations(variation: Variation, raised: MadeAction) -> None:
    data = group_data(Group(variation, raised.action))
    assert json.dumps(data, allow_nan=False)
    stored = np.reshape(data["joints_mm"], (3, 101, 24, 3)) / 1000
    np.testing.assert_allclose(stored, variation.joints_world, atol=6e-4)
    index = variation.signal("left_shoulder_abduction_deg")
    signal = data["signals"][index]
    assert (signal["kind"], signal["side"], signal["unit"]) == ("shoulder abduction", "left", "°")
    np.testing.assert_allclose(signal["mean"], variation.mean[:, index], atol=0.051)
    assert signal["takes"][2][10] is None
    units = {one["unit"] for one in data["signals"]}
    assert units == {"°", "m", "m/s", "s", "%/s"}


def test_the_warp_is_each_takes_phase_over_its_time(
    variation: Variation, raised: MadeAction
) -> None:
    warp = group_data(Group(variation, raised.action))["warp"]
    time = np.array(warp["time"])
    assert time[-1] == pytest.approx(2.0), "the canonical motion is the longest here"
    second = warp["takes"][1]
    k = 40
    assert second[k] == pytest.approx(100 * (time[k] / (44 / 50)) ** 1.3, abs=0.2)
    assert second[-1] is None


def test_the_mean_is_drawn_only_of_half_the_takes_or_more(body) -> None:
    paces = [eased(40), *(eased(30, start=0.0, end=0.5) for _ in range(4))]
    made = made_action(paces)
    found = variation_of(made.takes, made.action, made.canonical, body)
    signal = group_data(Group(found, made.action))["signals"][0]
    assert signal["mean"][40] is not None
    assert signal["mean"][80] is None
    assert signal["takes"][0][80] is not None


def test_names_do_no_harm_and_the_page_fetches_nothing(group_report: Path) -> None:
    page = group_report.read_text("utf-8")
    assert "<script>window" not in page
    assert "<img" not in page
    parser = Addresses()
    parser.feed(page)
    assert parser.found == []
    assert parser.handlers == []
    found = re.search(r'<script type="application/json" id="group-data">(.*?)</script>', page, re.S)
    assert found
    assert json.loads(found.group(1))["names"] == ["first", HOSTILE, "third"]


def test_links_are_there_only_for_files_that_are(variation, raised: MadeAction, body) -> None:
    clips = [Clip("a", [made_take(body)])]
    page = report_of_clips(clips, body, group=Group(variation, raised.action))
    assert 'href="variation.csv"' in page
    assert 'href="takes.glb"' in page
    without = report_of_clips(clips, body, group=Group(variation, raised.action, None, None))
    assert "variation.csv" not in without
    assert 'id="group"' not in report_of_clips(clips, body)
