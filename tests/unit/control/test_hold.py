"""What is to end at its time, in a process of its own."""

import sys
from pathlib import Path

import pytest

from chaos.control import hold
from chaos.control.errors import HoldError
from tests.waiting import eventually

SOON_S = 0.1
LONG_S = 500.0


def touching(file: Path) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", f"open({str(file)!r}, 'w')"]


def exists(file: Path) -> None:
    """Raises AssertionError while it does not."""
    assert file.exists()


def is_gone(file: Path) -> None:
    """Raises AssertionError while it is there."""
    assert not file.exists()


def test_it_is_done_at_its_time_and_the_mark_is_gone(tmp_path: Path) -> None:
    mark, done = tmp_path / "held" / "one", tmp_path / "done"
    hold.begin(mark, SOON_S, touching(done))
    eventually(lambda: exists(done), within=60)
    eventually(lambda: is_gone(mark), within=60)


def test_who_began_later_is_whose_turn_it_is(tmp_path: Path) -> None:
    mark, first, second = tmp_path / "held" / "one", tmp_path / "first", tmp_path / "second"
    hold.begin(mark, LONG_S, touching(first))
    hold.begin(mark, SOON_S, touching(second))
    eventually(lambda: exists(second), within=60)
    assert not first.exists()


@pytest.mark.parametrize("interpreter", ["/nonexistent", "/bin/false"])
def test_who_cannot_be_begun_takes_nobodys_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interpreter: str
) -> None:
    mark, done = tmp_path / "held" / "one", tmp_path / "done"
    hold.begin(mark, LONG_S, touching(done))
    token = mark.read_text()
    other = touching(done)
    monkeypatch.setattr(sys, "executable", interpreter)
    with pytest.raises(HoldError, match=r"^nobody can be had who does `.*` after 0\.1 s: "):
        hold.begin(mark, SOON_S, other)
    assert [(each.name, each.read_text()) for each in mark.parent.iterdir()] == [("one", token)]
    hold.end(mark)


def test_once_begun_it_is_its_turn(tmp_path: Path) -> None:
    mark, done = tmp_path / "held" / "one", tmp_path / "done"
    hold.begin(mark, LONG_S, touching(done))
    assert mark.exists()
    hold.end(mark)
    assert list(mark.parent.iterdir()) == []


def test_what_was_ended_is_left_undone(tmp_path: Path) -> None:
    mark, done = tmp_path / "one", tmp_path / "done"
    mark.write_text("the token of a later one")
    assert hold.wait_and_do(mark, "the token of an earlier one", LONG_S, touching(done)) == 0
    mark.unlink()
    assert hold.wait_and_do(mark, "the token of a later one", LONG_S, touching(done)) == 0
    assert not done.exists()


def test_a_mark_that_cannot_be_written_or_taken_away_is_told(tmp_path: Path) -> None:
    in_the_way = tmp_path / "held"
    in_the_way.write_text("no folder")
    with pytest.raises(HoldError, match="held: File exists"):
        hold.begin(in_the_way / "one", LONG_S, touching(tmp_path / "done"))
    with pytest.raises(HoldError, match=r"what was to be done later goes on: .*one: Not a directory"):
        hold.end(in_the_way / "one")


def test_what_is_ended_twice_is_no_error(tmp_path: Path) -> None:
    hold.end(tmp_path / "none")
