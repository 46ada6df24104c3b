"""Writes `docs/settings.md` from the settings classes: `python -m tests.architecture.settings_doc` (`make docs`).

It lives with the tests because only they may look inside a service, and because a test compares what is written.
"""

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "settings.md"
PROCESSES = {
    "gateway": "services.gateway.settings",
    "orders": "services.orders.settings",
    "inventory": "services.inventory.settings",
    "payments": "services.payments.settings",
    "faultline-backend": "observability.embedded.settings",
    "prometheus, alertmanager, jaeger, grafana": "deploy.programs.settings",
    "faultline-alerts": "observability.alerting.settings",
    "load": "chaos.load.settings",
    "supervisor": "deploy.supervisor.settings",
    "first-start": "deploy.compose.settings",
}
"""Process → the module that declares its settings."""

INTRODUCTION = """\
# Settings

Made by `make docs` from the classes that declare them; a test fails when it is out of date.

Every process reads its settings from the environment, once, when it starts. One that is wrong or absent ends the
process with exit code 78 and names every wrong key; a taken port ends it with 69. A service also reads the folder that
`SECRETS_DIR` names: a file `control_token` there is `CONTROL_TOKEN`, unless the environment has that too. Which process listens on which port
under `faultline up`, and which addresses it is given, is data in `deploy/topology.py`. The command itself reads
`FAULTLINE_STATE_DIR`, the folder for all that a running system writes (default `.faultline` in the checkout).
"""
BOUNDS = {Ge: "≥ {0.ge}", Gt: "> {0.gt}", Le: "≤ {0.le}", Lt: "< {0.lt}"}
LENGTHS = {MinLen: "≥ {0.min_length} long", MaxLen: "≤ {0.max_length} long"}


def settings_class(process: str) -> type[BaseSettings]:
    """The one settings class that the process's module declares."""
    module = importlib.import_module(PROCESSES[process])
    declared = [
        each
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, BaseSettings) and each.__module__ == module.__name__
    ]
    (only,) = declared
    return only


def render() -> str:
    """The whole document."""
    return "\n".join([INTRODUCTION, *(_section(process) for process in PROCESSES)])


def _section(process: str) -> str:
    rows = [_row(name, field) for name, field in settings_class(process).model_fields.items()]
    header = ["| setting | type | default | |", "| --- | --- | --- | --- |"]
    return "\n".join([f"## {process}", "", *header, *rows, ""])


def _row(name: str, field: FieldInfo) -> str:
    return f"| `{name.upper()}` | {_type(field)} | {_default(field)} | {_cell(field.description or '')} |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None or value in ("", []):
        return "empty"
    shown = ",".join(value) if isinstance(value, list | tuple) else value
    return f"`{shown}`"


def _type(field: FieldInfo) -> str:
    limits = ", ".join(_limits(field.metadata))
    name = _name(field.annotation)
    return _cell(f"{name}, {limits}" if limits else name)


def _name(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        return " or ".join(_name(each) for each in get_args(annotation) if each is not type(None))
    if origin is Annotated:
        return _name(get_args(annotation)[0])
    if origin is dict:
        return "JSON object"
    if origin is list:
        return "list, by commas"
    known = {
        str: "text",
        int: "whole number",
        float: "number",
        bool: "true or false",
        SecretStr: "secret",
        Path: "path",
    }
    return known.get(annotation, str(getattr(annotation, "__name__", annotation)))


def _limits(metadata: list[Any]) -> Iterator[str]:
    for each in metadata:
        if text := BOUNDS.get(type(each)) or LENGTHS.get(type(each)):
            yield text.format(each)
        elif pattern := getattr(each, "pattern", None):
            yield f"`{pattern}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(render(), "utf-8")
