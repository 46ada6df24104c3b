"""The API's pages, as a person opens them, at a desk and on a telephone."""

import pytest
from playwright.sync_api import Page, expect

from deploy.system import System

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("path", ["/api/v1/docs", "/problems", "/problems/out-of-stock"])
def test_nothing_is_cut_off_and_nothing_comes_from_elsewhere(page: Page, system: System, path: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{system.gateway_url}{path}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_contents_lead_to_an_operation_and_its_problems_open(page: Page, system: System) -> None:
    page.goto(f"{system.gateway_url}/api/v1/docs")
    page.get_by_role("link", name="POST /api/v1/orders").click()
    operation = page.locator("section", has=page.get_by_role("heading", name="POST /api/v1/orders"))
    expect(operation.get_by_text('"status": "confirmed"')).to_be_visible()
    problem = operation.locator("details", has_text="payment-declined")
    problem.locator("summary").click(position={"x": 2, "y": 8})
    expect(problem.locator("pre")).to_be_visible()
