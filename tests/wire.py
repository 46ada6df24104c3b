"""Requests for gRPC methods, made from their descriptors: valid messages with odd values, and bytes that are none.

Encoding: https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Mapping
from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from services.contracts.payment_methods import DECLINED, VISA
from services.contracts.steps import Step, step_key

PLAUSIBLE: Mapping[str, list[str]] = {
    "order_id": [f"o-{number}" for number in range(5)],
    "product_id": [f"p-000{number}" for number in range(1, 5)],
    "product_ids": ["p-0001", "p-0002"],
    "currency": ["EUR", "USD", "eur"],
    "payment_method": [VISA, DECLINED],
    "cursor": ["e30", "WyJwcm9kdWN0cyIsInAtMDAwMSJd"],
}
"""Field → values that lead further than any that are made up."""

ODD_TEXT = ["", " ", "\0", "a\nb", "null", "é" * 40, "\U0001f4a5", "'; --", "../..", "o" * 65, "x" * 70_000]
ODD_NUMBERS = [0, 1, -1, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63)]
BITS = {FieldDescriptor.CPPTYPE_INT32: 32, FieldDescriptor.CPPTYPE_INT64: 64}
NOT_UTF_8 = [b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80"]
LARGEST_TAG = (1 << 29) - 1


class Wire(bytes):
    """Bytes to send, which may be very many."""

    def __repr__(self) -> str:
        return f"Wire({bytes(self[:300])!r}{f', … {len(self)} bytes' if len(self) > 300 else ''})"


def requests(method: MethodDescriptor) -> SearchStrategy[Wire]:
    """What may be sent to `method`, of which about half is a message of its own."""
    steps = {step.value: step for step in Step}
    valid = _messages(method.input_type)
    if step := steps.get(method.name.lower()):
        valid |= valid.map(lambda message: _as_step(message, step))
    whole = valid.map(lambda message: message.SerializeToString())
    return (whole | whole | _spoilt(whole) | _foreign() | st.binary(max_size=100)).map(Wire)


def _messages(kind: Descriptor) -> SearchStrategy[Any]:
    """Messages of `kind`, each field absent or with some value that its type allows."""
    make = message_factory.GetMessageClass(kind)
    fields = {field.name: st.none() | _values(field) for field in kind.fields}
    return st.fixed_dictionaries(fields).map(lambda values: make(**values))


def _values(field: FieldDescriptor) -> SearchStrategy[Any]:
    single = _single(field)
    if not field.is_repeated:
        return single
    return st.lists(single, max_size=3) | st.builds(_many, single, st.integers(1, 300))


def _many(value: Any, times: int) -> list[Any]:
    # Of what is large three are enough: what exceeds a whole message's limit is gRPC's to refuse, not the service's.
    return [value] * (times if len(str(value)) < 1_000 else 3)


def _single(field: FieldDescriptor) -> SearchStrategy[Any]:
    if field.message_type:
        return _messages(field.message_type)
    if bits := BITS.get(field.cpp_type):
        low, high = -(1 << bits - 1), (1 << bits - 1) - 1
        return st.sampled_from([each for each in ODD_NUMBERS if low <= each <= high]) | st.integers(low, high)
    if field.type == FieldDescriptor.TYPE_STRING:
        return st.sampled_from(PLAUSIBLE.get(field.name, [""])) | st.sampled_from(ODD_TEXT) | st.text(max_size=80)
    raise NotImplementedError(f"no values for {field.full_name}: its type is new to these tests")


def _as_step(message: Any, step: Step) -> Message:
    """`message` with the order and the key that its method wants, so that the rest of it is looked at."""
    message.order_id = message.order_id if message.order_id in PLAUSIBLE["order_id"] else PLAUSIBLE["order_id"][0]
    message.idempotency_key = step_key(message.order_id, step)
    made: Message = message
    return made


def _spoilt(whole: SearchStrategy[bytes]) -> SearchStrategy[bytes]:
    """Cut off somewhere, with one byte changed, or with something strange behind it."""
    place = st.integers(0, 200)
    return (
        st.builds(lambda data, end: data[: end % (len(data) + 1)], whole, place)
        | st.builds(_with_byte, whole, place, st.integers(0, 255))
        | st.builds(lambda data, more: data + more, whole, _foreign())
    )


def _with_byte(data: bytes, place: int, byte: int) -> bytes:
    at = place % (len(data) + 1)
    return data[:at] + bytes([byte]) + data[at + 1 :]


def _foreign() -> SearchStrategy[bytes]:
    """Single fields: unknown ones, known ones of another type, text that is none, nesting without end."""
    number, kind = st.integers(1, 6) | st.integers(1, LARGEST_TAG), st.integers(0, 7)
    of_any_type = st.builds(lambda number, kind, data: _tag(number, kind) + data, number, kind, st.binary(max_size=20))
    no_text = st.builds(_field, st.integers(1, 4), st.sampled_from(NOT_UTF_8))
    nested = st.builds(_nested, st.integers(1, 4), st.integers(1, 300))
    groups = st.builds(lambda number, depth: _tag(number, 3) * depth, st.integers(1, 6), st.integers(1, 300))
    endless = st.builds(lambda number: _tag(number, 0) + b"\xff" * 11, st.integers(1, 4))
    return of_any_type | no_text | nested | groups | endless


def _nested(number: int, depth: int) -> bytes:
    data = b""
    for _ in range(depth):
        data = _field(number, data)
    return data


def _field(number: int, content: bytes) -> bytes:
    return _tag(number, 2) + _varint(len(content)) + content


def _tag(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])
