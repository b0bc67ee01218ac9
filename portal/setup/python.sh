#!/usr/bin/env bash
# Prints a Python 3.11 that can make a virtual environment; with `headers`, one that can also compile C modules.
# Fails when there is none.
set -euo pipefail

wanted='import sys, venv, ensurepip, os, sysconfig
assert sys.version_info[:2] == (3, 11)
assert "headers" not in sys.argv or os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h"))'

# python3.11 of Debian may come without ensurepip, so a pyenv beside it is worth a look.
for candidate in python3.11 python3 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.11*/bin/python3.11; do
    if path=$(command -v "$candidate") && "$path" -c "$wanted" "$@" 2>/dev/null; then
        echo "$path"
        exit 0
    fi
done
exit 1
