"""The report opened and clicked through in a headless browser."""

import time

import pytest

pytestmark = pytest.mark.browser

TIME = "document.getElementById('clock').textContent"
SCENE = "document.getElementById('scene').toDataURL()"


class Opened:
    """A page with everything it said and asked for."""

    def __init__(self, browser, path, **options):
        self.context = browser.new_context(viewport={"width": 1300, "height": 1000}, **options)
        self.page = self.context.new_page()
        self.messages, self.requests = [], []
        self.page.on("console", lambda m: self.messages.append(f"{m.type}: {m.text}"))
        self.page.on("pageerror", lambda e: self.messages.append(f"error: {e}"))
        self.page.on("request", lambda r: self.requests.append(r.url))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("html[data-ready=yes]")
        self.settle()

    def settle(self):
        """Until the next picture is drawn."""
        frames = "new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))"
        self.page.evaluate(frames)

    def go(self, frame):
        self.page.locator("#time").fill(str(frame))
        self.settle()

    def until(self, condition, seconds=15.0):
        """Wait for a condition of the page (its policy forbids playwright's own waiting)."""
        end = time.monotonic() + seconds
        while not self.page.evaluate(condition):
            assert time.monotonic() < end, condition
            self.page.wait_for_timeout(30)

    def frame(self):
        return int(self.page.locator("#time").input_value())


@pytest.fixture
def opened(browser, report):
    page = Opened(browser, report)
    yield page
    page.context.close()
    assert page.messages == []


def test_it_opens_without_errors_or_requests(opened, report):
    own = (report.as_uri(), "blob:")
    assert [url for url in opened.requests if not url.startswith(own)] == []


def test_the_slider_moves_the_skeleton_the_path_and_the_cursors(opened):
    page = opened.page
    canvases = "[...document.querySelectorAll('canvas')].map(c => c.toDataURL())"
    opened.go(5)
    before, clock = page.evaluate(canvases), page.evaluate(TIME)
    opened.go(40)
    after = page.evaluate(canvases)
    names = page.evaluate("[...document.querySelectorAll('canvas')].map(c => c.id)")
    for name, old, new in zip(names, before, after, strict=True):
        assert (old == new) == (name == "marks"), name
    assert page.evaluate(TIME) != clock
    assert "1.33 s · frame 40" in page.evaluate(TIME)


def test_dragging_turns_and_the_wheel_zooms(opened):
    page = opened.page
    page.locator("#follow").uncheck()
    box = page.locator("#scene").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    pictures = [page.evaluate(SCENE)]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 80, y + 20, steps=4)
    page.mouse.up()
    opened.settle()
    pictures.append(page.evaluate(SCENE))
    page.mouse.wheel(0, 240)
    page.wait_for_timeout(100)
    opened.settle()
    pictures.append(page.evaluate(SCENE))
    page.keyboard.down("Shift")
    page.mouse.down()
    page.mouse.move(x + 20, y - 40, steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    opened.settle()
    pictures.append(page.evaluate(SCENE))
    assert len(set(pictures)) == 4


def test_named_views_differ(opened):
    pictures = set()
    for look in ("camera", "front", "side", "top"):
        opened.page.click(f"[data-look={look}]")
        opened.settle()
        pictures.add(opened.page.evaluate(SCENE))
    assert len(pictures) == 4


def test_clicking_a_doubtful_span_seeks_everything(opened, take):
    page = opened.page
    opened.go(0)
    spans = page.locator("[data-take='0'] .span")
    assert spans.count() == len(take.quality.spans)
    start, _, reason = take.quality.spans[1]
    assert reason in spans.nth(1).inner_text()
    spans.nth(1).click()
    opened.settle()
    frame = opened.frame()
    assert start - 1e-6 <= take.motion.time_s[frame] < start + 1 / take.motion.fps
    assert "now" in spans.nth(1).get_attribute("class")
    at = "document.querySelector('video').currentTime"
    opened.until(f"Math.abs({at} - {(frame + 0.5) / 30}) < 0.02")


def test_clicking_a_peak_speed_seeks(opened):
    button = opened.page.locator("[data-take='0'] .seek").first
    moment = float(button.inner_text().split()[0])
    button.click()
    opened.settle()
    assert opened.frame() == pytest.approx(30 * moment, abs=0.5)


def test_clicking_into_a_plot_seeks(opened):
    opened.go(0)
    canvas = opened.page.locator("#angles canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    opened.page.mouse.click(box["x"] + 38 + 0.5 * (box["width"] - 42), box["y"] + 40)
    opened.settle()
    assert opened.frame() == pytest.approx(29.5, abs=1)


def test_angles_are_chosen_by_chips(opened):
    page = opened.page
    count = page.locator("#angles .plot").count()
    page.click("#chips button[aria-pressed=false] >> nth=0")
    assert page.locator("#angles .plot").count() == count + 1
    page.click("#chips button:text-is('knee flexion')")
    assert page.locator("#angles .plot").count() == count
    assert "knee flexion" not in page.locator("#angles").inner_text()


def test_the_embedded_video_plays_and_the_slider_follows(opened):
    page = opened.page
    opened.until("document.querySelector('video').readyState >= 2")
    opened.go(0)
    page.click("#play")
    opened.until("Number(document.getElementById('time').value) > 10")
    page.click("#play")
    opened.settle()
    video_frame = page.evaluate("document.querySelector('video').currentTime * 30")
    assert opened.frame() == pytest.approx(video_frame, abs=2)


def test_without_a_video_the_skeleton_plays_by_itself(opened):
    page = opened.page
    page.select_option("#take", "2")
    opened.settle()
    assert not page.locator("video").first.is_visible()
    page.click("#play")
    opened.until("Number(document.getElementById('time').value) > 5")


def test_other_persons_and_inputs_are_one_choice_away(opened):
    page = opened.page
    opened.go(40)
    assert page.locator("#take option").count() == 3
    first = page.evaluate(SCENE)
    page.select_option("#take", "1")
    opened.settle()
    assert opened.frame() == 40, "the same video: the time stays"
    assert page.evaluate(SCENE) != first
    page.select_option("#take", "2")
    opened.settle()
    assert opened.frame() == 0
    visible = "[...document.querySelectorAll('[data-take]')].filter(e => !e.hidden)"
    assert page.evaluate(f"{visible}.every(e => e.dataset.take === '2')")


def test_arrow_keys_and_buttons_step(opened):
    page = opened.page
    opened.go(10)
    page.click("#forth")
    opened.until("document.querySelector('#time').value === '11'")
    page.locator("#scene").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    opened.settle()
    assert opened.frame() == 9


def test_hostile_names_are_shown_as_text(opened):
    from steps.view.conftest import HOSTILE

    page = opened.page
    assert page.evaluate("window.hacked") is None
    assert page.locator("h1").text_content().startswith(f"walk {HOSTILE}.mp4")
    assert page.locator("#take option").nth(1).text_content() == HOSTILE
    assert page.locator(".warnings li").text_content() == HOSTILE
    assert page.locator("img").count() == 0


def test_a_finger_turns_the_skeleton(browser, report):
    opened = Opened(browser, report, has_touch=True)
    before = opened.page.evaluate(SCENE)
    client = opened.context.new_cdp_session(opened.page)
    box = opened.page.locator("#scene").bounding_box()
    x, y = box["x"] + 150, box["y"] + 200
    for kind, at in (("touchStart", x), ("touchMove", x + 30), ("touchMove", x + 60)):
        points = [{"x": at, "y": y}]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    opened.settle()
    assert opened.page.evaluate(SCENE) != before
    assert opened.messages == []
    opened.context.close()


@pytest.mark.parametrize("options", [{"color_scheme": "dark"}, {"device_scale_factor": 2}])
def test_dark_and_fine_screens_draw_too(browser, report, options):
    opened = Opened(browser, report, **options)
    first = opened.page.evaluate(SCENE)
    opened.go(30)
    assert opened.page.evaluate(SCENE) != first
    assert opened.messages == []
    opened.context.close()


def test_a_narrow_page_does_not_scroll_sideways(browser, report):
    opened = Opened(browser, report)
    opened.page.set_viewport_size({"width": 390, "height": 800})
    opened.settle()
    overhang = "document.documentElement.scrollWidth - window.innerWidth"
    assert opened.page.evaluate(overhang) <= 0
    opened.context.close()


def test_a_linked_video_plays_from_its_file(browser, body, take, overlay, tmp_path):
    from motionfield.steps.view import RunNotes, report_html

    (tmp_path / "walk #1").mkdir()
    (tmp_path / "walk #1" / "overlay.mp4").write_bytes(overlay)
    html = report_html(
        [take],
        body,
        video_name="walk",
        overlay_mp4=overlay,
        overlay_href="walk%20%231/overlay.mp4",
        notes=RunNotes(max_embedded_bytes=10),
    )
    (tmp_path / "report.html").write_text(html, "utf-8")
    opened = Opened(browser, tmp_path / "report.html")
    opened.until("document.querySelector('video').readyState >= 2")
    opened.go(30)
    opened.until("Math.abs(document.querySelector('video').currentTime-1.0167)<.02")
    assert opened.messages == []
    opened.context.close()


def test_plots_show_the_page_of_time_that_holds_the_frame(opened):
    page = opened.page
    plot = "document.querySelector('#angles canvas').toDataURL()"
    opened.go(10)
    whole = page.evaluate(plot)
    page.select_option("#window", "0")
    opened.settle()
    assert page.evaluate(plot) == whole
    page.evaluate("document.getElementById('window').add(new Option('one', '1'))")
    page.select_option("#window", "1")
    opened.settle()
    canvas = page.locator("#angles canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    middle = (box["x"] + 38 + 0.5 * (box["width"] - 42), box["y"] + 40)
    page.mouse.click(*middle)
    opened.settle()
    assert opened.frame() == pytest.approx(15, abs=1)
    opened.go(45)
    page.mouse.click(*middle)
    opened.settle()
    # The second page ends with the take at 1.97 s.
    assert opened.frame() == pytest.approx(44.5, abs=1)


def test_uncertainty_is_offered_where_it_is_known(opened):
    page = opened.page
    assert not page.locator("#spread").is_visible()
    page.select_option("#take", "2")
    opened.settle()
    without = page.evaluate(SCENE)
    page.check("#spread")
    opened.settle()
    assert page.evaluate(SCENE) != without
