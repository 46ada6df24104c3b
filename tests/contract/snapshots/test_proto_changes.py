"""Planted changes of a proto: each kind that breaks callers is found where it is."""

from collections.abc import Callable

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.json_format import ParseDict

from tests.contract.snapshots.proto_changes import proto_changes


def proto() -> FileDescriptorProto:
    content = {
        "name": "shop.proto",
        "package": "shop.v1",
        "messageType": [
            {
                "name": "Item",
                "field": [
                    {"name": "id", "number": 1, "type": "TYPE_STRING", "label": "LABEL_OPTIONAL"},
                    {"name": "count", "number": 2, "type": "TYPE_INT32", "label": "LABEL_OPTIONAL"},
                    {"name": "state", "number": 3, "type": "TYPE_ENUM", "typeName": ".shop.v1.State"},
                ],
                "reservedRange": [{"start": 8, "end": 9}],
                "reservedName": ["old"],
                "nestedType": [{"name": "Part", "field": [{"name": "id", "number": 1, "type": "TYPE_STRING"}]}],
                "oneofDecl": [{"name": "choice"}],
            },
        ],
        "enumType": [{"name": "State", "value": [{"name": "NEW", "number": 0}, {"name": "USED", "number": 1}]}],
        "service": [
            {
                "name": "Shop",
                "method": [
                    {"name": "Get", "inputType": ".shop.v1.Item", "outputType": ".shop.v1.Item"},
                    {"name": "Put", "inputType": ".shop.v1.Item", "outputType": ".shop.v1.Item"},
                ],
            }
        ],
    }
    return ParseDict(content, FileDescriptorProto())


def item(it: FileDescriptorProto) -> DescriptorProto:
    return it.message_type[0]


def set_on(which: int, /, **properties: object) -> Callable[[FileDescriptorProto], None]:
    """A change of the item's field of that number."""

    def change(it: FileDescriptorProto) -> None:
        field = next(each for each in item(it).field if each.number == which)
        for name, value in properties.items():
            setattr(field, name, value)

    return change


def number_used_again(it: FileDescriptorProto) -> None:
    del item(it).field[1]
    item(it).field.add(
        name="price", number=2, type=FieldDescriptorProto.TYPE_STRING, label=FieldDescriptorProto.LABEL_OPTIONAL
    )


def name_used_again(it: FileDescriptorProto) -> None:
    del item(it).field[1]
    item(it).field.add(
        name="count", number=4, type=FieldDescriptorProto.TYPE_INT32, label=FieldDescriptorProto.LABEL_OPTIONAL
    )


BREAKING: dict[str, tuple[Callable[[FileDescriptorProto], object], str]] = {
    "package": (lambda it: setattr(it, "package", "shop.v2"), "shop.proto: package shop.v1 became shop.v2"),
    "message": (lambda it: it.message_type.pop(), "shop.v1.Item: the message is gone"),
    "nested message": (lambda it: item(it).nested_type.pop(), "shop.v1.Item.Part: the message is gone"),
    "field": (lambda it: item(it).field.pop(1), "shop.v1.Item.count: the field (number 2) is gone"),
    "field's name": (set_on(2, name="pieces"), "shop.v1.Item.count: number 2 is pieces now"),
    "field's number": (set_on(2, number=4), "shop.v1.Item.count: number 2 became 4; breaks readers and writers"),
    "number used again": (number_used_again, "shop.v1.Item.count: number 2 is price now"),
    "number used again, its type": (number_used_again, "shop.v1.Item.count: type int32 became string"),
    "name used again": (name_used_again, "shop.v1.Item.count: number 2 became 4"),
    "field's type": (set_on(2, type=FieldDescriptorProto.TYPE_INT64), "Item.count: type int32 became int64"),
    "field's enumeration": (set_on(3, type_name=".shop.v1.Other"), "type .shop.v1.State became .shop.v1.Other"),
    "field's label": (set_on(2, label=FieldDescriptorProto.LABEL_REPEATED), "label optional became repeated"),
    "field's choice": (set_on(2, oneof_index=0), "Item.count: oneof none became choice"),
    "field's presence": (set_on(2, proto3_optional=True), "Item.count: presence implicit became explicit"),
    "field's JSON name": (
        set_on(2, json_name="n"),
        "Item.count: JSON name count became n; breaks callers that use JSON",
    ),
    "reserved number": (lambda it: item(it).ClearField("reserved_range"), "Item: number 8 is reserved no longer"),
    "reserved name": (lambda it: item(it).ClearField("reserved_name"), "Item: name old is reserved no longer"),
    "enumeration": (lambda it: it.enum_type.pop(), "shop.v1.State: the enumeration is gone"),
    "value": (lambda it: it.enum_type[0].value.pop(), "shop.v1.State.USED: the value (number 1) is gone"),
    "value's number": (lambda it: setattr(it.enum_type[0].value[1], "number", 2), "State.USED: number 1 became 2"),
    "service": (lambda it: it.service.pop(), "shop.v1.Shop: the service is gone; breaks callers that call it"),
    "rpc": (lambda it: it.service[0].method.pop(), "shop.v1.Shop.Put: the rpc is gone"),
    "rpc's request": (
        lambda it: setattr(it.service[0].method[1], "input_type", ".shop.v1.Other"),
        "shop.v1.Shop.Put: request .shop.v1.Item became .shop.v1.Other",
    ),
    "rpc's streaming": (
        lambda it: setattr(it.service[0].method[1], "server_streaming", True),
        "shop.v1.Shop.Put: streaming of responses False became True",
    ),
}


@pytest.mark.parametrize("kind", BREAKING)
def test_what_breaks_callers_is_found_where_it_is(kind: str) -> None:
    change, expected = BREAKING[kind]
    old, new = proto(), proto()
    change(new)
    said = [str(each) for each in proto_changes(old, new)]
    assert any(expected in each for each in said), said


COMPATIBLE: dict[str, Callable[[FileDescriptorProto], object]] = {
    "nothing": lambda _: None,
    "a message": lambda it: it.message_type.add(name="More"),
    "a field": lambda it: item(it).field.add(name="more", number=4, type=FieldDescriptorProto.TYPE_STRING),
    "a value": lambda it: it.enum_type[0].value.add(name="BROKEN", number=2),
    "an rpc": lambda it: it.service[0].method.add(name="List", input_type=".shop.v1.Item"),
    "a reserved number": lambda it: item(it).reserved_range.add(start=20, end=21),
    "the order of fields": lambda it: item(it).field.sort(key=lambda each: -each.number),
}


@pytest.mark.parametrize("kind", COMPATIBLE)
def test_what_breaks_nobody_is_let_through(kind: str) -> None:
    new = proto()
    COMPATIBLE[kind](new)
    assert proto_changes(proto(), new) == []
