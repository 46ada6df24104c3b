"""What is generated is checked in as its generator makes it."""

import shutil
from pathlib import Path

from observability.stack.generators import FOLDER, GENERATORS, drift


def test_files_are_as_their_generators_make_them() -> None:
    assert not list(drift())


def test_a_file_that_is_edited_by_hand_is_found_and_its_generator_named(tmp_path: Path) -> None:
    copy = shutil.copytree(FOLDER, tmp_path / "stack", ignore=shutil.ignore_patterns("__pycache__"))
    edited = {module: next(iter(files())) for module, files in GENERATORS.items()}
    for name in edited.values():
        (copy / name).write_text((copy / name).read_text("utf-8") + "\n", "utf-8")
    gone = "grafana/dashboards/edges.json"
    (copy / gone).unlink()
    assert set(drift(copy)) == {
        f"{gone} is not there; observability.stack.grafana makes it: `make stack`",
        *(f"{name} is not as {module} makes it: change that, then `make stack`" for module, name in edited.items()),
    }
