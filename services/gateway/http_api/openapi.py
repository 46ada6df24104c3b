"""The API's document: the errors of each operation, described once from the error catalogue."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.config import JsonDict
from pydantic.json_schema import models_json_schema

from services.chassis.http.problems import MEDIA_TYPE
from services.contracts.errors import CATALOGUE
from services.gateway.schemas.v1 import Problem

COMMON = (
    "malformed-request",
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

_REF = "#/components/schemas/{model}"


def problems(*slugs: str) -> dict[int | str, dict[str, Any]]:
    """FastAPI's `responses` of an operation that may answer with `slugs`, besides the common ones."""
    by_status: dict[int | str, dict[str, Any]] = {}
    for slug in (*COMMON, *slugs):
        status = CATALOGUE[slug].http_status
        answer = by_status.setdefault(status, {"description": CATALOGUE[slug].title, "content": _content()})
        answer["content"][MEDIA_TYPE]["examples"][slug] = {"summary": CATALOGUE[slug].title, "value": _example(slug)}
    return by_status


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
    return made


def _content() -> dict[str, Any]:
    return {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model=Problem.__name__)}, "examples": {}}}


def _example(slug: str) -> dict[str, Any]:
    entry = CATALOGUE[slug]
    return {
        "type": f"/problems/{slug}",
        "title": entry.title,
        "status": entry.http_status,
        "detail": entry.explanation,
        "instance": "/api/v1/orders",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "errors": [],
        "retry_after": 1.0 if entry.http_status in (409, 429, 503, 504) else None,
    }
