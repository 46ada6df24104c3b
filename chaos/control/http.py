"""One exchange with a control API: blocking, bounded, its failures translated."""

import http.client
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from chaos.control.errors import AwayError, RefusedError

_TIMEOUT_S: Final = 5.0

Document = dict[str, Any]


class ControlApi:
    """The control API at `address`; `where` names it in errors."""

    def __init__(self, where: str, address: str, token: str, timeout_s: float = _TIMEOUT_S) -> None:
        self.where, self._address, self._token, self._timeout_s = where, address, token, timeout_s

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Document:
        """The answer's document, empty for an answer without one. Raises AwayError, RefusedError."""
        status, content = self._exchange(method, path, None if body is None else json.dumps(body))
        try:
            document = json.loads(content) if content else {}
        except ValueError as exc:
            raise AwayError(self.where, self._address, f"status {status}, no JSON") from exc
        if status >= 400:
            raise RefusedError(self.where, status, document)
        return dict(document)

    def _exchange(self, method: str, path: str, body: str | None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(urlsplit(self._address).netloc, timeout=self._timeout_s)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as exc:
            raise AwayError(self.where, self._address, str(exc) or type(exc).__name__) from exc
        finally:
            connection.close()
