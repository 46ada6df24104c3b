"""A fake gateway that runs, and a plan for it."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.load.fake_gateway import FakeGateway, server


@pytest.fixture
async def gateway() -> AsyncIterator[FakeGateway]:
    fake = FakeGateway()
    running = server(fake)
    await running.start_server()
    fake.url = str(running.make_url("")).rstrip("/")
    yield fake
    await running.close()
