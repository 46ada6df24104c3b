import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from chaos.control import target as targets
from chaos.measure.site import site_of
from deploy.compose import belongings, first_start
from deploy.compose.topology import COMPOSE, databases
from deploy.supervisor.state import StateFolder
from services.chassis.settings import SECRETS_DIR, read
from services.gateway import api_keys
from services.payments.settings import PaymentsSettings


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The volume and the state folder. Giving files away takes root, so that all stay ours; who should own them is noted."""
    volume, state, checkout = tmp_path / "volume", tmp_path / "state", tmp_path / "docker-compose.yml"
    volume.mkdir()
    state.mkdir()
    checkout.touch()
    monkeypatch.setenv("SECRETS_VOLUME", str(volume))
    monkeypatch.setenv("STATE_FOLDER", str(state))
    monkeypatch.setenv("OWNED_LIKE", str(checkout))
    own = os.geteuid()
    monkeypatch.setattr(first_start, "USERS", dict.fromkeys(belongings.USERS, own))
    return volume, state


def contents(folder: Path) -> dict[str, bytes]:
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


def test_each_container_gets_what_its_process_reads(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    volume, _ = folders
    first_start.main()
    assert {each.name for each in volume.iterdir()} == {"first-start", *belongings.USERS}
    assert len(api_keys.read(volume / "gateway" / "api-keys.json")) == 22
    monkeypatch.setenv(SECRETS_DIR, str(volume / "payments"))
    for name, value in {"GRPC_PORT": "1", "ADMIN_PORT": "2", "CONTROL_PORT": "3"}.items():
        monkeypatch.setenv(name, value)
    settings = read(PaymentsSettings)
    assert settings.database_url.startswith("postgresql+asyncpg://payments:")
    assert settings.database_url.endswith("@postgres:5432/payments")


def test_nobody_gets_anothers_password(folders: tuple[Path, Path]) -> None:
    volume, _ = folders
    first_start.main()
    passwords = json.loads((volume / "first-start" / "passwords.json").read_text())
    assert len(set(passwords.values())) == len(passwords)
    for name in ("gateway", "load", *databases()):
        held = b"".join(contents(volume / name).values()).decode()
        assert {role for role, each in passwords.items() if role != "token" and each in held} <= {name}


def test_only_the_owner_can_read_anything(folders: tuple[Path, Path]) -> None:
    first_start.main()
    for folder in folders:
        for each in (folder, *folder.rglob("*")):
            if each != folders[0]:
                assert not stat.S_IMODE(each.stat().st_mode) & 0o077, each


def test_a_second_start_hands_out_the_same_and_what_was_deleted(folders: tuple[Path, Path]) -> None:
    volume, state = folders
    first_start.main()
    before = contents(volume), contents(state)
    for each in state.iterdir():
        each.unlink()
    (volume / "orders" / "database_url").unlink()
    first_start.main()
    assert (contents(volume), contents(state)) == before


def test_whoever_is_outside_finds_the_system_as_if_a_supervisor_had_started_it(folders: tuple[Path, Path]) -> None:
    _, state = folders
    first_start.main()
    found = targets.read(state)
    assert found.supervisor_address == "docker://faultline"
    assert [each.service for each in found.instances] == [each.name for each in COMPOSE.processes]
    site = site_of(state)
    assert site.gateway_url == "http://127.0.0.1:8080"
    assert site.query_url == "http://127.0.0.1:16686"
    assert len([each for each in site.users if each.client_id == "load"]) == 20


def test_the_stores_are_told_with_a_role_that_only_reads(folders: tuple[Path, Path]) -> None:
    _, state = folders
    first_start.main()
    stores: dict[str, Any] = json.loads(StateFolder(state).stores_file.read_text())
    assert stores.keys() == set(databases())
    assert all(f"://{belongings.READER}:" in url and "@127.0.0.1:15432/" in url for url in stores.values())


def test_wrong_settings_are_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("SECRETS_VOLUME", raising=False)
    with pytest.raises(SystemExit) as caught:
        first_start.main()
    assert caught.value.code == 78
    assert "SECRETS_VOLUME: Field required" in capsys.readouterr().err
