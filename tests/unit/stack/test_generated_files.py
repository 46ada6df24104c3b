"""What is generated is checked in as its generator makes it."""

import pytest

from observability.stack.generators import FOLDER, GENERATORS


@pytest.mark.parametrize("module", GENERATORS)
def test_files_are_as_their_generator_makes_them(module: str) -> None:
    for name, text in GENERATORS[module]().items():
        file = FOLDER / name
        assert file.exists(), f"{name} is not there; {module} makes it: `make stack`"
        assert file.read_text("utf-8") == text, f"{name} is not as {module} makes it: change that, then `make stack`"
