"""A session of which nothing was begun but what a test begins."""

from chaos.measure.background_load import LoadOptions
from chaos.measure.edges import Edge
from chaos.toolkit.session import Options, Progress, Session
from observability.stack import objectives
from tests.unit.experiments.making import SITE


def session() -> Session:
    def nobody(_: Progress) -> None: ...

    return Session(SITE, Options(Edge("orders", "payments"), LoadOptions(1, 1, 1)), objectives.load(), nobody)


def test_a_run_without_samples_ends_and_says_why() -> None:
    running = session()
    running.end_broken("ValueError: no such column")
    assert running.is_ending
    assert str(running.ending) == running.ending.broken == "the samples broke: ValueError: no such column"
