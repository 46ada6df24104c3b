"""Whole processes of a system in containers: through Docker, by the labels that compose gives its containers.

A container that was killed on purpose is not started again by its restart policy; so what ends a kill or a pause at its time
is a process of its own (`hold`), which outlives whoever asked for it.
"""

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from chaos.control import hold
from chaos.control.errors import AwayError, RefusedError
from chaos.control.fault import MAX_TTL_S
from chaos.control.process_state import ProcessState
from chaos.control.target import Target

SCHEME: Final = "docker://"
"""How the address begins of a system that is in containers; behind it stands the compose project's name."""

_LABEL: Final = "com.docker.compose."
_TIMEOUT_S: Final = 60.0
_CONFLICT: Final = 409
_UNPROCESSABLE: Final = 422

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Container:
    """A container, whose name here is as that of a process: `payments-1`. `state` is a supervisor's word."""

    id: str
    name: str
    state: str
    pid: int | None
    detail: str
    restarts: int
    started_at: str

    @property
    def process_state(self) -> ProcessState:
        return ProcessState(self.name, self.state, self.pid, self.detail)


class DockerProcessControl:
    """A ProcessControl."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._project = target.supervisor_address.removeprefix(SCHEME)
        self._folder = target.folder / "held" if target.folder else None

    def kill(self, name: str, ttl_s: float) -> list[ProcessState]:
        _check_ttl(ttl_s, least=0.0)
        return [self._kill(each, ttl_s) for each in self._named(name)]

    def pause(self, name: str, ttl_s: float) -> list[ProcessState]:
        _check_ttl(ttl_s, least=0.001)
        return [self._pause(each, ttl_s) for each in self._named(name)]

    def resume(self, name: str) -> list[ProcessState]:
        return [self._resume(each) for each in self._named(name)]

    def restart(self, name: str) -> list[ProcessState]:
        return [self._restart(each) for each in self._named(name)]

    def states(self) -> list[ProcessState]:
        return [each.process_state for each in self.containers()]

    def heal(self) -> list[ProcessState]:
        ill = {"paused": self._resume, "waiting": self._restart}
        return [ill[each.state](each) for each in self.containers() if each.state in ill]

    def containers(self) -> list[Container]:
        """Those of the system's processes, in its order; one that was never made is missing. Raises AwayError."""
        found = {each.name: each for each in self._inspected()}
        return [found[each.name] for each in self._target.instances if each.name in found]

    def _named(self, name: str) -> list[Container]:
        wanted = [each.name for each in self._target.processes(name)]
        return [each for each in self.containers() if each.name in wanted]

    def _kill(self, container: Container, ttl_s: float) -> ProcessState:
        _check(container, container.pid is not None, "kill")
        if not ttl_s:
            self._kill_and_start(container)
        else:
            self._do_for(container, ttl_s, "kill", "start")
        return container.process_state

    def _kill_and_start(self, container: Container) -> None:
        if self._folder:  # as in `_do_for`: two commands may each take effect without an answer
            hold.begin(self._folder / container.name, 2 * _TIMEOUT_S, ["docker", "start", container.id])
        self._docker("kill", container.id)
        self._docker("start", container.id)
        self._let_go(container)

    def _pause(self, container: Container, ttl_s: float) -> ProcessState:
        _check(container, container.pid is not None and container.state != "paused", "pause")
        self._do_for(container, ttl_s, "pause", "unpause")
        return container.process_state

    def _resume(self, container: Container) -> ProcessState:
        _check(container, container.state == "paused", "resume")
        self._let_go(container)
        self._docker("unpause", container.id)
        return container.process_state

    def _restart(self, container: Container) -> ProcessState:
        self._let_go(container)
        if container.state == "paused":
            self._docker("unpause", container.id)
        self._docker("restart", container.id)
        return container.process_state

    def _do_for(self, container: Container, ttl_s: float, action: str, ending: str) -> None:
        """Does it, and sees to its end before, so that it has one if we die; that is late enough, however long it takes.

        Where we do not hear that it was done, it may be all the same, so that its end stays; who is well is not hurt by it.
        """
        if self._folder is None:
            raise AwayError("Docker", self._target.supervisor_address, "no state folder to note the end of a fault in")
        file, command = self._folder / container.name, ["docker", ending, container.id]
        hold.begin(file, ttl_s + _TIMEOUT_S, command)
        self._docker(action, container.id)
        hold.begin(file, ttl_s, command)

    def _let_go(self, container: Container) -> None:
        if self._folder:
            hold.end(self._folder / container.name)

    def _inspected(self) -> list[Container]:
        listed = self._docker("ps", "--all", "--quiet", "--no-trunc", f"--filter=label={_LABEL}project={self._project}")
        if not (ids := listed.split()):
            raise AwayError("Docker", self._target.supervisor_address, "there are no containers of this project")
        return list(map(_container, self._read(lambda: json.loads(self._docker("inspect", *ids)))))

    def _docker(self, *arguments: str) -> str:
        """What the command says. Raises AwayError where there is none, or it fails."""
        try:
            done = subprocess.run(
                ["docker", *arguments],  # noqa: S607 -- the user's docker, wherever it is
                capture_output=True,
                text=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except FileNotFoundError as exc:
            why = "there is no command `docker`, which kills and pauses what is in containers"
            raise AwayError("Docker", self._target.supervisor_address, why) from exc
        except (OSError, subprocess.TimeoutExpired) as exc:
            raise AwayError("Docker", self._target.supervisor_address, str(exc)) from exc
        if done.returncode:
            raise AwayError("Docker", self._target.supervisor_address, _last_line(done.stderr))
        return done.stdout

    def _read(self, answer: Callable[[], Sequence[Document]]) -> Sequence[Document]:
        try:
            return answer()
        except ValueError as exc:
            raise AwayError("Docker", self._target.supervisor_address, "its answer is no JSON") from exc


def _container(document: Document) -> Container:
    state, labels = document["State"], document["Config"]["Labels"]
    word = _word(state)
    return Container(
        document["Id"],
        f"{labels[f'{_LABEL}service']}-{labels[f'{_LABEL}container-number']}",
        word,
        state["Pid"] or None,
        _detail(state, word),
        document.get("RestartCount", 0),
        state["StartedAt"],
    )


def _word(state: Document) -> str:
    """Docker's state in a supervisor's words."""
    if state["Status"] == "running":
        health = state.get("Health", {}).get("Status", "healthy")
        return {"healthy": "ready", "starting": "starting"}.get(health, "unready")
    return "paused" if state["Status"] == "paused" else "waiting"


def _detail(state: Document, word: str) -> str:
    if word == "waiting":
        return str(state.get("Error") or f"{state['Status']}, exit code {state['ExitCode']}")
    return "its health check fails" if word == "unready" else ""


def _check_ttl(ttl_s: float, least: float) -> None:
    if not least <= ttl_s <= MAX_TTL_S:
        why = f"ttl_s: {ttl_s!r} is not within {least:g}..{MAX_TTL_S:g}"
        raise RefusedError("Docker", _UNPROCESSABLE, {"detail": why})


def _check(container: Container, possible: bool, verb: str) -> None:
    if not possible:
        raise RefusedError("Docker", _CONFLICT, {"detail": f"{container.name} is {container.state}: no {verb}"})


def _last_line(text: str) -> str:
    return next(reversed(text.strip().splitlines()), "it says nothing")
