import importlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import click
import pytest
from click.types import FloatParamType

from deploy.cli import main, screen, status
from deploy.cli.commands import COMMANDS
from deploy.cli.common import Running
from deploy.errors import StartError, UsageError
from deploy.supervisor.client import SupervisorClient
from deploy.supervisor.request import Request, find_topology, parse, parse_replicas


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int | str | None, str, str]:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    return (caught.value.code, *capsys.readouterr())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_is_there_and_explains_itself(name: str) -> None:
    command = importlib.import_module(f"deploy.cli.{name}").command
    assert isinstance(command, click.Command)
    assert command.name == name
    assert command.help
    assert all(each.help for each in command.params if isinstance(each, click.Option))


def options(command: click.Command) -> Iterator[click.Parameter]:
    """Those of the command and of its subcommands."""
    yield from command.params
    for each in command.commands.values() if isinstance(command, click.Group) else ():
        yield from options(each)


@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_takes_what_is_no_number_for_one(name: str) -> None:
    for each in options(importlib.import_module(f"deploy.cli.{name}").command):
        if isinstance(each.type, FloatParamType):
            for text in ("nan", "inf", "-inf", "1e999"):
                with pytest.raises(click.BadParameter, match=r"not a finite number|not in the range"):
                    each.type(text, each)


def test_help_lists_the_commands_without_importing_them() -> None:
    asked = "import sys; from deploy.cli import main\ntry: main(['--help'])\nfinally: print(sorted(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout
    assert all(f"  {name} " in shown for name in COMMANDS)
    assert not [each for each in ("rich", "psutil", "starlette", "aiohttp", "opentelemetry") if f"'{each}'" in shown]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["foo"], os.EX_USAGE, "faultline: No such command 'foo'. See `faultline --help`."),
        (["up", "--nope"], os.EX_USAGE, "faultline: No such option '--nope'. See `faultline up --help`."),
        (["up", "--ready-deadline", "0"], os.EX_USAGE, "faultline: Invalid value for '--ready-deadline': 0.0 is not in the range x>0. See `faultline up --help`."),
        (["up", "--topology", "nope"], os.EX_USAGE, "faultline: topology 'nope': No module named 'nope'"),
        (["up", "--replicas", "users=2"], os.EX_USAGE, "faultline: replicas: there is no process 'users'; processes: payments, inventory, orders, gateway"),
        (["up", "--replicas", "orders"], os.EX_USAGE, "faultline: replicas: 'orders' is not NAME=NUMBER; processes: payments, inventory, orders, gateway"),
        (["up", "--replicas", "faultline-backend=2"], os.EX_USAGE, "faultline: replicas: there can be only one faultline-backend, as it keeps the traces in its own memory; processes: payments, inventory, orders, gateway"),
        (["load", "--shape", "wave"], os.EX_USAGE, "faultline: Invalid value for '--shape': 'wave' is not one of 'constant', 'ramp', 'spike'. See `faultline load --help`."),
        (["load", "--mix", "buy=1"], os.EX_USAGE, "faultline: --mix: 'buy=1' is not KIND=WEIGHT; kinds: browse, product, checkout_ok, checkout_declined, checkout_too_much, checkout_unknown, checkout. See `faultline load --help`."),
        (["verify"], os.EX_NOINPUT, "faultline: orders: there is no file {state}/data/orders.db (state folder {state})"),
        (["verify", "--database", "users=x"], os.EX_USAGE, "faultline: --database users=x: must be NAME=URL; names: orders, inventory, payments"),
        (["up", "--load", "0"], os.EX_USAGE, "faultline: --load: 0 is not within 0.01..100 requests per second"),
        (["up", "--load", "nan"], os.EX_USAGE, "faultline: Invalid value for '--load': 'nan' is not a finite number. See `faultline up --help`."),
        (["up", "--ready-deadline", "inf"], os.EX_USAGE, "faultline: Invalid value for '--ready-deadline': 'inf' is not a finite number. See `faultline up --help`."),
        (["load", "--rps", "nan"], os.EX_USAGE, "faultline: Invalid value for '--rps': 'nan' is not a finite number. See `faultline load --help`."),
        (["verify", "--max-pending", "nan"], os.EX_USAGE, "faultline: Invalid value for '--max-pending': 'nan' is not a finite number. See `faultline verify --help`."),
        (["verify", "--max-pending", "-1"], os.EX_USAGE, "faultline: Invalid value for '--max-pending': -1.0 is not in the range x>=0. See `faultline verify --help`."),
        (["verify", "--acknowledged", "/no/file"], os.EX_NOINPUT, "faultline: /no/file: No such file or directory (state folder {state})"),
        (["trace", "xyz"], os.EX_USAGE, "faultline: trace 'xyz': an id is up to 32 hexadecimal digits, as in the header X-Trace-Id"),
        (["trace", "abc", "--errors", "--fault", "any"], os.EX_USAGE, "faultline: trace: an ID is one trace already; leave out --errors --fault any"),
        (["trace", "--min-duration", "soon"], os.EX_USAGE, "faultline: Invalid value for '--min-duration': 'soon' is no time such as 60s, 500ms or 2m See `faultline trace --help`."),
        (["trace", "--min-duration", "-1s"], os.EX_USAGE, "faultline: Invalid value for '--min-duration': '-1s' is no time such as 60s, 500ms or 2m See `faultline trace --help`."),
        (["trace"], os.EX_UNAVAILABLE, "faultline: Faultline is not running (state folder {state}); start it with `faultline up`"),
        (["load"], os.EX_UNAVAILABLE, "faultline: Faultline is not running (state folder {state}); start it with `faultline up`"),
        (["logs"], os.EX_NOINPUT, "faultline: {state}/logs: no logs yet; start the system with `faultline up`"),
    ],
)  # fmt: skip
def test_an_error_is_one_line_and_a_code(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    state = tmp_path / "none"
    if arguments != ["foo"]:
        arguments = [arguments[0], "--state", str(state), *arguments[1:]]
    assert run(capsys, *arguments) == (code, "", said.format(state=state) + "\n")


def test_the_version_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    code, shown, _ = run(capsys, "--version")
    assert code == 0
    assert shown.startswith("faultline ")


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{shlex.quote(sys.executable)} -m deploy.cli --help | true; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert ended.stderr == ""


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, ""), (0.4, "0 s"), (59.4, "59 s"), (61, "1 min"), (3700, "1 h 1 min"), (90_000, "1 d 1 h")],
)
def test_a_span_of_time_is_short(seconds: float | None, said: str) -> None:
    assert screen.span_of_time(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(None, ""), (0.0, "0.0 ms"), (0.0015, "1.5 ms"), (0.25, "250 ms"), (3.21, "3.2 s")]
)
def test_a_duration_has_the_digits_that_matter(seconds: float | None, said: str) -> None:
    assert screen.duration(seconds) == said


def test_a_request_survives_a_command_line() -> None:
    request = Request(Path("/tmp/a state"), True, "a.b:C", {"inventory": 2, "orders": 3}, 12.5, load_rps=0.5)
    assert parse(request.arguments()) == request


@pytest.mark.parametrize("pair", ["inventory", "inventory=", "inventory=two", "inventory=-1"])
def test_replicas_of_another_form_are_refused(pair: str) -> None:
    with pytest.raises(UsageError, match=f"'{pair}' is not NAME=NUMBER"):
        parse_replicas([pair])


@pytest.mark.parametrize(
    "reference", ["", "deploy.topology", "deploy.topology:NOPE", "deploy.topology:EDGES", "no.such:X"]
)
def test_a_topology_that_is_none_is_refused(reference: str) -> None:
    with pytest.raises(UsageError, match="topology"):
        find_topology(reference)


def test_control_characters_are_shown_not_sent() -> None:
    assert screen.visible("a\x1b[2J\n\x07\x9b\u202e é") == r"a\x1b[2J\n\x07\x9b\u202e é"


def test_a_log_line_forges_no_other(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    record = {"message": "a\n12:00 b\x1b[2J", "url.path": "/\x9b\x07", "exception.stacktrace": "E: x\n12:00 c"}
    (tmp_path / "logs" / "a-1.jsonl").write_text(json.dumps(record) + "\n")
    _, shown, _ = run(capsys, "logs", "--state", str(tmp_path))
    first, *stack = shown.splitlines()
    assert first.endswith(r"a\n12:00 b\x1b[2J url.path=/\x9b\x07")
    assert stack == ["  E: x", "  12:00 c"]


def test_a_trace_that_nobody_logged_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    for instance in ("a-1", "a-2"):
        (tmp_path / "logs" / f"{instance}.jsonl").write_text(json.dumps({"message": "m", "trace_id": instance}) + "\n")
    code, _, said = run(capsys, "logs", "--state", str(tmp_path), "--trace", "a-3")
    assert (code, said) == (os.EX_NOINPUT, "faultline: no line of trace 'a-3' in the logs of a-1, a-2\n")


def test_why_a_process_is_not_ready_is_below_the_table(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    process = {"instance": "orders-1", "state": "waiting", "pid": 123456, "ports": {"HTTP_PORT": 8081}}
    about = {"memory_bytes": 2**26, "restarts": 2, "uptime_s": 5, "detail": "no answer " * 20, "memory_kind": "pss"}
    own = {**about, "status": "starting", "pid": 1}
    topology = {"control_url": "http://127.0.0.1:8900"}
    overview = {"processes": [{**process, **about, "event_loop_lag_s": 0.0015}], "supervisor": own}
    status.show(Running(cast(SupervisorClient, None), topology), overview)
    head, row, why, *_ = capsys.readouterr().out.splitlines()
    assert head.split() == ["process", "state", "pid", "ports", "memory", "lag", "restarts", "up"]
    assert row.split() == ["orders-1", "waiting", "123456", "8081", "64", "MiB", "1.5", "ms", "2", "5", "s"]
    assert why == f"orders-1: {'no answer ' * 20}"


def test_a_start_error_names_the_log_file() -> None:
    assert str(StartError("a-1", "it broke", Path("/s/logs/a-1.jsonl"))).endswith("; its log: /s/logs/a-1.jsonl")
