"""API keys, and the file they come from."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from services.chassis.errors import NotReadyError, SettingsError
from services.chassis.settings import read
from services.gateway import api_keys
from services.gateway.api_keys import ApiKeyAuthenticator
from services.gateway.settings import GatewaySettings
from tests.refusals import refused

DIGEST = hashlib.sha256(b"flk_secret").hexdigest()
ENTRY = {"sha256": DIGEST, "user_id": "user-1", "client_id": "demo", "scopes": ["orders:read", "products:read"]}


def write(folder: Path, content: Any) -> Path:
    path = folder / "api-keys.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


async def test_a_key_proves_who_asks(tmp_path: Path) -> None:
    keys = ApiKeyAuthenticator(api_keys.read(write(tmp_path, {"keys": [ENTRY]})))
    principal = await keys.authenticate({"x-api-key": "flk_secret"})
    assert (principal.user_id, principal.client_id) == ("user-1", "demo")
    assert principal.scopes == {"orders:read", "products:read"}


@pytest.mark.parametrize("headers", [{}, {"x-api-key": ""}, {"x-api-key": "flk_Secret"}, {"x-api-key": DIGEST}])
async def test_nothing_else_does(tmp_path: Path, headers: dict[str, str]) -> None:
    keys = ApiKeyAuthenticator(api_keys.read(write(tmp_path, {"keys": [ENTRY]})))
    await refused("unauthenticated", keys.authenticate(headers))


async def test_without_any_key_it_is_not_ready(tmp_path: Path) -> None:
    await ApiKeyAuthenticator(api_keys.read(write(tmp_path, {"keys": [ENTRY]}))).check()
    with pytest.raises(NotReadyError, match="API_KEYS_FILE holds no key"):
        await ApiKeyAuthenticator(api_keys.read(write(tmp_path, {"keys": []}))).check()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        {},
        [],
        {"keys": [{}]},
        {"keys": [ENTRY | {"sha256": "flk_secret"}]},
        {"keys": [ENTRY | {"user_id": ""}]},
    ],
)
def test_a_file_that_holds_no_keys_is_a_wrong_setting(
    tmp_path: Path, content: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PORT", "ADMIN_PORT", "CONTROL_PORT"):
        monkeypatch.setenv(name, "12345")
    monkeypatch.setenv("CONTROL_TOKEN", "0123456789abcdef")
    monkeypatch.setenv("API_KEYS_FILE", str(write(tmp_path, content)))
    with pytest.raises(SettingsError, match="API_KEYS_FILE") as wrong:
        read(GatewaySettings)
    assert "flk_secret" not in str(wrong.value)


def test_a_missing_file_is_a_wrong_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEYS_FILE", str(tmp_path / "nowhere.json"))
    with pytest.raises(SettingsError, match="API_KEYS_FILE"):
        read(GatewaySettings)
