"""The file that makes the databases, as far as it can be told from its text."""

import re

from deploy.compose import belongings
from deploy.compose.topology import databases
from tests.unit.compose.compose_file import CHECKOUT, SERVICES

FILE = CHECKOUT / "deploy" / "docker" / "databases.sql"


def test_each_service_owns_a_database_and_the_reader_reads_all() -> None:
    text = FILE.read_text()
    assert re.findall(r"^CREATE DATABASE (\w+) OWNER (\w+);", text, re.MULTILINE) == [
        (each, each) for each in ("orders", "inventory", "payments")
    ]
    assert {"orders", "inventory", "payments"} == set(databases())
    assert re.findall(r"^CREATE ROLE (\w+) LOGIN", text, re.MULTILINE) == [
        "orders",
        "inventory",
        "payments",
        belongings.READER,
    ]


def test_passwords_are_read_from_the_files_that_are_handed_out() -> None:
    made = belongings.Made("t" * 32, dict.fromkeys(belongings.everybody(), "p" * 32), ())
    handed_out = {f"/run/faultline/postgres/{each}" for each in belongings.folders(made)["postgres"]}
    assert (
        set(re.findall(r"`cat (\S+)`", FILE.read_text()))
        | {SERVICES["postgres"]["environment"]["POSTGRES_PASSWORD_FILE"]}
        == handed_out
    )
