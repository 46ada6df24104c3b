"""The API's document: the errors of each operation, described once from the error catalogue."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts
from pydantic.config import JsonDict
from pydantic.json_schema import models_json_schema

from services.chassis.http.problems import MEDIA_TYPE
from services.contracts.errors import CATALOGUE
from services.gateway.schemas.v1 import Problem

COMMON = (
    "malformed-request",
    "content-too-large",
    "unauthenticated",
    "forbidden",
    "request-timeout",
    "request-too-slow",
    "validation-failed",
    "headers-too-large",
    "internal",
    "service-unavailable",
    "deadline-exceeded",
)
"""What any operation may answer."""

_FIELDS: Mapping[str, Sequence[Mapping[str, str]]] = {
    "validation-failed": [{"field": "limit", "message": "must be 1 to 100, not 101"}],
    "out-of-stock": [{"field": "lines[0].quantity", "message": "3 of p-0001 asked for, 2 available"}],
    "unknown-product": [{"field": "lines[0].product_id", "message": "there is no product p-9999"}],
}
_NAME_THE_ORDER = {
    "payment-declined",
    "out-of-stock",
    "idempotency-key-in-use",
    "reservation-closed",
    "payment-closed",
    "inventory-unavailable",
    "payment-unavailable",
    "order-cancelled",
    "order-not-cancellable",
    "unknown-product",
    "unknown-payment-method",
}
_COME_BACK = {"idempotency-key-in-use", "service-unavailable", "deadline-exceeded"}

_REF = "#/components/schemas/{model}"


def problems(*slugs: str, at: str) -> dict[int | str, dict[str, Any]]:
    """FastAPI's `responses` of an operation that may answer with `slugs`, besides the common ones.

    `at` is an address of the operation below the version's prefix, for the examples.
    """
    by_status: dict[int, dict[str, Any]] = {}
    for slug in (*COMMON, *slugs):
        entry = CATALOGUE[slug]
        answer = by_status.setdefault(entry.http_status, {"description": entry.title, "content": _content()})
        answer["content"][MEDIA_TYPE]["examples"][slug] = {"summary": entry.title, "value": _example(slug, at)}
    return dict(sorted(by_status.items()))


def examples(values: Mapping[str, JsonDict]) -> dict[str, Any]:
    """The part of an answer's description that shows `values`, each under its name."""
    shown = {name: {"summary": name, "value": value} for name, value in values.items()}
    return {"content": {"application/json": {"examples": shown}}}


def describe(app: FastAPI) -> None:
    """Gives `app` its document, with the problem's shape among the components."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    # Replaced as FastAPI's documentation shows it ("Extending OpenAPI").
    app.openapi = document  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    _, shapes = models_json_schema([(Problem, "serialization")], ref_template=_REF)
    made["components"]["schemas"].update(shapes["$defs"])
    for route in iter_route_contexts(app.routes):
        for method in route.methods or ():
            if operation := made["paths"].get(route.path_format, {}).get(method.lower()):
                _restore_examples(operation, route.responses)
    return made


def _restore_examples(operation: Mapping[str, Any], responses: Mapping[int | str, Mapping[str, Any]]) -> None:
    """FastAPI leaves out what is null, in examples too, where it is a field that the answer has."""
    for status, declared in responses.items():
        for media_type, content in declared.get("content", {}).items():
            operation["responses"][str(status)]["content"][media_type]["examples"] = content["examples"]


def _content() -> dict[str, Any]:
    return {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model=Problem.__name__)}, "examples": {}}}


def _example(slug: str, at: str) -> dict[str, Any]:
    entry = CATALOGUE[slug]
    about_an_order = {"order_id": "ord_5f0c3b1e9d7a4c62"} if slug in _NAME_THE_ORDER else {}
    return {
        "type": f"/problems/{slug}",
        "title": entry.title,
        "status": entry.http_status,
        "detail": entry.explanation,
        "instance": f"/api/v1{at}",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "errors": list(_FIELDS.get(slug, ())),
        "retry_after": 1.0 if slug in _COME_BACK else None,
        **about_an_order,
    }
