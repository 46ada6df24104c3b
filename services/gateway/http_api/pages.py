"""Pages for people: what a problem means, and what the API offers. They need nothing from elsewhere."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from services.chassis.errors import ProblemError
from services.contracts.errors import CATALOGUE

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent.parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.policies["json.dumps_kwargs"] = {"sort_keys": False}  # fields in the order in which they are sent
_QUOTED = re.compile(r"`([^`]+)`")


def add_pages(app: FastAPI) -> None:
    """Adds the problems' pages and the page of version 1's document."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/problems/{slug}")
    async def problem(slug: str) -> HTMLResponse:
        if slug not in CATALOGUE:
            raise ProblemError("not-found", "There is no such problem.")
        return _page("problem.html", entry=CATALOGUE[slug])

    @router.get("/problems")
    async def all_problems() -> HTMLResponse:
        return _page("problems.html", entries=CATALOGUE.values())

    @router.get("/api/v1/docs")
    async def docs() -> HTMLResponse:
        return _page("docs.html", document=app.openapi(), sections=list(_sections(app.openapi())))

    app.include_router(router)


def _page(template: str, **values: object) -> HTMLResponse:
    return HTMLResponse(_TEMPLATES.get_template(template).render(**values))


def _sections(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Method, path and operation, in the document's order."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _with_code(text: str) -> Markup:
    """`text` with what stands between backticks as code."""
    return Markup(_QUOTED.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 -- escaped just before


def _kind(schema: Mapping[str, Any]) -> str:
    """A parameter's type and limits, for people: `integer, 1 to 100`."""
    alternatives = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    limits = [f"{each['minimum']} to {each['maximum']}" for each in alternatives if {"minimum", "maximum"} <= set(each)]
    return ", ".join([" or ".join(str(each.get("type", "any")) for each in alternatives), *limits])


_TEMPLATES.filters.update(with_code=_with_code, kind=_kind)
