"""The tests are shared out as they are: by what they share, and what takes longest first."""

import re
from pathlib import Path

from tests.distribution import LONGEST_FIRST, USERS_OF_THE_SESSIONS_SYSTEM, place_of, unit_of, workers

CHECKOUTS = "tests/e2e/checkout/test_races.py::test_a[sqlite]", "tests/e2e/checkout/test_replicas.py::test_b[sqlite]"


def test_a_file_stays_together() -> None:
    assert unit_of("tests/unit/a/test_b.py::test_c") == unit_of("tests/unit/a/test_b.py::TestC::test_d[e::f]")
    assert unit_of("tests/unit/a/test_b.py::test_c") != unit_of("tests/unit/a/test_c.py::test_c")


def test_checkouts_on_the_same_databases_stay_together() -> None:
    assert len({unit_of(each) for each in CHECKOUTS}) == 1
    assert not {unit_of(each) for each in CHECKOUTS} & {
        unit_of(each.replace("sqlite", "postgresql")) for each in CHECKOUTS
    }


def test_users_of_the_sessions_system_stay_together(checkout: Path) -> None:
    assert len({unit_of(f"{each}::test_a") for each in USERS_OF_THE_SESSIONS_SYSTEM}) == 1
    for each in USERS_OF_THE_SESSIONS_SYSTEM:
        assert re.search(r"\b(system: System|api: Api|traces: Traces)\b", (checkout / each).read_text()), each


def test_kills_are_each_alone() -> None:
    kills = [f"tests/e2e/checkout/test_kills.py::test_a[{kind}-replicas]" for kind in ("sqlite", "postgresql")]
    assert len({unit_of(each) for each in (*kills, *CHECKOUTS)}) == 3


def test_what_takes_longest_comes_first() -> None:
    ordered = [
        "tests/e2e/test_experiments.py::test_a",
        "tests/e2e/checkout/test_kills.py::test_a",
        "tests/e2e/test_faults.py::test_a",
        "tests/integration/chassis/test_rpc.py::test_a",
        "tests/unit/load/test_plan.py::TestA::test_a[b]",
    ]
    shuffled = [*ordered[2:], *ordered[:2]]
    assert sorted(shuffled, key=place_of) == ordered


def test_what_is_named_is_there(checkout: Path) -> None:
    assert not [each for each in LONGEST_FIRST if not (checkout / each).exists()]


def test_a_worker_that_waits_leaves_its_core_to_another() -> None:
    assert workers(2) == 3
