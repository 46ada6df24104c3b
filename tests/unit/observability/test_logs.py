import io
import logging
import re

import pytest

from tests.unit.observability.harness import CONFIG, lines, started

LOG = logging.getLogger("faultline.test")


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("flk_inside")


class BrokenStream(io.StringIO):
    def write(self, _text: str, /) -> int:
        raise BrokenPipeError


def fail(error: Exception) -> None:
    raise error


def test_a_line_says_when_who_and_in_which_trace() -> None:
    stream = io.StringIO()
    with started(log_stream=stream) as telemetry, telemetry.tracer.start_as_current_span("request") as span:
        LOG.warning("%s is late", "payments", extra={"peer": "payments", "attempt": 2})
    (line,) = lines(stream)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("timestamp"))
    assert line == {
        "level": "WARNING",
        "logger": "faultline.test",
        "message": "payments is late",
        "service.name": "orders",
        "service.version": "1.2.3",
        "service.instance.id": "orders-1",
        "trace_id": format(span.get_span_context().trace_id, "032x"),
        "span_id": format(span.get_span_context().span_id, "016x"),
        "peer": "payments",
        "attempt": 2,
    }


def test_outside_a_trace_the_ids_are_null_and_may_be_given() -> None:
    stream = io.StringIO()
    with started(log_stream=stream):
        LOG.info("alone")
        LOG.info("about another", extra={"trace_id": "t", "service.name": "somebody else"})
    alone, about = lines(stream)
    assert (alone["trace_id"], alone["span_id"]) == (None, None)
    assert (about["trace_id"], about["service.name"]) == ("t", "orders")


def test_no_secret_is_written_wherever_it_hides() -> None:
    stream = io.StringIO()
    config = type(CONFIG)("orders", "1", "orders-1", None, secrets=frozenset({"c0ntr0l"}))
    with started(config, log_stream=stream):
        LOG.info("key %s", "flk_one", extra={"authorization": "hunter2", "headers": {"X-API-Key": "hunter2"}})
        LOG.info({"text": "c0ntr0l", "token": "hunter2"})
        LOG.info("odd", extra={"error": ValueError("flk_two"), "flk_three": 1})
        try:
            fail(ValueError("flk_four"))
        except ValueError:
            LOG.exception("failed with Authorization: Bearer hunter2", stack_info=True)
    assert len(lines(stream)) == 4
    assert not re.search(r"flk_|hunter2|c0ntr0l", stream.getvalue())


def test_an_exception_has_opentelemetrys_names() -> None:
    stream = io.StringIO()
    with started(log_stream=stream):
        try:
            fail(LookupError("no such order"))
        except LookupError:
            LOG.exception("failed")
    (line,) = lines(stream)
    assert line["exception.type"] == "builtins.LookupError"
    assert line["exception.message"] == "no such order"
    assert line["exception.stacktrace"].startswith("Traceback")


@pytest.mark.parametrize(
    ("message", "arguments", "extra"),
    [("%d of it", ("flk_argument",), {}), ("odd", (), {"what": Unprintable()})],
)
def test_a_record_that_cannot_be_written_says_so_without_its_arguments(
    message: str,
    arguments: tuple[str, ...],
    extra: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # pytest's own turn such a record into a failure
    stream = io.StringIO()
    with started(log_stream=stream):
        LOG.error(message, *arguments, extra=extra)
    (line,) = lines(stream)
    assert line["message"].startswith("log record could not be written")
    assert message in line["message"]
    assert "flk_" not in stream.getvalue()
    assert capsys.readouterr().err == ""


def test_a_broken_stream_harms_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    with started(log_stream=BrokenStream()):
        LOG.error("into the void")
    assert capsys.readouterr().err == ""


def test_one_line_a_record_whatever_is_in_it() -> None:
    stream = io.StringIO()
    with started(log_stream=stream):
        LOG.info("two\nlines \N{LINE SEPARATOR} and a \ud800 surrogate", extra={"nan": float("nan")})
    (line,) = lines(stream)
    assert line["nan"] == "nan"


def test_the_level_is_kept_and_given_back() -> None:
    before = logging.getLogger().level
    stream = io.StringIO()
    with started(type(CONFIG)("orders", "1", "orders-1", None, log_level="ERROR"), log_stream=stream):
        LOG.warning("not this")
        LOG.error("this")
    LOG.error("after the end")
    assert [line["message"] for line in lines(stream)] == ["this"]
    assert logging.getLogger().level == before


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="LOUD"), started(type(CONFIG)("orders", "1", "o-1", None, log_level="LOUD")):
        pass
