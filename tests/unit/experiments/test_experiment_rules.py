"""What `faultline chaos validate` refuses in an experiment's faults, by the rules of whoever injects them."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from chaos.runs import catalogue
from deploy.cli.chaos import command


def validated(folder: Path, *changes: tuple[str, str], name: str = "slow-payments") -> tuple[int | None, str]:
    """Exit code and words for the experiment with these changes."""
    text = catalogue.file_of(name).read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    file = folder / "mine.yaml"
    file.write_text(text)
    done = CliRunner().invoke(command, ["validate", str(file)], standalone_mode=False)
    return done.return_value, done.output


KIND, PARAMETERS, TTL, SERVICE = "kind: latency\n", "parameters: {ms: 1500}\n", "ttl_s: 60\n", "service: payments\n"


def parameters(given: str) -> tuple[str, str]:
    return PARAMETERS, f"parameters: {given}\n"


def kind(name: str) -> tuple[str, str]:
    return KIND, f"kind: {name}\n"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([kind("slow-body")], "inject: payments: kind: payments (grpc/process) has no slow-body; it has latency, blackhole, error, event-loop-block"),
        ([(SERVICE, "service: payments-db\n"), kind("malformed-body")], "kind: payments-db (sql) has no malformed-body; it has latency, blackhole, error"),
        ([parameters("{}")], "inject: payments: parameters.ms: must be given"),
        ([parameters("{ms: -1}")], "parameters.ms: must be from 0 to 600000 ms, not -1"),
        ([parameters("{ms: 1, status: 503}")], "parameters: there is no 'status'; there are ms"),
        ([parameters("{distribution: cauchy}")], "'cauchy'; there are fixed, uniform, normal, pareto"),
        ([kind("error"), parameters("{code: BROKEN}")], "parameters.code: there is no 'BROKEN'; there are INVALID_ARGUMENT, "),
        ([kind("error"), parameters("{status: 503}")], "parameters: there is no 'status'; there are code"),
        ([kind("error"), (SERVICE, "service: gateway\n"), parameters("{status: 200}")], "parameters.status: there is no 200; there are 400, "),
        ([("        ttl_s: 60\n", "")], "'ttl_s'"),
        ([(TTL, "ttl_s: -1\n")], "ttl_s: -1 is not within 0.001..600 seconds"),
        ([(TTL, "ttl_s: .inf\n")], "ttl_s: inf is not within 0.001..600 seconds"),
        ([(TTL, "ttl_s: 61\n"), kind("event-loop-block"), parameters("{}")], "ttl_s: 61 is not within 0.001..60 seconds"),
        ([(TTL, TTL + "        probability: 200\n")], "probability: 200 is not a share"),
        ([(TTL, TTL + "        percent: 200\n")], "percent"),
        ([kind("cpu-burn"), parameters("{}"), (TTL, TTL + "        probability: 0.5\n")], "probability: cpu-burn is the whole process's"),
        ([(SERVICE, "service: users\n")], "inject: service: there is no 'users'; there are payments, inventory, orders, gateway, "),
        ([("edge: orders/payments\n    quick", "edge: orders/users\n    quick")], "extensions.faultline.edge: there is no edge 'orders/users'; edges: gateway/orders, "),
        ([("experiment: ${experiment}\n", "experiment: no name\n")], "experiment: must be 1 to 64 letters, digits"),
    ],
)  # fmt: skip
def test_what_whoever_injects_it_would_refuse_is_invalid(
    tmp_path: Path, changes: list[tuple[str, str]], said: str
) -> None:
    code, told = validated(tmp_path, *changes)
    assert (code, said in told) == (2, True), told
    assert told.startswith("faultline: mine.yaml: ")
    assert "valid\n" not in told


@pytest.mark.parametrize(
    "changes",
    [
        [],
        [(SERVICE, "service: payments-2\n")],
        [(SERVICE, "service: orders\n"), kind("slow-body")],
        [(SERVICE, "service: orders-db\n")],
        [kind("memory-hold"), parameters("{mib: 1}")],
        [(TTL, TTL + "        operation: OnlyARunningSystemKnows\n")],
    ],
)
def test_what_could_be_is_valid(tmp_path: Path, changes: list[tuple[str, str]]) -> None:
    assert validated(tmp_path, *changes)[0] is None


def test_a_kill_of_nobody_is_invalid(tmp_path: Path) -> None:
    change = ("arguments: {service: payments, ttl_s: 60}", "arguments: {service: users, ttl_s: 60}")
    code, told = validated(tmp_path, change, name="payments-down")
    assert (code, "kill: service: there is no 'users'; there are faultline-backend, payments" in told) == (2, True), (
        told
    )


def test_an_experiment_can_be_for_another_topology() -> None:
    arguments = ["validate", "slow-payments", "--topology"]
    other = CliRunner().invoke(command, [*arguments, "tests.e2e.topologies:PLENTIFUL"], standalone_mode=False)
    assert (other.return_value, other.output) == (None, "slow-payments: valid\n")
    none = CliRunner().invoke(command, [*arguments, "tests.e2e.topologies:NOTHING"], standalone_mode=False)
    assert (none.return_value, "NOTHING" in none.output) == (2, True)
