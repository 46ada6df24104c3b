"""Makes the pictures that the README shows, from a system started for it: `make pictures`."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from deploy.system import System, start_system
from tests.conftest import CHECKOUT, CHROMIUM_NAMES
from tests.e2e.running import SERVICES, shopper
from tests.e2e.traces import Traces

FOLDER = CHECKOUT / "docs" / "pictures"
WARM_UP = 20


def main() -> None:
    """Starts, buys until connections are warm, and takes the last checkout's picture."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, start_system(Path(folder) / "state") as system:
        _take(f"{system.query_url}/trace/{_checkout(system)}", FOLDER / "trace.png")


def _checkout(system: System) -> str:
    customer = shopper(system)
    answers = [customer.check_out() for _ in range(WARM_UP)]
    return Traces(system.query_url).whole(answers[-1].trace_id, *SERVICES).trace_id


def _take(address: str, file: Path) -> None:
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found is None:
        sys.exit("no Chromium on this machine (Debian: apt-get install chromium)")
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=options)
        page = chromium.new_page(viewport={"width": 1280, "height": 860})
        page.goto(address)
        page.screenshot(path=file)
        chromium.close()
    print(file.relative_to(CHECKOUT))


if __name__ == "__main__":
    main()
