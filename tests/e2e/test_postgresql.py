"""The whole system on PostgreSQL: what clients were told is what the databases hold, and no secret gets out."""

import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import make_url

from chaos.invariants import Acknowledged, Report, status_of_answer, verify
from deploy.system import System, start_system
from tests.e2e.http_api import Answer, Api, an_order
from tests.e2e.running import admin_url, shopper
from tests.e2e.traces import Traces
from tests.integration.supervisor.command import faultline
from tests.postgresql import own_server
from tests.postgresql.server import Server
from tests.waiting import eventually

STORES = ("orders", "inventory", "payments")
DECLINED = an_order(payment_method="pm_card_declined")
TOO_MANY = an_order(product_id="p-0001", quantity=1000)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with own_server() as running:
        yield running


@pytest.fixture(scope="module")
def databases(server: Server) -> Mapping[str, str]:
    return {store: server.databases.new_database() for store in STORES}


@pytest.fixture(scope="module")
def on_postgresql(databases: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with start_system(tmp_path_factory.mktemp("on-postgresql"), databases=databases) as started:
        yield started


async def test_checkouts_leave_nothing_wrong(on_postgresql: System, databases: Mapping[str, str]) -> None:
    report = await verified(databases, shop(on_postgresql))
    assert report.ok, report.violations
    assert report.counts["orders"] == {"confirmed": 20, "rejected": 4}
    assert list(on_postgresql.state.data.iterdir()) == []


def shop(system: System) -> list[Acknowledged]:
    """Orders of every kind, five of them asked for twice at the same moment; what was told of each."""
    demo, api = system.key("demo"), shopper(system)
    wanted = [(an_order(), f"good-{number}") for number in range(20)]
    wanted += [(DECLINED, f"declined-{number}") for number in range(2)] + [(TOO_MANY, f"much-{n}") for n in range(2)]
    with ThreadPoolExecutor(4) as clients:
        answers = list(clients.map(lambda each: buy(api, *each), [*wanted, *wanted[:5]]))
    keys = [key for _, key in [*wanted, *wanted[:5]]]
    return [told(demo.user_id, key, answer) for key, answer in zip(keys, answers, strict=True)]


def buy(api: Api, order: object, key: str) -> Answer:
    """Asks again and again, as a client does, until the answer is final."""

    def check() -> Answer:
        answer = api.check_out(order, key)
        assert answer.status in {201, 402, 409}, answer.body
        assert answer.json().get("type") != "/problems/idempotency-key-in-use", answer.body
        return answer

    return eventually(check, within=60)


def told(user_id: str, key: str, answer: Answer) -> Acknowledged:
    body = answer.json()
    slug = str(body.get("type", "")).removeprefix("/problems/")
    return Acknowledged(body["order_id"], user_id, key, status_of_answer(answer.status, slug))


async def verified(databases: Mapping[str, str], acknowledged: list[Acknowledged]) -> Report:
    return await verify(databases, acknowledged, now_us=time.time_ns() // 1000, max_pending_s=60)


def test_the_command_finds_the_databases(on_postgresql: System, databases: Mapping[str, str]) -> None:
    assert shopper(on_postgresql).check_out().status == 201
    ended = faultline(on_postgresql.state.path, "verify", "--json")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert json.loads(ended.stdout)["counts"]["orders"]["confirmed"] >= 1
    file = on_postgresql.state.stores_file
    assert json.loads(file.read_bytes()) == databases
    assert file.stat().st_mode & 0o077 == 0, "the passwords in it are its owner's"


@pytest.mark.parametrize("service", STORES)
def test_no_password_leaves_a_service(service: str, on_postgresql: System, databases: Mapping[str, str]) -> None:
    traces = Traces(on_postgresql.query_url)
    traces.whole(shopper(on_postgresql).check_out().trace_id, *STORES)
    url = make_url(databases[service])
    written = {
        "spans": eventually(lambda: traces.raw(service)),
        "metrics": Api(admin_url(on_postgresql, service)).get("/metrics").body,
        "logs": b"".join(each.read_bytes() for each in on_postgresql.state.logs.iterdir()),
        "topology": on_postgresql.state.topology_file.read_bytes(),
    }
    assert f'"value": "{url.database}"'.encode() in written["spans"]
    for where, text in written.items():
        assert text
        assert str(url.password).encode() not in text, f"{where} tell it"


async def test_a_server_that_is_away_is_an_outage_and_no_loss(
    server: Server, on_postgresql: System, databases: Mapping[str, str]
) -> None:
    api, demo = shopper(on_postgresql), on_postgresql.key("demo")
    acknowledged = [told(demo.user_id, "before", buy(api, an_order(), "before"))]
    server.kill()
    for number in range(3):
        answer = api.check_out(an_order(), f"during-{number}")
        assert answer.status in {503, 504}, answer.body
        assert answer.headers["content-type"] == "application/problem+json"
        if answer.status == 503:
            assert int(answer.headers["retry-after"]) >= 1
    server.start()
    keys = ["before", *(f"during-{number}" for number in range(3)), "after"]
    acknowledged += [told(demo.user_id, key, bought_in_the_end(api, key)) for key in keys]
    report = await verified(databases, acknowledged)
    assert report.ok, report.violations


def bought_in_the_end(api: Api, key: str) -> Answer:
    def check() -> Answer:
        answer = api.check_out(an_order(), key)
        assert answer.status == 201, answer.body
        return answer

    return eventually(check, within=60)
