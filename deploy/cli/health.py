"""Asks the processes how late their event loops are: each one's own answer, all at the same time."""

import http.client
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from deploy.topology import ADMIN_PORT

_PATIENCE_S: Final = 1.0


def event_loop_lags(processes: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """Instance → seconds by which its event loop is late; None for one that does not say.

    `processes` as in topology.json. Takes a second at most, however many do not answer.
    """
    with ThreadPoolExecutor(max_workers=max(1, len(processes))) as pool:
        lags = pool.map(lambda each: _lag(each["host"], each["listeners"].get(ADMIN_PORT)), processes)
        return dict(zip((each["instance"] for each in processes), lags, strict=True))


def _lag(host: str, port: int | None) -> float | None:
    if port is None:  # no process of ours, without such a loop
        return None
    connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE_S)
    try:
        connection.request("GET", "/healthz")
        return float(json.loads(connection.getresponse().read())["event_loop_lag_s"])
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return None  # it is down, paused, or of another kind: there is nothing to show
    finally:
        connection.close()
