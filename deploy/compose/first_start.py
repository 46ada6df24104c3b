"""`python -m deploy.compose.first_start`: makes the secrets, once, and hands each container and the user their own.

What it made up stays in a folder of the volume that nobody else can read; a later start hands out the same again.
It runs as root, with no network and only the rights to write others' files and to give files away.
"""

import os
import secrets
from pathlib import Path
from typing import Final

from deploy.compose import belongings
from deploy.compose.belongings import USERS, Made
from deploy.compose.settings import FirstStartSettings, load
from deploy.compose.topology import address, document
from deploy.supervisor import keys
from deploy.supervisor.state import Control, StateFolder, read_json, write_json

_OWN: Final = "first-start"
_FILE: Final = "passwords.json"
_TOKEN: Final = "token"  # noqa: S105 -- a name


def main() -> None:
    """Runs with the settings in the environment. Raises StateError, OSError."""
    settings = load()
    made = make(settings.secrets_volume / _OWN)
    for container, files in belongings.folders(made).items():
        hand_out(settings.secrets_volume / container, files, USERS[container])
    announce(settings, made)


def make(folder: Path) -> Made:
    """What was made up earlier, and what is missing of it. Raises StateError."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found: dict[str, str] = read_json(folder / _FILE) or {}
    wanted = {name: found.get(name) or secrets.token_urlsafe(32) for name in (_TOKEN, *belongings.everybody())}
    if wanted != found:
        write_json(folder / _FILE, wanted)
    token = wanted.pop(_TOKEN)
    return Made(token, wanted, keys.ensure(StateFolder(folder)))


def hand_out(folder: Path, files: dict[str, str], user: int) -> None:
    """Writes the files into a folder that only this user, by number, can read."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for name, text in files.items():
        _write(folder / name, text, user)
    _give(folder, user)


def announce(settings: FirstStartSettings, made: Made) -> None:
    """Fills the state folder, as a supervisor would, for the owner of the checkout. Raises StateError."""
    state, owner = StateFolder(settings.state_folder), settings.owned_like.stat()
    write_json(state.client_keys_file, [vars(each) for each in made.keys])
    write_json(state.stores_file, belongings.stores(made))
    write_json(state.path / "grafana.json", {"user": "admin", "password": made.passwords[belongings.GRAFANA]})
    state.announce(Control(address(settings.project), made.token, pid=0), document(settings.project))
    if state.path.stat().st_uid == os.geteuid():
        state.path.chmod(0o700)
    for each in (state.path, *state.path.glob("*.json")):
        os.chown(each, owner.st_uid, owner.st_gid)


def _write(file: Path, text: str, user: int) -> None:
    """Replaces the file as a whole; at no moment can anybody but its reader and root read it."""
    new = file.with_name(f".{file.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "w") as stream:
        stream.write(text)
    _give(new, user)
    new.replace(file)


def _give(path: Path, user: int) -> None:
    if path.stat().st_uid != user:
        os.chown(path, user, user)


if __name__ == "__main__":
    main()
