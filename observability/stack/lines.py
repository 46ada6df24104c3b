"""YAML read with the line of everything in it, so that a complaint can say where.

PyYAML lets the last of two equal keys win and says nothing; here that is an error.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import yaml


class DuplicateError(ValueError):
    """A key is there twice; `line` is that of the second, counted from 1."""

    def __init__(self, key: str, line: int, first: int) -> None:
        super().__init__(f"{key}: the same name as in line {first}")
        self.line = line


class Document:
    """The content of a YAML text, and where its parts stand. Raises yaml.YAMLError, DuplicateError."""

    def __init__(self, text: str) -> None:
        self._root = yaml.compose(text, yaml.SafeLoader)
        for node in _nodes(self._root):
            _check_keys(node)
        self.content: Any = yaml.safe_load(text)

    def line(self, path: Sequence[str | int]) -> int:
        """The line, counted from 1, of the deepest part of `path` that is there; of a mapping's part, its key's.

        What is not there is passed over, as a validator's path has parts of its own (the kind of a union's member).
        """
        node, line = self._root, 1
        for part in path:
            found = next((each for each in _children(node) if each[0] == str(part)), None)
            if found is None:
                continue
            _, line, node = found
        return line


def _nodes(node: yaml.Node | None) -> Iterator[yaml.Node]:
    if node is not None:
        yield node
        for _, _, child in _children(node):
            yield from _nodes(child)


def _children(node: yaml.Node | None) -> Iterator[tuple[str, int, yaml.Node]]:
    """(key or index, line, node) of what is directly below."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield str(key.value), key.start_mark.line + 1, value
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield str(index), value.start_mark.line + 1, value


def _check_keys(node: yaml.Node) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, line, _ in _children(node):
            if key in seen:
                raise DuplicateError(key, line, seen[key])
            seen[key] = line
