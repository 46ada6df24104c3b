"""Runs an experiment with all its arms: checks first, then one arm after another, then verdict and record."""

import fcntl
import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TextIO

from chaos.control import ControlError, HttpFaultControl, process_control
from chaos.measure import site as sites
from chaos.measure.errors import MeasureError
from chaos.measure.site import Site
from chaos.runs import activities, arm, record
from chaos.runs.activities import Activity
from chaos.runs.catalogue import Experiment
from chaos.runs.declared import DEVIATES
from chaos.runs.errors import InvalidError, RecordError
from chaos.runs.record import Record
from chaos.runs.verdict import Judged, Outcome, Verdict, judge, overall
from chaos.toolkit import control
from chaos.toolkit.policies import Policies

log = logging.getLogger(__name__)

MOST_RUNS: Final = 50

Document = dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """What was asked for. `policies` empty: the experiment's own; `runs` of each arm; `rps` None: the experiment's own."""

    policies: tuple[str, ...] = ()
    runs: int = 1
    seed: int = 1
    quick: bool = False
    rps: float | None = None


@dataclass(frozen=True)
class Step:
    """One run of one arm, about to begin."""

    policy: str
    run: int
    number: int
    of: int


class Watcher:
    """Told what happens; does nothing by itself."""

    def begins(self, step: Step) -> None:
        """An arm begins."""

    def progress(self, progress: Any) -> None:
        """Something happened in a run, or a second has passed (`chaos.toolkit.session.Progress`)."""

    def ended(self, step: Step, verdict: Verdict) -> None:
        """An arm has its verdict."""

    def lost(self, error: RecordError) -> None:
        """What a run found could not be written; the run goes on without, and its verdict is told all the same."""
        log.warning("not written", extra={"error": str(error)})


def runs_folder(state: Path) -> Path:
    """Where the records of a state folder's runs are."""
    return state / "chaos"


def run(experiment: Experiment, wanted: Wanted, state: Path, watcher: Watcher) -> tuple[Record, Path]:
    """The record, and the folder that it and all else was written to.

    Raises InvalidError before anything is touched. After a signal, what was found until then is recorded.
    """
    site = _checked(experiment, wanted, state)
    policies = wanted.policies or (_own_policy(experiment),)
    began = datetime.now(UTC)
    folder = _new_folder(runs_folder(state), experiment.name, began)
    with _alone(runs_folder(state)), _state_folder(state):
        arms, judged = _run_arms(experiment, policies, wanted, folder, watcher)
    found: Record = {
        "version": record.VERSION,
        "experiment": _described(experiment),
        "began_at": began.isoformat(),
        "ended_at": datetime.now(UTC).isoformat(),
        "commit": record.commit(),
        "machine": record.machine(),
        "options": asdict(wanted),
        "replicas": {service: len(site.of_service(service)) for service in site.services},
        "arms": arms,
        "verdict": _told(overall(judged)),
    }
    _unless_it_fails(watcher, lambda: record.write(folder, found))
    return found, folder


def _unless_it_fails(watcher: Watcher, write: Callable[[], object]) -> None:
    """What was found out with so much effort is not thrown away because a disk is full."""
    try:
        write()
    except RecordError as exc:
        watcher.lost(exc)


def _described(experiment: Experiment) -> Document:
    """`definition` changes with anything in the experiment."""
    return {
        "name": experiment.name,
        "title": experiment.title,
        "description": " ".join(str(experiment.document.get("description", "")).split()),
        "summary": experiment.declared.summary,
        "edge": experiment.declared.edge,
        "definition": sha256(experiment.file.read_bytes()).hexdigest()[:12],
    }


def _checked(experiment: Experiment, wanted: Wanted, state: Path) -> Site:
    """The system that runs and can be used. Raises InvalidError."""
    if not 1 <= wanted.runs <= MOST_RUNS:
        raise InvalidError(f"runs: {wanted.runs} is not within 1..{MOST_RUNS}")
    if len(set(wanted.policies)) < len(wanted.policies):
        raise InvalidError(f"policy: named twice: {', '.join(wanted.policies)}")
    try:
        site = sites.site_of(state)
        Policies(site).check(wanted.policies or ((_own_policy(experiment),) if _own_policy(experiment) else ()))
        _check_names(experiment, wanted, site)
        found = process_control(site.target).states()
    except (MeasureError, ControlError) as exc:
        raise InvalidError(str(exc)) from exc
    if waiting := [f"{each.instance} ({each.state})" for each in found if each.state != "ready"]:
        raise InvalidError(f"not ready: {', '.join(waiting)}; see `faultline status`")
    for each in _activities(experiment, wanted):
        activities.check_faults(each, HttpFaultControl(site.target).check)
    return site


def _check_names(experiment: Experiment, wanted: Wanted, site: Site) -> None:
    """With what each arm is given. Raises InvalidError."""
    activities.check_own_edge(site, experiment.declared.edge)
    for each in _activities(experiment, wanted):
        activities.check(each)
        activities.check_site(each, site)


def _activities(experiment: Experiment, wanted: Wanted) -> Iterator[Sequence[Activity]]:
    """Those of each arm."""
    for policy in wanted.policies or (_own_policy(experiment),):
        configuration = _configuration(experiment, policy, wanted.seed, wanted)
        yield activities.activities(experiment.document, configuration)


def _own_policy(experiment: Experiment) -> str:
    """The one that the experiment runs with when nobody says which."""
    declared = (experiment.document.get("configuration") or {}).get("policy")
    return str(declared.get("default") or "") if isinstance(declared, dict) else str(declared or "")


def _run_arms(
    experiment: Experiment, policies: Sequence[str], wanted: Wanted, folder: Path, watcher: Watcher
) -> tuple[list[Document], list[Judged]]:
    """One after another, alternating, so that what drifts on the machine drifts for all alike."""
    steps = [(run, policy) for run in range(1, wanted.runs + 1) for policy in policies]
    arms: list[Document] = []
    judged: list[Judged] = []
    for number, (run_number, policy) in enumerate(steps, start=1):
        step = Step(policy, run_number, number, len(steps))
        watcher.begins(step)
        found, verdict = _run_arm(experiment, step, wanted, folder, watcher)
        arms.append(found)
        judged.append(Judged(step.policy, verdict, found["expected"] == DEVIATES, step.run))
        watcher.ended(step, verdict)
        if verdict.outcome is Outcome.INTERRUPTED:
            break
    return arms, judged


def _configuration(experiment: Experiment, policy: str, seed: int, wanted: Wanted) -> Document:
    """What goes before the experiment's own."""
    return {
        "policy": policy,
        "seed": seed,
        **(experiment.declared.quick if wanted.quick else {}),
        **({"rps": wanted.rps} if wanted.rps is not None else {}),
    }


def _run_arm(
    experiment: Experiment, step: Step, wanted: Wanted, folder: Path, watcher: Watcher
) -> tuple[Document, Verdict]:
    control.listen(watcher.progress)
    configuration = _configuration(experiment, step.policy, wanted.seed + step.run - 1, wanted)
    journal = arm.run(experiment, configuration, folder / "chaostoolkit.log")
    found = journal.get("faultline") or {}
    file = folder / f"journal-{step.policy or 'as-is'}-{step.run}.json"
    told = json.dumps(journal | {"faultline": None}, indent=1, default=str)
    _unless_it_fails(watcher, lambda: record.keep(file, told))
    verdict = judge(arm.facts(journal))
    described = {
        "policy": step.policy,
        "run": step.run,
        "expected": experiment.declared.arm(step.policy).expected,
        "verdict": _told(verdict),
        "found": found,
    }
    return described, verdict


def _told(verdict: Verdict) -> Document:
    return {"outcome": str(verdict.outcome), "exit_code": verdict.exit_code, "reasons": list(verdict.reasons)}


def _new_folder(runs: Path, name: str, began: datetime) -> Path:
    folder = runs / f"{name}-{began:%Y%m%dT%H%M%S%f}"
    try:
        folder.mkdir(parents=True)
    except OSError as exc:
        raise InvalidError(f"{folder}: {exc.strerror}") from exc
    return folder


@contextmanager
def _alone(runs: Path) -> Iterator[None]:
    """No second experiment at the same time: each would measure the other. Raises InvalidError."""
    with _opened(runs / "lock") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise InvalidError("another experiment runs on this system") from exc
        yield


def _opened(file: Path) -> TextIO:
    try:
        return file.open("w")
    except OSError as exc:
        raise InvalidError(f"{file}: {exc.strerror}") from exc


@contextmanager
def _state_folder(state: Path) -> Iterator[None]:
    """Activities find the system where a plain `chaos run` finds it: by the environment."""
    before = os.environ.get(sites.ENVIRONMENT_KEY)
    os.environ[sites.ENVIRONMENT_KEY] = str(state)
    try:
        yield
    finally:
        if before is None:
            del os.environ[sites.ENVIRONMENT_KEY]
        else:
            os.environ[sites.ENVIRONMENT_KEY] = before
