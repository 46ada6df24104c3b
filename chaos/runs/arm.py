"""Runs one arm of an experiment, once, with Chaos Toolkit in this process; and reads the facts from its journal."""

import copy
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from chaos.runs.catalogue import Experiment
from chaos.runs.errors import RecordError
from chaos.runs.verdict import Claim, Facts

Document = dict[str, Any]

_SETTINGS: Final[Document] = {"runtime": {"rollbacks": {"strategy": "always"}, "hypothesis": {"strategy": "default"}}}


def run(experiment: Experiment, configuration: Mapping[str, Any], log_file: Path) -> Document:
    """Chaos Toolkit's journal, with what the session found as `faultline`.

    `configuration` goes before what the experiment has from the environment. Chaos Toolkit's own words go to the file.
    Returns also after a signal: then the rollbacks have been played. Raises RecordError, before anything is touched, where
    the file cannot be written.
    """
    from chaoslib.run import Runner  # noqa: PLC0415 -- as the catalogue does
    from chaoslib.types import Schedule, Strategy  # noqa: PLC0415

    document = copy.deepcopy(experiment.document)
    with _logged(log_file), Runner(Strategy.DEFAULT, Schedule()) as runner:
        journal: Document = runner.run(document, copy.deepcopy(_SETTINGS), (dict(configuration), {}))
    return journal


def facts(journal: Document) -> Facts:
    """What the verdict needs of a journal."""
    found = journal.get("faultline") or {}
    if "ending" not in found:
        return Facts(begun=False, failure=found.get("failure") or "the run did not begin", coverage=None)
    before, after = (journal["steady_states"].get(when) for when in ("before", "after"))
    ending, seen = found["ending"], found["coverage"]
    generator = (found["load"] or {}).get("generator") or {}
    return Facts(
        begun=bool(before and before["steady_state_met"]),
        steady_after=after["steady_state_met"] if after else None,
        signal=ending["signal"],
        stop=_stop(ending["stop"]),
        failure=found["failure"] or ending["broken"],
        failed_activities=list(_failed(journal)),
        effects=[(each["touched"], each["said"]) for each in found["effects"]],
        claims=[Claim(each["said"], each["holds"], each["rests_on"]) for each in found["assertions"]],
        violations=_violations(found["invariants"]),
        coverage=seen["seen"] / seen["looked_at"] if seen["looked_at"] else None,
        generator_said=why_not_offered(generator),
        troubles=found["troubles"],
        good_before=found["good_before"],
        broken_before=", ".join(_out_of_tolerance(before)),
    )


_LATE_P50_S: Final = 0.05
_LATE_P99_S: Final = 0.5


def why_not_offered(generator: Document) -> str:
    """Why the load was none that was asked for; empty where a few requests at most left late, and not by much.

    Those are no reason to doubt a run: latency is measured from when a request should have left, so that lateness counts
    against the system, never for it.
    """
    late = (generator.get("lag_p50_s") or 0) > _LATE_P50_S or (generator.get("lag_p99_s") or 0) > _LATE_P99_S
    return str(generator.get("said", "")) if late or generator.get("not_sent") else ""


def _stop(stop: Document | None) -> str:
    return f"{stop['condition']}: reached after {stop['at_s']:.1f} s, with {stop['burn_rate']:.3g}" if stop else ""


def _failed(journal: Document) -> Iterator[str]:
    for each in [*journal["run"], *journal["rollbacks"]]:
        if each["status"] == "failed":
            said = (each.get("exception") or ["no reason given"])[-1].strip().removeprefix("chaoslib.exceptions.")
            yield f"{each['activity']['name']}: {said}"


def _out_of_tolerance(steady_state: Document | None) -> Iterator[str]:
    """The probes that were not in tolerance, with what they found."""
    for each in (steady_state or {}).get("probes", ()):
        if not each.get("tolerance_met", True):
            yield f"{each['activity']['name']}: {each['output']}"


def _violations(invariants: Document | None) -> list[str] | None:
    if invariants is None:
        return None
    return [f"{each['invariant']}: {each['subject']}: {each['found']}" for each in invariants["violations"]]


@contextmanager
def _logged(file: Path) -> Iterator[None]:
    """Chaos Toolkit's logger writes there, and nowhere else."""
    logger = logging.getLogger("chaostoolkit")
    try:
        handler = logging.FileHandler(file, encoding="utf-8")
    except OSError as exc:
        raise RecordError(f"{file}: {exc.strerror}") from exc
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    before = logger.propagate, logger.level
    logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()
        logger.propagate = before[0]
        logger.setLevel(before[1])
