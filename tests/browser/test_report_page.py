"""The report of an experiment, as a person opens it: a file, on a wide screen and on a phone, by day and by night."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from chaos.report import page as reports
from tests.unit.experiments.making import arm, record

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    off = arm("off", outcome="deviated", expected="deviates", goodput=5.0, checkout_p99_s=2.0)
    return reports.write(record(off, arm("full", goodput=9.0, checkout_p99_s=0.3)), tmp_path_factory.mktemp("report"))


@pytest.fixture
def page(browser: Browser, file: Path) -> Iterator[Page]:
    """The opened report; it fails the test when it complains or asks anybody for anything."""
    complaints: list[str] = []
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url) if not _is_own(request.url, file) else None)
    page.goto(file.as_uri())
    yield page
    page.close()
    assert not complaints


def test_the_verdict_is_seen_without_scrolling(page: Page) -> None:
    expect(page.get_by_text("Passed", exact=True)).to_be_in_viewport()
    expect(page.get_by_role("heading", name="Policies side by side")).to_be_in_viewport()


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_screen(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [1280, 390])
def test_labels_of_drawings_can_be_read(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    heights = page.evaluate(
        "[...document.querySelectorAll('figure svg text')].map(e => e.getBoundingClientRect().height)"
    )
    assert heights
    assert min(heights) >= 10


def test_arms_stand_beside_each_other_where_there_is_room(page: Page) -> None:
    assert len(_lefts(page)) == 2
    page.set_viewport_size({"width": 390, "height": 900})
    assert len(_lefts(page)) == 1


def test_the_fault_s_window_is_drawn_where_it_was(page: Page) -> None:
    panel = page.get_by_role("img", name="Requests per second").first
    drawn, window = panel.bounding_box(), panel.locator("rect[fill='var(--fault)']").bounding_box()
    assert drawn is not None
    assert window is not None
    # From 1 to 2.5 s of 4, in a drawing that has its numbers at the left.
    assert 0.3 < (window["x"] - drawn["x"]) / drawn["width"] < 0.4
    assert 0.3 < window["width"] / drawn["width"] < 0.4


def test_by_night_the_page_is_dark_and_text_light(page: Page) -> None:
    light = _brightness(page, "background-color"), _brightness(page, "color")
    page.emulate_media(color_scheme="dark")
    dark = _brightness(page, "background-color"), _brightness(page, "color")
    assert light[0] > light[1]
    assert dark[0] < dark[1]


def test_by_night_it_is_printed_as_by_day_dark_on_white(page: Page) -> None:
    page.emulate_media(media="print", color_scheme="light")
    by_day = _colours(page)
    page.emulate_media(media="print", color_scheme="dark")
    assert _colours(page) == by_day
    assert _brightness(page, "background-color") == 3 * 255
    assert _brightness(page, "color") < 3 * 64


def test_it_can_be_printed(page: Page) -> None:
    page.emulate_media(media="print")
    assert len(page.pdf(format="A4")) > 10_000


def test_traces_are_there_and_can_be_folded(page: Page) -> None:
    example = page.locator("details.example").first
    expect(example.get_by_text("POST /api/v1/orders")).to_be_visible()
    example.locator("summary").click()
    expect(example.get_by_text("POST /api/v1/orders")).to_be_hidden()


def _lefts(page: Page) -> set[int]:
    """Where the first panel of each arm begins."""
    panels = page.get_by_role("img", name="Requests per second")
    boxes = [panels.nth(index).bounding_box() for index in range(panels.count())]
    return {round(box["x"]) for box in boxes if box}


def _colours(page: Page) -> list[list[str]]:
    """Of each element: of its text, behind it, of what is drawn."""
    found: list[list[str]] = page.evaluate(
        "[...document.querySelectorAll('body, body *')].map(e => getComputedStyle(e))"
        ".map(style => [style.color, style.backgroundColor, style.fill, style.stroke])"
    )
    return found


def _brightness(page: Page, style: str) -> float:
    colour = page.evaluate(f"getComputedStyle(document.body).getPropertyValue('{style}')")
    return sum(float(each) for each in colour.removeprefix("rgb(").removesuffix(")").split(","))


def _is_own(url: str, file: Path) -> bool:
    return url == file.as_uri() or url.startswith("data:")
