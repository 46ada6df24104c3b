#!/bin/sh
# Finds a Python that fits and lets it make .venv: `sh requirements/setup.sh run|dev`.
# PYTHON names an interpreter; without it the first that fits is taken, python3 before others.
set -eu

cd "$(dirname "$0")/.."
unset PYTHONHOME PYTHONPATH VIRTUAL_ENV || true

version_of() {
    { "$1" --version 2>&1 || echo "nothing"; } | head -n 1
}

fits() {
    "$1" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

if [ -n "${PYTHON:-}" ]; then
    fits "$PYTHON" || {
        echo "set-up: PYTHON=$PYTHON is no Python 3.11 or newer (it says: $(version_of "$PYTHON"))" >&2
        echo "        name another, as in: make ${MAKECMDGOALS:-demo} PYTHON=/usr/bin/python3.11" >&2
        exit 1
    }
    exec "$PYTHON" requirements/install.py --rebuild-for-other-python "$1"
fi

for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do
    if fits "$candidate"; then
        exec "$candidate" requirements/install.py "$1"
    fi
done

echo "set-up: Python 3.11 or newer is needed, and none is on the PATH (python3 says: $(version_of python3))" >&2
echo "        Debian, Ubuntu: apt-get install python3 python3-pip · Fedora: dnf install python3.12 · macOS: brew install python" >&2
echo "        or name one that is elsewhere: make ${MAKECMDGOALS:-demo} PYTHON=/path/to/python3" >&2
exit 1
