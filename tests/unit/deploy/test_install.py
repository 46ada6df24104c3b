"""What `make backends` does on machines that have much or little, all of it impostors."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.programs import install
from deploy.programs.catalogue import JAEGER_VERSION
from deploy.programs.finding import built_jaeger

Put = Callable[[str, str], Path]


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Puts a shell script on a PATH that has nothing else, on a machine of somebody who is not root."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(install, "_POLICY", tmp_path / "policy-rc.d")

    def put(name: str, script: str = "") -> Path:
        file = folder / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
        return file

    return put


@pytest.fixture
def root(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same machine, of somebody who is."""
    assert callable(put)
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def go(version: str, build: str) -> str:
    """A Go command; `$out` in `build` is where to build to."""
    return f"""
case $1 in
  env) echo {version} ;;
  build) while [ "$1" != -o ]; do shift; done; out=$2; {build} ;;
esac"""


def test_a_bare_machine_is_told_what_it_lacks(put: Put, capsys: pytest.CaptureFixture[str]) -> None:
    assert callable(put)
    assert install.main() == 0
    said = capsys.readouterr().out
    assert "prometheus prometheus-alertmanager: no apt-get here" in said
    assert "jaeger: to build it takes Go 1.24.6 or newer" in said
    assert said.count("not here\n") == 4


def test_who_is_not_root_is_told_what_root_would_do(put: Put, capsys: pytest.CaptureFixture[str]) -> None:
    put("apt-get", "exit 1")
    put("prometheus", "")
    assert install.main() == 0
    assert "only root may install packages: apt-get install prometheus-alertmanager\n" in capsys.readouterr().out


@pytest.mark.usefixtures("root")
def test_root_installs_what_is_missing_and_no_service_is_started(put: Put, tmp_path: Path) -> None:
    log = tmp_path / "log"
    put("apt-get", f'echo "$@" >> {log}; [ -x {tmp_path}/policy-rc.d ] && echo "starts nothing" >> {log}')
    put("systemctl", "")
    assert install.main() == 0
    installing = "--quiet --quiet install --yes --no-install-recommends prometheus prometheus-alertmanager"
    assert log.read_text().splitlines() == ["--quiet --quiet update", "starts nothing", installing, "starts nothing"]
    assert not (tmp_path / "policy-rc.d").exists()


@pytest.mark.usefixtures("root")
def test_a_failed_installation_fails_and_jaeger_is_built_all_the_same(
    put: Put, capsys: pytest.CaptureFixture[str]
) -> None:
    put("apt-get", "echo no such package >&2; exit 100")
    put("go", go("go1.26.8", 'echo built > "$out"'))
    assert install.main() == 1
    assert "failed: apt-get --quiet --quiet … ended with 100: no such package\n" in capsys.readouterr().out
    assert built_jaeger().read_text() == "built\n"


def test_jaeger_is_built_once(put: Put, capsys: pytest.CaptureFixture[str]) -> None:
    put("go", go("go1.24.6", ': > "$out"; /bin/chmod +x "$out"'))
    assert install.main() == 0
    assert f"building Jaeger {JAEGER_VERSION}" in capsys.readouterr().out
    assert [each.name for each in built_jaeger().parent.iterdir()] == ["jaeger"]
    assert install.main() == 0
    assert "building" not in capsys.readouterr().out


def test_a_build_that_fails_leaves_nothing(put: Put, capsys: pytest.CaptureFixture[str]) -> None:
    put("go", go("go1.26.8", ': > "$out"; echo undefined: x >&2; exit 2'))
    assert install.main() == 1
    assert "ended with 2: undefined: x\n" in capsys.readouterr().out
    assert list(built_jaeger().parent.iterdir()) == []


def test_a_go_that_is_too_old_is_named(put: Put, capsys: pytest.CaptureFixture[str]) -> None:
    file = put("go", go("go1.19.8", "exit 1"))
    assert install.main() == 0
    assert f"jaeger: {file} is go1.19.8; to build it takes 1.24.6 or newer\n" in capsys.readouterr().out
