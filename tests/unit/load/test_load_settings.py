import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from chaos.load.settings import LoadSettings, keys_in, load

KEYS = [{"key": "flk_1", "client_id": "load"}, {"key": "flk_demo", "client_id": "demo"}]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(KEYS))
    monkeypatch.setenv("GATEWAY_TARGETS", "http://127.0.0.1:1, http://127.0.0.1:2")
    monkeypatch.setenv("CLIENT_KEYS_FILE", str(file))
    monkeypatch.setenv("LOAD_RPS", "10")
    return file


def test_the_keys_are_those_of_load_alone(environment: Path) -> None:
    assert LoadSettings().gateway_targets == ["http://127.0.0.1:1", "http://127.0.0.1:2"]
    assert keys_in(environment) == ("flk_1",)


def test_load_may_go_to_a_container_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_CONTAINERS", "gateway")
    monkeypatch.setenv("GATEWAY_TARGETS", "http://gateway:8080")
    assert LoadSettings().gateway_targets == ["http://gateway:8080"]


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("LOAD_RPS", "0", "greater than or equal to 0.01"),
        ("LOAD_RPS", "1000", "less than or equal to 100"),
        ("GATEWAY_TARGETS", "", "at least 1 item"),
        ("GATEWAY_TARGETS", "http://example.com", "not a loopback address"),
        ("GATEWAY_TARGETS", "http://gateway:8080", "not a loopback address"),
        ("GATEWAY_CONTAINERS", "example.com", "should match pattern"),
        ("GATEWAY_CONTAINERS", "10.0.0.1", "should match pattern"),
        ("CLIENT_KEYS_FILE", "/no/file", "does not point to a file"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, setting: str, value: str, said: str) -> None:
    monkeypatch.setenv(setting, value)
    with pytest.raises(ValidationError, match=said):
        LoadSettings()


@pytest.mark.parametrize("content", ["", "{}", "[]", '[{"key": "flk_x"}]', json.dumps(KEYS[1:])])
def test_a_file_without_keys_is_refused_and_not_shown(
    environment: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.write_text(content)
    with pytest.raises(SystemExit) as caught:
        load()
    said = capsys.readouterr().err
    assert caught.value.code == 78
    assert said.startswith("wrong settings:\n  CLIENT_KEYS_FILE: ")
    assert "flk_" not in said
