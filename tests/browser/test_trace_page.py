"""The page of a trace, as a person opens it."""

import pytest
from playwright.sync_api import Page, expect

from deploy.system import System
from tests.e2e.running import SERVICES, shopper
from tests.e2e.traces import Traces

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def trace_id(system: System) -> str:
    answer = shopper(system).check_out()
    assert answer.status == 201, answer.body
    return Traces(system.query_url).whole(answer.trace_id, *SERVICES).trace_id


def test_a_checkout_is_shown_through_all_services(page: Page, system: System, trace_id: str) -> None:
    page.goto(f"{system.query_url}/trace/{trace_id}")
    for service in SERVICES:
        expect(page.get_by_text(service, exact=True).first).to_be_visible()
    expect(page.get_by_text(trace_id).first).to_be_visible()


def test_the_first_page_leads_to_the_newest_trace(page: Page, system: System, trace_id: str) -> None:
    page.goto(system.query_url)
    page.locator(f"a[href*='{trace_id}']").first.click()
    page.wait_for_url(f"**/trace/{trace_id}")


def test_log_lines_stand_in_their_span(page: Page, system: System, trace_id: str) -> None:
    page.goto(f"{system.query_url}/trace/{trace_id}")
    row = page.locator("summary", has_text="POST /v1/orders").first
    expect(row.get_by_text("logs")).to_be_visible()
    row.click()
    details = page.locator("details[open] .info")
    expect(details.get_by_role("heading", name="Log lines")).to_be_visible()
    expect(details.get_by_text("order moved").first).to_be_visible()
