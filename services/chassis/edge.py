"""A call edge: who calls whom, over what."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["rest", "grpc", "sql"]


@dataclass(frozen=True)
class Edge:
    """One arrow of the system's picture, such as `orders → payments` over `grpc`."""

    caller: str
    callee: str
    kind: Kind

    def __str__(self) -> str:
        return f"{self.caller}/{self.callee}"
