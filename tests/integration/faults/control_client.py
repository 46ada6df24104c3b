"""A client of one control listener, which may bear the token or not."""

from typing import Any

import aiohttp

from tests.integration.chassis.processes import TOKEN


class ControlClient:
    """Asks the control listener at `url`."""

    def __init__(self, url: str, token: str = TOKEN) -> None:
        self._url, self._headers = url, {"Authorization": f"Bearer {token}"} if token else {}

    async def ask(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        """Status and document, None without one."""
        async with (
            aiohttp.ClientSession(headers=self._headers) as session,
            session.request(method, self._url + path, **options) as answer,
        ):
            body = await answer.read()
            return answer.status, await answer.json(content_type=None) if body else None

    async def add(self, kind: str, ttl_s: float = 60.0, **members: Any) -> str:
        """The id of a fault that was set."""
        status, document = await self.ask("POST", "/faults", json={"kind": kind, "ttl_s": ttl_s, **members})
        assert status == 201, document
        return str(document["id"])

    async def in_force(self) -> list[str]:
        """The ids of the faults in force."""
        status, document = await self.ask("GET", "/faults")
        assert status == 200, document
        return [each["id"] for each in document["faults"]]
