import pytest

from services.chassis.resilience.policy import POLICIES, PRESETS, EdgePolicy, Preset, preset_of
from services.chassis.resilience.retry import RetryConfig
from services.chassis.resilience.retry_budget import RetryBudgetConfig

FULL = EdgePolicy(attempt_timeout=1.0, retry=RetryConfig(), budget=RetryBudgetConfig())


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_puts_in_force_what_the_edge_declares_of_it(preset: Preset) -> None:
    assert FULL.only(PRESETS[preset]).names == PRESETS[preset] & FULL.names
    assert EdgePolicy(retry=RetryConfig()).only(PRESETS[preset]).names == PRESETS[preset] & {"retry"}


def test_what_is_in_force_is_as_it_was_declared() -> None:
    assert FULL.only(PRESETS["full"]) == FULL
    assert FULL.only(frozenset({"retry"})) == EdgePolicy(retry=FULL.retry)


def test_full_is_everything_and_off_is_nothing() -> None:
    assert PRESETS["full"] == frozenset(POLICIES)
    assert PRESETS["off"] == frozenset()


def test_policies_switched_one_by_one_may_make_a_preset() -> None:
    assert preset_of(frozenset({"timeouts", "retry"}), FULL.names) == "retries"
    assert preset_of(frozenset({"retry"}), FULL.names) is None
    assert preset_of(frozenset(), FULL.names) == "off"
