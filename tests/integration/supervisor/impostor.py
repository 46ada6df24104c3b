"""A program that is not ours, as the supervisor sees one: knows no lifeline, answers `/-/ready`, misbehaves if told to.

It stands in for Prometheus, as which it is found on a PATH: `--web.listen-address` says where to answer. What it is to do
is in a file beside it, as the environment of such a program is not ours to fill.
"""

import http.server
import os
import signal
import sys
import time
from pathlib import Path

SCRIPT = """#!{python}
import runpy, sys
sys.path.insert(0, {checkout!r})
runpy.run_module({module!r}, run_name="__main__")
"""


def install(folder: Path, checkout: Path, behaviour: str = "") -> Path:
    """Makes it `prometheus` in `folder`; `behaviour` is `stubborn`, `broken` or nothing. The file."""
    file = folder / "prometheus"
    file.write_text(SCRIPT.format(python=sys.executable, checkout=str(checkout), module=__name__))
    file.chmod(0o755)
    (folder / "behaviour").write_text(behaviour)
    return file


class _Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/-/ready" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def main(behaviour: str) -> None:
    if behaviour == "broken":
        print("the store is read-only", file=sys.stderr)
        raise SystemExit(1)
    if behaviour == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, _drain)
    prefix = "--web.listen-address="
    host, _, port = next(each for each in sys.argv if each.startswith(prefix)).removeprefix(prefix).rpartition(":")
    http.server.HTTPServer((host, int(port)), _Ready).serve_forever()


def _drain(*_: object) -> None:
    """Takes a moment; then its data folder, in which it runs, shows that it was let finish."""
    time.sleep(0.2)
    Path("drained").touch()
    os._exit(0)


if __name__ == "__main__":
    main((Path(sys.argv[0]).parent / "behaviour").read_text())
