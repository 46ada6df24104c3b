"""Every setting says what it is for, and the document says what the code does."""

import pytest

from tests.architecture.settings_doc import DOCUMENT, PROCESSES, render, settings_class


@pytest.mark.parametrize("process", PROCESSES)
def test_every_setting_has_a_description(process: str) -> None:
    undocumented = [name for name, field in settings_class(process).model_fields.items() if not field.description]
    assert not undocumented


@pytest.mark.parametrize("process", PROCESSES)
def test_no_secret_has_a_default(process: str) -> None:
    fields = settings_class(process).model_fields
    guessable = [name for name in fields if any(word in name for word in ("token", "password", "secret", "api_key"))]
    assert all(fields[name].is_required() or fields[name].default is None for name in guessable)


def test_the_document_is_what_the_code_says() -> None:
    assert DOCUMENT.read_text("utf-8") == render(), "out of date; run `make docs`"
