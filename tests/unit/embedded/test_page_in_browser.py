"""The page as a browser shows it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from observability.embedded.page import render_self_contained
from tests.unit.embedded.jaeger import retried_checkout


@pytest.fixture(params=[(1280, "light"), (390, "dark")], ids=str)
def shown(browser: Browser, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Page]:
    """A retried checkout, saved as a file, at a desk by day and on a telephone by night; nothing may go wrong in it."""
    width, scheme = request.param
    file = tmp_path / "trace.html"
    file.write_text(render_self_contained(retried_checkout()), "utf-8")
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("request", lambda asked: None if asked.url.startswith(("file:", "data:")) else wrong.append(asked.url))
    page.goto(file.as_uri())
    yield page
    page.close()
    assert wrong == []


def test_it_fits_its_width(shown: Page) -> None:
    assert shown.viewport_size
    assert shown.evaluate("document.documentElement.scrollWidth") == shown.viewport_size["width"]


def test_the_colours_follow_the_scheme(shown: Page) -> None:
    dark = shown.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    red, *_ = shown.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (red < 128) is dark


def test_it_is_printed_with_dark_text_whatever_the_scheme(shown: Page) -> None:
    shown.emulate_media(media="print")
    for text in ("body", ".muted"):
        assert shown.locator(text).first.evaluate("e => +getComputedStyle(e).color.match(/\\d+/)[0]") < 128


def test_a_caret_hides_what_is_below_also_by_keyboard(shown: Page) -> None:
    attempt = shown.get_by_text("attempt 1").first
    caret = shown.get_by_label("payments Authorize")
    assert attempt.is_visible()
    caret.click()
    assert not attempt.is_visible()
    caret.press("Space")
    assert attempt.is_visible()


def test_a_row_opens_its_details_also_by_keyboard(shown: Page) -> None:
    row, details = shown.locator("summary").first, shown.locator(".info").first
    assert not details.is_visible()
    row.press("Enter")
    assert details.is_visible()
    assert "http.response" in details.inner_text()
    row.click()
    assert not details.is_visible()


def test_attempts_lie_inside_the_bar_of_their_call(shown: Page) -> None:
    bar = shown.locator(".bar.call").bounding_box()
    segments = [each.bounding_box() for each in shown.locator(".seg").all()]
    assert bar
    assert len(segments) == 3
    for segment in segments:
        assert segment
        assert bar["x"] - 1 <= segment["x"]
        assert segment["x"] + segment["width"] <= bar["x"] + bar["width"] + 1
