"""A page that nothing on it may disturb."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page


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
