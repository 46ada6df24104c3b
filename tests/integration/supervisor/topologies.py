"""Small systems to supervise, found by the supervisor under `tests.integration.supervisor.topologies:NAME`."""

import os

from deploy.topology import ADMIN_PORT, Edge, Listener, Page, Process, Targets, Topology

MODULE = "tests.integration.supervisor.tiny"


def tiny(name: str, port: int = 29_990, **settings: str) -> Process:
    """A process with nothing but its admin listener; `settings` say how it misbehaves."""
    return Process(name, MODULE, (Listener(ADMIN_PORT, port),), settings=settings)


def reference(name: str) -> str:
    """How the supervisor is told of a topology in this file."""
    return f"{__name__}:{name}"


PAIR = Topology(
    (
        tiny("back"),
        Process(
            "front",
            MODULE,
            (Listener(ADMIN_PORT, 29_991), Listener("HTTP_PORT", 29_992), Listener("CONTROL_PORT", 29_993)),
            (Targets("BACK_TARGETS", "back", ADMIN_PORT, "http://"),),
            database=True,
            api_keys=True,
            settings={"TINY_TRACE_ID": "4bf92f3577b34da6a3ce929d0e0e4736"},
        ),
    ),
    edges=(Edge("front", "back", "rest"),),
    pages=(
        Page("gateway_url", "Gateway", "front", "HTTP_PORT"),
        Page("query_url", "Traces", "back", ADMIN_PORT),
    ),
)

STUBBORN = Topology((tiny("stubborn", TINY_NEVER_ENDS="1"),))
WRONG_SETTINGS = Topology(
    (tiny("good"), tiny("wrong", TINY_EXIT_CODE="78", TINY_LAST_WORDS="wrong settings:\n  HTTP_PORT: too big"))
)
LOST_PORT = Topology((tiny("lost", TINY_EXIT_CODE="69", TINY_LAST_WORDS="port 1 is taken"),))
FIXED = Topology(
    (tiny("fixed", port=int(os.environ.get("TINY_FIXED_PORT", "29994"))),),
    control_port=int(os.environ.get("TINY_CONTROL_PORT", "29995")),
)
CRASHING = Topology((tiny("crashing", TINY_EXIT_CODE="3", TINY_LAST_WORDS="it broke"),))
HEALING = Topology((tiny("healing", TINY_FAIL_ONCE_IN=os.environ.get("TINY_FAIL_ONCE_IN", "/dev/null")),))
NEVER_READY = Topology((tiny("slow", TINY_READY_AFTER_S="3600"), tiny("good")))
