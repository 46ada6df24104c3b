"""What of a change to an OpenAPI document would break its clients."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from tests.contract.snapshots.change import Change
from tests.contract.snapshots.limits import Side
from tests.contract.snapshots.schema_changes import SchemaComparison

Document = Mapping[str, Any]
_NOTHING: Final[Mapping[str, Any]] = {}


def openapi_changes(old: Document, new: Document) -> list[Change]:
    """Every breaking change from `old` to `new`, by place."""
    comparison = _Comparison(old, new)
    return sorted({*comparison.changes()}, key=str)


class _Comparison:
    def __init__(self, old: Document, new: Document) -> None:
        self._old, self._new = old, new
        self._schemas = SchemaComparison(old, new)

    def changes(self) -> Iterator[Change]:
        before, after = _operations(self._old), _operations(self._new)
        paths = self._new["paths"]
        for name in before.keys() - after.keys():
            what = "the operation" if name.partition(" ")[2] in paths else "the path"
            yield Change(name, f"{what} is gone", "clients that call it")
        for name in before.keys() & after.keys():
            for rule in (self._name, self._security, self._parameters, self._body, self._answers):
                yield from rule(before[name], after[name], name)

    def _name(self, old: Document, new: Document, place: str) -> Iterator[Change]:
        before, after = old.get("operationId"), new.get("operationId")
        if before != after:
            yield Change(place, f"operationId {before} became {after}", "generated clients, which name it so")

    def _security(self, old: Document, new: Document, place: str) -> Iterator[Change]:
        before, after = _ways_in(self._old, old), _ways_in(self._new, new)
        for way in before if after else ():  # nothing needed any more is fine for all
            if way not in after:
                yield Change(place, f"{_told(way)} is not enough any more", "clients that authenticate so")

    def _parameters(self, old: Document, new: Document, place: str) -> Iterator[Change]:
        before, after = _parameters(old), _parameters(new)
        for key in before.keys() - after.keys():
            yield Change(f"{place} {' '.join(key)}", "the parameter is gone", "clients that send it")
        for key, parameter in after.items():
            known, here = before.get(key, _NOTHING), f"{place} {' '.join(key)}"
            if parameter.get("required") and not known.get("required"):
                yield Change(here, "the parameter is required now", "clients that do not send it")
            if known:
                yield from self._schemas.compare(known["schema"], parameter["schema"], Side.REQUEST, here)

    def _body(self, old: Document, new: Document, place: str) -> Iterator[Change]:
        before, after = old.get("requestBody"), new.get("requestBody")
        here = f"{place} body"
        if before and not after:
            yield Change(here, "the body is gone", "clients that send one")
        if after and after.get("required") and not (before or _NOTHING).get("required"):
            yield Change(here, "the body is required now", "clients that send none")
        if before and after:
            yield from self._content(before, after, Side.REQUEST, here)

    def _answers(self, old: Document, new: Document, place: str) -> Iterator[Change]:
        before, after = old["responses"], new["responses"]
        for status in before.keys() - after.keys():
            yield Change(f"{place} {status}", "the answer is gone", "clients that handle it")
        for status in before.keys() & after.keys():
            here = f"{place} {status}"
            yield from self._content(before[status], after[status], Side.ANSWER, here)
            yield from self._headers(before[status], after[status], here)

    def _headers(self, old: Document, new: Document, place: str) -> Iterator[Change]:
        before, after = old.get("headers", _NOTHING), new.get("headers", _NOTHING)
        for name in before.keys() - after.keys():
            yield Change(f"{place} header {name}", "the header is gone", "clients that read it")
        for name in before.keys() & after.keys():
            yield from self._schemas.compare(
                before[name]["schema"], after[name]["schema"], Side.ANSWER, f"{place} header {name}"
            )

    def _content(self, old: Document, new: Document, side: Side, place: str) -> Iterator[Change]:
        before, after = old.get("content", _NOTHING), new.get("content", _NOTHING)
        for media_type in before.keys() - after.keys():
            yield Change(place, f"the media type {media_type} is gone", "clients that use it")
        for media_type in before.keys() & after.keys():
            was, now = (each[media_type].get("schema", _NOTHING) for each in (before, after))
            yield from self._schemas.compare(was, now, side, place)


def _operations(document: Document) -> dict[str, Document]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def _parameters(operation: Document) -> dict[tuple[str, str], Document]:
    """By place and name; headers are the same in any case."""
    found = {}
    for each in operation.get("parameters", ()):
        name = each["name"].lower() if each["in"] == "header" else each["name"]
        found[each["in"], name] = each
    return found


_Way = frozenset[tuple[str, str]]


def _ways_in(document: Document, operation: Document) -> Sequence[_Way]:
    """The alternatives by which the operation can be called: each a set of schemes, with what each scheme is."""
    schemes = document.get("components", _NOTHING).get("securitySchemes", _NOTHING)
    needed = operation.get("security", document.get("security", ()))
    return [frozenset((_scheme(schemes[name]), " ".join(scopes)) for name, scopes in each.items()) for each in needed]


def _scheme(scheme: Document) -> str:
    return " ".join(str(scheme[key]) for key in ("type", "scheme", "in", "name") if key in scheme)


def _told(way: _Way) -> str:
    return " and ".join(sorted(f"{scheme} {scopes}".strip() for scheme, scopes in way)) or "no authentication"
