"""The list of traces, as a person searches it."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.backend import FAILED, FINE, LONG, LONG_ERROR, LONG_OPERATION, LONG_SERVICE, MARKED, MARKUP, RETRIED
from tests.unit.embedded.running import Backend, running

pytestmark = pytest.mark.browser


def address(backend: Backend, path: str = "/") -> str:
    return f"http://127.0.0.1:{backend.query_port}{path}"


def listed(page: Page) -> list[str]:
    """The ids in the list, from top to bottom."""
    links = page.locator(".traces a")
    return [str(links.nth(index).get_attribute("href")).rpartition("/")[2] for index in range(links.count())]


def find(page: Page) -> None:
    page.get_by_role("button", name="Find").click()
    page.wait_for_url("**limit=**")


@pytest.mark.parametrize(
    "query",
    ["", f"?service={LONG_SERVICE}&operation={LONG_OPERATION}", f"?tags={LONG_ERROR}", f"?service={LONG_ERROR}"],
    ids=["all", "long names", "a long error", "nothing"],
)
def test_it_fits_its_width(screen: Page, backend: Backend, query: str) -> None:
    screen.set_content(screen.request.get(address(backend, f"/{query}")).text())
    assert screen.viewport_size
    assert screen.evaluate("document.documentElement.scrollWidth") == screen.viewport_size["width"]


def test_it_can_be_read_and_follows_the_scheme(screen: Page, backend: Backend) -> None:
    screen.goto(address(backend))
    dark = screen.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    red, *_ = screen.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (red < 128) is dark
    heights = screen.evaluate(
        "[...document.querySelectorAll('.scatter svg text')].map(e => e.getBoundingClientRect().height).filter(Boolean)"
    )
    assert min(heights) >= 10


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, [LONG, MARKED, FAILED, RETRIED, FINE]),
        ({"Operation": "payments Authorize"}, [FAILED, RETRIED, FINE]),
        ({"Tags": "http.response.status_code=503"}, [FAILED]),
        ({"Operation": "POST /v1/orders", "At least": "80ms"}, [FAILED]),
        ({"Operation": "POST /v1/orders", "At most": "50ms"}, [FINE]),
        ({"Fault": "any"}, [LONG, FAILED, RETRIED]),
        ({"Fault": "latency"}, []),
    ],
)
def test_a_search(page: Page, backend: Backend, fields: dict[str, str], found: list[str]) -> None:
    page.goto(address(backend))
    for label, text in fields.items():
        page.get_by_label(label, exact=True).fill(text)
    find(page)
    assert listed(page) == found
    for label, text in fields.items():
        expect(page.get_by_label(label, exact=True)).to_have_value(text)


def test_errors_of_one_service(page: Page, backend: Backend) -> None:
    page.goto(address(backend))
    page.get_by_label("Service").select_option("gateway")
    page.get_by_label("Errors only").check()
    find(page)
    assert listed(page) == [FAILED]


def test_by_keyboard_alone(page: Page, backend: Backend) -> None:
    page.goto(address(backend))
    page.get_by_label("Fault").focus()
    page.keyboard.type("error")
    page.keyboard.press("Enter")
    page.wait_for_url("**fault=error**")
    link = page.locator(".traces a").first
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/trace/{FAILED}")


def test_a_dot_leads_to_its_trace(page: Page, backend: Backend) -> None:
    page.goto(address(backend, "/?service=gateway"))
    dots = page.locator(".at-desk .point")
    assert dots.count() == 3
    page.locator(".at-desk .point.bad").click()
    page.wait_for_url(f"**/trace/{FAILED}")


def test_the_list_tells_of_retries_failures_and_faults(page: Page, backend: Backend) -> None:
    page.goto(address(backend))
    line = page.locator(".traces li", has=page.locator(f"a[href='/trace/{RETRIED}']"))
    for told in ("1 retry", "2 spans failed", "fault: error", "201"):
        expect(line.get_by_text(told, exact=True)).to_be_visible()


def test_markup_in_names_is_text(page: Page, backend: Backend) -> None:
    page.goto(address(backend))
    expect(page.locator(".traces").get_by_text(MARKUP).first).to_be_visible()
    assert page.locator("img").count() == 0


@pytest.mark.parametrize(
    ("query", "said"),
    [("?minDuration=soon", "is no duration"), ("?tags=x", "is not key=value"), ("?service=nobody", "Nothing matches")],
)
def test_what_is_wrong_is_said(page: Page, backend: Backend, query: str, said: str) -> None:
    answer = page.request.get(address(backend, f"/{query}"))
    assert said in answer.text()
    page.set_content(answer.text())
    expect(page.get_by_text(said)).to_be_visible()


def test_without_traces_it_says_what_to_do(page: Page) -> None:
    with running() as empty:
        page.goto(address(empty))
        expect(page.get_by_role("heading", name="No traces yet")).to_be_visible()
