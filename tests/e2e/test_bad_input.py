"""Whatever a client sends: a problem document with the trace's id, never a 5xx, never a stack trace."""

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from services.contracts.errors import CATALOGUE
from tests.e2e.http_api import Answer, Api, an_order
from tests.e2e.traces import Traces

ORDERS = "/api/v1/orders"
PRODUCTS = "/api/v1/products"
JSON = {"Content-Type": "application/json", "Idempotency-Key": "bad-input"}
TOO_LARGE = b" " * 70_000
DEEP = b"[" * 30_000


@dataclass(frozen=True)
class Bad:
    """A request and the problem it must be answered with; `fields` are those that `errors[]` must name."""

    name: str
    slug: str
    method: str = "GET"
    path: str = PRODUCTS
    headers: Mapping[str, str | None] = field(default_factory=dict)
    body: bytes | None = None
    chunked: bool = False
    fields: tuple[str, ...] = ()


def order(name: str, slug: str, body: bytes, *fields: str, **headers: str | None) -> Bad:
    sent = JSON | {key.replace("_", "-"): value for key, value in headers.items()}
    return Bad(name, slug, "POST", ORDERS, sent, body, fields=fields)


def changed(**changes: Any) -> bytes:
    """A good order's body, with these members changed or, where None, left out."""
    body = an_order() | changes
    return json.dumps({key: value for key, value in body.items() if value is not None}).encode()


def line(**changes: Any) -> bytes:
    """A good order's body whose only line is changed."""
    (good,) = an_order()["lines"]
    return changed(lines=[{key: value for key, value in (good | changes).items() if value is not None}])


GOOD = changed()
MALFORMED = "malformed-request"
INVALID = "validation-failed"

BAD = [
    # Who asks
    Bad("no key", "unauthenticated", headers={"X-API-Key": None}),
    Bad("unknown key", "unauthenticated", headers={"X-API-Key": "flk_nobody-has-this-one"}),
    Bad("empty key", "unauthenticated", headers={"X-API-Key": ""}),
    Bad("key of odd bytes", "unauthenticated", headers={"X-API-Key": "flk_\xe9\xff"}),
    Bad("very long key", "unauthenticated", headers={"X-API-Key": "k" * 10_000}),
    Bad("key beyond what is read", "headers-too-large", headers={"X-API-Key": "k" * 40_000}),
    Bad("no key, odd spelling of the path", "unauthenticated", path="/%61pi/v1/products", headers={"X-API-Key": None}),
    Bad("no key, no such path", "unauthenticated", path="/api/", headers={"X-API-Key": None}),
    order("no key, malformed body", "unauthenticated", b"{", X_API_Key=None),
    # Where to
    Bad("no such path", "not-found", path="/api/v1/nothing"),
    Bad("no such version", "not-found", path="/api/v2/products"),
    Bad("unknown product", "product-not-found", path=f"{PRODUCTS}/p-9999"),
    Bad("product of odd name", "product-not-found", path=f"{PRODUCTS}/%F0%9F%92%A5"),
    Bad("product with a NUL", "product-not-found", path=f"{PRODUCTS}/p%00"),
    Bad("product of broken UTF-8", "product-not-found", path=f"{PRODUCTS}/%ff%fe"),
    Bad("product of great length", "product-not-found", path=f"{PRODUCTS}/{'p' * 3_000}"),
    Bad("unknown order", "order-not-found", path=f"{ORDERS}/o-nobody"),
    Bad("order with a quote", "order-not-found", path=f"{ORDERS}/%27%20OR%201=1"),
    Bad("a path that climbs", "product-not-found", path=f"{PRODUCTS}/.."),
    Bad("a path that climbs, encoded", "product-not-found", path=f"{PRODUCTS}/%2e%2e"),
    Bad("a path that climbs and descends", "not-found", path=f"{PRODUCTS}/../orders"),
    Bad("a path that climbs past its root", "not-found", path=f"{PRODUCTS}/..%2f..%2f..%2fetc%2fpasswd"),
    Bad("a slash too many", "not-found", path=f"/{PRODUCTS}"),
    Bad("a slash too many, without a key", "not-found", path=f"/{PRODUCTS}", headers={"X-API-Key": None}),
    Bad("a path in capitals", "not-found", path=PRODUCTS.upper()),
    Bad("a path with parameters", "not-found", path=f"{PRODUCTS};a=b"),
    Bad("a path of another server", "not-found", path=f"http://elsewhere.invalid{PRODUCTS}"),
    Bad("no path at all", "not-found", "OPTIONS", path="*"),
    Bad("a path to nowhere", "not-found", "CONNECT", path="elsewhere.invalid:443"),
    Bad("a page of no problem", "not-found", path="/problems/..%2f..%2fetc%2fpasswd"),
    Bad("a listener that is not public", "not-found", path="/metrics"),
    Bad("order cancelled that is none", "order-not-found", "PUT", f"{ORDERS}/o-nobody/cancellation"),
    Bad("wrong method on a cancellation", "method-not-allowed", "POST", f"{ORDERS}/o/cancellation", JSON, b"{}"),
    Bad("wrong method", "method-not-allowed", "DELETE", ORDERS),
    Bad("wrong method on one", "method-not-allowed", "POST", f"{PRODUCTS}/p-0001", JSON, b"{}"),
    Bad("trailing slash", "not-found", path=f"{PRODUCTS}/"),
    Bad("unheard-of method", "method-not-allowed", "BREW", PRODUCTS),
    # Which page
    Bad("limit of letters", INVALID, path=f"{PRODUCTS}?limit=many", fields=("limit",)),
    Bad("limit of zero", INVALID, path=f"{PRODUCTS}?limit=0", fields=("limit",)),
    Bad("limit below zero", INVALID, path=f"{ORDERS}?limit=-1", fields=("limit",)),
    Bad("limit beyond reason", INVALID, path=f"{PRODUCTS}?limit=1000000", fields=("limit",)),
    Bad("limit beyond 64 bits", INVALID, path=f"{ORDERS}?limit={'9' * 40}", fields=("limit",)),
    Bad("made-up cursor", INVALID, path=f"{PRODUCTS}?cursor=%2B%2B%2B", fields=("cursor",)),
    Bad("cursor of great length", INVALID, path=f"{PRODUCTS}?cursor={'e30' * 1_000}", fields=("cursor",)),
    Bad("cursor of odd bytes", INVALID, path=f"{ORDERS}?cursor=%00%ff", fields=("cursor",)),
    Bad("made-up cursor of orders", INVALID, path=f"{ORDERS}?cursor=e30", fields=("cursor",)),
    # By when
    Bad("no time left", "request-timeout", headers={"X-Request-Timeout-Ms": "0"}),
    Bad("time below zero", "request-timeout", headers={"X-Request-Timeout-Ms": "-5"}),
    Bad("time of letters", MALFORMED, headers={"X-Request-Timeout-Ms": "soon"}),
    Bad("time of too many digits", MALFORMED, headers={"X-Request-Timeout-Ms": "9" * 5_000}),
    order("no time left for a checkout", "request-timeout", GOOD, X_Request_Timeout_Ms="0"),
    # In what form
    order("no media type", "unsupported-media-type", GOOD, Content_Type=None),
    order("plain text", "unsupported-media-type", GOOD, Content_Type="text/plain"),
    order("not UTF-8", "unsupported-media-type", GOOD, Content_Type="application/json; charset=utf-16"),
    order("compressed", "unsupported-media-type", GOOD, Content_Encoding="gzip"),
    order("a form", "unsupported-media-type", b"a=b", Content_Type="application/x-www-form-urlencoded"),
    order("too large", "content-too-large", TOO_LARGE),
    Bad("too large, length not told", "content-too-large", "POST", ORDERS, JSON, TOO_LARGE, chunked=True),
    order("no idempotency key", "idempotency-key-missing", GOOD, Idempotency_Key=None),
    order("idempotency key beyond reason", INVALID, GOOD, Idempotency_Key="k" * 10_000),
    order("idempotency key beyond what is read", "headers-too-large", GOOD, Idempotency_Key="k" * 40_000),
    # Not JSON
    order("half a document", MALFORMED, b'{"lines": ['),
    order("not JSON at all", MALFORMED, b"order me a teapot"),
    order("broken UTF-8", MALFORMED, b'{"payment_method": "\xff\xfe"}'),
    order("nested too deep", MALFORMED, DEEP),
    order("a member twice", MALFORMED, GOOD.replace(b'"quantity": 1', b'"quantity": 1, "quantity": 100'), "quantity"),
    order("a number of too many digits", MALFORMED, b'{"lines": ' + b"9" * 10_000 + b"}"),
    # JSON of the wrong shape
    order("nothing", INVALID, b""),
    order("a list", INVALID, b"[]"),
    order("null", INVALID, b"null"),
    order("a string", INVALID, b'"order"'),
    order("an empty object", INVALID, b"{}", "lines", "payment_method"),
    order("no lines", INVALID, changed(lines=[]), "lines"),
    order("lines of numbers", INVALID, changed(lines=[1, 2]), "lines[0]", "lines[1]"),
    order("lines as text", INVALID, changed(lines="p-0001"), "lines"),
    order("too many lines", INVALID, changed(lines=an_order()["lines"] * 1_000), "lines"),
    order("quantity as text", INVALID, line(quantity="two"), "lines[0].quantity"),
    order("quantity of zero", INVALID, line(quantity=0), "lines[0].quantity"),
    order("quantity below zero", INVALID, line(quantity=-1), "lines[0].quantity"),
    order("half a piece", INVALID, line(quantity=0.5), "lines[0].quantity"),
    order("quantity of truth", INVALID, line(quantity=True), "lines[0].quantity"),
    order("quantity beyond reason", INVALID, line(quantity=1_001), "lines[0].quantity"),
    order("quantity beyond 32 bits", INVALID, line(quantity=2**31), "lines[0].quantity"),
    order("quantity far below zero", INVALID, line(quantity=-(2**63)), "lines[0].quantity"),
    order("the same product twice", INVALID, changed(lines=an_order()["lines"] * 2), "lines[1].product_id"),
    order("quantity beyond 64 bits", INVALID, line(quantity=2**70), "lines[0].quantity"),
    order("no quantity", INVALID, line(quantity=None), "lines[0].quantity"),
    order("product as a number", INVALID, line(product_id=7), "lines[0].product_id"),
    order("product without a name", INVALID, line(product_id=""), "lines[0].product_id"),
    order("unheard-of member", INVALID, changed(discount=100), "discount"),
    order("a price of one's own", INVALID, line(unit_price=1), "lines[0].unit_price"),
    order("a currency of one's own", INVALID, changed(currency="XXX"), "currency"),
    order("card number as payment", INVALID, changed(payment_method={"number": "4242"}), "payment_method"),
    # JSON of the right shape that means nothing
    order("unknown product in a line", "unknown-product", line(product_id="p-9999")),
    order("unknown payment method", "unknown-payment-method", changed(payment_method="pm_card_of_nobody")),
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_it_is_refused_with_a_problem(bad: Bad, api: Api) -> None:
    headers = dict(bad.headers)
    if "Idempotency-Key" in headers and headers["Idempotency-Key"] == JSON["Idempotency-Key"]:
        headers["Idempotency-Key"] = f"bad-input-{bad.name}"
    answer = api.request(bad.method, bad.path, headers, bad.body, bad.chunked)
    problem = the_problem(answer)
    assert problem["type"] == f"/problems/{bad.slug}"
    named = {error["field"] for error in problem.get("errors") or ()}
    assert named >= set(bad.fields)


def test_a_wrong_method_is_told_the_right_ones(api: Api) -> None:
    answer = api.request("DELETE", ORDERS)
    assert {"GET", "POST"} <= {each.strip() for each in answer.headers["allow"].split(",")}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", f"{PRODUCTS}/p-0001", {"GET"}),
        ("PUT", f"{ORDERS}/o-1", {"GET"}),
        ("GET", f"{ORDERS}/o-1/cancellation", {"PUT"}),
        ("PATCH", PRODUCTS, {"GET"}),
    ],
)
def test_a_wrong_method_is_told_all_the_right_ones(method: str, path: str, allowed: set[str], api: Api) -> None:
    answer = api.request(method, path)
    assert the_problem(answer)["type"] == "/problems/method-not-allowed"
    assert {each.strip() for each in answer.headers["allow"].split(",")} == allowed


def test_a_cursor_is_of_its_listing(api: Api) -> None:
    for _ in range(2):
        assert api.check_out().status == 201
    for listing, other in ((PRODUCTS, ORDERS), (ORDERS, PRODUCTS)):
        cursor = api.get(f"{listing}?limit=1").json()["next_cursor"]
        assert api.get(f"{listing}?limit=1&cursor={cursor}").status == 200
        problem = the_problem(api.get(f"{other}?cursor={cursor}"))
        assert [each["field"] for each in problem["errors"]] == ["cursor"]


def test_an_idempotency_key_is_for_one_order(api: Api) -> None:
    assert api.check_out(an_order(quantity=1), key="the-same").status == 201
    answer = api.check_out(an_order(quantity=2), key="the-same")
    assert the_problem(answer)["type"] == "/problems/idempotency-key-reused"


def test_a_time_too_short_for_the_card_ends_in_time(api: Api) -> None:
    """Enough to begin with and not enough to finish: the caller is told so when its time is over.

    By the gateway, or by orders, which keeps the order: whose clock is ahead is not the caller's to know.
    """
    answer = api.check_out(an_order(payment_method="pm_card_slow"), **{"X-Request-Timeout-Ms": "150"})
    if answer.status == 202:
        assert answer.json()["status"] == "pending"
        assert answer.headers["location"] == f"{ORDERS}/{answer.json()['order_id']}"
        return
    problem = the_problem(answer)
    assert problem["type"] == "/problems/request-timeout"
    assert int(answer.headers["retry-after"]) >= 1


def test_whoever_has_no_patience_takes_nothing_from_others(api: Api) -> None:
    """Checkouts that are given a few milliseconds, cut off wherever they are then, open no breaker between the services."""
    for milliseconds in (40, 30, 20, 10, 5):
        hasty = [api.check_out(**{"X-Request-Timeout-Ms": str(milliseconds)}).status for _ in range(20)]
        assert set(hasty) <= {201, 202, 408}
    for _ in range(5):
        assert api.get("/api/v1/products/p-0001").status == 200
        assert api.check_out().status == 201


@pytest.mark.parametrize("slug", CATALOGUE)
def test_every_problem_has_its_page(slug: str, api: Api) -> None:
    answer = api.request("GET", f"/problems/{slug}", {"X-API-Key": None})
    assert answer.status == 200
    assert CATALOGUE[slug].title in html.unescape(answer.body.decode())


def test_the_trace_id_of_a_refusal_leads_to_its_trace(api: Api, traces: Traces) -> None:
    answer = api.get(f"{PRODUCTS}/p-9999")
    (root,) = traces.whole(answer.trace_id, "gateway", "inventory").roots
    assert root.tags["http.response.status_code"] == 404


def test_an_answer_that_went_well_names_its_trace(api: Api) -> None:
    assert re.fullmatch("[0-9a-f]{32}", api.get(PRODUCTS).trace_id)


def the_problem(answer: Answer) -> dict[str, Any]:
    """The answer's problem document, proven to be one of the catalogue's and to give nothing away."""
    assert 400 <= answer.status < 500, answer.body
    assert answer.headers["content-type"].partition(";")[0] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    entry = CATALOGUE[str(problem["type"]).removeprefix("/problems/")]
    assert (problem["status"], problem["title"]) == (answer.status, entry.title)
    assert answer.status == entry.http_status
    assert re.fullmatch("[0-9a-f]{32}", problem["trace_id"])
    assert problem["trace_id"] == answer.trace_id
    assert problem["instance"].startswith("/")
    assert b"Traceback" not in answer.body
    assert b".py" not in answer.body
    return problem
