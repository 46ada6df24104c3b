import asyncio

from services.chassis.admin import LoopLag


async def test_it_grows_while_the_loop_is_blocked_and_is_settled_when_it_answers() -> None:
    now = 10.0
    lag = LoopLag(asyncio.get_running_loop(), clock=lambda: now)
    assert lag.value() == 0.0
    watching = asyncio.create_task(lag.watch())
    await asyncio.sleep(0)  # now the watch has asked, and the loop, which is running this, not yet answered
    now = 12.5
    assert lag.value() == 2.5
    now = 13.0
    assert lag.value() == 3.0
    await asyncio.sleep(0)  # now it has
    now = 99.0
    assert lag.value() == 3.0
    watching.cancel()
