import json
from io import StringIO

import pytest
from rich.console import Console

from chaos.load import LoadPlan, run_load
from chaos.load.outcomes import NOT_SENT, of_answer, unanswered
from chaos.load.report import LoadReport
from chaos.load.summary import Summary
from chaos.load.table import generator_line, summary_table
from tests.unit.load.fake_gateway import PRODUCTS, FakeGateway


def a_report() -> LoadReport:
    summary = Summary(LoadPlan(1000, 60, 1, PRODUCTS, "test"), max_in_flight=10)
    for milliseconds in range(1, 12_000, 7):
        summary.started(0.001)
        slug = "/problems/idempotency-key-in-use" if milliseconds % 2 else None
        summary.finished("POST /api/v1/orders", of_answer(409, slug), milliseconds / 1000, None)
    summary.started(0.001)
    summary.finished("GET /api/v1/products/{product_id}", unanswered("connection-refused"), 0.0001, None)
    summary.not_sent("GET /api/v1/products/{product_id}", NOT_SENT)
    return summary.report(30.0, finished=False)


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits(width: int) -> None:
    console = Console(file=StringIO(), width=width)
    console.print(summary_table(a_report()))
    assert isinstance(console.file, StringIO)
    text = console.file.getvalue()
    assert "…" not in text
    assert "GET /api/v1/products/{product_id}" in text
    assert max(map(len, text.splitlines())) <= width


def test_the_generator_says_what_it_left_out() -> None:
    assert "1 requests were not sent" in generator_line(a_report())


async def test_a_report_is_json(gateway: FakeGateway) -> None:
    report = await run_load(LoadPlan(50, 0.5, 1, PRODUCTS, "test"), gateway.url, ["flk_secret"] * 20)
    text = json.dumps(report.as_dict())
    assert json.loads(text)["routes"][0]["outcomes"][0]["outcome"]["status"] == 200
    assert "flk_secret" not in text
