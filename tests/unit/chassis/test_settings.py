import os
import traceback
from pathlib import Path

import pytest
from pydantic import Field, SecretStr

from services.chassis.errors import SettingsError
from services.chassis.settings import EX_CONFIG, GrpcTargets, HttpTargets, Port, ServiceSettings, load, read

SECRET = "a-secret-that-must-never-be-shown"
GOOD = {
    "ADMIN_PORT": "9080",
    "CONTROL_PORT": "9180",
    "CONTROL_TOKEN": SECRET,
    "ORDERS_TARGETS": "http://a:1, http://b:2",
}


class ToySettings(ServiceSettings):
    """As a service declares them."""

    http_port: Port = Field(8080, description="Port of the public listener.")
    orders_targets: HttpTargets = Field(description="Addresses of orders.")
    stock_targets: GrpcTargets = Field(["127.0.0.1:50051"], description="Addresses of stock.")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        monkeypatch.delenv(name)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def test_defaults_and_what_is_given() -> None:
    settings = read(ToySettings)
    assert (settings.bind_host, settings.http_port, settings.admin_port) == ("127.0.0.1", 8080, 9080)
    assert settings.orders_targets == ["http://a:1", "http://b:2"]
    assert settings.control_token == SecretStr(SECRET)
    assert settings.lifeline_fd is None


def test_what_the_environment_does_not_have_is_read_from_the_folder_of_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "control_token").write_text("a-token-from-a-file\n")
    (tmp_path / "http_port").write_text("1")
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("HTTP_PORT", "2")
    monkeypatch.delenv("CONTROL_TOKEN")
    settings = read(ToySettings)
    assert settings.control_token.get_secret_value() == "a-token-from-a-file"
    assert settings.http_port == 2


def test_a_folder_of_secrets_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRETS_DIR", "/no/such/folder")
    with pytest.raises(SettingsError, match="SECRETS_DIR: there is no such folder"):
        read(ToySettings)


def test_a_secret_does_not_show_in_the_settings_text() -> None:
    assert SECRET not in repr(read(ToySettings))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ADMIN_PORT", "0"),
        ("ADMIN_PORT", "65536"),
        ("CONTROL_PORT", "many"),
        ("CONTROL_TOKEN", "short"),
        ("HTTP_PORT", ""),
        ("ORDERS_TARGETS", " , "),
        ("ORDERS_TARGETS", "127.0.0.1:8081"),
        ("STOCK_TARGETS", "garbage"),
        ("STOCK_TARGETS", "http://127.0.0.1:50051"),
        ("STOCK_TARGETS", "a:1,b:2"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "garbage:::"),
        ("TRACE_SAMPLE_RATIO", "1.1"),
        ("LOG_LEVEL", "LOUD"),
        ("DRAIN_TIMEOUT_S", "0"),
        ("LIFELINE_FD", "three"),
    ],
)
def test_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"\n  {name}: ") as caught:
        read(ToySettings)
    assert len(str(caught.value).splitlines()) == 2, "the good ones are not named"


def test_every_wrong_or_missing_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONTROL_TOKEN")
    monkeypatch.delenv("ORDERS_TARGETS")
    monkeypatch.setenv("ADMIN_PORT", "x")
    monkeypatch.setenv("TRACE_SAMPLE_RATIO", "x")
    with pytest.raises(SettingsError) as caught:
        read(ToySettings)
    named = {line.split(":")[0].strip() for line in str(caught.value).splitlines()[1:]}
    assert named == {"CONTROL_TOKEN", "ORDERS_TARGETS", "ADMIN_PORT", "TRACE_SAMPLE_RATIO"}


def test_no_value_is_shown_not_even_in_a_stack_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMIN_PORT", SECRET)
    monkeypatch.setenv("CONTROL_TOKEN", "tooshort-secret")
    with pytest.raises(SettingsError) as caught:
        read(ToySettings)
    shown = "".join(traceback.format_exception(caught.value))
    assert SECRET not in shown
    assert "tooshort-secret" not in shown


def test_a_process_ends_with_the_code_for_wrong_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ADMIN_PORT", "x")
    with pytest.raises(SystemExit) as caught:
        load(ToySettings)
    assert caught.value.code == EX_CONFIG == 78
    assert "ADMIN_PORT" in capsys.readouterr().err


def test_the_greatest_limit_on_requests_is_not_below_the_least(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCURRENCY_LIMIT_MIN", "50")
    monkeypatch.setenv("CONCURRENCY_LIMIT_MAX", "49")
    with pytest.raises(SettingsError, match=r"CONCURRENCY_LIMIT_MAX: .*must not be below CONCURRENCY_LIMIT_MIN"):
        read(ToySettings)


def test_the_settings_of_load_shedding_make_its_config(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "CONCURRENCY_LIMIT_MIN": "5",
        "CONCURRENCY_LIMIT_MAX": "50",
        "REQUEST_QUEUE": "7",
        "REQUEST_QUEUE_WAIT_S": "0.25",
    }.items():
        monkeypatch.setenv(name, value)
    config = read(ToySettings).load_shedding
    assert (config.limit.least, config.limit.initial, config.limit.most) == (5, 5, 50)
    assert (config.max_queue, config.max_wait_s) == (7, 0.25)
