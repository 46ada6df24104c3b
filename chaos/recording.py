"""Keeps what the load's checkouts were told, so that it can be proven later that it is still true."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Self

from chaos.invariants.acknowledged import Acknowledged, status_of_answer
from chaos.load.generator import Result


class Recorder:
    """A file of acknowledged orders, a line each, that grows; for `run_load`'s `on_result`.

    What the file has already stays: it holds what one system's clients were told, run after run. A line is written as
    soon as the answer is there, so that what was recorded survives whatever ends the load. `users[n]` is the id of the
    plan's user n. Raises OSError when the file cannot be written.
    """

    def __init__(self, file: Path, users: Sequence[str]) -> None:
        self._users = users
        self._stream = file.open("a", buffering=1, encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def __call__(self, result: Result) -> None:
        if told := acknowledged(result, self._users):
            self._stream.write(json.dumps(asdict(told)) + "\n")


def acknowledged(result: Result, users: Sequence[str]) -> Acknowledged | None:
    """What the answer said of an order; None where it named none, or there was no answer."""
    arrival, answer = result.arrival, result.answer
    if answer.order_id is None:
        return None
    status = status_of_answer(answer.outcome.status, answer.outcome.slug)
    return Acknowledged(answer.order_id, users[arrival.user], arrival.idempotency_key, status)
