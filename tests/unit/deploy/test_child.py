import pytest

from deploy.supervisor.child import _environment


def test_of_the_shell_a_child_gets_only_what_a_program_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_SDK_DISABLED", "BIND_HOST", "GRPC_PORT", "http_proxy", "HTTPS_PROXY", "TRACE_SAMPLE_RATIO"):
        monkeypatch.setenv(name, "from the shell")
    monkeypatch.setenv("TMPDIR", "/tmp/here")
    found = _environment({"BIND_HOST": "127.0.0.1"}, 7)
    assert "from the shell" not in found.values()
    assert (found["BIND_HOST"], found["LIFELINE_FD"], found["TMPDIR"]) == ("127.0.0.1", "7", "/tmp/here")
    assert "PATH" in found


@pytest.mark.parametrize(("level", "handed_on"), [("DEBUG", True), ("info", False), ("LOUD", False)])
def test_a_log_level_is_handed_on_if_it_is_one(monkeypatch: pytest.MonkeyPatch, level: str, handed_on: bool) -> None:
    monkeypatch.setenv("LOG_LEVEL", level)
    assert ("LOG_LEVEL" in _environment({}, 7)) is handed_on
