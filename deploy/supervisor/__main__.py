"""`python -m deploy.supervisor`: a supervisor without a terminal, as `faultline up --detach` and tests start it.

It says nothing but, when it cannot go on, one line on standard error; progress is seen over its control API.
"""

import sys

from deploy.errors import DeployError
from deploy.supervisor import bootstrap, request


def main(arguments: list[str]) -> int:
    """The exit code (sysexits.h)."""
    try:
        bootstrap.run(bootstrap.options(request.parse(arguments)), on_event=lambda _: None)
    except DeployError as exc:
        print(exc, file=sys.stderr)
        return exc.exit_code
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
