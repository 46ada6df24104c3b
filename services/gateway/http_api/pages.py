"""Pages for people: what a problem means, and what the API offers. They need nothing from elsewhere."""

from pathlib import Path

from fastapi import APIRouter, FastAPI
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from services.chassis.errors import ProblemError
from services.contracts.errors import CATALOGUE

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent.parent / "templates"), autoescape=True, undefined=StrictUndefined
)


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
        return _page("docs.html", document=app.openapi())

    app.include_router(router)


def _page(template: str, **values: object) -> HTMLResponse:
    return HTMLResponse(_TEMPLATES.get_template(template).render(**values))
