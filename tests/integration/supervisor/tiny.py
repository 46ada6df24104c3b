"""The smallest process that a supervisor can run: answers /readyz, keeps to its lifeline, and misbehaves if told to.

Run as `python -m tests.integration.supervisor.tiny`; it imports next to nothing, so that it starts at once.
"""

import asyncio
import json
import os
import signal
import sys
import time
from datetime import UTC, datetime

_NAME = os.environ["SERVICE_INSTANCE_ID"]


def main() -> None:
    _misbehave()
    asyncio.run(_run())


def _misbehave() -> None:
    if words := os.environ.get("TINY_LAST_WORDS"):
        print(words, file=sys.stderr, flush=True)
    if code := os.environ.get("TINY_EXIT_CODE"):
        raise SystemExit(int(code))
    if _once("TINY_FAIL_ONCE_IN"):
        raise RuntimeError("the first start goes wrong")


def _once(setting: str) -> bool:
    """True for the first process that asks, by a file that it makes."""
    try:
        os.close(os.open(os.environ[setting], os.O_CREAT | os.O_EXCL))
    except (KeyError, FileExistsError):
        return False
    return True


async def _run() -> None:
    loop, told_to_end = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, told_to_end.set)
    loop.add_reader(int(os.environ["LIFELINE_FD"]), told_to_end.set)  # nothing is ever written to it
    born = time.monotonic()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        ready = time.monotonic() - born >= float(os.environ.get("TINY_READY_AFTER_S", "0"))
        body = b"" if ready else b'{"ready": false, "checks": {"patience": "not yet", "running": "ok"}}'
        head = f"HTTP/1.1 {200 if ready else 503} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        writer.close()

    server = await asyncio.start_server(answer, os.environ["BIND_HOST"], int(os.environ["ADMIN_PORT"]))
    _say("serving")
    await told_to_end.wait()
    if "TINY_NEVER_ENDS" in os.environ:
        _say("not ending")
        await asyncio.Event().wait()
    _say("drained")
    server.close()


def _say(message: str) -> None:
    about = {"level": "INFO", "logger": "tiny", "trace_id": os.environ.get("TINY_TRACE_ID"), "message": message}
    line = {"timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"), **about, "pid": os.getpid()}
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
