"""What an OpenAPI document promises: its operations, and whether a value is of the shape it gives."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator

PROBLEM = "application/problem+json"


class Described(NamedTuple):
    """One content of one answer of one operation; `name` such as `get /api/v1/products 200`."""

    name: str
    status: str
    media_type: str
    content: Mapping[str, Any]


class Document:
    """An OpenAPI 3.1 document, whose schemas are JSON Schema 2020-12."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._content = content

    def operations(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """`get /api/v1/products` and what is said of it."""
        for path, methods in self._content["paths"].items():
            for method, operation in methods.items():
                yield f"{method} {path}", operation

    def described(self) -> Iterator[Described]:
        for name, operation in self.operations():
            for status, answer in operation["responses"].items():
                for media_type, content in answer.get("content", {}).items():
                    yield Described(f"{name} {status}", status, media_type, content)

    def faults(self, value: Any, schema: Mapping[str, Any]) -> list[str]:
        """What of `value` is not as `schema` has it."""
        whole = {**schema, "components": self._content["components"]}
        return [f"{each.json_path}: {each.message}" for each in Draft202012Validator(whole).iter_errors(value)]

    def undocumented(self, method: str, path: str, status: int, media_type: str, body: Any) -> list[str]:
        """What an answer of the API has that is not in the document; nothing for a path that is no operation's."""
        for name, operation in self.operations():
            if _matches(name, method, path):
                return list(self._of_operation(name, operation, str(status), media_type, body))
        return []

    def _of_operation(
        self, name: str, operation: Mapping[str, Any], status: str, media_type: str, body: Any
    ) -> Iterator[str]:
        answer = operation["responses"].get(status)
        content = (answer or {}).get("content", {})
        if answer is None or (body is not None and media_type not in content):
            yield f"{name} answers with {status} {media_type}"
        elif body is not None:
            yield from (f"{name} {status}: {each}" for each in self.faults(body, content[media_type]["schema"]))
            if media_type == PROBLEM and _slug(body) not in content[media_type]["examples"]:
                yield f"{name} answers with the problem {_slug(body)}"


def _matches(name: str, method: str, path: str) -> bool:
    its_method, _, template = name.partition(" ")
    pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
    return its_method == method.lower() and re.fullmatch(pattern, path.partition("?")[0]) is not None


def _slug(problem: Mapping[str, Any]) -> str:
    return str(problem["type"]).removeprefix("/problems/")
