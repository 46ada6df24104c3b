"""Starts a supervisor as a process of its own and waits until its system is ready; ends one that runs."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import IO, Any, Final

from deploy.errors import ControlError, DeployError, StateError
from deploy.supervisor import leftovers
from deploy.supervisor.client import SupervisorClient
from deploy.supervisor.request import Request
from deploy.supervisor.state import CHECKOUT, Control, StateFolder

_POLL_S: Final = 0.05
# Longer than the supervisor's own deadline, after which it ends by itself and says why.
_AFTER_DEADLINE_S: Final = 60.0

OnProgress = Callable[[list[dict[str, Any]]], None]
"""Gets the processes, as `SupervisorClient.processes` has them, again and again."""


class LaunchError(DeployError):
    """The supervisor ended before its system was ready; the text and the code are its own."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Launched:
    """A supervisor that we started, in a session of its own, so that our terminal's Ctrl-C does not reach it.

    With `lifeline`, it ends when this process does, however that comes. Raises StateError for an impossible folder.
    """

    def __init__(self, request: Request, *, lifeline: bool) -> None:
        request.folder.create()
        self._request = request
        self._stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 -- closed in `close`
        self._lifeline: int | None = None
        read_end: int | None = None
        if lifeline:
            read_end, self._lifeline = os.pipe()
        try:
            self._process = _spawn(request, self._stderr, read_end)
        finally:
            if read_end is not None:
                os.close(read_end)

    @property
    def pid(self) -> int:
        return self._process.pid

    def await_ready(self, on_progress: OnProgress | None = None) -> SupervisorClient:
        """Raises LaunchError with what the supervisor said when it ends instead."""
        give_up = time.monotonic() + self._request.ready_deadline_s + _AFTER_DEADLINE_S
        while time.monotonic() < give_up:
            if self._process.poll() is not None:
                raise LaunchError(self._last_words(), self._process.returncode)
            if client := self._look(on_progress):
                return client
            time.sleep(_POLL_S)
        raise LaunchError(f"the supervisor (pid {self.pid}) does not get ready; see its log", os.EX_SOFTWARE)

    def stop(self, patience_s: float = 90.0) -> int:
        """Ends it in order, by force after `patience_s`; its exit code."""
        self._process.terminate()
        try:
            return self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._process.kill()  # its children notice by their lifeline
            return self._process.wait()
        finally:
            self.close()

    def kill(self) -> None:
        """SIGKILL, and waits for the supervisor's end alone."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Lets go of it: with a lifeline it ends, without one it runs on."""
        self._stderr.close()
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None

    def _look(self, on_progress: OnProgress | None) -> SupervisorClient | None:
        """A client when all is ready."""
        control = self._request.folder.control()
        if control is None or control.pid != self.pid:
            return None
        client = SupervisorClient(control.address, control.token)
        try:
            ready = client.health()["status"] == "ready"
            if on_progress:
                on_progress(client.processes())
        except ControlError:
            return None  # it is ending; its exit code will say why
        return client if ready else None

    def _last_words(self) -> str:
        self._stderr.seek(0)
        lines = self._stderr.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"the supervisor ended with code {self._process.returncode} and said nothing"


def connect(state: StateFolder) -> SupervisorClient | None:
    """A client of the supervisor that runs on this state folder now; None when there is none."""
    control = state.control() if state.is_locked() else None
    return SupervisorClient(control.address, control.token) if control else None


def end(state: StateFolder, patience_s: float) -> bool:
    """Ends the system that runs on this state folder and waits until it is gone. False when none runs.

    Raises StateError when it does not go.
    """
    if not state.is_locked():
        return False
    control = state.control()
    if control is None:
        raise StateError(f"{state.path}: a supervisor holds the lock but has not said where it is; try again")
    _ask_to_end(control)
    give_up = time.monotonic() + patience_s
    while state.is_locked() or leftovers.is_same(control.pid, control.born):
        if time.monotonic() > give_up:
            raise StateError(
                f"the supervisor (pid {control.pid}) still runs after {patience_s:g} s; end it with kill -9"
            )
        time.sleep(_POLL_S)
    return True


def _ask_to_end(control: Control) -> None:
    """Over its control API; one that does not answer (stopped by Ctrl-Z) by signals, if the pid is surely its own."""
    try:
        SupervisorClient(control.address, control.token, timeout_s=5.0).shutdown()
    except ControlError:
        if leftovers.is_same(control.pid, control.born):
            os.kill(control.pid, signal.SIGTERM)
            os.kill(control.pid, signal.SIGCONT)


def _spawn(request: Request, stderr: IO[bytes], read_end: int | None) -> subprocess.Popen[bytes]:
    paths = [str(CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **request.environment()}
    environment.pop("LIFELINE_FD", None)
    if read_end is not None:
        environment["LIFELINE_FD"] = str(read_end)
    return subprocess.Popen(
        [sys.executable, "-m", "deploy.supervisor", *request.arguments()],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        pass_fds=() if read_end is None else (read_end,),
        start_new_session=True,
    )
