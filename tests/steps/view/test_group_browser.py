"""The part about several takes, opened and clicked through in a headless browser."""

import pytest

from steps.view.conftest import HOSTILE
from steps.view.test_report_browser import Opened

pytestmark = pytest.mark.browser

ROW = "document.getElementById('row').toDataURL()"


@pytest.fixture
def opened(browser, group_report):
    page = Opened(browser, group_report)
    yield page
    page.context.close()
    assert page.messages == []


def at(opened, percent):
    opened.page.locator("#phase").fill(str(percent))
    opened.settle()


def test_the_phase_moves_everything_at_once(opened):
    page = opened.page
    canvases = "[...document.querySelectorAll('.group canvas')].map(c => c.toDataURL())"
    at(opened, 10)
    before = page.evaluate(canvases)
    at(opened, 60)
    after = page.evaluate(canvases)
    assert len(before) == 11, "figures, joints over phase, time warp and eight curves"
    assert all(old != new for old, new in zip(before, after, strict=True))
    assert page.locator("#phase-now").inner_text() == "60 %"


def test_a_click_on_a_figure_chooses_its_take(opened):
    page = opened.page
    box = page.locator("#row").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 2.5 / 4, box["y"] + 60)
    opened.settle()
    assert page.locator("#chosen").input_value() == "1"
    assert "chosen" in page.locator("[data-row='1']").get_attribute("class")
    assert page.locator("#heat-title").inner_text().startswith("Where ")
    assert HOSTILE.split("'")[0] in page.locator("#heat-title").text_content()
    assert "take" in page.locator("#signals .values").first.inner_text()
    page.mouse.click(box["x"] + 20, box["y"] + 60)
    opened.settle()
    assert page.locator("#chosen").input_value() == "", "the canonical motion: all takes"


def test_where_a_take_differs_most_is_one_click_away(opened):
    page = opened.page
    page.locator("[data-row='1'] .seek").click()
    opened.settle()
    assert int(page.locator("#phase").input_value()) == pytest.approx(60, abs=1)
    assert page.locator("#chosen").input_value() == "1"


def test_dragging_turns_all_and_chooses_none(opened):
    page = opened.page
    at(opened, 30)
    before = page.evaluate(ROW)
    box = page.locator("#row").bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 380, box["y"] + 110, steps=4)
    page.mouse.up()
    opened.settle()
    assert page.evaluate(ROW) != before
    assert page.locator("#chosen").input_value() == ""


def test_the_wheel_scrolls_the_page_past_the_figures(opened):
    page = opened.page
    box = page.locator("#row").bounding_box()
    before = page.evaluate(ROW)
    page.mouse.move(box["x"] + 300, box["y"] + 100)
    page.mouse.wheel(0, 200)
    opened.until("window.scrollY > 50")
    assert page.evaluate(ROW) == before


def test_the_canonical_motion_behind_each_take_can_be_left_out(opened):
    at(opened, 60)
    before = opened.page.evaluate(ROW)
    opened.page.uncheck("#ghost")
    opened.settle()
    assert opened.page.evaluate(ROW) != before


def test_signals_are_chosen_by_chips(opened):
    page = opened.page
    count = page.locator("#signals .plot").count()
    page.click("#signal-chips button:text-is('root height')")
    assert page.locator("#signals .plot").count() == count + 1
    page.click("#signal-chips button:text-is('knee flexion')")
    assert page.locator("#signals .plot").count() == count - 1


def test_a_click_into_a_curve_or_the_joints_seeks(opened):
    page = opened.page
    canvas = page.locator("#signals canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.click(box["x"] + 38 + 0.25 * (box["width"] - 42), box["y"] + 40)
    opened.settle()
    assert int(page.locator("#phase").input_value()) == pytest.approx(25, abs=1)
    heat = page.locator("#heat")
    heat.scroll_into_view_if_needed()
    box = heat.bounding_box()
    page.mouse.click(box["x"] + 96 + 0.75 * (box["width"] - 96), box["y"] + 40)
    opened.settle()
    assert int(page.locator("#phase").input_value()) == pytest.approx(75, abs=1)


def test_it_plays_at_the_canonical_pace_and_stops(opened):
    page = opened.page
    at(opened, 80)
    page.click("#phase-play")
    opened.until("document.getElementById('phase').value === '100'")
    opened.until("document.getElementById('phase-play').textContent === 'Play'")


def test_the_single_takes_are_still_there(opened):
    page = opened.page
    assert page.locator("#take option").count() == 3
    page.select_option("#take", "2")
    opened.settle()
    opened.go(20)
    assert "frame 20" in page.locator("#clock").inner_text()


def test_a_narrow_page_does_not_scroll_sideways(opened):
    opened.page.set_viewport_size({"width": 390, "height": 800})
    opened.settle()
    overhang = "document.documentElement.scrollWidth - window.innerWidth"
    assert opened.page.evaluate(overhang) <= 0
