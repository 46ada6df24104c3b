"""Planted changes: each kind that breaks somebody is found where it is, and what breaks nobody is let through."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.snapshots.openapi_changes import openapi_changes

Node = Any
"""A part of a document, to be changed in place."""


def document() -> Node:
    """Places thing by thing: a request with limits, an answer with everything that an answer can lose."""
    thing = {
        "type": "object",
        "title": "Thing",
        "required": ["id", "status"],
        "properties": {
            "id": {"type": "string", "maxLength": 64},
            "status": {"type": "string", "enum": ["new", "used"]},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
        },
    }
    asked = {
        "type": "object",
        "additionalProperties": False,
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[a-z]+$"},
            "count": {"type": "number", "maximum": 10, "default": 1},
            "kind": {"type": "string", "enum": ["a", "b"]},
            "options": {"type": "object"},
        },
    }
    post = {
        "operationId": "make",
        "security": [{"key": []}],
        "parameters": [
            {"in": "query", "name": "limit", "schema": {"type": "integer", "minimum": 1, "maximum": 100}},
            {"in": "header", "name": "If-Match", "schema": {"type": "string"}},
        ],
        "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Asked"}}}},
        "responses": {
            "201": {
                "description": "Made",
                "headers": {"Location": {"schema": {"type": "string"}}},
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
            },
            "404": {"description": "None"},
        },
    }
    return {
        "paths": {"/things": {"post": post, "get": {"operationId": "list", "responses": {}}}, "/more": {"get": post}},
        "components": {
            "schemas": {"Thing": thing, "Asked": asked},
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}},
        },
    }


def post(it: Node) -> Node:
    return it["paths"]["/things"]["post"]


def asked(it: Node) -> Node:
    return it["components"]["schemas"]["Asked"]["properties"]


def thing(it: Node) -> Node:
    return it["components"]["schemas"]["Thing"]["properties"]


def changed(change: Callable[[Node], object]) -> list[str]:
    """What is said of the document with the change, of `/things` alone."""
    old = document()
    new = copy.deepcopy(old)
    change(new)
    return [str(each) for each in openapi_changes(old, new) if not each.place.startswith("GET /more ")]


BREAKING: dict[str, tuple[Callable[[Node], object], str]] = {
    "path": (lambda it: it["paths"].pop("/more"), "GET /more: the path is gone; breaks clients that call it"),
    "operation": (lambda it: it["paths"]["/things"].pop("get"), "GET /things: the operation is gone"),
    "operation's id": (lambda it: post(it).update(operationId="new"), "POST /things: operationId make became new"),
    "authentication": (
        lambda it: it["components"]["securitySchemes"]["key"].update(name="X-Key"),
        "POST /things: apiKey header X-API-Key is not enough any more; breaks clients that authenticate so",
    ),
    "two keys": (
        lambda it: (
            post(it).update(security=[{"key": [], "other": []}])
            or it["components"]["securitySchemes"].update(other={"type": "http", "scheme": "bearer"})
        ),
        "apiKey header X-API-Key is not enough any more",
    ),
    "parameter gone": (lambda it: post(it)["parameters"].pop(0), "POST /things query limit: the parameter is gone"),
    "parameter required": (
        lambda it: post(it)["parameters"][0].update(required=True),
        "POST /things query limit: the parameter is required now; breaks clients that do not send it",
    ),
    "new required parameter": (
        lambda it: post(it)["parameters"].append({"in": "query", "name": "q", "required": True, "schema": {}}),
        "POST /things query q: the parameter is required now",
    ),
    "parameter's limit": (
        lambda it: post(it)["parameters"][0]["schema"].update(maximum=50),
        "POST /things query limit: maximum 100 became 50; breaks clients that send what was allowed before",
    ),
    "body gone": (lambda it: post(it).pop("requestBody"), "POST /things body: the body is gone"),
    "body required": (lambda it: post(it)["requestBody"].update(required=True), "body: the body is required now"),
    "body's media type": (
        lambda it: post(it)["requestBody"].update(content={"text/csv": {}}),
        "POST /things body: the media type application/json is gone",
    ),
    "request's new required field": (
        lambda it: it["components"]["schemas"]["Asked"].update(required=["name", "kind"]),
        "POST /things body.kind: the field is required now; breaks clients that do not send it",
    ),
    "request's field": (lambda it: asked(it).pop("kind"), "POST /things body.kind: the field is gone"),
    "request's type": (
        lambda it: asked(it)["count"].update(type="integer"),
        "POST /things body.count: number is allowed no longer (was number, is integer); breaks clients that send it",
    ),
    "request's longest": (lambda it: asked(it)["name"].update(maxLength=9), "body.name: maxLength 64 became 9"),
    "request's shortest": (lambda it: asked(it)["name"].update(minLength=2), "body.name: minLength 1 became 2"),
    "request's new limit": (lambda it: asked(it)["count"].update(minimum=0), "body.count: minimum none became 0"),
    "request's pattern": (lambda it: asked(it)["name"].update(pattern="^x$"), "body.name: pattern ^[a-z]+$ became ^x$"),
    "request's default": (lambda it: asked(it)["count"].update(default=2), "body.count: the default 1 became 2"),
    "request's value": (lambda it: asked(it)["kind"].update(enum=["a"]), "body.kind: the value 'b' is gone"),
    "request's new values": (lambda it: asked(it)["name"].update(enum=["x"]), "body.name: only 'x' are allowed now"),
    "answer's status": (lambda it: post(it)["responses"].pop("404"), "POST /things 404: the answer is gone"),
    "answer's media type": (
        lambda it: post(it)["responses"]["201"].update(content={}),
        "POST /things 201: the media type application/json is gone",
    ),
    "answer's header": (
        lambda it: post(it)["responses"]["201"].pop("headers"),
        "POST /things 201 header Location: the header is gone; breaks clients that read it",
    ),
    "answer's field": (lambda it: thing(it).pop("note"), "POST /things 201.note: the field is gone"),
    "answer's field in parts": (
        lambda it: thing(it)["parts"]["items"].update({"$ref": "#/components/schemas/Asked"}),
        "POST /things 201.parts[].status: the field is gone",
    ),
    "answer's field perhaps": (
        lambda it: it["components"]["schemas"]["Thing"].update(required=["id"]),
        "POST /things 201.status: the field may be absent now; breaks clients that rely on it",
    ),
    "answer's type": (
        lambda it: thing(it)["id"].update(type="integer"),
        "POST /things 201.id: may be integer now (was string, is integer); breaks clients that expect only what",
    ),
    "answer's null": (
        lambda it: thing(it).update(id={"anyOf": [{"type": "string", "maxLength": 64}, {"type": "null"}]}),
        "POST /things 201.id: may be null now",
    ),
    "answer's value": (
        lambda it: thing(it)["status"].update(enum=["new"]),
        "POST /things 201.status: the value 'used' is gone; breaks clients that wait for it",
    ),
    "answer's new value": (
        lambda it: thing(it)["status"]["enum"].append("broken"),
        "POST /things 201.status: the value 'broken' is new; breaks clients that know only the others",
    ),
    "answer's limit": (lambda it: thing(it)["id"].update(maxLength=65), "201.id: maxLength 64 became 65"),
    "what is not understood": (
        lambda it: asked(it)["name"].update(contentEncoding="base64"),
        "body.name: contentEncoding changed, which this check does not understand",
    ),
    "request's further fields": (
        lambda it: asked(it)["options"].update(additionalProperties=False),
        "POST /things body.options: additionalProperties True became False; breaks clients that send what",
    ),
}


@pytest.mark.parametrize("kind", BREAKING)
def test_what_breaks_clients_is_found_where_it_is(kind: str) -> None:
    change, expected = BREAKING[kind]
    said = changed(change)
    assert len(said) >= 1
    assert any(expected in each for each in said), said


COMPATIBLE: dict[str, Callable[[Node], object]] = {
    "nothing": lambda _: None,
    "a path": lambda it: it["paths"].update({"/new": {"get": {"operationId": "new", "responses": {}}}}),
    "an optional parameter": lambda it: post(it)["parameters"].append({"in": "query", "name": "q", "schema": {}}),
    "a parameter's wider limit": lambda it: post(it)["parameters"][0]["schema"].update(maximum=200, minimum=0),
    "a header in another case": lambda it: post(it)["parameters"][1].update(name="if-match"),
    "another way in": lambda it: (
        post(it)["security"].append({"other": []})
        or it["components"]["securitySchemes"].update(other={"type": "http", "scheme": "bearer"})
    ),
    "no key needed": lambda it: post(it).update(security=[]),
    "an optional field of a request": lambda it: asked(it).update(more={"type": "string"}),
    "a field of an answer": lambda it: thing(it).update(more={"type": "string"}),
    "a wider type in a request": lambda it: asked(it)["name"].update(type=["string", "null"]),
    "a narrower type in an answer": lambda it: thing(it).update(note={"type": "string"}),
    "a value of a request": lambda it: asked(it)["kind"]["enum"].append("c"),
    "wider limits of a request": lambda it: (
        asked(it)["name"].update(minLength=0, maxLength=65) or asked(it)["name"].pop("pattern")
    ),
    "narrower limits of an answer": lambda it: thing(it)["id"].update(maxLength=32, pattern="^x"),
    "a field of an answer that is always there": lambda it: it["components"]["schemas"]["Thing"]["required"].append(
        "note"
    ),
    "a field that a request may leave out": lambda it: it["components"]["schemas"]["Asked"].update(required=[]),
    "words": lambda it: post(it).update(description="New words.") or thing(it)["id"].update(title="Id", examples=["x"]),
    "a schema's name": lambda it: it["components"]["schemas"]["Thing"].update(title="Item"),
    "another answer": lambda it: post(it)["responses"].update({"429": {"description": "Too many"}}),
}


@pytest.mark.parametrize("kind", COMPATIBLE)
def test_what_breaks_nobody_is_let_through(kind: str) -> None:
    assert changed(COMPATIBLE[kind]) == []
