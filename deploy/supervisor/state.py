"""The state folder: everything one running system writes, and the lock that makes it one.

    control.json      0600  {"address", "token", "pid", "born"} of the supervisor; exists while it runs
    topology.json           addresses of everything; exists while it runs
    children.json           pids of the children, so that what a killed supervisor left can be told from strangers
    api-keys.json           hashes of the API keys, for the gateway
    client-keys.json  0600  the keys themselves, for the command and the load generator
    notifications-token  0600  what a sender of alert notifications must know, and who receives them; new for each run
    stores.json       0600  service → URL of its database, password included; stays, for who reads it later
    supervisor.lock         held (flock) by the supervisor; the kernel frees it when the supervisor dies
    logs/<instance>.jsonl
    policies/<instance>.json  what its policies were switched to, by itself; none at the start of a run
    data/<service>.db
    data/traces.bin         the newest traces, with .1 and .lock, where they are to be kept

Files are replaced as a whole, so that a reader never sees half of one.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from deploy.errors import AlreadyRunningError, StateError

CHECKOUT: Final = Path(__file__).resolve().parents[2]
ENVIRONMENT_KEY: Final = "FAULTLINE_STATE_DIR"
_LOCK_PATIENCE_S: Final = 1.0


def default_folder(name: str = ".faultline") -> Path:
    """The folder of that name in the checkout; where this is an installed package, in the current folder."""
    return (CHECKOUT if (CHECKOUT / "pyproject.toml").exists() else Path.cwd()) / name


@dataclass(frozen=True)
class Control:
    """How to reach a supervisor: base address of its control API, Bearer token, pid and when that was born."""

    address: str
    token: str
    pid: int
    born: float = 0.0


class StateFolder:
    """Paths and files below one folder. Making this object touches nothing; `create` makes the folder."""

    def __init__(self, path: Path) -> None:
        self.path = Path(os.path.abspath(path))  # noqa: PTH100 -- `resolve` would follow a link that the user named
        self.control_file = self.path / "control.json"
        self.topology_file = self.path / "topology.json"
        self.children_file = self.path / "children.json"
        self.api_keys_file = self.path / "api-keys.json"
        self.client_keys_file = self.path / "client-keys.json"
        self.notifications_token_file = self.path / "notifications-token"
        self.stores_file = self.path / "stores.json"
        self.lock_file = self.path / "supervisor.lock"
        self.logs = self.path / "logs"
        self.data = self.path / "data"
        self.policies = self.path / "policies"
        self.traces_file = self.data / "traces.bin"

    def create(self) -> None:
        """Makes what is missing, readable by the user alone. Raises StateError."""
        try:
            for folder in (self.path, self.logs, self.data, self.policies):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as exc:
            raise StateError(f"{self.path}: {exc.strerror}; choose another folder with --state") from exc

    def log_file(self, instance: str) -> Path:
        return self.logs / f"{instance}.jsonl"

    def policies_file(self, instance: str) -> Path:
        return self.policies / f"{instance}.json"

    def forget_policies(self) -> None:
        """A new run begins with what its processes' settings say. Raises StateError."""
        try:
            for file in self.policies.glob("*.json"):
                file.unlink(missing_ok=True)
        except OSError as exc:
            raise StateError(f"{self.policies}: {exc.strerror}") from exc

    def database_url(self, service: str) -> str:
        """The service's own SQLite file, as SQLAlchemy takes it. Raises StateError for a path that no URL can hold."""
        path = str(self.data / f"{service}.db")
        if "?" in path:
            raise StateError(f"{self.path}: a `?` in the path cannot be written in a database address; use --state")
        return f"sqlite+aiosqlite:///{path}"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the folder's lock. Raises AlreadyRunningError when another supervisor has it."""
        with self._lock_file(os.O_CREAT) as descriptor:
            if not _acquire(descriptor):
                control = self.control()
                raise AlreadyRunningError(
                    self.path, control.address if control else "", control.pid if control else None
                )
            yield

    def is_locked(self) -> bool:
        """Whether a supervisor runs here now."""
        try:
            with self._lock_file() as descriptor:
                return not _try_lock(descriptor, fcntl.LOCK_SH)
        except (FileNotFoundError, NotADirectoryError):
            return False

    def control(self) -> Control | None:
        """What `control.json` says; None without one. It may be a dead supervisor's: see `is_locked`."""
        document = read_json(self.control_file)
        if document is None:
            return None
        try:
            return Control(**document)
        except TypeError as exc:
            raise StateError(f"{self.control_file}: not a supervisor's file; delete it") from exc

    def announce(self, control: Control, topology: dict[str, Any]) -> None:
        """Writes `topology.json`, then `control.json`: who sees the second can read the first."""
        write_json(self.topology_file, topology)
        write_json(self.control_file, asdict(control))

    def withdraw(self) -> None:
        """Takes back what `announce` wrote."""
        for file in (self.control_file, self.topology_file):
            with suppress(OSError):  # a folder deleted under a running system is no reason to fail at its end
                file.unlink(missing_ok=True)

    @contextmanager
    def _lock_file(self, flags: int = 0) -> Iterator[int]:
        try:
            descriptor = os.open(self.lock_file, os.O_RDWR | os.O_CLOEXEC | flags, 0o600)
        except (FileNotFoundError, NotADirectoryError):
            raise
        except OSError as exc:
            raise StateError(f"{self.lock_file}: {exc.strerror}; choose another folder with --state") from exc
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def read_json(file: Path) -> Any:
    """The file's document; None when there is none. Raises StateError for one that cannot be read."""
    try:
        return json.loads(file.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as exc:
        raise StateError(f"{file}: {exc.strerror}") from exc
    except ValueError as exc:
        raise StateError(f"{file}: not JSON; delete it") from exc


def write_json(file: Path, document: object) -> None:
    """Writes a document as `write_text` does. Raises StateError."""
    write_text(file, json.dumps(document, indent=2))


def write_text(file: Path, text: str) -> None:
    """Replaces the file as a whole; only its owner can read it, at no moment anybody else. Raises StateError."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with suppress(FileNotFoundError):
            temporary.unlink()
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(text)
        temporary.replace(file)
    except OSError as exc:
        raise StateError(f"{file}: {exc.strerror}") from exc


def _acquire(descriptor: int) -> bool:
    """Takes the lock for this process alone; waits a moment, as another's look (`is_locked`) takes it for an instant."""
    give_up = time.monotonic() + _LOCK_PATIENCE_S
    while not _try_lock(descriptor, fcntl.LOCK_EX):
        if time.monotonic() > give_up:
            return False
        time.sleep(0.02)
    return True


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
