"""The error catalogue: every error a client can meet, in either protocol.

A slug is for ever. Over HTTP it becomes an RFC 9457 problem of type `/problems/<slug>`, a page the
gateway serves; over gRPC a status with an `ErrorInfo` whose reason is the slug in upper case.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

DOMAIN = "faultline"
"""`ErrorInfo.domain` of every error over gRPC."""


@dataclass(frozen=True)
class ErrorEntry:
    """One row: `grpc_status` is the name of a gRPC code, `explanation` is for the problem's page."""

    slug: str
    http_status: int
    grpc_status: str
    title: str
    explanation: str

    @property
    def reason(self) -> str:
        """`out-of-stock` → `OUT_OF_STOCK`, as `ErrorInfo.reason` spells it."""
        return self.slug.replace("-", "_").upper()


_ENTRIES = (
    ErrorEntry(
        "malformed-request",
        400,
        "INVALID_ARGUMENT",
        "The request could not be read",
        "The body is not the JSON it should be, or a header is not what its format asks for. Correct the request.",
    ),
    ErrorEntry(
        "idempotency-key-missing",
        400,
        "INVALID_ARGUMENT",
        "An Idempotency-Key is required",
        "A checkout needs the header Idempotency-Key: a value of your own, new for each order and the same "
        "for each repetition of it. With it a request may be repeated safely, whatever happened to the first.",
    ),
    ErrorEntry(
        "unauthenticated",
        401,
        "UNAUTHENTICATED",
        "Who is asking is not known",
        "Send a valid key in the header X-API-Key.",
    ),
    ErrorEntry(
        "payment-declined",
        402,
        "FAILED_PRECONDITION",
        "The payment was declined",
        "The card provider declined the charge. Nothing was charged and the goods were given back. "
        "Place a new order, with a new Idempotency-Key, to try another payment method.",
    ),
    ErrorEntry(
        "forbidden",
        403,
        "PERMISSION_DENIED",
        "This key may not do that",
        "The key is valid, but the scope that this operation needs is not among its own.",
    ),
    ErrorEntry(
        "not-found",
        404,
        "NOT_FOUND",
        "There is nothing at this address",
        "No route of the API has this path.",
    ),
    ErrorEntry(
        "product-not-found",
        404,
        "NOT_FOUND",
        "There is no such product",
        "The catalogue has no product with this id.",
    ),
    ErrorEntry(
        "order-not-found",
        404,
        "NOT_FOUND",
        "There is no such order",
        "You have no order with this id. The orders of others are not shown.",
    ),
    ErrorEntry(
        "reservation-not-found",
        404,
        "NOT_FOUND",
        "There is no such reservation",
        "No goods were ever reserved for this order.",
    ),
    ErrorEntry(
        "payment-not-found",
        404,
        "NOT_FOUND",
        "There is no such payment",
        "No payment was ever begun for this order.",
    ),
    ErrorEntry(
        "method-not-allowed",
        405,
        "UNIMPLEMENTED",
        "This method is not offered here",
        "The path exists, but not with this method. The header Allow lists the ones it has.",
    ),
    ErrorEntry(
        "request-timeout",
        408,
        "DEADLINE_EXCEEDED",
        "The time you gave was spent",
        "The request was not finished within the X-Request-Timeout-Ms it came with. Whether it took effect is "
        "not known; repeat it with the same Idempotency-Key to find out.",
    ),
    ErrorEntry(
        "request-too-slow",
        408,
        "DEADLINE_EXCEEDED",
        "The request took too long to arrive",
        "The headers or the body were not wholly sent in the time there is for them. The request had no effect; send "
        "it again, faster.",
    ),
    ErrorEntry(
        "out-of-stock",
        409,
        "FAILED_PRECONDITION",
        "There are not enough pieces",
        "At least one line asks for more pieces than there are. Nothing was reserved. The errors name the lines.",
    ),
    ErrorEntry(
        "idempotency-key-in-use",
        409,
        "ABORTED",
        "The first request with this key may still be running",
        "Wait as long as Retry-After says, then repeat the request with the same Idempotency-Key.",
    ),
    ErrorEntry(
        "reservation-closed",
        409,
        "FAILED_PRECONDITION",
        "The reservation has ended",
        "The goods reserved for this order were given back, so that they can be neither sold nor reserved again.",
    ),
    ErrorEntry(
        "payment-closed",
        409,
        "FAILED_PRECONDITION",
        "The payment's state does not allow this",
        "The payment was settled or undone in another way, so that this step is no longer possible.",
    ),
    ErrorEntry(
        "order-cancelled",
        409,
        "FAILED_PRECONDITION",
        "The order was cancelled",
        "The order was cancelled while its checkout was under way. Nothing is charged and no goods are kept. "
        "Place a new order, with a new Idempotency-Key, to have it after all.",
    ),
    ErrorEntry(
        "order-not-cancellable",
        409,
        "FAILED_PRECONDITION",
        "The order cannot be cancelled",
        "The order was rejected: it came to nothing already, so that there is nothing to give back.",
    ),
    ErrorEntry(
        "inventory-unavailable",
        409,
        "FAILED_PRECONDITION",
        "The goods could not be reserved in time",
        "The stock did not answer for so long that the order was given up. Nothing was charged. "
        "Place a new order, with a new Idempotency-Key, to try again.",
    ),
    ErrorEntry(
        "payment-unavailable",
        409,
        "FAILED_PRECONDITION",
        "The payment could not be made in time",
        "The payment was not finished for so long that the order was given up. Nothing is charged and the goods were "
        "given back. Place a new order, with a new Idempotency-Key, to try again.",
    ),
    ErrorEntry(
        "content-too-large",
        413,
        "RESOURCE_EXHAUSTED",
        "The body is too large",
        "The request's body exceeds the limit of this operation.",
    ),
    ErrorEntry(
        "unsupported-media-type",
        415,
        "INVALID_ARGUMENT",
        "The body's media type is not understood",
        "Send the body as application/json.",
    ),
    ErrorEntry(
        "validation-failed",
        422,
        "INVALID_ARGUMENT",
        "The request has invalid values",
        "The request could be read, but some of its values are not allowed. The errors name each field.",
    ),
    ErrorEntry(
        "idempotency-key-reused",
        422,
        "FAILED_PRECONDITION",
        "This key belongs to another request",
        "The Idempotency-Key was used before, with a different body. Use a new key for a new order.",
    ),
    ErrorEntry(
        "unknown-product",
        422,
        "FAILED_PRECONDITION",
        "The order names an unknown product",
        "At least one line names a product that the catalogue does not have. The errors name the lines.",
    ),
    ErrorEntry(
        "unknown-payment-method",
        422,
        "INVALID_ARGUMENT",
        "The payment method is unknown",
        "The payment method is not a token that can be charged.",
    ),
    ErrorEntry(
        "headers-too-large",
        431,
        "RESOURCE_EXHAUSTED",
        "The request's headers are too large",
        "The address and the headers together exceed what is read, or there are too many headers.",
    ),
    ErrorEntry(
        "too-many-requests",
        429,
        "RESOURCE_EXHAUSTED",
        "Too many requests",
        "You send more than your limit allows. Wait as long as Retry-After says.",
    ),
    ErrorEntry(
        "internal",
        500,
        "INTERNAL",
        "Something went wrong on our side",
        "This is a defect of the system. The trace id leads to what happened.",
    ),
    ErrorEntry(
        "service-unavailable",
        503,
        "UNAVAILABLE",
        "A part of the system is away",
        "Something the request needs does not answer. Wait as long as Retry-After says, then repeat the request, "
        "a checkout with the same Idempotency-Key: an order that was begun stays pending and is carried on.",
    ),
    ErrorEntry(
        "overloaded",
        503,
        "UNAVAILABLE",
        "There is too much to do",
        "The system, or a part of it that the request needs, serves as many requests as it can and refused this one "
        "before it began with it. Wait as long as Retry-After says, then repeat the request, a checkout with the same "
        "Idempotency-Key.",
    ),
    ErrorEntry(
        "payment-provider-failed",
        503,
        "UNAVAILABLE",
        "The card provider failed",
        "The card provider answered with an error of its own. Whether the charge succeeded is not known yet.",
    ),
    ErrorEntry(
        "deadline-exceeded",
        504,
        "DEADLINE_EXCEEDED",
        "The system took too long",
        "The request was not finished within the system's own limit. Whether it took effect is not known; "
        "repeat it with the same Idempotency-Key to find out.",
    ),
)

CATALOGUE: Mapping[str, ErrorEntry] = MappingProxyType({entry.slug: entry for entry in _ENTRIES})
"""Slug → row."""
