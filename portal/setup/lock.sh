#!/usr/bin/env bash
# Writes requirements.lock from requirements.in, with the digest of every file of every platform.
# The digests come from the public index alone, whatever mirrors this machine is set up with.
set -euo pipefail
cd "$(dirname "$0")/../.."
tool=var/lock-tool
if [ ! -x $tool/bin/pip-compile ]; then
    "$(portal/setup/python.sh)" -m venv $tool
    $tool/bin/python -m pip install --quiet --disable-pip-version-check pip-tools==7.6.2
fi
public_index=(env -u PIP_FIND_LINKS -u PIP_EXTRA_INDEX_URL -u PIP_INDEX_URL PIP_CONFIG_FILE=/dev/null)
"${public_index[@]}" $tool/bin/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-header \
    --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options \
    --output-file requirements.lock requirements.in

# The lock must hold for the Python of Debian 12 (3.11.2) on both architectures, not only for the one that made it.
# durable-rules exists as source only and is compiled at set-up.
wheels=$(mktemp)
trap 'rm -f "$wheels"' EXIT
awk '/^[^ #]/ {keep = !/^durable-rules==/} keep' requirements.lock > "$wheels"
for machine in x86_64 aarch64; do
    platforms=()
    for libc in manylinux2014 manylinux_2_17 manylinux_2_24 manylinux_2_26 manylinux_2_27 manylinux_2_28 \
                manylinux_2_34 manylinux_2_35 manylinux_2_36; do
        platforms+=(--platform "${libc}_$machine")
    done
    "${public_index[@]}" $tool/bin/python -m pip install --quiet --disable-pip-version-check --dry-run --no-deps \
        --ignore-installed --target "$wheels.d" --only-binary=:all: --implementation cp --python-version 3.11.2 \
        "${platforms[@]}" --require-hashes -r "$wheels"
done
