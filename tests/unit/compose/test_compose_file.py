import importlib
import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema.validators import validator_for
from pydantic_settings import BaseSettings

from deploy.compose import belongings
from deploy.compose.topology import COMPOSE, POSTGRES_PORT, document
from services.chassis.settings import SECRETS_DIR
from tests.architecture.settings_doc import settings_class
from tests.unit.compose.compose_file import (
    CHECKOUT,
    DOCUMENT,
    FILE,
    LONG_RUNNING,
    OF_OURS,
    ONE_SHOT,
    SERVICES,
    by_default,
    environment,
    mebibytes,
    mounts,
)

PINNED = re.compile(r"[a-z./-]+:v?\d+\.\d+(\.\d+)?(@sha256:[0-9a-f]{64})?")
BUDGET_MIB = 2048


def validator() -> Any:
    file = resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    schema = json.loads(file.read_text("utf-8"))
    return validator_for(schema)(schema)


def test_the_file_is_what_the_compose_specification_allows() -> None:
    wrong = sorted(f"{each.json_path}: {each.message}" for each in validator().iter_errors(DOCUMENT))
    assert not wrong


@pytest.mark.parametrize("key", ["imagee", "mem_limits", "cap_dropp"])
def test_the_schema_refuses_what_is_misspelt(key: str) -> None:
    spoilt = {**DOCUMENT, "services": {"one": {"image": "one:1.0", key: "x"}}}
    assert not validator().is_valid(spoilt)


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_has_a_version(name: str) -> None:
    assert PINNED.fullmatch(SERVICES[name]["image"])


def test_our_image_has_the_version_of_what_is_in_it() -> None:
    version = re.search(r'^version = "(.+)"$', (CHECKOUT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    assert {SERVICES[name]["image"] for name in OF_OURS} == {f"localhost/faultline:{version[1]}"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_port_is_published_on_loopback_alone_and_under_its_own_number(name: str) -> None:
    for each in SERVICES[name].get("ports", []):
        host, outside, inside = each.split(":")
        assert host == "127.0.0.1"
        assert outside == inside or outside == str(POSTGRES_PORT)


def test_no_port_is_published_twice() -> None:
    ports = [each.split(":")[1] for service in SERVICES.values() for each in service.get("ports", [])]
    assert len(ports) == len(set(ports))


@pytest.mark.parametrize("name", SERVICES)
def test_no_container_may_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["pids_limit"]
    assert not service.keys() & {"privileged", "devices", "pid", "ipc", "userns_mode"}
    assert service.get("network_mode") in {None, "none"}


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_nothing_that_runs_is_root_or_gets_a_right_back(name: str) -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", SERVICES[name]["user"])
    assert "cap_add" not in SERVICES[name]


def test_who_gives_the_secrets_away_reaches_nobody() -> None:
    first = SERVICES[ONE_SHOT]
    assert (first["network_mode"], first["restart"]) == ("none", "no")
    assert set(first["cap_add"]) == {"CHOWN", "DAC_OVERRIDE"}


def test_all_together_stay_within_their_budget_of_memory() -> None:
    assert sum(mebibytes(each["mem_limit"]) for each in SERVICES.values()) <= BUDGET_MIB


@pytest.mark.parametrize("name", SERVICES)
def test_every_file_that_is_mounted_exists_and_cannot_be_written(name: str) -> None:
    for source, _, mode in mounts(name):
        if source.startswith("./") and source != "./.faultline-compose":
            assert (CHECKOUT / source).exists(), source
            assert mode == "ro"
        elif not source.startswith("./"):
            assert source in DOCUMENT["volumes"]


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_only_the_first_start_can_write_secrets_or_the_users_folder(name: str) -> None:
    written = {source for source, _, mode in mounts(name) if mode == "rw"}
    assert not written & {"secrets", "./.faultline-compose"}


@pytest.mark.parametrize("name", OF_OURS)
def test_every_setting_is_one_that_the_process_has(name: str) -> None:
    known = {each.upper() for each in settings_class(name).model_fields}
    assert environment(name).keys() - {SECRETS_DIR} <= known


@pytest.mark.parametrize("name", [name for name in OF_OURS if name != ONE_SHOT])
def test_every_setting_without_a_default_is_given(name: str) -> None:
    given = environment(name)
    secrets = Path(given.get(SECRETS_DIR, "/run/faultline/none")).name
    made = belongings.Made("t" * 32, dict.fromkeys(belongings.everybody(), "p" * 32), ())
    own = {each.upper() for each in belongings.folders(made).get(secrets, {})}
    required = {key.upper() for key, field in settings_class(name).model_fields.items() if field.is_required()}
    assert required <= given.keys() | own


@pytest.mark.parametrize("name", [name for name in OF_OURS if name in belongings.USERS])
def test_the_files_that_settings_name_are_made_for_the_containers_user(name: str) -> None:
    made = belongings.Made("t" * 32, dict.fromkeys(belongings.everybody(), "p" * 32), ())
    handed_out = {f"/run/faultline/{name}/{each}" for each in belongings.folders(made)[name]}
    named = {
        value for key, value in environment(name).items() if value.startswith("/run/faultline/") and key != SECRETS_DIR
    }
    assert named <= handed_out
    assert environment(name).get(SECRETS_DIR, f"/run/faultline/{name}") == f"/run/faultline/{name}"


@pytest.mark.parametrize("name", belongings.USERS)
def test_who_is_handed_secrets_is_who_runs(name: str) -> None:
    number = belongings.USERS[name]
    assert SERVICES[name]["user"] == f"{number}:{number}"
    assert "secrets:/run/faultline:ro" in SERVICES[name]["volumes"]


def test_no_two_containers_share_a_user() -> None:
    users = [SERVICES[name]["user"] for name in OF_OURS]
    assert len(users) == len(set(users))


def test_there_is_no_secret_in_the_file() -> None:
    """What is secret is read from files, whose names are settings that end in `_FILE`, or from the services' folder."""
    suspicious = re.compile(r"PASSWORD|TOKEN|SECRET|KEY")
    for name in SERVICES:
        for key, value in environment(name).items():
            if suspicious.search(key):
                assert value.startswith(("/run/faultline/", "/secrets"))
    assert "://" not in re.sub(r"\bhttps?://[a-z0-9.:-]+", "", FILE.read_text())


@pytest.mark.parametrize("name", [name for name in LONG_RUNNING if name in OF_OURS])
def test_a_container_outlives_its_drain(name: str) -> None:
    drain_s = settings_class(name).model_fields["drain_timeout_s"].default
    grace = re.fullmatch(r"(\d+)s", SERVICES[name]["stop_grace_period"])
    assert grace
    assert int(grace[1]) >= float(environment(name).get("DRAIN_TIMEOUT_S", drain_s)) + 2


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_what_ends_is_started_again_and_its_logs_are_bounded(name: str) -> None:
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert SERVICES[name]["logging"]["options"].keys() == {"max-size", "max-file"}


@pytest.mark.parametrize("name", [name for name in LONG_RUNNING if name not in OF_OURS])
def test_everybody_elses_health_is_checked_too(name: str) -> None:
    """Ours is checked by the image itself."""
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


def test_nobody_waits_for_telemetry() -> None:
    waited_for = {peer for service in SERVICES.values() for peer in service.get("depends_on", {})}
    assert "jaeger" not in waited_for


def test_callers_wait_until_their_peers_are_healthy() -> None:
    for edge in COMPOSE.edges:
        peer = "postgres" if edge.kind == "sql" else edge.callee
        assert SERVICES[edge.caller]["depends_on"][peer] == {"condition": "service_healthy"}


def test_only_those_with_a_database_reach_it() -> None:
    reach = {name for name, each in SERVICES.items() if "databases" in each.get("networks", [])}
    assert reach == {"postgres", *(each.name for each in COMPOSE.processes if each.database)}


def test_the_addresses_that_are_told_are_the_published_ones() -> None:
    for process in document()["processes"]:
        published = {int(each.split(":")[1]) for each in SERVICES[process["service"]]["ports"]}
        assert set(process["listeners"].values()) == published
        given = environment(process["service"])
        assert {name: str(port) for name, port in process["listeners"].items()}.items() <= given.items()
        assert given["SERVICE_INSTANCE_ID"] == process["instance"]


@pytest.mark.parametrize("name", OF_OURS)
def test_every_command_is_a_module_that_exists(name: str) -> None:
    python, option, module = SERVICES[name]["command"]
    assert (python, option) == ("python", "-m")
    assert importlib.util.find_spec(module)


def test_every_volume_is_used() -> None:
    used = {source for name in SERVICES for source, _, _ in mounts(name)}
    assert set(DOCUMENT["volumes"]) <= used


def test_variables_have_defaults() -> None:
    text = FILE.read_text()
    assert "$" not in by_default("\n".join(line.partition("#")[0] for line in text.splitlines()))
    assert yaml.safe_load(text)


def test_the_user_may_choose_each_services_telemetry_and_gets_its_default_without() -> None:
    for name in (process.name for process in COMPOSE.processes):
        fields = settings_class(name).model_fields
        for chosen in {"TRACE_SAMPLE_RATIO", "HTTP_SERVER_SPANS"} & {each.upper() for each in fields}:
            default = fields[chosen.lower()].default
            assert SERVICES[name]["environment"][chosen] == f"${{{chosen}:-{default}}}"


def test_settings_classes_are_found() -> None:
    assert all(issubclass(settings_class(name), BaseSettings) for name in OF_OURS)
