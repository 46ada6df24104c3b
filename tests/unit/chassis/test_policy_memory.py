import json
from pathlib import Path

import pytest

from services.chassis.calls import CallSeam
from services.chassis.edge import Edge
from services.chassis.policy_memory import PolicyMemory
from services.chassis.resilience.circuit_breaker import CircuitBreakerConfig
from services.chassis.resilience.policy import PRESETS, EdgePolicy, Preset
from services.chassis.resilience.retry import RetryConfig
from services.contracts.errors import CATALOGUE
from tests.unit.chassis.recording import Recording

DECLARED = EdgePolicy(attempt_timeout=60.0, retry=RetryConfig(), breaker=CircuitBreakerConfig())
UNKNOWN = "policies that were kept are none"
UNREADABLE = "kept policies cannot be read"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "orders-1.json"


def seams(recording: Recording) -> list[CallSeam]:
    """To payments and to inventory, as they are at a start."""
    edges = (Edge("orders", callee, "grpc") for callee in ("payments", "inventory"))
    return [CallSeam(edge, DECLARED, recording.telemetry, CATALOGUE) for edge in edges]


def started_again(file: Path | None, recording: Recording) -> list[CallSeam]:
    """The seams of another process with the same file."""
    made = seams(recording)
    PolicyMemory(file, made).restore()
    return made


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_there_again_and_other_edges_are_as_at_a_start(
    file: Path, recording: Recording, preset: Preset
) -> None:
    to_payments, to_inventory = seams(recording)
    to_payments.use(preset)
    PolicyMemory(file, [to_payments, to_inventory]).keep(to_payments)
    again, untouched = started_again(file, recording)
    assert (again.preset, again.policy.names) == (preset, PRESETS[preset] & DECLARED.names)
    assert untouched.preset == "full"


def test_single_policies_are_there_again(file: Path, recording: Recording) -> None:
    to_payments, to_inventory = seams(recording)
    to_payments.turn({"timeouts": False})
    PolicyMemory(file, [to_payments, to_inventory]).keep(to_payments)
    again, _ = started_again(file, recording)
    assert (again.preset, again.policy.names) == (None, frozenset({"retry", "breaker"}))


def test_what_a_former_process_was_switched_to_outlives_the_next_switch(file: Path, recording: Recording) -> None:
    to_payments, to_inventory = seams(recording)
    to_payments.use("off")
    PolicyMemory(file, [to_payments, to_inventory]).keep(to_payments)
    second = seams(recording)
    memory = PolicyMemory(file, second)
    memory.restore()
    second[1].use("retries")
    memory.keep(second[1])
    assert [each.preset for each in started_again(file, recording)] == ["off", "retries"]


def test_without_a_file_nothing_is_kept_and_nothing_complained_of(recording: Recording) -> None:
    made = seams(recording)
    memory = PolicyMemory(None, made)
    memory.restore()
    made[0].use("off")
    memory.keep(made[0])
    assert made[0].preset == "off"
    assert recording.log_lines == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", UNREADABLE),
        ("[]", UNREADABLE),
        ('{"orders/payments": "best"}', UNKNOWN),
        ('{"orders/payments": ["luck"]}', UNKNOWN),
        ('{"orders/payments": [["retry"]]}', UNKNOWN),
        ('{"orders/payments": {}}', UNKNOWN),
    ],
)
def test_what_is_no_memory_is_told_and_the_start_is_as_usual(
    file: Path, recording: Recording, content: str, said: str
) -> None:
    file.write_text(content)
    assert [each.preset for each in started_again(file, recording)] == ["full", "full"]
    assert recording.logged(said)["level"] == "WARNING"


def test_what_was_kept_of_an_edge_that_is_no_more_counts_for_nothing(file: Path, recording: Recording) -> None:
    file.write_text(json.dumps({"orders/users": "off", "orders/payments": "retries"}))
    assert [each.preset for each in started_again(file, recording)] == ["retries", "full"]


def test_a_switch_that_cannot_be_kept_is_told(tmp_path: Path, recording: Recording) -> None:
    made = seams(recording)
    made[0].use("off")
    PolicyMemory(tmp_path / "gone" / "orders-1.json", made).keep(made[0])
    assert recording.logged("switched policies end with this process")["level"] == "WARNING"
    assert made[0].preset == "off"
