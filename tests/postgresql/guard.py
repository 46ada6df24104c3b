"""A process that runs a server and outlives whoever asked for it only to clean up.

`python guard.py FOLDER`: each line of standard input is a JSON object with `command`, `environment` and `user`; it is
started, and its process id printed. At the end of input, however that comes, all that runs is ended and FOLDER removed.
Nothing is imported that isn't Python's own, so that it is there at once.
"""

import json
import shutil
import signal
import subprocess
import sys

_PATIENCE_S = 10.0


def main(folder: str) -> None:
    started: list[subprocess.Popen[bytes]] = []
    signal.signal(signal.SIGCHLD, lambda *_: [each.poll() for each in started])  # whoever waits sees that it is gone
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)  # what ends us is the end of input alone
    for line in sys.stdin:
        order = json.loads(line)
        started.append(_start(folder, order["command"], order["environment"], order["user"]))
        print(started[-1].pid, flush=True)
    for server in started:
        _end(server)
    shutil.rmtree(folder)


def _start(folder: str, command: list[str], environment: dict[str, str], user: str | None) -> subprocess.Popen[bytes]:
    with open(f"{folder}/log", "ab") as log:  # noqa: PTH123 -- pathlib would have to be imported
        return subprocess.Popen(
            command,
            env=environment,
            user=user,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def _end(server: "subprocess.Popen[bytes]") -> None:
    server.send_signal(signal.SIGQUIT)  # PostgreSQL's "immediate shutdown"
    try:
        server.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


if __name__ == "__main__":
    main(sys.argv[1])
