"""Every alert has a page of its own, and the commands on it are commands."""

import re
import shlex
from pathlib import Path

import click
import pytest
import yaml

from deploy.cli.entry import cli
from observability.stack.generators import FOLDER
from observability.stack.objectives import load_all

RUNBOOKS = Path(__file__).resolve().parents[3] / "docs" / "runbooks"
PAGES = sorted(RUNBOOKS.glob("*.md"))
PARTS = ["## What to look at", "## How to reproduce it", "## How to end it"]
LINK = re.compile(r"\]\(([^)]+)\)")


def rules() -> list[dict[str, dict[str, str]]]:
    groups = yaml.safe_load((FOLDER / "prometheus" / "rules.demo.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


def name_of(page: Path) -> str:
    return page.stem


def test_every_alert_has_a_page_and_links_to_it() -> None:
    assert {page.stem for page in PAGES} == {str(rule["alert"]) for rule in rules()}
    for rule in rules():
        links = load_all().links
        assert rule["annotations"]["runbook_url"] == f"{links.runbooks}/{rule['alert']}"
        assert rule["annotations"]["dashboard_url"].startswith(f"{links.dashboards}/faultline-")
        assert set(rule["annotations"]) == {"summary", "description", "runbook_url", "dashboard_url"}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_says_all_there_is_to_say(page: Path) -> None:
    text = page.read_text()
    assert text.startswith(f"# {page.stem}\n\n")
    assert [line for line in text.splitlines() if line.startswith("## ")] == PARTS
    assert len(text.splitlines()) < 70
    for link in LINK.findall(text):
        assert (RUNBOOKS / link).exists(), link


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_its_commands_are_commands(page: Path) -> None:
    lines = [line for line in page.read_text().splitlines() if line.startswith("$ .venv/bin/faultline ")]
    assert lines
    for line in lines:
        _understood(cli, shlex.split(line)[2:])


def _understood(command: click.Command, arguments: list[str], parent: click.Context | None = None) -> None:
    """Reads a command line without doing what it says. Raises click.UsageError."""
    name = arguments[0] if isinstance(command, click.Group) else command.name
    if isinstance(command, click.Group):
        context = click.Context(command, parent=parent, info_name=command.name)
        found = command.get_command(context, arguments[0])
        assert found is not None, f"there is no command {name}"
        _understood(found, arguments[1:], context)
    else:
        command.make_context(name, list(arguments), parent=parent)
