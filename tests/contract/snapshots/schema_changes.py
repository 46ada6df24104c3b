"""Compares two JSON Schemas (2020-12, as OpenAPI 3.1 uses it) for those who write and those who read such values.

Who writes is broken by what is allowed no longer, who reads by what was impossible before: the same change is
harmless on the one side and breaking on the other. A keyword that is not known here counts as breaking when it
changes, so that nothing passes for not having been looked at.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from tests.contract.snapshots.change import Change
from tests.contract.snapshots.limits import BROKEN, EXACT, LOWER, UPPER, Schema, Side, limit_changes

_ANNOTATIONS: Final = {"title", "description", "examples", "example", "deprecated", "$comment"}
_STRUCTURE: Final = {"type", "properties", "required", "items", "additionalProperties", "enum", "const", "default"}
_KNOWN: Final = _ANNOTATIONS | _STRUCTURE | set(LOWER) | set(UPPER) | set(EXACT)
_NO_MEMBERS: Final[Mapping[str, Any]] = {}


class SchemaComparison:
    """Compares schemas of two documents, whose `$ref`s lead into each its own."""

    def __init__(self, old_document: Mapping[str, Any], new_document: Mapping[str, Any]) -> None:
        self._old, self._new = old_document, new_document
        self._under_way: set[tuple[str, str, Side]] = set()

    def compare(self, old: Schema, new: Schema, side: Side, place: str) -> Iterator[Change]:
        """Every breaking change from `old` to `new`. A schema that contains itself is compared once."""
        pair = (str(old), str(new), side)
        if pair in self._under_way:
            return
        self._under_way.add(pair)
        before, after = _alternatives(self._old, old), _alternatives(self._new, new)
        yield from _kinds(before, after, side, place)
        for kind in before.keys() & after.keys():
            yield from self._alike(before[kind], after[kind], side, place)
        self._under_way.remove(pair)

    def _alike(self, old: Schema, new: Schema, side: Side, place: str) -> Iterator[Change]:
        """Two schemas of the same kind."""
        for rule in (limit_changes, _values, _default, _unknown_keywords):
            for what, breaks in rule(old, new, side):
                yield Change(place, what, breaks)
        yield from self._properties(old, new, side, place)
        yield from self._further_members(old, new, side, place)
        if "items" in old or "items" in new:
            yield from self.compare(old.get("items", {}), new.get("items", {}), side, f"{place}[]")

    def _properties(self, old: Schema, new: Schema, side: Side, place: str) -> Iterator[Change]:
        before, after = old.get("properties", _NO_MEMBERS), new.get("properties", _NO_MEMBERS)
        for name in before.keys() - after.keys():
            yield Change(f"{place}.{name}", "the field is gone", _FIELD_GONE[side])
        for name in before.keys() & after.keys():
            yield from self.compare(before[name], after[name], side, f"{place}.{name}")
        was, now = set(old.get("required", ())), set(new.get("required", ()))
        changed = now - was if side is Side.REQUEST else (was - now) & after.keys()
        for name in changed:
            yield Change(f"{place}.{name}", *_REQUIRED[side])

    def _further_members(self, old: Schema, new: Schema, side: Side, place: str) -> Iterator[Change]:
        before, after = old.get("additionalProperties", True), new.get("additionalProperties", True)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from self.compare(before, after, side, f"{place}.*")
        elif before != after and (side is Side.REQUEST) == (before is True or after is False):
            yield Change(place, f"additionalProperties {before} became {after}", BROKEN[side])


_FIELD_GONE: Final[Mapping[Side, str]] = {
    Side.REQUEST: "clients that send it",
    Side.ANSWER: "clients that read it",
}
_REQUIRED: Final[Mapping[Side, tuple[str, str]]] = {
    Side.REQUEST: ("the field is required now", "clients that do not send it"),
    Side.ANSWER: ("the field may be absent now", "clients that rely on it"),
}


def _kinds(before: Iterable[str], after: Iterable[str], side: Side, place: str) -> Iterator[Change]:
    """Types that are allowed no longer, or are new."""
    was, now = set(before), set(after)
    for kind in was - now if side is Side.REQUEST else now - was:
        what = f"{kind} is allowed no longer" if side is Side.REQUEST else f"may be {kind} now"
        yield Change(place, f"{what} (was {_listed(was)}, is {_listed(now)})", _KIND_BREAKS[side])


_KIND_BREAKS: Final[Mapping[Side, str]] = {
    Side.REQUEST: "clients that send it",
    Side.ANSWER: "clients that expect only what there was",
}


def _alternatives(document: Mapping[str, Any], schema: Schema) -> dict[str, Schema]:
    """Kind → schema: each type that the value may have; several of one type are told apart by their titles."""
    found = list(_typed(document, schema))
    count = Counter(kind for kind, _ in found)
    return {f"{kind} {each.get('title', '')}" if count[kind] > 1 else kind: each for kind, each in found}


def _typed(document: Mapping[str, Any], schema: Schema) -> Iterator[tuple[str, Schema]]:
    schema = resolved(document, schema)
    if options := schema.get("anyOf") or schema.get("oneOf"):
        for option in options:
            yield from _typed(document, option)
    else:
        types = schema.get("type", "anything")
        yield from ((each, schema) for each in ([types] if isinstance(types, str) else types))


def resolved(document: Mapping[str, Any], schema: Schema) -> Schema:
    """`schema`, or what its `$ref` leads to in `document`."""
    while "$ref" in schema:
        found: Any = document
        for step in str(schema["$ref"]).removeprefix("#/").split("/"):
            found = found[step]
        schema = found
    return schema


def _values(old: Schema, new: Schema, side: Side) -> Iterator[tuple[str, str]]:
    """Values of an enumeration: one that is gone breaks both sides, a new one those who know only the others."""
    was, now = _allowed(old), _allowed(new)
    for value in (was or set()) - (now or was or set()):
        yield f"the value {value} is gone", f"clients that {'send' if side is Side.REQUEST else 'wait for'} it"
    if side is Side.ANSWER and was is not None:
        for value in (now or {"any"}) - was:
            yield f"the value {value} is new", "clients that know only the others"
    elif side is Side.REQUEST and was is None and now is not None:
        yield f"only {_listed(now)} are allowed now", BROKEN[side]


def _allowed(schema: Schema) -> set[str] | None:
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    return None if values is None else {repr(each) for each in values}


def _default(old: Schema, new: Schema, side: Side) -> Iterator[tuple[str, str]]:
    before, after = old.get("default"), new.get("default")
    if side is Side.REQUEST and before is not None and before != after:
        yield f"the default {before!r} became {after!r}", "clients that leave it out"


def _unknown_keywords(old: Schema, new: Schema, _: Side) -> Iterator[tuple[str, str]]:
    for keyword in (old.keys() | new.keys()) - _KNOWN:
        if old.get(keyword) != new.get(keyword):
            yield f"{keyword} changed, which this check does not understand", "clients, as far as it can tell"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
