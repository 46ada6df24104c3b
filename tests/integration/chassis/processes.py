"""The toy service as a real process."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import pytest

from tests.integration.chassis.ports import HOST, free_port

T = TypeVar("T")

TOKEN = "a-token-for-these-tests"
PORTS = ("HTTP_PORT", "GRPC_PORT", "ADMIN_PORT", "CONTROL_PORT")


def environment(folder: Path, **changes: str) -> dict[str, str]:
    """The toy's environment: free ports, nothing exported, `changes` made."""
    settings = {name: str(free_port()) for name in PORTS}
    settings |= {"CONTROL_TOKEN": TOKEN, "OTEL_EXPORTER_OTLP_ENDPOINT": "", "RELEASE_FILE": str(folder / "release")}
    return {"PATH": os.environ["PATH"], **settings, **changes}


class Toy:
    """A running toy."""

    def __init__(self, folder: Path, settings: dict[str, str], keep_open: tuple[int, ...]) -> None:
        self.settings, self._folder = settings, folder
        with (folder / "stdout").open("w") as out, (folder / "stderr").open("w") as err:
            command = [sys.executable, "-m", "tests.integration.chassis.toy"]
            self.process = subprocess.Popen(command, env=settings, stdout=out, stderr=err, pass_fds=keep_open)

    def url(self, port: str) -> str:
        return f"http://{HOST}:{self.settings[port]}"

    @property
    def target(self) -> str:
        """Where its gRPC server listens."""
        return f"{HOST}:{self.settings['GRPC_PORT']}"

    @property
    def errors(self) -> str:
        return (self._folder / "stderr").read_text()

    @property
    def log_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self._folder / "stdout").read_text().splitlines()]

    def release(self) -> None:
        """Lets the work in flight go on."""
        Path(self.settings["RELEASE_FILE"]).touch()

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    async def ended(self, within: float = 60.0) -> int:
        """The exit code."""
        return await asyncio.to_thread(self.process.wait, within)

    async def ready(self) -> None:
        async with aiohttp.ClientSession() as session:

            async def check() -> None:
                assert self.process.poll() is None, self.errors
                async with session.get(self.url("ADMIN_PORT") + "/readyz") as answer:
                    assert answer.status == 200

            await eventually(check)


@contextmanager
def toy(folder: Path, *, keep_open: tuple[int, ...] = (), **changes: str) -> Iterator[Toy]:
    """A toy that is there for the block; `folder` keeps what it writes."""
    running = Toy(folder, environment(folder, **changes), keep_open)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()


async def eventually(check: Callable[[], Awaitable[T]], within: float = 20.0) -> T:
    """What `check` answers once it neither fails nor finds nobody to ask; raises its last error after `within` seconds."""
    give_up = time.monotonic() + within
    while True:
        try:
            return await check()
        except (AssertionError, pytest.fail.Exception, aiohttp.ClientError):
            if time.monotonic() > give_up:
                raise
        await asyncio.sleep(0.02)
