"""A page that nothing on it may disturb."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.backend import filled
from tests.unit.embedded.running import Backend


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails the test when it complains or asks anybody else for anything."""
    complaints: list[str] = []
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.extend(_foreign(request.url)))
    yield page
    page.close()
    assert not complaints


def _foreign(url: str) -> list[str]:
    return [] if urlsplit(url).hostname in {"127.0.0.1", None} else [f"asked for {url}"]


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    """A trace backend of its own, with a few traces."""
    with filled() as started:
        yield started


@pytest.fixture(params=[(1280, "light"), (390, "dark")], ids=str)
def screen(page: Page, request: pytest.FixtureRequest) -> Page:
    """`page` at a desk by day, and on a telephone by night: width and colours know nothing of each other."""
    width, scheme = request.param
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    return page
