"""Spans outlive the process, within a bound, whatever became of the file's end."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from observability.embedded.traces_file import TracesFile, TracesFileError
from tests.unit.embedded.running import FREE_PORTS, Backend, running, send, spawn
from tests.unit.embedded.spans import Made

MAX = 10_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "traces.bin"


def written(path: Path, *requests: bytes, max_bytes: int = MAX) -> None:
    file = TracesFile(path, max_bytes)
    assert [*file.replay()] == []
    for each in requests:
        file.append(each)
    assert (file.lost, file.size_bytes <= max_bytes) == (0, True)
    file.close()


def read(path: Path, max_bytes: int = MAX) -> tuple[list[bytes], int]:
    """The requests, and how many bytes were cut."""
    file = TracesFile(path, max_bytes)
    found = [*file.replay()]
    file.close()
    return found, file.cut_bytes


def test_what_was_written_is_read_in_order_and_again(path: Path) -> None:
    written(path, b"one", b"", b"three" * 100)
    assert read(path) == read(path) == ([b"one", b"", b"three" * 100], 0)
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_goes_on_where_it_ended(path: Path) -> None:
    written(path, b"one")
    file = TracesFile(path, MAX)
    assert [*file.replay()] == [b"one"]
    file.append(b"two")
    file.close()
    assert read(path)[0] == [b"one", b"two"]


def test_the_newest_are_kept_within_the_bound(path: Path) -> None:
    requests = [bytes([number]) * 1_000 for number in range(40)]
    written(path, *requests)
    found, _ = read(path)
    assert found == requests[-len(found) :]
    assert 4 <= len(found) <= 9


def test_what_does_not_fit_is_lost_and_counted_and_the_rest_is_kept(path: Path) -> None:
    file = TracesFile(path, MAX)
    [*file.replay()]
    for each in (b"one", bytes(MAX), b"two"):
        file.append(each)
    file.close()
    assert file.lost == 1
    assert read(path)[0] == [b"one", b"two"]


def test_a_full_disk_costs_what_is_sent_meanwhile_and_nothing_else(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = TracesFile(path, MAX)
    [*file.replay()]
    file.append(b"one")
    whole = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: whole(fd, data[:5]))
    file.append(b"lost")
    monkeypatch.undo()
    file.append(b"two")
    file.close()
    assert file.lost == 1
    assert read(path) == ([b"one", b"two"], 0)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_torn_or_damaged_end_is_cut_and_counted(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "torn.bin"
    path.unlink(missing_ok=True)
    requests = [b"one" * 5, b"two" * 9, b"three" * 3]
    written(path, *requests)
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    if at >= 19 and data.draw(st.booleans()):
        content[at] ^= 0x5A
    else:
        del content[at:]
    path.write_bytes(content)
    found, cut = read(path)
    assert found == requests[: len(found)]
    assert len(found) < 3
    assert cut == len(content) - path.stat().st_size or not found
    assert read(path) == (found, 0)


def test_a_file_of_somebody_else_is_left_alone(path: Path) -> None:
    path.write_text("my diary")
    with pytest.raises(TracesFileError, match="is no file of traces"):
        TracesFile(path, MAX)
    assert path.read_text() == "my diary"


def test_two_processes_do_not_share_one(path: Path) -> None:
    first = TracesFile(path, MAX)
    with pytest.raises(TracesFileError, match="another process"):
        TracesFile(path, MAX)
    first.close()
    TracesFile(path, MAX).close()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TracesFileError, match=r"none/traces\.bin: No such file"):
        TracesFile(tmp_path / "none" / "traces.bin", MAX)


@pytest.fixture
def kept(path: Path) -> Iterator[Backend]:
    with running({"TRACES_FILE": str(path)}) as started:
        yield started


def test_a_killed_backend_has_its_traces_again(kept: Backend, path: Path) -> None:
    send(kept, Made(trace=1, name="first"), Made(trace=2, span_id=b""))
    send(kept, Made(trace=3, name="third"))
    kept.process.send_signal(signal.SIGKILL)
    kept.process.wait(10)
    with path.open("ab") as stream:
        stream.write(b"\0\0\1\0torn")
    with running({"TRACES_FILE": str(path)}) as again:
        assert [again.get(f"/api/traces/{number}").status for number in (1, 2, 3)] == [200, 404, 200]
        assert (again.metric("faultline_backend_restored_spans_total"), again.counted("taken")) == (2, 0)
        assert again.metric("faultline_backend_file_cut_bytes_total") == 8
        assert again.metric("faultline_backend_file_bytes") == path.stat().st_size


def test_a_file_that_cannot_be_used_ends_the_start_with_one_line(tmp_path: Path) -> None:
    file = tmp_path / "diary"
    file.write_text("mine")
    process = spawn({**FREE_PORTS, "TRACES_FILE": str(file)})
    _, stderr = process.communicate(timeout=20)
    assert (process.returncode, str(file) in stderr) == (78, True)
    assert "Traceback" not in stderr
