"""A PostgreSQL server of our own, in a temporary folder, that never outlives us."""

import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

import psutil
from sqlalchemy import URL

from deploy.ports import FreePorts
from tests.postgresql import guard
from tests.postgresql.binaries import Binaries, give, user
from tests.postgresql.databases import DRIVER, Databases
from tests.waiting import eventually

_HOST: Final = "127.0.0.1"
_ADMINISTRATOR: Final = "faultline"
_PATIENCE_S: Final = 60.0
_IN_A_HURRY: Final = {"fsync": "off", "full_page_writes": "off"}


class Server:
    """A context manager: within it the server may be started and ended again and again, on one port, with its data.

    Its processes belong to a guard, which ends them and removes the folder when this process is gone.
    """

    def __init__(self, binaries: Binaries, *, durable: bool = False) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="faultline-postgresql-"))
        give(self._folder)
        self._binaries = binaries.reachable(self._folder / "installation")
        self._options = {} if durable else _IN_A_HURRY
        self._guard = self._start_guard()
        self._ports = FreePorts(_HOST)
        self._port = self._ports.take()
        self._postmaster: psutil.Process | None = None
        self._password = secrets.token_urlsafe()
        address = URL.create(DRIVER, _ADMINISTRATOR, self._password, _HOST, self._port, database="postgres")
        self.databases = Databases(address)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Ends everything and removes the folder."""
        self._guard.communicate(timeout=_PATIENCE_S)
        self._ports.claim.close()

    @property
    def folder(self) -> Path:
        """Where all of it is: removed in the end."""
        return self._folder

    @property
    def guard_pid(self) -> int:
        return self._guard.pid

    @property
    def pid(self) -> int:
        """Of the running server. Raises RuntimeError when none runs."""
        if self._postmaster is None:
            raise RuntimeError("the server does not run")
        return self._postmaster.pid

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text()

    def start(self, **options: str) -> None:
        """Starts it, with server settings beside those it has anyway, and returns when it takes connections."""
        if not self._data.exists():
            self._init()
        settings = {
            "listen_addresses": _HOST,
            "port": str(self._port),
            "unix_socket_directories": "",
            "shared_buffers": "32MB",
            **self._options,
            **options,
        }
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        pid = self._run([str(self._binaries.folder / "postgres"), "-D", str(self._data), *arguments])
        self._postmaster = psutil.Process(pid)
        eventually(self._check_ready, within=_PATIENCE_S)

    def stop(self) -> None:
        """Ends it in order: whoever is connected is told and cut off."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL, to the server and all its processes."""
        self._end(signal.SIGKILL)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _end(self, number: signal.Signals) -> None:
        postmaster, self._postmaster = self._postmaster, None
        if postmaster is None:
            return
        family = [postmaster, *postmaster.children()]
        postmaster.send_signal(number)
        if number is signal.SIGKILL:
            for each in family[1:]:
                _kill(each)
        _, alive = psutil.wait_procs(family, timeout=_PATIENCE_S)
        assert not alive, f"still there: {alive}\n{self.log}"

    def _check_ready(self) -> None:
        # The eighth line of this file is its state, as pg_ctl reads it too.
        assert psutil.pid_exists(self.pid), f"the server ended\n{self.log}"
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            lines = []
        assert lines[:1] == [str(self.pid)], f"no server yet\n{self.log}"
        assert lines[7:] == ["ready   "], f"not ready yet: {lines}\n{self.log}"

    def _init(self) -> None:
        """Makes the data folder."""
        secret = self._folder / "password"
        secret.touch(mode=0o600)
        secret.write_text(self._password)
        give(secret)
        options = ["--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", "--no-sync", f"--username={_ADMINISTRATOR}"]
        subprocess.run(
            [self._binaries.folder / "initdb", f"--pgdata={self._data}", f"--pwfile={secret}", *options],
            env=self._environment(),
            user=user(),
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        secret.unlink()

    def _run(self, command: list[str]) -> int:
        """Has the guard start it; the process id."""
        assert self._guard.stdin
        assert self._guard.stdout
        order = {"command": command, "environment": self._environment(), "user": user()}
        self._guard.stdin.write(json.dumps(order) + "\n")
        self._guard.stdin.flush()
        return int(self._guard.stdout.readline())

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(self._folder)}

    def _start_guard(self) -> "subprocess.Popen[str]":
        """In a session of its own, so that what ends a whole group of processes does not end it."""
        return subprocess.Popen(
            [sys.executable, "-S", "-E", guard.__file__, self._folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


def _kill(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):  # it saw its parent die
        process.kill()
