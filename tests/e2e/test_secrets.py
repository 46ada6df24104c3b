"""Secrets reach no span, no log line, no metric, however carelessly a client uses them."""

from collections.abc import Iterator

import pytest

from deploy.system import System
from tests.e2e.http_api import Api, an_order
from tests.e2e.running import SERVICES, admin_url
from tests.e2e.traces import Traces
from tests.waiting import eventually

LEAKED = "flk_leaked-by-a-careless-client-0123456789abcdef"
ENCODED = (
    LEAKED.replace("_", "%5F"),
    LEAKED.replace("_", "%255F"),
    "".join(f"%{ord(each):02x}" for each in LEAKED),
    "".join(f"%25{ord(each):02X}" for each in LEAKED),
)
"""As a client may write it in an address, once or twice encoded."""


@pytest.fixture(scope="module")
def careless(api: Api) -> str:
    """Puts a key wherever a client might; returns the id of the last request's trace."""
    for path in (
        *(f"/api/v1/products?k={each}" for each in ENCODED),
        *(f"/api/v1/orders/{each}" for each in ENCODED),
        f"/api/v1/products?api_key={LEAKED}",
        f"/api/v1/products/{LEAKED}",
        f"/api/v1/orders/{LEAKED}",
        f"/{LEAKED}",
    ):
        api.get(path)
    api.get("/api/v1/products", Authorization=f"Bearer {LEAKED}", Cookie=f"key={LEAKED}", Referer=f"/?k={LEAKED}")
    api.request("GET", "/api/v1/products", {"X-API-Key": LEAKED, "User-Agent": f"tool/{LEAKED}"})
    api.check_out(an_order(product_id=LEAKED))
    api.check_out(an_order(payment_method=LEAKED))
    api.check_out({LEAKED: LEAKED})
    api.check_out(key=LEAKED)
    return api.check_out().trace_id


def secrets(system: System) -> Iterator[bytes]:
    yield LEAKED.encode()
    yield LEAKED.removeprefix("flk_").encode()
    yield from (each.encode() for each in ENCODED)
    control = system.state.control()
    assert control is not None
    yield control.token.encode()
    for key in system.keys:
        yield key.key.encode()


@pytest.mark.usefixtures("careless")
def test_no_log_line_tells_a_secret(system: System) -> None:
    for file in system.state.logs.iterdir():
        assert_tells_none(system, file.read_bytes(), file.name)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.usefixtures("careless")
def test_no_metric_tells_a_secret(service: str, system: System) -> None:
    assert_tells_none(system, Api(admin_url(system, service)).get("/metrics").body, service)


@pytest.mark.parametrize("service", SERVICES)
def test_no_span_tells_a_secret(service: str, system: System, traces: Traces, careless: str) -> None:
    traces.whole(careless, *SERVICES)
    text = eventually(lambda: traces.raw(service))
    assert careless.encode() in text
    assert_tells_none(system, text, service)


def test_no_answer_repeats_a_key(api: Api) -> None:
    answer = api.request("GET", "/api/v1/products", {"X-API-Key": LEAKED})
    assert LEAKED.encode() not in answer.body


def test_files_with_secrets_are_their_owners_alone(system: System) -> None:
    for file in (system.state.control_file, system.state.client_keys_file):
        assert file.stat().st_mode & 0o077 == 0, file


def test_the_gateway_is_given_hashes(system: System) -> None:
    text = system.state.api_keys_file.read_text()
    assert all(key.key not in text for key in system.keys)


def assert_tells_none(system: System, text: bytes, where: str) -> None:
    told = [secret[:8] for secret in secrets(system) if secret in text]
    assert not told, f"{where} tells {told}"
