#!/usr/bin/env bash
# Everything that `make run` or `make test` needs. Usage: setup.sh run|test
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p var
exec 9> var/setup.lock
flock 9
portal/setup/debian.sh "$1"
portal/setup/venv.sh
portal/setup/npm.sh
