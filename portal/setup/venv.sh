#!/usr/bin/env bash
# Makes .venv and installs the lock and the portal into it; does nothing when the lock has not changed.
set -euo pipefail
cd "$(dirname "$0")/../.."
stamp=.venv/installed.sha256
wanted=$(cat requirements.lock pyproject.toml portal/setup/venv.sh | sha256sum | cut -d' ' -f1)
works='import sys; assert sys.version_info[:2] == (3, 11)'

if .venv/bin/python -c "$works" 2>/dev/null; then
    [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && [ -x .venv/bin/portal ] && exit 0
else
    python=$(portal/setup/python.sh headers) || {
        echo "未找到可用的 Python 3.11（需要 venv 模块与头文件）；请安装 python3.11-venv 与 python3.11-dev 后重试。" >&2
        exit 2
    }
    rm -rf .venv
    "$python" -m venv .venv
fi

pip=(.venv/bin/python -m pip --disable-pip-version-check --quiet)
builders=$(mktemp)
trap 'rm -f "$builders"' EXIT
# What comes as source is built with the locked tools, not with whatever is newest on that day.
awk '/^[^ #]/ {keep = /^(setuptools|wheel|packaging)==/} keep' requirements.lock > "$builders"
echo "安装 Python 依赖（首次约需几分钟）"
"${pip[@]}" install --require-hashes -r "$builders"
"${pip[@]}" install --require-hashes --no-build-isolation -r requirements.lock
# "compat" puts this folder itself on the path, so that a new package is found without installing again;
# the setuptools that is locked has it, its notice that later ones will not is of no use here.
PYTHONWARNINGS=ignore "${pip[@]}" install --no-deps --no-build-isolation --config-settings editable_mode=compat -e .
"${pip[@]}" check
echo "$wanted" > "$stamp"
