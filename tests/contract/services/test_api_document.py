"""What the public API says of itself, for machines and for people."""

from typing import Any

import pytest

from services.contracts.errors import CATALOGUE
from tests.contract.services.openapi_document import PROBLEM, Document
from tests.contract.services.public_api import ORDERS, Api, slug


class TestTheDocument:
    @pytest.fixture
    async def raw(self, api: Api) -> dict[str, Any]:
        api.headers = {}
        document: dict[str, Any] = (await api.ask("GET", "/api/v1/openapi.json")).body
        return document

    @pytest.fixture
    def document(self, raw: dict[str, Any]) -> Document:
        return Document(raw)

    def test_has_the_public_operations(self, document: Document) -> None:
        assert {name for name, _ in document.operations()} == {
            "get /api/v1/products",
            "get /api/v1/products/{product_id}",
            "post /api/v1/orders",
            "get /api/v1/orders",
            "get /api/v1/orders/{order_id}",
            "put /api/v1/orders/{order_id}/cancellation",
        }

    def test_says_how_each_is_authenticated(self, document: Document, raw: dict[str, Any]) -> None:
        assert all(operation["security"] for _, operation in document.operations())
        (scheme,) = raw["components"]["securitySchemes"].values()
        assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "X-API-Key")

    def test_describes_each_operation_answer_and_parameter(self, document: Document) -> None:
        for name, operation in document.operations():
            assert operation["description"], name
            for status, answer in operation["responses"].items():
                assert answer["description"] != "Successful Response", f"{name} {status}"
                assert ("content" in answer) == (status != "304"), f"{name} {status}"
            assert all(each["description"] for each in operation.get("parameters", ())), name

    def test_has_an_example_of_each_answer_that_is_of_its_shape(self, document: Document) -> None:
        for name, _, _, content in document.described():
            assert content["examples"], name
            for example in content["examples"].values():
                assert not document.faults(example["value"], content["schema"]), name

    def test_has_an_example_of_each_body_that_is_of_its_shape(self, document: Document, raw: dict[str, Any]) -> None:
        body = raw["paths"][ORDERS]["post"]["requestBody"]["content"]["application/json"]["schema"]
        (example,) = raw["components"]["schemas"]["PlaceOrder"]["examples"]
        assert not document.faults(example, body)
        assert document.faults({**example, "tip": 1}, body), "the check sees what is wrong"

    def test_describes_every_problem_by_the_catalogue(self, document: Document) -> None:
        for name, status, media_type, content in document.described():
            for example in content["examples"].values() if media_type == PROBLEM else ():
                entry = CATALOGUE[example["value"]["type"].removeprefix("/problems/")]
                assert (entry.http_status, entry.title) == (int(status), example["value"]["title"]), name


class TestPages:
    @pytest.mark.parametrize("path", ["/problems", "/api/v1/docs", *(f"/problems/{slug}" for slug in CATALOGUE)])
    async def test_are_there_for_anybody_and_need_nothing_from_elsewhere(self, api: Api, path: str) -> None:
        api.headers = {}
        answer = await api.ask("GET", path)
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "http://" not in answer.text
        assert "https://" not in answer.text

    async def test_of_a_problem_that_is_none(self, api: Api) -> None:
        answer = await api.ask("GET", "/problems/bad-hair-day")
        assert (answer.status, slug(answer)) == (404, "not-found")
