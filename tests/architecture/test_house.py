"""What a reader may rely on when looking for something."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from tests.architecture.source import MADE, MADE_ENDINGS, PACKAGES, modules, text_files

TOP_LEVEL = {
    *PACKAGES,
    *("docs", "requirements", ".ci", ".gitignore"),
    *("Makefile", "pyproject.toml", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docker-compose.yml", "LICENSE"),
}
SERVICES = ("gateway", "orders", "inventory", "payments")
EVERY_SERVICE_HAS = {
    "__init__.py",
    "__main__.py",
    "settings.py",
    "bootstrap.py",
    "domain.py",
    "ports.py",
    "use_cases.py",
}

# A web address is written down only where it is a document that a reader is sent to.
ADDRESS = re.compile(r"https?://([A-Za-z0-9.-]+)")
HERE = re.compile(r"^([\d.]+|[A-Za-z-]+|.*\.(example|invalid|test)|.*example\.(com|org|net))$")
DOCUMENTS = {
    *("opentelemetry.io", "prometheus.io", "www.jaegertracing.io", "grafana.com", "grpc.io", "grpc.github.io"),
    *("www.rfc-editor.org", "datatracker.ietf.org", "www.w3.org", "sre.google", "keepachangelog.com", "semver.org"),
    *("docs.python.org", "peps.python.org", "docs.sqlalchemy.org", "www.sqlite.org", "sqlite.org", "ucum.org"),
    "www.postgresql.org",
    *(
        "google.aip.dev",
        "docs.github.com",
        "adr.github.io",
        "json-schema.org",
        "openmetrics.io",
        "protobuf.dev",
        "aws.amazon.com",
    ),
}
REGISTRY = re.compile(r"\b(?:pypi|pythonhosted|npmjs|crates)\.(?:org|io|com)\b")
FOLDER_OF_A_MACHINE = re.compile(r"(?<![\w.})/-])/(?:root|home|Users|work)/")


def test_the_top_level_has_only_its_fixed_names(checkout: Path) -> None:
    found = {each.name for each in checkout.iterdir()}
    strays = {name for name in found - TOP_LEVEL - MADE if not name.endswith(MADE_ENDINGS)}
    assert not strays


def test_what_is_installed_is_every_room_but_the_tests(checkout: Path) -> None:
    config = tomllib.loads((checkout / "pyproject.toml").read_text())
    include = config["tool"]["setuptools"]["packages"]["find"]["include"]
    assert {each.removesuffix("*") for each in include} == set(PACKAGES) - {"tests"}


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_same_file_names(checkout: Path, service: str) -> None:
    found = {each.name for each in (checkout / "services" / service).iterdir()}
    assert found >= EVERY_SERVICE_HAS


def test_every_package_folder_says_what_it_is(checkout: Path) -> None:
    for folder in {path.parent for path in modules(checkout)}:
        init = checkout / folder / "__init__.py"
        assert init.exists(), f"{folder} has no __init__.py"
        assert ast.get_docstring(ast.parse(init.read_text())), f"{folder}/__init__.py has no docstring"


def test_files_can_be_read_in_a_minute(checkout: Path) -> None:
    long = {str(path): lines for path in modules(checkout) if (lines := _lines(checkout / path)) > 400}
    assert not long


def test_no_text_names_a_foreign_address(checkout: Path) -> None:
    """Neither a package registry nor anybody's server: only this machine, documentation's own names, and documents."""
    named = {
        f"{path}: {host}"
        for path, text in text_files(checkout)
        for host in ADDRESS.findall(text)
        if not HERE.match(host) and host not in DOCUMENTS
    }
    assert not named


def test_no_text_names_a_package_registry(checkout: Path) -> None:
    """Where packages come from is the user's configuration of pip."""
    assert not [str(path) for path, text in text_files(checkout) if REGISTRY.search(text)]


def test_no_text_names_a_folder_of_the_machine_it_was_written_on(checkout: Path) -> None:
    assert not [str(path) for path, text in text_files(checkout) if FOLDER_OF_A_MACHINE.search(text)]


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines())
