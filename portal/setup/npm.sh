#!/usr/bin/env bash
# Fetches the browser files that the lock names and puts them where the portal serves them.
# Does nothing when the lock has not changed and the files are in place.
set -euo pipefail
cd "$(dirname "$0")/../.."
stamp=node_modules/installed.sha256
wanted=$(cat package.json package-lock.json portal/assets.py | sha256sum | cut -d' ' -f1)

if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && [ -e static/vendor/installed.json ]; then
    exit 0
fi
echo "安装浏览器文件"
npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
.venv/bin/python -m portal.assets
echo "$wanted" > "$stamp"
