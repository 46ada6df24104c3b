"""A trace, two traces, and who calls whom, as a person sees them on the backend's own site."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.backend import FAILED, FINE, LONG, MARKED, MARKUP, RETRIED
from tests.unit.embedded.running import Backend, running, send
from tests.unit.embedded.spans import Made

pytestmark = pytest.mark.browser

PATHS = (f"/trace/{RETRIED}", f"/trace/{MARKED}", f"/compare?id={FINE}&id={RETRIED}", "/dependencies")
LONG_PATHS = (f"/trace/{LONG}", f"/compare?id={LONG}&id={RETRIED}")


def address(backend: Backend, path: str) -> str:
    return f"http://127.0.0.1:{backend.query_port}{path}"


@pytest.mark.parametrize("path", [*PATHS, *LONG_PATHS])
def test_it_fits_its_width(screen: Page, backend: Backend, path: str) -> None:
    screen.goto(address(backend, path))
    for row in screen.locator("summary.row").all():
        row.click()
    assert screen.viewport_size
    assert screen.evaluate("document.documentElement.scrollWidth") == screen.viewport_size["width"]


def test_what_is_wrong_with_an_id_fits_too(screen: Page, backend: Backend) -> None:
    screen.set_content(screen.request.get(address(backend, f"/trace/{'f' * 200}")).text())
    expect(screen.get_by_role("heading", name="This is no trace id")).to_be_visible()
    assert screen.viewport_size
    assert screen.evaluate("document.documentElement.scrollWidth") == screen.viewport_size["width"]


@pytest.mark.parametrize("path", PATHS)
def test_markup_in_names_is_text(page: Page, backend: Backend, path: str) -> None:
    page.goto(address(backend, path))
    assert page.locator("img").count() == 0
    if path.endswith(MARKED) or path == "/dependencies":
        assert page.title()
    if path.endswith(MARKED):
        expect(page.get_by_role("heading", name=MARKUP)).to_be_visible()


def test_a_script_in_the_page_would_not_run(page: Page, backend: Backend) -> None:
    page.goto(address(backend, f"/trace/{FINE}"))
    policy = page.request.get(page.url).headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "unsafe-eval" not in policy


def test_the_critical_path_is_marked_and_filled(page: Page, backend: Backend) -> None:
    page.goto(address(backend, f"/trace/{RETRIED}"))
    track = page.locator(".track").first.bounding_box()
    parts = [each.bounding_box() for each in page.locator(".track .crit").all()]
    assert track
    assert sum(part["width"] for part in parts if part) == pytest.approx(track["width"], abs=len(parts) + 2)


def test_by_keyboard_through_the_rows(page: Page, backend: Backend) -> None:
    page.goto(address(backend, f"/trace/{RETRIED}"))
    focused = page.locator("summary.row:focus")
    page.keyboard.press("ArrowDown")
    expect(focused).to_contain_text("POST /api/v1/orders")
    page.keyboard.press("j")
    expect(focused).to_contain_text("POST /v1/orders")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".info").nth(1)).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".info").nth(1)).to_be_hidden()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_text("payments Authorize")).to_be_hidden()
    page.keyboard.press("r")
    expect(focused).to_contain_text("2 attempts, 1 failed")
    page.keyboard.press("e")
    expect(focused).to_contain_text("attempt 1 of 2")
    page.keyboard.press("f")
    expect(focused).to_contain_text("fault: error")
    page.keyboard.press("ArrowLeft")
    expect(focused).to_contain_text("attempt 1 of 2")


def test_everything_is_folded_and_unfolded(page: Page, backend: Backend) -> None:
    page.goto(address(backend, f"/trace/{RETRIED}"))
    attempt = page.get_by_text("attempt 1").first
    page.get_by_role("button", name="Collapse").click()
    expect(attempt).to_be_hidden()
    expect(page.get_by_text("POST /v1/orders", exact=True)).to_be_visible()
    page.get_by_role("button", name="Expand").click()
    expect(attempt).to_be_visible()


def test_keys_are_left_alone_while_somebody_types(page: Page, backend: Backend) -> None:
    page.goto(address(backend, f"/trace/{RETRIED}"))
    field = page.get_by_label("Trace to compare with")
    field.focus()
    page.keyboard.type("fec")
    expect(field).to_have_value("fec")


def test_two_of_the_list_are_compared(page: Page, backend: Backend) -> None:
    page.goto(address(backend, "/?service=gateway"))
    for trace_id in (FINE, RETRIED):
        page.locator(f"input[value='{trace_id}']").check()
    page.get_by_role("button", name="Compare").click()
    page.wait_for_url("**/compare?**")
    expect(page.get_by_text("only in A").or_(page.get_by_text("only in B")).first).to_be_visible()
    expect(page.get_by_role("row", name="attempt 2").first).to_contain_text("only in A")


def test_a_trace_is_compared_with_another(page: Page, backend: Backend) -> None:
    page.goto(address(backend, f"/trace/{FINE}"))
    page.get_by_label("Trace to compare with").fill(FAILED)
    page.get_by_label("Trace to compare with").press("Enter")
    page.wait_for_url("**/compare?**")
    expect(page.get_by_text("B took")).to_contain_text("longer than A")


def test_dependencies_have_rates_and_lead_to_traces(page: Page, backend: Backend) -> None:
    page.goto(address(backend, "/dependencies"))
    expect(page.get_by_role("row", name="orders payments")).to_contain_text("4")
    expect(page.locator(".at-desk .label").first).to_contain_text("/s")
    page.locator(".at-desk a", has_text="payments").click()
    page.wait_for_url("**/?service=payments")


def test_a_trace_that_comes_while_one_waits_is_shown(page: Page) -> None:
    with running() as backend:
        shown = page.request.get(address(backend, "/trace/9"))
        assert (shown.status, shown.headers["refresh"]) == (404, "2;url=/trace/9?looked=1")
        page.set_content(shown.text())
        expect(page.get_by_role("heading", name="Waiting for this trace")).to_be_visible()
        send(backend, Made(trace=9, service="late", name="arrived"))
        page.goto(address(backend, "/trace/9?looked=1"))
        expect(page.get_by_role("heading", name="arrived")).to_be_visible()


def test_a_trace_with_missing_parts_says_so(page: Page, backend: Backend) -> None:
    send(backend, Made(trace=7, service="lonely", parent=b"\7" * 8))
    page.goto(address(backend, "/trace/7"))
    expect(page.get_by_role("status")).to_contain_text("1 span names a parent that is not here")
