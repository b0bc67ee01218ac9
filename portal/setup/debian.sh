#!/usr/bin/env bash
# Installs the Debian packages that are missing. Usage: debian.sh run|test (test includes run).
# Needs root or `sudo -n` only when something is missing; without either it prints the line to run and exits 2.
set -euo pipefail
cd "$(dirname "$0")/../.."
purpose=$1

is_installed() {
    command -v dpkg-query >/dev/null && [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=()
while read -r group package probe; do
    [[ -z $group || $group == \#* ]] && continue
    [[ $group == test && $purpose != test ]] && continue
    is_installed "$package" && continue
    [[ -n $probe ]] && bash -c "$probe" >/dev/null 2>&1 && continue
    missing+=("$package")
done < portal/setup/debian-packages.txt

[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    as_root=(sudo -n)
    if ! sudo -n true 2>/dev/null; then
        echo "缺少系统软件包，而当前用户没有安装权限。请由管理员执行下面一行，然后重试：" >&2
        echo "apt-get update && apt-get install -y --no-install-recommends ${missing[*]}" >&2
        exit 2
    fi
fi
if ! command -v apt-get >/dev/null; then
    echo "缺少软件包：${missing[*]}。本机没有 apt-get，请用系统自己的方式安装同样的软件，然后重试。" >&2
    exit 2
fi
echo "安装系统软件包：${missing[*]}"
"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
