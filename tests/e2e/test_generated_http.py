"""Whatever requests are made from the API's own document, by its rules and against them: documented answers."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from deploy.system import System
from tests.conftest import Counts
from tests.e2e.running import SERVICES, log_lines
from tests.e2e.tally import PATIENCE, Tally, check_refused

PREFIX = "/api/v1"
OPERATIONS = [
    ("get", f"{PREFIX}/products"),
    ("get", f"{PREFIX}/products/{{product_id}}"),
    ("post", f"{PREFIX}/orders"),
    ("get", f"{PREFIX}/orders"),
    ("get", f"{PREFIX}/orders/{{order_id}}"),
    ("put", f"{PREFIX}/orders/{{order_id}}/cancellation"),
]
DOCUMENTED = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
AnyCase = Case[Any]
HANG_S = 60.0
OVERLOADED = {503, 504}
OF_THE_GATEWAY = {
    "unauthenticated",
    "malformed-request",
    "not-found",
    "method-not-allowed",
    "content-too-large",
    "unsupported-media-type",
    "headers-too-large",
}
"""Problems that it finds by itself, with nobody to wait for."""


class Api:
    """The running API, asked with generated cases as a customer who may do everything."""

    def __init__(self, system: System, session: requests.Session) -> None:
        self.schema: Any = schemathesis.openapi.from_url(f"{system.gateway_url}{PREFIX}/openapi.json")
        self._url, self._key, self._session = system.gateway_url, system.key("demo").key, session
        self.tally = Tally()

    def ask(self, case: AnyCase, *, with_key: bool) -> requests.Response:
        """Sends the case as it is, but for the key.

        Who says that it has no time must have had somebody to wait for.
        """
        self.tally.sent += 1
        sent: dict[str, Any] = case.as_transport_kwargs(base_url=self._url)
        sent["headers"].pop("X-API-Key", None)
        if with_key:
            sent["headers"]["X-API-Key"] = self._key
        answer = self._sent(sent)
        if answer.status_code in OVERLOADED:
            self.tally.repeated += 1
            answer = self._sent_again(sent)
            assert slug_of(answer) not in OF_THE_GATEWAY
        self.tally.refused += 400 <= answer.status_code < 500
        return answer

    def _sent_again(self, what: dict[str, Any]) -> requests.Response:
        for _ in range(PATIENCE - 1):
            answer = self._sent(what)
            if answer.status_code not in OVERLOADED:
                break
        return answer

    def _sent(self, what: dict[str, Any]) -> requests.Response:
        return self._session.request(**what, timeout=HANG_S, allow_redirects=False)


def slug_of(answer: requests.Response) -> str:
    """That of the problem it is, if it is one."""
    if answer.headers.get("content-type") != "application/problem+json":
        return ""
    return str(answer.json()["type"]).removeprefix("/problems/")


@pytest.fixture(scope="module")
def generated(system: System) -> Iterator[Api]:
    with requests.Session() as session:
        api = Api(system, session)
        yield api
    print(api.tally)
    api.tally.check_repeated()


def test_every_operation_is_tried(generated: Api) -> None:
    assert {(method, path) for path in generated.schema for method in generated.schema[path]} == set(OPERATIONS)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=lambda part: part.removeprefix(PREFIX))
def test_the_answer_is_a_documented_one(
    method: str, path: str, mode: GenerationMode, generated: Api, counts: Counts
) -> None:
    cases = generated.schema[path][method].as_strategy(generation_mode=mode)
    full = 1_700 if mode is GenerationMode.NEGATIVE else 850

    # Cases against a schema are found by trial: many are thrown away, and some take long to make.
    @settings(max_examples=counts(20, full), deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=cases, with_key=st.sampled_from([True] * 7 + [False]))
    def ask(case: AnyCase, with_key: bool) -> None:
        answer = generated.ask(case, with_key=with_key)
        assert answer.status_code < 500, answer.text
        assert answer.status_code != 401 or not with_key
        assert "Traceback" not in answer.text
        case.validate_response(answer, checks=DOCUMENTED)
        if answer.status_code >= 400:
            the_problem(answer)

    ask()
    generated.tally.parts += 1


@pytest.mark.long
def test_most_of_it_was_bad(generated: Api, counts: Counts) -> None:
    check_refused([generated.tally], len(OPERATIONS) * len(GenerationMode), counts)


def the_problem(answer: requests.Response) -> None:
    """Proves that the answer says what is wrong, and which trace leads there."""
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == answer.status_code
    assert problem["trace_id"] == answer.headers["x-trace-id"]
    assert len(problem["trace_id"]) == 32


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_of_it_was_a_defect(service: str, system: System, generated: Api) -> None:
    cases = generated.schema[f"{PREFIX}/orders"]["post"].as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=cases)
    def ask(case: AnyCase) -> None:
        generated.ask(case, with_key=True)

    ask()
    lines = log_lines(system, service)
    assert lines
    assert not [line for line in lines if line["level"] == "ERROR" or "exception.stacktrace" in line]
