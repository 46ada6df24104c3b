"""What of a change to a proto would break its callers: on the wire, in JSON, or where the generated names are used.

Numbers are the identity of a field or a value on the wire; names are it in JSON and in source code.
https://protobuf.dev/programming-guides/proto3/#updating
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol, TypeVar

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    MethodDescriptorProto,
    ServiceDescriptorProto,
)

from tests.contract.snapshots.change import Change

_WIRE: Final = "readers and writers of the other version, on the wire"
_SOURCE: Final = "callers' code and JSON, which use the name"
_CALLERS: Final = "callers that call it"


class _Named(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=_Named)


def proto_changes(old: FileDescriptorProto, new: FileDescriptorProto) -> list[Change]:
    """Every breaking change from `old` to `new`, by place."""
    return sorted({*_file(old, new)}, key=str)


def _file(old: FileDescriptorProto, new: FileDescriptorProto) -> Iterator[Change]:
    if old.package != new.package:
        yield Change(old.name, f"package {old.package} became {new.package}", _CALLERS)
    yield from _messages(old.message_type, new.message_type, old.package)
    yield from _enums(old.enum_type, new.enum_type, old.package)
    for service, now, place in _both(old.service, new.service, old.package):
        if now is None:
            yield Change(place, "the service is gone", _CALLERS)
        else:
            yield from _methods(service, now, place)


def _both(old: Sequence[T], new: Sequence[T], place: str) -> Iterator[tuple[T, T | None, str]]:
    """Each old one with the new one of that name, and where it is."""
    found = {each.name: each for each in new}
    for each in old:
        yield each, found.get(each.name), f"{place}.{each.name}"


def _messages(old: Sequence[DescriptorProto], new: Sequence[DescriptorProto], place: str) -> Iterator[Change]:
    for message, now, here in _both(old, new, place):
        if now is None:
            yield Change(here, "the message is gone", _SOURCE)
        else:
            yield from _fields(message, now, here)
            yield from _reserved(message, now, here)
            yield from _messages(message.nested_type, now.nested_type, here)
            yield from _enums(message.enum_type, now.enum_type, here)


def _fields(old: DescriptorProto, new: DescriptorProto, place: str) -> Iterator[Change]:
    by_number = {each.number: each for each in new.field}
    by_name = {each.name: each for each in new.field}
    for was in old.field:
        here = f"{place}.{was.name}"
        same_number, same_name = by_number.get(was.number), by_name.get(was.name)
        if same_number is None and same_name is None:
            yield Change(here, f"the field (number {was.number}) is gone", "callers that read or send it")
        if same_name and same_name.number != was.number:
            yield Change(here, f"number {was.number} became {same_name.number}", _WIRE)
        if same_number and same_number.name != was.name:
            yield Change(here, f"number {was.number} is {same_number.name} now", f"{_WIRE}; {_SOURCE}")
        if now := same_number or same_name:
            yield from _field(_properties(was, old), _properties(now, new), here)


def _field(old: Mapping[str, str], new: Mapping[str, str], place: str) -> Iterator[Change]:
    for name, breaks in _FIELD_BREAKS.items():
        if old[name] != new[name]:
            yield Change(place, f"{name} {old[name]} became {new[name]}", breaks)


_FIELD_BREAKS: Final[Mapping[str, str]] = {
    "type": _WIRE,
    "label": _WIRE,
    "oneof": "callers that set it together with others, or not",
    "presence": "callers that ask whether it is there",
    "JSON name": "callers that use JSON",
}
"""What a field has besides name and number → whom a change of it breaks."""


def _properties(field: FieldDescriptorProto, message: DescriptorProto) -> Mapping[str, str]:
    in_oneof = field.HasField("oneof_index") and not field.proto3_optional
    return {
        "type": field.type_name or FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower(),
        "label": FieldDescriptorProto.Label.Name(field.label).removeprefix("LABEL_").lower(),
        "oneof": message.oneof_decl[field.oneof_index].name if in_oneof else "none",
        "presence": "explicit" if field.proto3_optional else "implicit",
        "JSON name": field.json_name or field.name,
    }


def _reserved(old: DescriptorProto, new: DescriptorProto, place: str) -> Iterator[Change]:
    """What was reserved stays so: somebody may still use what it stood for. Ranges end before `end`."""
    kept = {number for each in new.reserved_range for number in range(each.start, each.end)}
    for each in old.reserved_range:
        for number in range(each.start, each.end):
            if number not in kept:
                yield Change(place, f"number {number} is reserved no longer", _WIRE)
    for name in set(old.reserved_name) - set(new.reserved_name):
        yield Change(place, f"name {name} is reserved no longer", _SOURCE)


def _enums(old: Sequence[EnumDescriptorProto], new: Sequence[EnumDescriptorProto], place: str) -> Iterator[Change]:
    for enum, now, here in _both(old, new, place):
        if now is None:
            yield Change(here, "the enumeration is gone", _SOURCE)
            continue
        for value, same, there in _both(enum.value, now.value, here):
            if same is None:
                yield Change(there, f"the value (number {value.number}) is gone", "callers that send or wait for it")
            elif same.number != value.number:
                yield Change(there, f"number {value.number} became {same.number}", _WIRE)


def _methods(old: ServiceDescriptorProto, new: ServiceDescriptorProto, place: str) -> Iterator[Change]:
    for method, now, here in _both(old.method, new.method, place):
        if now is None:
            yield Change(here, "the rpc is gone", _CALLERS)
            continue
        for name, (before, after) in _differences(method, now).items():
            yield Change(here, f"{name} {before} became {after}", _CALLERS)


def _differences(old: MethodDescriptorProto, new: MethodDescriptorProto) -> dict[str, tuple[object, object]]:
    pairs: dict[str, tuple[object, object]] = {
        "request": (old.input_type, new.input_type),
        "response": (old.output_type, new.output_type),
        "streaming of requests": (old.client_streaming, new.client_streaming),
        "streaming of responses": (old.server_streaming, new.server_streaming),
    }
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
