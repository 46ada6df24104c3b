"""Alerts as an experiment waits for them: by a clock that moves as it waits, with what is told at each moment given."""

from collections.abc import Iterator, Mapping

import pytest

from chaos.measure.alerts import FIRING, RESOLVED, Alert, Alerting, AlertReader, Notification
from chaos.measure.errors import AwayError
from chaos.toolkit import alert_probes, session
from chaos.toolkit.session import Session
from tests.unit.experiments import making

NAME = "CheckoutAvailabilityBurnRate"
PAGE, TICKET = Alert(NAME, "page"), Alert(NAME, "ticket")
WELL = Alerting("embedded", heard=True)
BEGAN_S, LIFTED_S = 10.0, 40.0


def told(status: str, at_s: float, alert: Alert = PAGE) -> Notification:
    return Notification(alert, status, at_s)


def paged(*delivered: Notification, firing: tuple[Alert, ...] = (PAGE,)) -> Alerting:
    """Newest first."""
    return Alerting("prometheus", True, firing, delivered)


class Waiting(Session):
    """A session of which nothing was begun. `answers`: from which second on what is told; None: nobody answers."""

    clock_s = BEGAN_S
    answers: Mapping[float, Alerting | None]

    @property
    def now_s(self) -> float:
        return self.clock_s

    def moment_s(self, wall_s: float) -> float:
        return wall_s

    def wait(self, seconds: float) -> None:
        self.clock_s += seconds


class Told(AlertReader):
    def __init__(self, running: Waiting) -> None:
        super().__init__("")
        self._running = running

    def read(self) -> Alerting:
        found = self._running.answers[max(each for each in self._running.answers if each <= self._running.now_s)]
        if found is None:
            raise AwayError("nobody answers")
        return found


@pytest.fixture
def running() -> Iterator[Waiting]:
    """The session that probes find, whose fault has just begun."""
    made = making.session(Waiting)
    assert isinstance(made, Waiting)
    made.alerting, made.answers, made.phases.fault_s = Told(made), {0.0: WELL}, BEGAN_S
    session.begin(made)
    yield made
    session.end()


def delivered(within_s: float = 60, patience_s: float = 90) -> tuple[bool, str]:
    found = alert_probes.alert_delivered(NAME, "page", within_s, patience_s)
    return found["holds"], found["said"]


def resolved(within_s: float = 120, patience_s: float = 180) -> tuple[bool, str]:
    found = alert_probes.alert_resolved(NAME, "page", within_s, patience_s)
    return found["holds"], found["said"]


def test_a_page_in_time_is_told_with_who_evaluated(running: Waiting) -> None:
    running.answers = {0.0: WELL, 25.0: paged(told(FIRING, 22.5))}
    assert delivered() == (
        True,
        f"{NAME} (page) delivered 12.5 s after the fault began, within 60 s; Prometheus evaluates, Alertmanager tells",
    )
    assert running.told.figures(running.phases) == {"time_to_detect_s": 12.5, "time_to_resolve_s": None}
    assert (running.told.alert, running.told.evaluator) == (str(PAGE), "prometheus")
    assert running.now_s == 25


def test_a_late_page_breaks_the_claim_and_has_its_figure(running: Waiting) -> None:
    running.answers = {0.0: WELL, 80.0: paged(told(FIRING, 80.0))}
    holds, said = delivered()
    assert (holds, running.told.firing_s) == (False, 80)
    assert "delivered 70.0 s after the fault began, within 60 s" in said


@pytest.mark.parametrize(
    "answer",
    [
        paged(told(FIRING, BEGAN_S - 0.1)),  # of an earlier fault
        paged(told(FIRING, 20.0, TICKET), firing=(TICKET,)),
        paged(told(FIRING, 20.0), firing=()),  # it came and went
        paged(told(RESOLVED, 20.0)),
        paged(),
    ],
)
def test_what_is_no_page_for_this_fault_is_none(running: Waiting, answer: Alerting) -> None:
    running.answers = {0.0: answer}
    holds, said = delivered(patience_s=30)
    assert not holds
    assert "not delivered for 30 s" in said
    assert running.now_s == BEGAN_S + 30
    assert running.told.figures(running.phases)["time_to_detect_s"] is None


def test_its_end_is_counted_from_when_the_fault_was_gone(running: Waiting) -> None:
    running.told.firing_s, running.phases.lifted_s, running.clock_s = 20.0, LIFTED_S, LIFTED_S
    beginning = told(FIRING, 20.0)
    running.answers = {0.0: paged(beginning), 60.0: paged(told(RESOLVED, 58.0), beginning, firing=())}
    holds, said = resolved()
    assert holds
    assert "resolved 18.0 s after the fault was gone" in said
    assert running.told.figures(running.phases) == {"time_to_detect_s": 10, "time_to_resolve_s": 18}


@pytest.mark.parametrize(
    "answer",
    [
        paged(told(RESOLVED, LIFTED_S - 1), firing=()),  # by itself, while the fault was there
        paged(told(FIRING, 50), told(RESOLVED, 45)),  # it fires again
    ],
)
def test_what_is_no_end_after_this_fault_is_none(running: Waiting, answer: Alerting) -> None:
    running.told.firing_s, running.phases.lifted_s, running.clock_s = 20.0, LIFTED_S, LIFTED_S
    running.answers = {0.0: answer}
    holds, said = resolved(patience_s=30)
    assert not holds
    assert "not resolved for 30 s" in said


def test_the_end_of_what_was_never_told_is_not_awaited(running: Waiting) -> None:
    running.phases.lifted_s = running.clock_s = LIFTED_S
    holds, said = resolved()
    assert not holds
    assert "was not delivered, so that its end could not be" in said
    assert running.now_s == LIFTED_S


def test_who_does_not_answer_is_awaited_and_named(running: Waiting) -> None:
    running.answers = {0.0: None, 20.0: paged(told(FIRING, 15.0))}
    assert delivered()[0]
    running.answers = {0.0: None}
    holds, said = delivered()
    assert not holds
    assert said.endswith("nobody answers")


def test_a_run_that_is_to_end_is_not_kept_waiting(running: Waiting) -> None:
    running.end_early("SIGINT")
    assert delivered() == (False, f"the run ended before that: {NAME} delivered")
    assert running.assertions == []
    assert running.now_s == BEGAN_S


@pytest.mark.parametrize(
    ("answers", "through"),
    [
        ({0.0: Alerting("prometheus"), 30.0: WELL}, True),
        ({0.0: Alerting("prometheus")}, False),
        ({0.0: Alerting("prometheus", heard=True, problem="Prometheus does not answer")}, False),
        ({0.0: None}, False),
    ],
)
def test_alerts_come_through_where_the_watchdog_is_heard(
    running: Waiting, answers: dict[float, Alerting | None], through: bool
) -> None:
    running.answers = answers
    assert alert_probes.alerts_come_through(within_s=60) == through


def test_an_alert_that_fires_already_is_awaited_to_end(running: Waiting) -> None:
    running.answers = {0.0: paged(firing=(PAGE, TICKET)), 50.0: paged(firing=(TICKET, Alert("TargetDown", "page")))}
    assert not alert_probes.alert_is_quiet(NAME, "page", within_s=5)
    assert running.phases.notes[-1][1] == f"{PAGE} fires already"
    assert alert_probes.alert_is_quiet(NAME, "page", within_s=60)
    assert running.now_s == 50
