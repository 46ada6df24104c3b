"""One operating-system process of ours, from spawn to end.

It gets a process group of its own in the supervisor's session. So the terminal's Ctrl-C reaches the supervisor alone,
which then ends its children in order; and when the supervisor dies, the group is orphaned: the kernel wakes what is
stopped in it (SIGHUP, SIGCONT; POSIX, `_exit`), so that a paused child too sees its lifeline cut. Where that does not
do, `run_child` helps.
"""

import asyncio
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from deploy.supervisor.process_log import ProcessLog
from deploy.supervisor.state import CHECKOUT

_KEPT_LINES: Final = 20
_LONGEST_LINE: Final = 4096
_STDERR_PATIENCE_S: Final = 1.0
# All else in somebody's shell stays there: settings of ours or of OpenTelemetry (`OTEL_*`) meant for another program,
# and proxies, through which gRPC's core would send calls to 127.0.0.1. What else the shell may choose for every process is a
# setting of the supervisor, which refuses a wrong one by name and hands it on among the process's own.
_INHERITED: Final = frozenset({"PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TMP", "TEMP", "TZ", "LANG", "VIRTUAL_ENV"})
_INHERITED_KINDS: Final = ("LC_", "PYTHON", "LD_", "DYLD_", "COVERAGE_")
_LOG_LEVELS: Final = frozenset({"DEBUG", "INFO", "WARNING", "ERROR"})


class Child:
    """A running or ended process. `started_at` is the loop-independent monotonic clock, seconds."""

    def __init__(self, process: asyncio.subprocess.Process, stderr: "_Stderr") -> None:
        self._process = process
        self._stderr = stderr
        self.pid = process.pid
        self.started_at = time.monotonic()

    @classmethod
    async def spawn(cls, module: str, settings: Mapping[str, str], lifeline_fd: int, log: ProcessLog) -> "Child":
        """Starts `python -m module`. `lifeline_fd` is inherited under its own number. Raises OSError."""
        stderr = await _Stderr.open(lambda line: log.add("stderr", "WARNING", line))
        stdout = log.open()
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "deploy.supervisor.run_child",
                module,
                env=_environment(settings, lifeline_fd),
                cwd=CHECKOUT,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr.write_end,
                pass_fds=(lifeline_fd,),
                process_group=0,
            )
        finally:
            os.close(stdout)
            stderr.close_write_end()
        return cls(process, stderr)

    async def wait(self) -> int:
        """The exit code, negative for a signal, once the process has ended and its last words are read."""
        code = await self._process.wait()
        await self._stderr.finished()
        return code

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal; nothing happens when the process has ended."""
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    @property
    def last_words(self) -> str:
        """Its last lines on standard error, as one line; empty if it said nothing."""
        return self._stderr.told()

    @property
    def age_s(self) -> float:
        return time.monotonic() - self.started_at


def how_ended(code: int) -> str:
    """`exit code 3`, or the signal's name."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


class _Stderr:
    """A pipe that the child's standard error goes to; each line is handed to `on_line`.

    Not asyncio's own pipe: with that, waiting for the process also waits for whoever inherited its standard error.
    """

    def __init__(self, reader: asyncio.StreamReader, transport: asyncio.ReadTransport, write_end: int) -> None:
        self._reader, self._transport, self.write_end = reader, transport, write_end
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, on_line: Callable[[str], None]) -> "_Stderr":
        read_end, write_end = os.pipe()
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_end, "rb")
        )
        stderr = cls(reader, transport, write_end)
        stderr._task = asyncio.create_task(stderr._read(on_line))
        return stderr

    def close_write_end(self) -> None:
        os.close(self.write_end)

    async def finished(self) -> None:
        """All that was written is read, or somebody else still holds the other end and we do not wait for them."""
        if self._task:
            await asyncio.wait({self._task}, timeout=_STDERR_PATIENCE_S)
            self._task.cancel()
        self._transport.close()

    def told(self) -> str:
        if any(each.startswith(("Traceback", "  File")) for each in self._lines):
            return self._lines[-1]  # of a stack trace, the last line says what it was
        return " ".join(" ".join(self._lines).split())

    async def _read(self, on_line: Callable[[str], None]) -> None:
        rest = b""
        while chunk := await self._reader.read(_LONGEST_LINE):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > _LONGEST_LINE:
                lines, rest = [*lines, rest], b""
            for line in lines:
                self._keep(line, on_line)
        self._keep(rest, on_line)

    def _keep(self, line: bytes, on_line: Callable[[str], None]) -> None:
        if text := line.decode(errors="replace").rstrip():
            self._lines.append(text)
            on_line(text)


def _environment(settings: Mapping[str, str], lifeline_fd: int) -> dict[str, str]:
    """What a program needs of ours, plus the child's settings; the checkout is importable from any folder."""
    inherited = {name: value for name, value in os.environ.items() if _is_inherited(name, value)}
    paths = [str(CHECKOUT), *filter(None, [inherited.get("PYTHONPATH")])]
    return {**inherited, **settings, "LIFELINE_FD": str(lifeline_fd), "PYTHONPATH": os.pathsep.join(paths)}


def _is_inherited(name: str, value: str) -> bool:
    """A log level is the one setting that a shell may choose for all; one that is none would only prevent the start."""
    if name == "LOG_LEVEL":
        return value in _LOG_LEVELS
    return name in _INHERITED or name.startswith(_INHERITED_KINDS)
