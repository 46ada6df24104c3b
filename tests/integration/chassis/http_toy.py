"""A toy HTTP service in the test's own process, with every step of the pipeline."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import aiohttp
from fastapi import APIRouter, FastAPI, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.middleware import Middleware
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp

from services.chassis.admission import AdmissionControl
from services.chassis.edge import Edge
from services.chassis.errors import FieldError, PeerUnavailableError, ProblemError
from services.chassis.http.app import create
from services.chassis.http.body import BodyInTime
from services.chassis.http.limits import Limits
from services.chassis.http.middleware import BodyLimit, DeadlineGate, ForeignTrace, StripHeaders
from services.chassis.http.server import HttpServer
from services.chassis.http.shedding import LoadShedding
from services.chassis.http.unique_members import UniqueMembers
from services.chassis.resilience.adaptive_limit import AdaptiveLimitConfig
from services.chassis.resilience.load_shedding import LoadSheddingConfig
from services.chassis.settings import ServerSpanWriter
from services.contracts.errors import CATALOGUE
from tests.integration.chassis.ports import HOST, free_port
from tests.unit.chassis.recording import Recording

MAX_BODY_BYTES = 50_000
LONG_S = 60.0
ROOM = LoadSheddingConfig(AdaptiveLimitConfig(initial=100, least=100, most=100), max_queue=0, max_wait_s=0.0)
STRIPPED = frozenset({"x-user-id", "baggage"})
MAY_CONTINUE = {"X-Toy-May": "continue"}
SECRET = "what-nobody-outside-may-see"


class Line(BaseModel):
    """One of an item's lines."""

    quantity: int = Field(ge=1)


class Item(BaseModel):
    """What can be posted."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=64)  # any limit: with one, pydantic looks whether it is text at all
    lines: list[Line]


class Parts:
    """What the toy's routes share: work begun, and what lets it go on."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.release = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def work(self) -> None:
        self.begun.set()
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


def router(parts: Parts) -> APIRouter:
    """Its routes, included under a prefix as services do."""
    routes = APIRouter(prefix="/v1", route_class=UniqueMembers)

    @routes.get("/items")
    async def get_items(limit: Annotated[int, Query(ge=1)] = 20) -> int:
        return limit

    @routes.post("/items", status_code=201)
    async def post_item(item: Item) -> str:
        return item.name

    @routes.get("/items/{item_id}")
    async def get_item(item_id: str) -> str:
        return item_id

    @routes.get("/headers")
    async def get_headers(request: Request) -> dict[str, str]:
        return dict(request.headers)

    @routes.get("/work")
    async def get_work() -> str:
        await parts.work()
        return "done"

    @routes.get("/elsewhere")
    async def get_elsewhere() -> RedirectResponse:
        return RedirectResponse("/v1/items")

    _add_failures(routes)
    return routes


def _add_failures(routes: APIRouter) -> None:
    @routes.get("/defect")
    async def get_defect() -> None:
        raise ZeroDivisionError(SECRET)

    @routes.get("/refusal")
    async def get_refusal() -> None:
        errors = [FieldError("lines[0].quantity", "too many")]
        raise ProblemError("out-of-stock", "2 left", errors=errors, extensions={"order_id": "o-1"})

    @routes.get("/peer-away")
    async def get_peer_away() -> None:
        raise PeerUnavailableError(Edge("toy", "peer", "rest"), "ask", SECRET, retry_after=2.5)


def create_app(
    recording: Recording,
    parts: Parts,
    cap: float | None = LONG_S,
    body_seconds: float = LONG_S,
    shedding: LoadSheddingConfig = ROOM,
    spans: ServerSpanWriter = "stock",
) -> FastAPI:
    """The application, traced and measured by `recording`; `cap` in seconds, None as behind the gateway."""
    steps = [
        Middleware(BodyLimit, max_bytes=MAX_BODY_BYTES),
        Middleware(BodyInTime, seconds=body_seconds),
        Middleware(DeadlineGate, cap=cap),
        Middleware(LoadShedding, admission=AdmissionControl(shedding, recording.telemetry)),
    ]
    app = create(recording.telemetry, CATALOGUE, steps, spans=spans)
    app.include_router(router(parts))
    return app


def outside(app: ASGIApp) -> ASGIApp:
    """`app` behind the steps that come before tracing."""
    return StripHeaders(ForeignTrace(app, lambda headers: headers.get("x-toy-may") == "continue"), STRIPPED)


class Answer:
    """A whole answer."""

    def __init__(self, answer: aiohttp.ClientResponse, body: bytes) -> None:
        self.status, self.headers, self.body = answer.status, answer.headers, body
        self._answer = answer

    @property
    def trace_id(self) -> str:
        return self.headers["X-Trace-Id"]

    async def json(self) -> Any:
        return await self._answer.json(content_type=None)


class Client:
    """A client from outside, untraced."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session, self.url = session, url

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    async def ask(self, method: str, path: str, **options: Any) -> Answer:
        async with self._session.request(method, self.url + path, allow_redirects=False, **options) as answer:
            return Answer(answer, await answer.read())

    async def get(self, path: str, **headers: str) -> Answer:
        return await self.ask("GET", path, headers=headers)


@asynccontextmanager
async def served(
    app: ASGIApp, limits: Limits | None = None, recording: Recording | None = None
) -> AsyncIterator[Client]:
    """`app` on a port of its own for the block; `recording` of what becomes of its connections."""
    port = free_port()
    telemetry = recording.telemetry if recording else None
    server = HttpServer("http server", app, HOST, port, limits=limits, telemetry=telemetry)
    await server.start()
    try:
        async with aiohttp.ClientSession() as session:
            yield Client(session, f"http://{HOST}:{port}")
    finally:
        await server.stop()
