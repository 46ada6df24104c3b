"""A command `docker` that keeps its containers in a file: as `python docker.py FILE ps|inspect|kill|...`, as Docker 28 answers.

`install` puts it on a PATH. What it is asked to change is noted under `asked`.
"""

import fcntl
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

FIRST_PID: Final = 1000
_STATUS_AFTER: Final = {
    "kill": ("exited", {"running", "paused"}),
    "start": ("running", {"exited", "running"}),
    "pause": ("paused", {"running"}),
    "unpause": ("running", {"paused"}),
    "restart": ("running", {"exited", "running"}),
}


def install(folder: Path, project: str, names: Mapping[str, int]) -> "Docker":
    """Makes the command in `folder`, with `names` (service → how many) running healthily in the project."""
    containers = [
        _container(project, service, number + 1) for service, count in names.items() for number in range(count)
    ]
    docker = Docker(folder / "containers.json")
    docker.file.write_text(json.dumps({"containers": containers, "asked": [], "pid": FIRST_PID + len(containers)}))
    command = folder / "docker"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "{docker.file}" "$@"\n')
    command.chmod(0o755)
    return docker


class Docker:
    """What there is, for a test to look at and to spoil."""

    def __init__(self, file: Path) -> None:
        self.file = file

    @property
    def asked(self) -> list[list[str]]:
        """Every command that changes something: its name and the container's."""
        with _kept(self.file) as document:
            return list(document["asked"])

    def become(self, name: str, **state: Any) -> None:
        """Changes a container's state."""
        with _kept(self.file) as document:
            (found,) = (each for each in document["containers"] if each["Id"] == f"id-{name}")
            found["State"].update(state)


def _container(project: str, service: str, number: int) -> dict[str, Any]:
    prefix = "com.docker.compose"
    labels = {f"{prefix}.project": project, f"{prefix}.service": service, f"{prefix}.container-number": str(number)}
    state = {
        "Status": "running",
        "Pid": FIRST_PID + number,
        "ExitCode": 0,
        "Error": "",
        "Health": {"Status": "healthy"},
    }
    started = "2026-01-02T03:04:05.123456789Z"
    return {
        "Id": f"id-{service}-{number}",
        "RestartCount": 0,
        "Config": {"Labels": labels},
        "State": {**state, "StartedAt": started},
    }


@contextmanager
def _kept(file: Path) -> Iterator[dict[str, Any]]:
    """The document, for one at a time; kept as it is afterwards."""
    with file.open("r+") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        document: dict[str, Any] = json.load(stream)
        yield document
        stream.seek(0)
        stream.truncate()
        json.dump(document, stream)


def _main(file: Path, verb: str, *arguments: str) -> int:
    with _kept(file) as document:
        if verb == "ps":
            (wanted,) = (each.partition("project=")[2] for each in arguments if each.startswith("--filter="))
            print("\n".join(each["Id"] for each in document["containers"] if _project(each) == wanted))
        elif verb == "inspect":
            print(json.dumps([each for each in document["containers"] if each["Id"] in arguments]))
        else:
            return _change(document, verb, arguments[0])
    return 0


def _change(document: dict[str, Any], verb: str, wanted: str) -> int:
    (found,) = (each for each in document["containers"] if each["Id"] == wanted)
    status, possible = _STATUS_AFTER[verb]
    state = found["State"]
    if state["Status"] not in possible:
        print(f"Error response from daemon: Container {wanted} is {state['Status']}", file=sys.stderr)
        return 1
    if verb == "restart" or (verb == "start" and state["Status"] == "exited"):
        document["pid"] += 1
        state["Pid"] = document["pid"]
    state["Status"] = status
    if status == "exited":
        state |= {"Pid": 0, "ExitCode": 137}
    document["asked"].append([verb, wanted.removeprefix("id-")])
    return 0


def _project(container: dict[str, Any]) -> str:
    return str(container["Config"]["Labels"]["com.docker.compose.project"])


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1]), *sys.argv[2:]))
