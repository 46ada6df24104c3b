"""Reads one page over HTTP, on this machine. Blocking, one connection for each."""

import http.client
import json
from typing import Final
from urllib.parse import urlsplit

from chaos.measure.errors import AwayError, RefusedError

TIMEOUT_S: Final = 5.0


def get_text(url: str, timeout_s: float = TIMEOUT_S) -> str:
    """The body of a 2xx answer. Raises AwayError, RefusedError."""
    return _exchange(url, timeout_s).decode("utf-8", "replace")


def _exchange(url: str, timeout_s: float) -> bytes:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=timeout_s)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}".rstrip("?"))
        answer = connection.getresponse()
        content = answer.read()
    except (OSError, http.client.HTTPException) as exc:
        raise AwayError(f"{url} does not answer: {type(exc).__name__} {exc}".rstrip()) from exc
    finally:
        connection.close()
    if answer.status >= 300:
        raise RefusedError(f"{url}: {answer.status} {_detail(content)}".rstrip(), answer.status)
    return content


def _detail(content: bytes) -> str:
    try:
        document = json.loads(content)
    except ValueError:
        return ""
    return str(document.get("detail", "")) if isinstance(document, dict) else ""
