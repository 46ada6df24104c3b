import importlib.util
from itertools import chain

import pytest

from deploy.topology import EDGES, FAULTLINE, Listener, Process

LISTENERS = [(process.name, each) for process in FAULTLINE.processes for each in process.listeners]


def test_no_port_is_given_twice() -> None:
    ports = [each.port for _, each in LISTENERS] + [FAULTLINE.control_port]
    assert len(set(ports)) == len(ports)


def test_every_target_is_a_listener_of_a_process_before_it() -> None:
    seen: set[tuple[str, str]] = set()
    for process in FAULTLINE.processes:
        for each in process.targets:
            assert (each.peer, each.listener) in seen, f"{process.name} {each.setting}"
        seen |= {(process.name, each.setting) for each in process.listeners}


def test_every_edge_between_processes_is_one_that_the_caller_gets_an_address_for() -> None:
    told = {(process.name, each.peer) for process in FAULTLINE.processes for each in process.targets}
    assert {(each.caller, each.callee) for each in EDGES if each.kind != "sql"} <= told


def test_every_process_with_a_database_has_its_edge() -> None:
    of_processes = {(each.name, f"{each.name}-db") for each in FAULTLINE.processes if each.database}
    assert {(each.caller, each.callee) for each in EDGES if each.kind == "sql"} == of_processes


def test_every_page_is_served_by_somebody() -> None:
    served = {(name, each.setting) for name, each in LISTENERS}
    assert {(each.process, each.listener) for each in FAULTLINE.pages} <= served


def test_every_module_can_be_run() -> None:
    for each in FAULTLINE.processes:
        assert importlib.util.find_spec(f"{each.module}.__main__"), each.module


def test_edges_are_those_of_the_topology() -> None:
    assert FAULTLINE.edges == EDGES
    names = {each.name for each in FAULTLINE.processes}
    assert {
        each for each in chain(*((edge.caller, edge.callee) for edge in EDGES)) if not each.endswith("-db")
    } <= names


def test_a_process_that_nobody_can_ask_for_readiness_is_refused() -> None:
    with pytest.raises(ValueError, match="mute: no ADMIN_PORT"):
        Process("mute", "mute", (Listener("HTTP_PORT", 1),))
