from observability.alerting.states import Condition, Labels, States

LABELS: Labels = (("alertname", "A"), ("severity", "page"))


def seen(states: States, now_s: float, lasting_s: float | None) -> list[str]:
    """What changed, with the condition (None: it does not hold)."""
    conditions = {} if lasting_s is None else {LABELS: Condition(LABELS, 1.0, lasting_s)}
    return [each.status for each in states.update(now_s, conditions)]


def test_a_condition_that_lasts_fires_once_and_resolves_once() -> None:
    states = States()
    assert [seen(states, now, 4) for now in (0, 2, 4, 6)] == [[], [], ["firing"], []]
    assert [seen(states, now, None) for now in (8, 10)] == [["resolved"], []]


def test_one_that_ends_too_soon_never_fires() -> None:
    states = States()
    assert [seen(states, 0, 4), seen(states, 3, None), seen(states, 4, 4), seen(states, 6, None)] == [[], [], [], []]


def test_without_a_wait_it_fires_at_once() -> None:
    states = States()
    assert seen(states, 0, 0) == ["firing"]
    assert [each.state for each in states.alerts] == ["firing"]
