from pathlib import Path

import pytest

from services.chassis.service import main
from tests.integration.chassis.ports import HOST, free_port, taken_port
from tests.integration.chassis.processes import PORTS, environment, toy
from tests.integration.chassis.toy import ToySettings, bootstrap


async def test_wrong_settings_end_the_process_naming_each_and_showing_none(tmp_path: Path) -> None:
    secret = "not-a-port-but-a-secret"
    with toy(tmp_path, ADMIN_PORT=secret, CONTROL_TOKEN="tooshort", DRAIN_TIMEOUT_S="-1") as running:
        assert await running.ended() == 78
        said = running.errors
    named = sorted(line.split(":")[0].strip() for line in said.splitlines())
    assert named == ["ADMIN_PORT", "CONTROL_TOKEN", "DRAIN_TIMEOUT_S", "wrong settings"]
    assert secret not in said
    assert "tooshort" not in said


async def test_a_taken_port_ends_the_process_with_one_line(tmp_path: Path) -> None:
    with taken_port() as port, toy(tmp_path, HTTP_PORT=str(port)) as running:
        assert await running.ended() == 69
        assert running.errors == (
            f"toy: HTTP_PORT={port}: {HOST}:{port} is taken; free it or set HTTP_PORT to another port\n"
        )


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)


def code_and_words(capsys: pytest.CaptureFixture[str]) -> tuple[object, str]:
    """How the toy ends, run in this process, and what it says then."""
    with pytest.raises(SystemExit) as caught:
        main("toy", ToySettings, bootstrap)
    return caught.value.code, capsys.readouterr().err


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("setting", PORTS)
def test_whichever_port_is_taken_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], setting: str
) -> None:
    with taken_port() as port:
        monkeypatch.setenv(setting, str(port))
        code, words = code_and_words(capsys)
    assert code == 69
    assert f"{setting}={port}: " in words


@pytest.mark.usefixtures("settings")
def test_one_port_for_two_listeners_is_taken_by_the_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    monkeypatch.setenv("ADMIN_PORT", str(port))
    monkeypatch.setenv("CONTROL_PORT", str(port))
    code, words = code_and_words(capsys)
    assert code == 69
    assert f"CONTROL_PORT={port}: " in words


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize(("setting", "value"), [("BIND_HOST", "192.0.2.1"), ("LIFELINE_FD", "987")])
def test_what_only_the_system_can_refuse_is_a_wrong_setting_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], setting: str, value: str
) -> None:
    monkeypatch.setenv(setting, value)
    code, words = code_and_words(capsys)
    assert code == 78
    assert f"\n  {setting}: " in words
