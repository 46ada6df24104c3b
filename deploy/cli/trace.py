"""`faultline trace`: one trace, as a waterfall in the terminal, as Jaeger's JSON, or as a page."""

import http.client
import json
import re
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import click

from deploy.cli.common import running, system_option
from deploy.errors import DeployError, NotFoundError, StateError, UsageError
from deploy.supervisor.state import StateFolder

CHECKOUT_OPERATION: Final = "POST /api/v1/orders"
_TRACE_ID: Final = re.compile(r"[0-9a-f]{1,32}")
_TIMEOUT_S: Final = 10.0

JaegerTrace = dict[str, Any]
"""One element of `data` in Jaeger's answer."""


class BackendAwayError(DeployError):
    """The trace backend does not answer, or not as Jaeger does."""

    exit_code = 69


@click.command("trace")
@click.argument("trace_id", metavar="[ID]", required=False)
@click.option("--json", "as_json", is_flag=True, help="As Jaeger's query API answers it.")
@click.option("--html", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write it as a page.")
@click.option("--all", "everything", is_flag=True, help="With every SQL statement.")
@system_option
def command(state: StateFolder, trace_id: str | None, as_json: bool, html: Path | None, everything: bool) -> None:
    """Show the trace ID, or the newest checkout's, as a waterfall."""
    wanted = _valid(trace_id) if trace_id else None
    query_url = running(state).topology["query_url"]
    trace = by_id(query_url, wanted) if wanted else newest_checkout(query_url)
    if html:
        _write_page(trace, html)
    elif as_json:
        click.echo(json.dumps({"data": [trace]}, indent=2))
    else:
        _show(trace, query_url, everything=everything)


def by_id(query_url: str, trace_id: str) -> JaegerTrace:
    """Raises NotFoundError, BackendAwayError."""
    found = _ask(query_url, f"/api/traces/{trace_id}")
    if not found:
        raise NotFoundError(f"there is no trace {trace_id}; the backend keeps only the newest, see {query_url}")
    return found[0]


def newest_checkout(query_url: str) -> JaegerTrace:
    """Raises NotFoundError when there was none yet, BackendAwayError."""
    query = urlencode({"service": "gateway", "operation": CHECKOUT_OPERATION, "limit": 20})
    found = _ask(query_url, f"/api/traces?{query}")
    if not found:
        raise NotFoundError("there is no trace of a checkout yet; send some with `faultline load --duration 5`")
    return max(found, key=_started)


def _started(trace: JaegerTrace) -> int:
    return min((int(span["startTime"]) for span in trace["spans"]), default=0)


def _valid(trace_id: str) -> str:
    lowered = trace_id.strip().lower()
    if not _TRACE_ID.fullmatch(lowered):
        raise UsageError(f"trace {trace_id!r}: an id is up to 32 hexadecimal digits, as in the header X-Trace-Id")
    return lowered


def _ask(query_url: str, path: str) -> list[JaegerTrace]:
    """`data` of the answer; empty for 404."""
    connection = http.client.HTTPConnection(urlsplit(query_url).netloc, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status == 404:
            return []
        return list(json.loads(body)["data"] or [])
    except (OSError, http.client.HTTPException) as exc:
        raise BackendAwayError(
            f"the trace backend at {query_url} does not answer: {exc}; see `faultline status`"
        ) from exc
    except (ValueError, KeyError, TypeError) as exc:
        raise BackendAwayError(f"{query_url} does not answer like Jaeger ({answer.status})") from exc
    finally:
        connection.close()


def _write_page(trace: JaegerTrace, file: Path) -> None:
    from observability.embedded.page import render_self_contained  # noqa: PLC0415 -- for this option alone

    page = render_self_contained(trace)
    try:
        file.write_text(page, encoding="utf-8")
    except OSError as exc:
        raise StateError(f"{file}: {exc.strerror}") from exc
    click.echo(file.resolve())


def _show(trace: JaegerTrace, query_url: str, *, everything: bool) -> None:
    from deploy.cli.screen import console  # noqa: PLC0415 -- not needed for JSON and pages
    from deploy.cli.waterfall_view import lines  # noqa: PLC0415
    from observability.embedded.waterfall import build  # noqa: PLC0415

    screen = console()
    for line in lines(build(trace), screen.width, everything=everything):
        screen.print(line, no_wrap=True, overflow="crop", crop=True)
    screen.print(f"\n{query_url}/trace/{trace['traceID']}", style="cyan", soft_wrap=True)
