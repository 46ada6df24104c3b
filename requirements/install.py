"""Makes `.venv` what a lock says: `python requirements/install.py run` (or `dev`).

Needs nothing but Python 3.11 and pip. What is done is written down in a stamp inside `.venv` when it is
whole, so that a second run does nothing and one that was interrupted is begun again. Two runs at a time
wait for each other. `dev.lock` holds everything of `run.lock` in the same versions, so that the
environment for tests is the environment for running, with more in it.

pip's own account is kept in `build/setup.log` and shown only if it fails.
"""

import argparse
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
STAMP = VENV / "faultline-setup.json"
LOG = ROOT / "build" / "setup.log"
OLDEST_PIP = (22, 3)
"""The first pip that can install into another interpreter's environment (`--python`)."""

PIP_SETTINGS_KEPT = {
    *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_TRUSTED_HOST"),
    *("PIP_CERT", "PIP_CLIENT_CERT", "PIP_PROXY", "PIP_TIMEOUT", "PIP_DEFAULT_TIMEOUT", "PIP_RETRIES"),
    *("PIP_CACHE_DIR", "PIP_NO_CACHE_DIR", "PIP_CONFIG_FILE", "PIP_KEYRING_PROVIDER"),
}
"""The user's pip settings that say where packages come from. Those that say where they go are not followed."""

TAIL = 15
"""Lines of pip's output that are shown when it fails."""


class SetupError(Exception):
    """The environment can't be made; the text says what the user can do."""


@dataclass(frozen=True)
class Stamp:
    """What a whole `.venv` was made from. `locks` maps a lock's name to the SHA-256 of its file."""

    path: str
    project: str
    locks: dict[str, str] = field(default_factory=dict)


def main() -> int:
    """Makes the environment; the exit code is 0, 1 with an explanation, or 130 after Ctrl-C."""
    args = _arguments()
    _leave_own_venv()
    os.chdir(ROOT)
    try:
        with _alone():
            _make(args.lock, keep_python=not args.rebuild_for_other_python)
    except SetupError as exc:
        print(f"set-up: {exc}", file=sys.stderr)
        return 1
    except OSError as exc:
        print(f"set-up: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nset-up: interrupted; the next run begins again", file=sys.stderr)
        return 130
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Make .venv what a lock says.")
    parser.add_argument("lock", choices=["run", "dev"])
    parser.add_argument("--rebuild-for-other-python", action="store_true", help="unless .venv is of this interpreter")
    return parser.parse_args()


def _leave_own_venv() -> None:
    """Goes on in the interpreter underneath when this one is `.venv`'s, as where the user has activated it."""
    if Path(sys.prefix).resolve() == VENV:
        # Nothing public tells the interpreter that a virtual environment was made from.
        base = sys._base_executable  # type: ignore[attr-defined]  # noqa: SLF001
        os.execv(base, [base, *sys.argv])  # noqa: S606  # ourselves, elsewhere


def _make(lock: str, *, keep_python: bool) -> None:
    """Brings `.venv` to `lock`, doing as little as that takes."""
    wanted = Stamp(str(VENV), _project_digest(), {lock: _digest(_lock_file(lock))})
    found, version = _read_stamp(), _python_of_venv()
    if found is None or version is None or found.path != wanted.path:
        _build(lock, wanted, None)
        return
    same_python = version == _python_version()
    if not (_covers(found, wanted) and (keep_python or same_python)):
        _build(lock, wanted, found if same_python else None)


def _build(lock: str, wanted: Stamp, found: Stamp | None) -> None:
    """Makes the environment or, where `found` is the stamp of one that can be, brings it up to date."""
    started = time.monotonic()
    pip = _fresh_venv() if found is None else _pip()
    STAMP.unlink(missing_ok=True)
    had = _unchanged_locks(found) if found else {}
    if lock not in had:
        _install_lock(pip, lock)
        _remove_strays(pip)
        _compile()
    _install_project(pip)
    _write_stamp(Stamp(wanted.path, wanted.project, had | wanted.locks))
    _say(f"ready in {time.monotonic() - started:.0f} s")


# What is there ------------------------------------------------------------------------------------


def _read_stamp() -> Stamp | None:
    try:
        return Stamp(**json.loads(STAMP.read_text()))
    except (OSError, ValueError, TypeError):
        return None  # absent, torn or of another version: all mean that .venv is not known to be whole


def _write_stamp(stamp: Stamp) -> None:
    torn = STAMP.with_suffix(".new")
    torn.write_text(json.dumps(asdict(stamp), indent=2) + "\n")
    torn.replace(STAMP)


def _covers(found: Stamp, wanted: Stamp) -> bool:
    """Whether what is there was made from the same project and from a lock that holds what is wanted."""
    ours = found.locks.items() >= wanted.locks.items()
    more = "run" in wanted.locks and found.locks.get("dev") == _digest(_lock_file("dev"))
    return found.project == wanted.project and (ours or more)


def _unchanged_locks(found: Stamp) -> dict[str, str]:
    """Those of the locks that `.venv` was made from which are still the same."""
    return {name: digest for name, digest in found.locks.items() if _digest(_lock_file(name)) == digest}


def _lock_file(lock: str) -> Path:
    return ROOT / "requirements" / f"{lock}.lock"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _project_digest() -> str:
    """Changes when the project itself must be installed anew; not with a linter's settings."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    parts = [config["build-system"], config["project"], config["tool"]["setuptools"]]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _python_version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"


def _python_of_venv() -> str | None:
    """The version of `.venv`'s interpreter, or None when it does not run (its Python is gone, say)."""
    try:
        done = subprocess.run(
            [VENV_PYTHON, "-c", "import platform; print(platform.python_version())"],
            capture_output=True,
            text=True,
            env=_environment(),
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


# What is done -------------------------------------------------------------------------------------


def _fresh_venv() -> list[str]:
    """An empty `.venv` in place of what was there; returns the command of a pip that can fill it."""
    _say(f"Python {_python_version()} ({sys.executable}) → .venv")
    if VENV.is_symlink() or VENV.is_file():
        VENV.unlink()
    elif VENV.exists():
        shutil.rmtree(VENV)
    try:
        pip = _pip()
    except SetupError as why:
        return _bundled_pip(why)
    _run([sys.executable, "-m", "venv", "--without-pip", str(VENV)])
    return pip


def _pip() -> list[str]:
    """The command of a pip that fills `.venv`: this interpreter's, or one that `.venv` has itself."""
    version = _pip_version(sys.executable)
    if version and version >= OLDEST_PIP:
        return [sys.executable, "-m", "pip", "--python", str(VENV_PYTHON)]
    if VENV_PYTHON.exists() and _pip_version(str(VENV_PYTHON)):
        return [str(VENV_PYTHON), "-m", "pip"]
    has = f"only pip {'.'.join(map(str, version))}" if version else "no pip"
    raise SetupError(
        f"{sys.executable} has {has}, and pip 22.3 or newer is needed\n"
        "        Debian, Ubuntu: apt-get install python3-pip · elsewhere: python3 -m ensurepip --upgrade\n"
        "        or name a Python that has it: make … PYTHON=/path/to/python3"
    )


def _pip_version(python: str) -> tuple[int, ...] | None:
    done = subprocess.run(
        [python, "-m", "pip", "--version"], capture_output=True, text=True, env=_environment(), check=False
    )
    match = re.match(r"pip (\d+)\.(\d+)", done.stdout)
    return tuple(int(each) for each in match.groups()) if match else None


def _bundled_pip(why: SetupError) -> list[str]:
    """Falls back on the pip that Python itself brings (Debian's `python3` leaves it out)."""
    try:
        _run([sys.executable, "-m", "venv", str(VENV)])
    except SetupError:
        raise why from None
    return _pip()


def _install_lock(pip: list[str], lock: str) -> None:
    """Installs every package of the lock, each checked against its hash.

    The lock is complete (a test proves it), so there is nothing to resolve; wheels only, so nothing is
    built and no compiler is needed.
    """
    path = _lock_file(lock).relative_to(ROOT)
    total = len(_names(lock))
    options = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--no-compile"]
    with _step(f"{total} packages of {path}, checked against their hashes"):
        _pip_install(pip, [*options, "-r", str(path)], total)


def _names(lock: str) -> set[str]:
    """The names of the lock's packages, as the lock spells them: lower case, with hyphens."""
    return set(re.findall(r"^([a-z0-9][a-z0-9-]*)==", _lock_file(lock).read_text(), re.MULTILINE))


def _remove_strays(pip: list[str]) -> None:
    """Removes packages that no lock holds any more."""
    kept = _names("run") | _names("dev") | {"faultline", "pip"}
    found = (VENV / "lib").glob("python*/site-packages/*.dist-info")
    names = {each.name.partition("-")[0].lower().replace("_", "-").replace(".", "-") for each in found}
    if strays := sorted(names - kept):
        with _step(f"without {', '.join(strays)}"):
            _run([*pip, "uninstall", "--yes", "--quiet", *strays])


def _compile() -> None:
    with _step("byte code"):
        # Without -q 2 a package's own test data, wrong on purpose, would be reported.
        _run([str(VENV_PYTHON), "-m", "compileall", "-qq", "-j", "0", str(VENV / "lib")], check=False)


def _install_project(pip: list[str]) -> None:
    with _step("faultline itself"):
        _pip_install(pip, ["--no-deps", "--no-build-isolation", "--no-index", "-e", "."], 1)


def _pip_install(pip: list[str], options: list[str], total: int) -> None:
    command = [*pip, "install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off", *options]
    output: list[str] = []
    LOG.parent.mkdir(exist_ok=True)
    with (
        LOG.open("w") as log,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=_environment()
        ) as process,
    ):
        for line in process.stdout or ():
            log.write(line)
            output.append(line)
            _progress(output, total)
    if process.returncode:
        raise SetupError(_explained(output))


def _explained(output: list[str]) -> str:
    text = "".join(output)
    hint = ""
    if re.search(r"NewConnectionError|ConnectTimeout|ReadTimeout|Temporary failure|Max retries", text):
        hint = "\n        the package index was not reached: is there a network, a proxy (PIP_PROXY), a mirror (PIP_INDEX_URL)?"
    elif "No matching distribution" in text:
        hint = (
            "\n        no ready-made package for this Python or machine: try another Python, make … PYTHON=python3.12"
        )
    return f"pip failed; its account is in {LOG.relative_to(ROOT)} and ends:\n{''.join(output[-TAIL:])}{hint}"


def _run(command: list[str], *, check: bool = True) -> None:
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=_environment(), check=False
    )
    if check and done.returncode:
        raise SetupError(f"{' '.join(command)} failed:\n{done.stdout}")


def _environment() -> dict[str, str]:
    """The user's environment without what would lead pip or Python elsewhere."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("PIP_") or key in PIP_SETTINGS_KEPT}
    for key in ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"):
        env.pop(key, None)
    if not _home_writable() and not {"PIP_CACHE_DIR", "XDG_CACHE_HOME"} & env.keys():
        env["PIP_NO_CACHE_DIR"] = "1"
    # Set rather than left out: this also overrules the user's pip configuration files.
    return env | {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}


def _home_writable() -> bool:
    home = os.environ.get("HOME")
    return bool(home) and os.access(str(home), os.W_OK)


# What is said -------------------------------------------------------------------------------------


def _say(text: str) -> None:
    print(f"set-up  {text}", flush=True)


def _progress(output: list[str], total: int) -> None:
    """On a terminal, rewrites one line with how far pip has come; elsewhere says nothing in between."""
    if not sys.stdout.isatty() or not output[-1].startswith(("Collecting", "Installing")):
        return
    count = sum(line.startswith("Collecting") for line in output)
    what = output[-1].split()[1].split("==")[0] if output[-1].startswith("Collecting") else "unpacking"
    print(f"\rset-up  {count:>3}/{total} {what:<50.50}", end="", flush=True)


@contextmanager
def _step(text: str) -> Iterator[None]:
    """Says what is begun and, when it is done, how long it took."""
    print(f"set-up  {text} …", end="\n" if sys.stdout.isatty() else " ", flush=True)
    started = time.monotonic()
    try:
        yield
    except BaseException:
        print(flush=True)
        raise
    done = f"{time.monotonic() - started:.1f} s"
    print(f"\r{'set-up  … in ' + done:<72}" if sys.stdout.isatty() else done, flush=True)


@contextmanager
def _alone() -> Iterator[None]:
    """Holds the only set-up of this checkout; waits, and says so, while another one runs."""
    folder = os.open(ROOT / "requirements", os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("another set-up of this checkout is running; waiting for it")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


if __name__ == "__main__":
    sys.exit(main())
