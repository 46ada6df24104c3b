import asyncio
import logging

import pytest

from services.chassis.component import Lifecycle


class Toy:
    """A component that notes what is done to it, and misbehaves if told to."""

    def __init__(self, name: str, notes: list[str], *, fails_at: str = "", hangs_at: str = "") -> None:
        self.name, self._notes, self._fails_at, self._hangs_at = name, notes, fails_at, hangs_at

    async def start(self) -> None:
        await self._do("start")

    async def drain(self) -> None:
        await self._do("drain")

    async def stop(self) -> None:
        await self._do("stop")

    async def _do(self, what: str) -> None:
        self._notes.append(f"{what} {self.name}")
        if what == self._fails_at:
            raise RuntimeError(f"{self.name} fails")
        if what == self._hangs_at:
            await asyncio.Event().wait()


async def test_started_in_order_drained_and_stopped_in_reverse() -> None:
    notes: list[str] = []
    lifecycle = Lifecycle([Toy("a", notes), Toy("b", notes)], drain_timeout=60)
    running = [lifecycle.running]
    await lifecycle.start()
    running.append(lifecycle.running)
    await lifecycle.end()
    running.append(lifecycle.running)
    assert running == [False, True, False]
    assert notes == ["start a", "start b", "drain b", "drain a", "stop b", "stop a"]


async def test_a_failed_start_ends_what_was_started_and_no_more() -> None:
    notes: list[str] = []
    lifecycle = Lifecycle([Toy("a", notes), Toy("b", notes, fails_at="start"), Toy("c", notes)], drain_timeout=60)
    with pytest.raises(RuntimeError, match="b fails"):
        await lifecycle.start()
    assert not lifecycle.running
    await lifecycle.end()
    assert notes == ["start a", "start b", "drain a", "stop b", "stop a"]


async def test_a_drain_that_takes_too_long_is_cut_off_and_said(caplog: pytest.LogCaptureFixture) -> None:
    notes: list[str] = []
    lifecycle = Lifecycle([Toy("a", notes), Toy("b", notes, hangs_at="drain")], drain_timeout=0.02)
    await lifecycle.start()
    await lifecycle.end()
    assert notes[2:] == ["drain b", "stop b", "stop a"]
    assert "drain cut off after 0.0 s" in caplog.text


@pytest.mark.parametrize("step", ["drain", "stop"])
async def test_one_that_fails_to_end_keeps_no_other_from_ending(caplog: pytest.LogCaptureFixture, step: str) -> None:
    notes: list[str] = []
    lifecycle = Lifecycle([Toy("a", notes), Toy("b", notes, fails_at=step)], drain_timeout=60)
    await lifecycle.start()
    await lifecycle.end()
    assert notes[2:] == ["drain b", "drain a", "stop b", "stop a"]
    record = next(each for each in caplog.records if each.levelno == logging.ERROR)
    assert record.exc_info
    assert vars(record)["component"] == "b"


async def test_one_that_never_stops_keeps_no_other_from_stopping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.chassis.component._STOP_TIMEOUT", 0.02)
    notes: list[str] = []
    lifecycle = Lifecycle([Toy("a", notes), Toy("b", notes, hangs_at="stop")], drain_timeout=60)
    await lifecycle.start()
    await lifecycle.end()
    assert notes[-1] == "stop a"
