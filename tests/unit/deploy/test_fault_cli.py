import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from chaos.control import (
    INJECTED_KINDS,
    PROCESS_KINDS,
    REQUEST_KINDS,
    SUPERVISED_KINDS,
    Fault,
    Found,
    PlacedFault,
    ProcessState,
    max_ttl_s,
)
from deploy.cli import fault_options, fault_view, main
from deploy.cli.fault import add
from deploy.errors import UsageError
from deploy.supervisor import control_api
from services.chassis.faults import kinds
from services.chassis.faults.kinds import MATRIX, Kind, Protocol
from services.chassis.faults.parameters import Parameters


def parsed(*arguments: str) -> Fault:
    """The fault that a command line asks for, which nobody is told of."""
    with add.make_context("add", list(arguments)) as context:
        return fault_options.fault({name: value for name, value in context.params.items() if name != "state"})


def said(*arguments: str) -> str:
    """What is wrong with a command line."""
    with pytest.raises((click.UsageError, UsageError)) as caught:
        parsed(*arguments)
    error = caught.value
    return error.format_message() if isinstance(error, click.UsageError) else str(error)


def test_the_kinds_are_those_that_there_are() -> None:
    assert set(REQUEST_KINDS) == {kind for kind, row in MATRIX.items() if Protocol.PROCESS not in row}
    assert set(PROCESS_KINDS) == {kind for kind, row in MATRIX.items() if Protocol.PROCESS in row}
    assert not set(SUPERVISED_KINDS) & {*REQUEST_KINDS, *PROCESS_KINDS}


def test_a_fault_may_last_as_long_as_its_target_lets_it() -> None:
    assert {each: max_ttl_s(each) for each in INJECTED_KINDS} == {str(each): kinds.max_ttl_s(each) for each in Kind}
    assert {max_ttl_s(each) for each in SUPERVISED_KINDS} == {control_api.MAX_TTL_S}


def test_every_parameter_of_every_kind_has_an_option() -> None:
    classes: set[type[Parameters]] = {each for row in MATRIX.values() for found in row.values() for each in found}
    names = {name for each in classes for name in each.__dataclass_fields__}
    assert {name for name, _, _ in fault_options.PARAMETERS.values()} == {*names, "distribution"}


def test_a_plain_fault() -> None:
    found = parsed("payments", "--kind", "latency", "--ms", "500", "--ttl", "60s")
    assert found == Fault("payments", "latency", 60.0, {"ms": 500.0})


def test_a_fault_with_everything() -> None:
    found = parsed(
        *("orders", "--kind", "latency", "--distribution", "uniform", "--low", "100", "--high", "300"),
        *("--percent", "20", "--route", "POST /v1/orders", "--baggage", "faultline.who=me=you", "--ttl", "2m"),
        *("--experiment", "mine"),
    )
    assert found.parameters == {"distribution": "uniform", "low_ms": 100.0, "high_ms": 300.0}
    assert (found.probability, found.operation) == (0.2, "POST /v1/orders")
    assert (found.baggage, found.ttl_s, found.experiment) == (("faultline.who", "me=you"), 120.0, "mine")


@pytest.mark.parametrize(
    ("text", "seconds"), [("60s", 60.0), ("500ms", 0.5), ("2m", 120.0), ("2min", 120.0), ("1.5", 1.5)]
)
def test_times_are_written_with_their_unit(text: str, seconds: float) -> None:
    assert parsed("payments", "--kind", "kill", "--ttl", text).ttl_s == seconds


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--kind", "latency"], "--ttl must be given, such as --ttl 60s: no fault is for ever"),
        (["--kind", "kill"], "--ttl must be given"),
        (["--kind", "latency", "--ttl", "0s"], "'0s' is no time such as 60s, 500ms or 2m"),
        (["--kind", "latency", "--ttl", "-5s"], "'-5s' is no time"),
        (["--kind", "latency", "--ttl", "forever"], "'forever' is no time"),
        (["--kind", "latency", "--ttl", f"{'9' * 400}s"], "is no time such as"),
        (["--kind", "latency", "--ttl", "1s", "--percent", "nan"], "'nan' is not a finite number."),
        (["--kind", "latency", "--ttl", "1s", "--ms", "nan"], "'nan' is not a finite number."),
        (["--kind", "slow", "--ttl", "1s"], "'slow' is not one of 'latency', 'blackhole', 'error', 'slow-body',"),
        (["--kind", "error", "--ttl", "1s", "--percent", "200"], "200.0 is not in the range 0<x<=100"),
        (["--kind", "error", "--ttl", "1s", "--baggage", "who=me"], "'who=me' is not faultline.NAME=VALUE"),
        (["--kind", "latency", "--ttl", "1s", "--distribution", "cauchy"], "'cauchy' is not one of 'fixed', 'uniform'"),
        (["--kind", "pause", "--ttl", "1s", "--ms", "5"], "pause is done to the whole process: it takes --ttl alone"),
        (["--kind", "kill", "--ttl", "1s", "--percent", "5"], "kill is done to the whole process"),
        (["--ttl", "1s"], "Missing option '--kind'"),
    ],
)
def test_what_cannot_be_is_said_with_the_choices(arguments: list[str], words: str) -> None:
    assert words in said("payments", *arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ["add", "payments", "--kind", "kill", "--ttl", "1s"],
        ["add", "payments", "--kind", "latency", "--ms", "1", "--ttl", "1s"],
        ["list"],
        ["clear", "--all"],
    ],
)
def test_without_a_system_it_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["fault", *arguments, "--state", str(tmp_path)])
    assert caught.value.code == os.EX_UNAVAILABLE
    assert capsys.readouterr().err.startswith("faultline: Faultline is not running (state folder ")


@pytest.mark.parametrize("arguments", [[], ["f-1", "--all"]])
def test_clear_wants_to_know_which(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["fault", "clear", *arguments])
    assert caught.value.code == os.EX_USAGE
    assert "say which: `faultline fault clear ID`" in capsys.readouterr().err


@pytest.mark.parametrize("subcommand", ["add", "list", "clear"])
def test_every_subcommand_explains_itself_and_its_options(subcommand: str) -> None:
    shown = CliRunner().invoke(fault_command(), [subcommand, "--help"], terminal_width=80)
    assert shown.exit_code == 0
    assert max(map(len, shown.output.splitlines())) <= 80
    assert all(each.help for each in fault_command().commands[subcommand].params if isinstance(each, click.Option))


def fault_command() -> click.Group:
    from deploy.cli.fault import command  # noqa: PLC0415 -- its name says nothing here

    return command


def placed(instance: str = "payments-1", **changes: Any) -> PlacedFault:
    usual: dict[str, Any] = {
        "instance": instance,
        "fault_id": "f-1a2b3c4d",
        "experiment": "manual",
        "service": "payments",
        "operation": "",
        "kind": "latency",
        "parameters": {"distribution": "fixed", "ms": 500},
        "probability": 1.0,
        "baggage": None,
        "ttl_s": 60.0,
        "remaining_s": 58.4,
        "touched": 7,
    }
    return PlacedFault(**{**usual, **changes})


def shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, found: Found, *processes: ProcessState
) -> list[str]:
    monkeypatch.setenv("COLUMNS", "80")
    fault_view.show_all(found, processes)
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_replicas_of_a_fault_are_one_row(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(capsys, monkeypatch, Found([placed(), placed("payments-2", remaining_s=59.0, touched=3)]))
    assert [line.split() for line in lines] == [
        ["fault", "where", "what", "whom", "left", "touched"],
        ["f-1a2b3c4d", "payments", "latency", "500", "ms", "everyone", "59", "s", "10"],
    ]


def test_the_longest_row_fits_and_loses_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = placed(
        service="gateway",
        operation="PUT /api/v1/orders/{order_id}/cancellation",
        parameters={"distribution": "normal", "mean_ms": 1250.5, "deviation_ms": 300},
        probability=0.125,
        baggage=("faultline.cohort", "a-rather-long-value"),
    )
    lines = shown(capsys, monkeypatch, Found([wide]))
    assert max(map(len, lines)) <= 80
    starts = [lines[0].index(name) for name in ("where", "what", "whom", "left")]
    columns = ["".join(line[at:until].strip() for line in lines[1:]) for at, until in pairwise(starts)]
    assert columns[0].replace(" ", "") == "gatewayPUT/api/v1/orders/{order_id}/cancellation"
    assert columns[1].replace(" ", "") == "latencynormalmean1250.5msdeviation300ms"
    assert columns[2].replace(" ", "") == "12.5%ofrequestswithfaultline.cohort=a-rather-long-value"


def test_who_is_not_well_or_does_not_say_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    processes = [ProcessState("orders-1", "ready", 1), ProcessState("payments-1", "paused", 2, "paused for 60 s")]
    assert shown(capsys, monkeypatch, Found([], ["payments-1"]), *processes) == [
        "No fault is in force.",
        "payments-1 paused: paused for 60 s",
        "payments-1 does not say which faults it has",
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "f-1a2b3c4d: latency 500 ms on payments, everyone"),
        ({"kind": "error", "parameters": {"status": 503}}, "f-1a2b3c4d: error 503 on payments, everyone"),
        ({"kind": "memory-hold", "parameters": {"mib": 64}}, "f-1a2b3c4d: memory-hold 64 MiB on payments, everyone"),
        ({"kind": "cpu-burn", "parameters": {"share": 0.5}}, "f-1a2b3c4d: cpu-burn share 0.5 on payments, everyone"),
        (
            {"parameters": {"distribution": "uniform", "low_ms": 1, "high_ms": 2}, "operation": "Authorize"},
            "f-1a2b3c4d: latency uniform low 1 ms high 2 ms on payments Authorize, everyone",
        ),
        (
            {"kind": "blackhole", "parameters": {}, "probability": 0.2, "baggage": ("faultline.who", "me")},
            "f-1a2b3c4d: blackhole on payments, 20% of requests with faultline.who=me",
        ),
        (
            {"baggage": ("faultline.who", "\x1b[2J")},
            r"f-1a2b3c4d: latency 500 ms on payments, with faultline.who=\x1b[2J",
        ),
    ],
)
def test_a_fault_is_told_in_a_line(changes: dict[str, Any], words: str) -> None:
    assert fault_view.told(placed(**changes)) == words
