"""The public API over HTTP, with a shop in memory behind it."""

import asyncio

import pytest

from services.contracts.steps import Step
from tests.contract.services.public_api import ORDERS, PRODUCTS, Api, slug


class TestProducts:
    async def test_come_in_pages_that_link_to_the_next(self, api: Api) -> None:
        first = await api.ask("GET", PRODUCTS, params={"limit": "1"})
        assert first.status == 200
        price = {"amount_minor": 500, "currency": "EUR"}
        assert first.body["items"] == [{"product_id": "p-1", "name": "Product p-1", "price": price, "available": 10}]
        link = first.headers["Link"]
        assert link.endswith('>; rel="next"')
        last = await api.ask("GET", link[1 : link.index(">")])
        assert [each["product_id"] for each in last.body["items"]] == ["p-2"]
        assert last.body["next_cursor"] is None
        assert "Link" not in last.headers

    async def test_are_shown_one_by_one(self, api: Api) -> None:
        assert (await api.ask("GET", f"{PRODUCTS}/p-2")).body["product_id"] == "p-2"
        assert slug(await api.ask("GET", f"{PRODUCTS}/p-9")) == "product-not-found"

    @pytest.mark.parametrize("path", [f"{PRODUCTS}/p-1", PRODUCTS, f"{PRODUCTS}?limit=1"])
    async def test_are_not_sent_again_to_those_who_have_them(self, api: Api, path: str) -> None:
        first = await api.ask("GET", path)
        tag = first.headers["ETag"]
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = await api.ask("GET", path, headers={"If-None-Match": known})
            assert (again.status, again.text) == (304, "")
            for name in ("ETag", "Cache-Control", "Link"):
                assert again.headers.get(name) == first.headers.get(name)
            assert len(again.headers["X-Trace-Id"]) == 32

    @pytest.mark.parametrize("path", [f"{PRODUCTS}/p-1", PRODUCTS])
    async def test_are_sent_when_they_have_changed(self, api: Api, path: str) -> None:
        before = await api.ask("GET", path)
        await api.check_out(quantity=2)
        after = await api.ask("GET", path, headers={"If-None-Match": before.headers["ETag"]})
        assert after.status == 200
        assert after.headers["ETag"] != before.headers["ETag"]
        for known in ("", '"', "nonsense", '"other"', after.headers["ETag"].strip('"')):
            assert (await api.ask("GET", path, headers={"If-None-Match": known})).status == 200


class TestProductsWithoutInventory:
    """The catalogue does not answer, but has been seen: what is shown says so."""

    @pytest.mark.parametrize("path", [f"{PRODUCTS}/p-1", PRODUCTS, f"{PRODUCTS}?limit=1"])
    async def test_are_shown_as_they_were_seen(self, api: Api, path: str) -> None:
        fresh = await api.ask("GET", path)
        assert fresh.body["degraded"] is False
        assert {"Age", "Cache-Status"}.isdisjoint(fresh.headers)
        api.catalogue.age_s = 12.7
        stale = await api.ask("GET", path)
        assert (stale.status, stale.body) == (200, {**fresh.body, "degraded": True})
        assert stale.headers["Age"] == "12"
        assert stale.headers["Cache-Status"] == "faultline-gateway; hit; ttl=-12; detail=stale-if-error"
        assert stale.headers.get("Link") == fresh.headers.get("Link")

    @pytest.mark.parametrize("path", [f"{PRODUCTS}/p-1", PRODUCTS])
    async def test_are_never_taken_for_new(self, api: Api, path: str) -> None:
        fresh = await api.ask("GET", path)
        api.catalogue.age_s = 3.0
        stale = await api.ask("GET", path, headers={"If-None-Match": fresh.headers["ETag"]})
        assert stale.status == 200
        again = await api.ask("GET", path, headers={"If-None-Match": stale.headers["ETag"]})
        assert (again.status, again.text, again.headers["Age"]) == (304, "", "3")
        api.catalogue.age_s = None
        back = await api.ask("GET", path, headers={"If-None-Match": stale.headers["ETag"]})
        assert (back.status, back.headers["ETag"]) == (200, fresh.headers["ETag"])


class TestCheckoutsWithoutPayments:
    async def test_are_kept_and_finished_later(self, api: Api) -> None:
        api.shop.payments_peer.postpones = True
        api.shop.payments_peer.wire.losses = ["request"]
        kept = await api.check_out()
        assert (kept.status, kept.body["status"]) == (202, "pending")
        assert (await api.ask("GET", kept.headers["Location"])).body == kept.body
        done = await api.check_out()
        assert (done.status, done.body["status"]) == (201, "confirmed")
        assert done.headers["Location"] == kept.headers["Location"]

    async def test_are_refused_where_that_is_not_wanted(self, api: Api) -> None:
        api.shop.payments_peer.wire.losses = ["request"]
        answer = await api.check_out()
        assert (answer.status, slug(answer)) == (503, "service-unavailable")
        assert answer.body["order_id"] == "ord_1"


class TestOrders:
    async def test_are_placed_and_found_where_it_says(self, api: Api) -> None:
        answer = await api.check_out(quantity=2)
        assert answer.status == 201
        assert answer.body == {
            "order_id": "ord_1",
            "status": "confirmed",
            "reason": None,
            "lines": [{"product_id": "p-1", "quantity": 2, "unit_price": {"amount_minor": 500, "currency": "EUR"}}],
            "total": {"amount_minor": 1000, "currency": "EUR"},
            "created_at": answer.body["created_at"],
        }
        assert answer.body["created_at"].endswith("Z")
        found = await api.ask("GET", answer.headers["Location"])
        assert found.body == answer.body
        assert (await api.ask("GET", ORDERS)).body == {"items": [answer.body], "next_cursor": None}

    async def test_are_placed_once(self, api: Api) -> None:
        first, again = await api.check_out(), await api.check_out()
        assert (again.status, again.text) == (first.status, first.text)
        assert again.headers["Location"] == first.headers["Location"]
        assert again.headers["X-Trace-Id"] != first.headers["X-Trace-Id"]

    @pytest.mark.parametrize(("payment_method", "quantity"), [("pm_card_declined", 1), ("pm_card_visa", 99)])
    async def test_that_were_refused_are_refused_again_in_the_same_words(
        self, api: Api, payment_method: str, quantity: int
    ) -> None:
        first, again = [await api.check_out(quantity, "k", payment_method) for _ in range(2)]
        assert again.status == first.status
        assert {**again.body, "trace_id": ""} == {**first.body, "trace_id": ""}

    async def test_are_not_placed_with_the_key_of_another(self, api: Api) -> None:
        await api.check_out(quantity=1)
        answer = await api.check_out(quantity=2)
        assert (answer.status, slug(answer)) == (422, "idempotency-key-reused")

    async def test_that_are_being_placed_are_waited_for(self, api: Api) -> None:
        asked, free = asyncio.Event(), asyncio.Event()

        async def wait() -> None:
            asked.set()
            await free.wait()

        api.shop.payments_peer.wire.meanwhile[Step.CAPTURE] = wait
        first = asyncio.create_task(api.check_out())
        await asked.wait()
        answer = await api.check_out()
        assert (answer.status, slug(answer), answer.headers["Retry-After"]) == (409, "idempotency-key-in-use", "1")
        assert answer.body["order_id"] == "ord_1"
        free.set()
        assert (await first).text == (await api.check_out()).text

    async def test_are_cancelled(self, api: Api) -> None:
        first = await api.check_out(quantity=2)
        for _ in range(2):
            answer = await api.ask("PUT", f"{first.headers['Location']}/cancellation")
            assert (answer.status, answer.body["status"], answer.body["reason"]) == (200, "cancelled", None)
        assert (await api.ask("GET", first.headers["Location"])).body == answer.body
        assert (await api.ask("GET", ORDERS)).body["items"] == [answer.body]
        again = await api.check_out(quantity=2)
        assert (again.status, again.text) == (first.status, first.text), "the answer that was given stays"

    async def test_are_cancelled_later_when_a_peer_is_away(self, api: Api) -> None:
        first = await api.check_out()
        api.shop.payments_peer.wire.losses = ["request"]
        answer = await api.ask("PUT", f"{first.headers['Location']}/cancellation")
        assert (answer.status, answer.body["status"]) == (202, "pending")
        assert (await api.ask("PUT", f"{first.headers['Location']}/cancellation")).status == 200

    async def test_that_cannot_be_cancelled_say_so(self, api: Api) -> None:
        assert slug(await api.ask("PUT", f"{ORDERS}/ord_1/cancellation")) == "order-not-found"
        await api.check_out(payment_method="pm_card_declined")
        answer = await api.ask("PUT", f"{ORDERS}/ord_1/cancellation")
        assert (answer.status, slug(answer), answer.body["order_id"]) == (409, "order-not-cancellable", "ord_1")
        api.headers = {"X-API-Key": "flk_bob"}
        assert slug(await api.ask("PUT", f"{ORDERS}/ord_1/cancellation")) == "order-not-found"

    async def test_are_refused_with_a_reason(self, api: Api) -> None:
        declined = await api.check_out(payment_method="pm_card_declined")
        assert (declined.status, slug(declined), declined.body["order_id"]) == (402, "payment-declined", "ord_1")
        short = await api.check_out(quantity=99, key="k2")
        assert (short.status, slug(short), short.body["order_id"]) == (409, "out-of-stock", "ord_2")
        assert short.body["errors"] == [{"field": "lines[0].quantity", "message": "99 of p-1 asked for, 10 available"}]

    async def test_stay_pending_when_a_peer_is_away(self, api: Api) -> None:
        api.shop.payments_peer.wire.losses = ["request"]
        answer = await api.check_out()
        assert (answer.status, slug(answer), answer.headers["Retry-After"]) == (503, "service-unavailable", "1")
        pending = await api.ask("GET", f"{ORDERS}/{answer.body['order_id']}")
        assert (pending.body["status"], pending.body["reason"]) == ("pending", None)
        assert (await api.check_out()).status == 201

    async def test_are_ones_own(self, api: Api) -> None:
        await api.check_out()
        api.headers = {"X-API-Key": "flk_bob"}
        assert slug(await api.ask("GET", f"{ORDERS}/ord_1")) == "order-not-found"
        assert (await api.ask("GET", ORDERS)).body["items"] == []

    async def test_need_a_key_of_the_customers_own(self, api: Api) -> None:
        answer = await api.ask("POST", ORDERS, json={"lines": [], "payment_method": "x"})
        assert (answer.status, slug(answer)) == (400, "idempotency-key-missing")

    @pytest.mark.parametrize(
        "media_type", ["text/plain", "application/xml", "application/jsonx", "", "application/json; charset=utf-16"]
    )
    async def test_are_sent_as_json(self, api: Api, media_type: str) -> None:
        headers = {"Idempotency-Key": "k", "Content-Type": media_type}
        answer = await api.ask("POST", ORDERS, data=b"{}", headers=headers)
        assert (answer.status, slug(answer)) == (415, "unsupported-media-type")


class TestThePipeline:
    @pytest.mark.parametrize("key", ["", "flk_mallory", "flk_alice "])
    async def test_lets_in_who_has_a_key(self, api: Api, key: str) -> None:
        api.headers = {"X-API-Key": key} if key else {}
        answer = await api.ask("GET", PRODUCTS)
        # A field's value has no spaces around it, whatever was sent: the last key is alice's after all.
        assert answer.status == (200 if key.strip() == "flk_alice" else 401)

    async def test_a_key_without_scopes_may_nothing(self, api: Api) -> None:
        api.headers = {"X-API-Key": "flk_nobody"}
        for answer in (await api.ask("GET", PRODUCTS), await api.ask("GET", ORDERS), await api.check_out()):
            assert (answer.status, slug(answer)) == (403, "forbidden")

    async def test_believes_nobody_who_says_who_they_are(self, api: Api) -> None:
        await api.check_out()
        spoofed = {"X-User-Id": "alice", "X-Client-Id": "tests", "X-Scopes": "orders:read"}
        answer = await api.ask("GET", ORDERS, headers={**spoofed, "X-API-Key": "flk_bob"})
        assert answer.body["items"] == []
        api.headers = {}
        assert (await api.ask("GET", ORDERS, headers=spoofed)).status == 401

    async def test_puts_the_trace_on_every_answer(self, api: Api) -> None:
        for path in (PRODUCTS, f"{PRODUCTS}/p-9", "/nowhere", "/problems", "/api/v1/openapi.json"):
            answer = await api.ask("GET", path)
            assert len(answer.headers["X-Trace-Id"]) == 32

    async def test_a_foreign_trace_is_not_continued(self, api: Api) -> None:
        foreign = "4bf92f3577b34da6a3ce929d0e0e4736"
        answer = await api.ask("GET", PRODUCTS, headers={"traceparent": f"00-{foreign}-00f067aa0ba902b7-01"})
        assert answer.headers["X-Trace-Id"] != foreign

    async def test_a_large_body_is_refused(self, api: Api) -> None:
        answer = await api.ask("POST", ORDERS, data=b" " * 70_000, headers={"Content-Type": "application/json"})
        assert (answer.status, slug(answer)) == (413, "content-too-large")

    async def test_spent_time_is_refused(self, api: Api) -> None:
        answer = await api.ask("GET", PRODUCTS, headers={"X-Request-Timeout-Ms": "0"})
        assert (answer.status, slug(answer)) == (408, "request-timeout")

    async def test_a_wrong_method_is_told_the_right_ones(self, api: Api) -> None:
        answer = await api.ask("DELETE", f"{PRODUCTS}/p-1")
        assert (answer.status, slug(answer), answer.headers["Allow"]) == (405, "method-not-allowed", "GET")
