import json
from pathlib import Path

import pytest

from deploy.supervisor import log_reader
from deploy.supervisor.log_reader import Follower
from deploy.supervisor.process_log import ProcessLog
from deploy.supervisor.state import StateFolder
from observability.redaction import Redactor

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    folder = StateFolder(tmp_path)
    folder.create()
    return folder


def write(state: StateFolder, instance: str, *lines: str) -> None:
    with state.log_file(instance).open("a") as stream:
        stream.writelines(f"{each}\n" for each in lines)


def line(second: int, message: str = "hello", trace_id: str | None = None) -> str:
    return json.dumps({"timestamp": f"2026-01-01T00:00:{second:02d}.000Z", "message": message, "trace_id": trace_id})


def messages(lines: list[log_reader.LogLine]) -> list[str]:
    return [each.record["message"] for each in lines]


def test_lines_of_several_processes_come_by_time(state: StateFolder) -> None:
    write(state, "a-1", line(1, "first"), line(3, "third"))
    write(state, "b-1", line(2, "second"))
    assert messages(log_reader.read(state, ["a-1", "b-1"])) == ["first", "second", "third"]
    assert messages(log_reader.read(state, ["a-1", "b-1"], tail=2)) == ["second", "third"]


def test_lines_of_a_trace_are_those_that_carry_it_not_those_that_speak_of_it(state: StateFolder) -> None:
    write(state, "a-1", line(1, "in it", TRACE), line(2, f"about {TRACE}"), line(3))
    assert messages(log_reader.read(state, ["a-1"], TRACE)) == ["in it"]


def test_what_is_not_json_is_a_message(state: StateFolder) -> None:
    write(state, "a-1", "Segmentation fault", "[1]", "{")
    assert messages(log_reader.read(state, ["a-1"])) == ["Segmentation fault", "[1]", "{"]


def test_a_follower_sees_whole_new_lines_also_after_the_file_was_emptied(state: StateFolder) -> None:
    write(state, "a-1", line(1, "old"))
    follower = Follower(state, ["a-1", "b-1"])
    assert follower.poll() == []
    with state.log_file("a-1").open("a") as stream:
        stream.write(line(2, "new"))
        stream.flush()
        assert follower.poll() == []
        stream.write("\n")
    write(state, "b-1", line(1, "born later"))
    assert messages(follower.poll()) == ["born later", "new"]
    state.log_file("a-1").write_text("")
    write(state, "a-1", line(3, "again"))
    assert messages(follower.poll()) == ["again"]


def test_a_log_is_bounded_and_its_older_part_is_still_read(state: StateFolder) -> None:
    log = ProcessLog(state.log_file("a-1"), "a", "a-1", Redactor(), max_bytes=1000)
    for number in range(200):
        log.add("test", "INFO", f"line {number}")
        log.bound()
    assert sum(each.stat().st_size for each in state.logs.iterdir()) < 2500
    assert messages(log_reader.read(state, ["a-1"]))[-1] == "line 199"
    assert len(log_reader.read(state, ["a-1"])) > 5


def test_what_a_process_says_on_standard_error_is_json_without_secrets(state: StateFolder) -> None:
    log = ProcessLog(state.log_file("a-1"), "a", "a-1", Redactor(["the-token"]))
    log.add("stderr", "WARNING", "flk_abcdef and the-token")
    written = json.loads(state.log_file("a-1").read_text())
    assert (written["service.name"], written["service.instance.id"], written["level"]) == ("a", "a-1", "WARNING")
    assert "flk_abcdef" not in written["message"]
    assert "the-token" not in written["message"]


def test_a_log_that_cannot_be_written_hurts_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    ProcessLog(tmp_path / "file" / "a.jsonl", "a", "a-1", Redactor()).add("test", "INFO", "hello")
    assert "a log line is lost" in caplog.text
